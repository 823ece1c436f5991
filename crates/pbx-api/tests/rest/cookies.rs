//! The oldest sign-in, by cookie, and the second factor, which may end in one.

use std::time::Duration;

use pbx_api::{ApiError, SipDomain, Tokens};
use secrecy::ExposeSecret;

use crate::peer::{Identity, Peer, Request, Step, answer, json};

const SESSION: &str =
    r#"{"access_token":"access","expires_in":1800,"role":"StandardUser","refresh_token":"none"}"#;

fn domain() -> SipDomain {
    "test.io".parse().unwrap()
}

/// A server that opens a session by some `Set-Cookie` lines and answers `GET /login` so.
async fn sign_in(
    lines: &str,
    login: impl Fn(&Request) -> Vec<Step> + Send + Sync + 'static,
) -> (Result<Tokens, ApiError>, Vec<Request>) {
    let identity = Identity::signed(|_| {});
    let head = lines.to_owned();
    let peer = Peer::start(&identity, move |request| match request.line.as_str() {
        "POST /api/login" => answer("200 OK", &head, ""),
        "GET /api/login" => login(request),
        _ => json(500, ""),
    })
    .await;
    let outcome = peer.client(&identity).sign_in_cookie(&domain(), "alice", &"p\"w".into()).await;
    (outcome, peer.requests())
}

#[tokio::test]
async fn a_session_by_cookie() {
    let lines = "Set-Cookie: session=crumbs==; Path=/; HttpOnly; Secure\r\nSet-Cookie: lang=en\r\n";
    let (outcome, requests) = sign_in(lines, |_| json(200, SESSION)).await;
    let tokens = outcome.unwrap();
    assert_eq!((tokens.access.expose_secret(), tokens.expires_in), ("access", Duration::from_secs(1800)));
    assert!(tokens.refresh.is_none());
    let [post, get] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!(post.body, r#"{"username":"alice","password":"p\"w","domain":"test.io"}"#);
    assert!(!post.head.contains("cookie"), "{post:?}");
    assert!(get.head.contains("cookie: session=crumbs==; lang=en\n"), "{get:?}");
    assert!(!get.head.contains("authorization"), "{get:?}");
}

#[tokio::test]
async fn which_cookies_are_sent_back() {
    for (lines, expected) in [
        ("Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nSet-Cookie: a=3\r\n", "a=3; b=2"),
        ("Set-Cookie: a=1; Max-Age=0\r\nSet-Cookie: b=\r\n", "b="),
        ("Set-Cookie: a=1\r\nSet-Cookie: a=; max-age=-1\r\nSet-Cookie: b=2\r\n", "b=2"),
        ("Set-Cookie: =1\r\nSet-Cookie: nothing\r\nSet-Cookie: ;\r\nSet-Cookie:   b = 2 ;x\r\n", "b=2"),
        ("Set-Cookie: a=\u{e9}\r\nSet-Cookie: b=2\r\n", "b=2"),
        ("Set-Cookie: a=1; Max-Age=3600; Domain=evil.example\r\n", "a=1"),
    ] {
        let (outcome, requests) = sign_in(lines, |_| json(200, SESSION)).await;
        assert!(outcome.is_ok(), "{lines}: {outcome:?}");
        assert!(requests[1].head.contains(&format!("cookie: {expected}\n")), "{lines}: {requests:?}");
    }
    let many: String =
        (0..90).map(|number| format!("Set-Cookie: c{number}={}\r\n", "x".repeat(100))).collect();
    for lines in ["", "Set-Cookie: a=1; Max-Age=0\r\n", "Set-Cookie: nothing\r\n", &many] {
        let (outcome, requests) = sign_in(lines, |_| json(200, SESSION)).await;
        assert!(matches!(outcome, Err(ApiError::NotUnderstood { .. })), "{lines}: {outcome:?}");
        assert_eq!(requests.len(), 1);
    }
}

#[tokio::test]
async fn lifetime_by_the_servers_clock() {
    const UNTOLD: u64 = u64::MAX;
    let at = |date: &'static str, body: &'static str| {
        move |_: &Request| answer("200 OK", &format!("Date: {date}\r\n"), body)
    };
    let noon = "Sun, 06 Nov 1994 12:00:00 GMT";
    for (body, seconds) in [
        (r#"{"access_token":"a","expires_at":"1994-11-06T12:10:00Z"}"#, 600),
        (r#"{"access_token":"a","expires_at":"1994-11-06T12:10:00+00:05"}"#, 300),
        (r#"{"access_token":"a","expires_at":"1994-11-06T11:00:00Z"}"#, 0),
        (r#"{"access_token":"a","expires_at":"9999-11-06T11:00:00Z"}"#, 315_360_000),
        (r#"{"access_token":"a","expires_at":"1994-11-06T12:10:00Z","expires_in":60}"#, 60),
        (r#"{"access_token":"a","expires_at":"1994-11-06T12:10:00Z","expires_in":null}"#, 600),
        (r#"{"access_token":"a","expires_at":"soon"}"#, UNTOLD),
        (r#"{"access_token":"a","expires_at":7}"#, UNTOLD),
        (r#"{"access_token":"a"}"#, UNTOLD),
    ] {
        let (outcome, _) = sign_in("Set-Cookie: a=1\r\n", at(noon, body)).await;
        let lifetime = if seconds == UNTOLD { Duration::MAX } else { Duration::from_secs(seconds) };
        assert_eq!(outcome.unwrap().expires_in, lifetime, "{body}");
    }
}

#[tokio::test]
async fn sessions_that_do_not_come() {
    let cookie = "Set-Cookie: sesame=sesame\r\n";
    for body in [
        "",
        "null",
        "{}",
        "<html>",
        r#"{"access_token":""}"#,
        r#"{"access_token":7}"#,
        r#"{"access_token":"a","expires_in":-2147483648}"#,
    ] {
        let (outcome, _) = sign_in(cookie, move |_| answer("200 OK", "", body)).await;
        assert!(matches!(outcome, Err(ApiError::NotUnderstood { .. })), "{body}: {outcome:?}");
    }
    let (outcome, _) = sign_in(cookie, |_| json(401, "")).await;
    assert!(matches!(outcome, Err(ApiError::Unauthorized)), "{outcome:?}");
    let quoting = r#"{"errors":[{"code":"UNKNOWN","message":"no session sesame=sesame"}]}"#;
    let (outcome, _) = sign_in(cookie, move |_| json(400, quoting)).await;
    let error = outcome.unwrap_err();
    assert!(matches!(error, ApiError::Refused { message: None, .. }), "{error:?}");
}

#[tokio::test]
async fn a_wrong_password_is_sent_once() {
    for (status, code) in [(400, "UNAUTHORIZED"), (401, "UNKNOWN")] {
        let identity = Identity::signed(|_| {});
        let body = format!(r#"{{"errors":[{{"code":"{code}","message":"sesame"}}]}}"#);
        let peer = Peer::start(&identity, move |_| json(status, &body)).await;
        let outcome = peer.client(&identity).sign_in_cookie(&domain(), "alice", &"sesame".into()).await;
        assert!(matches!(outcome, Err(ApiError::WrongCredentials)), "{outcome:?}");
        assert_eq!(peer.lines(), ["POST /api/login"]);
    }
}

/// What `POST /auth/verify_otp` is answered with, and `GET /login` after it.
async fn verify(
    head: &'static str,
    body: &'static str,
    login: (u16, &'static str),
) -> (Result<Option<Tokens>, ApiError>, Vec<String>) {
    let identity = Identity::signed(|_| {});
    let peer = Peer::start(&identity, move |request| match request.line.as_str() {
        "POST /api/auth/verify_otp" => answer("200 OK", head, body),
        _ => json(login.0, login.1),
    })
    .await;
    let outcome = peer.client(&identity).verify_code(&"token".into(), &"123456".into()).await;
    (outcome, peer.lines())
}

#[tokio::test]
async fn what_a_right_code_may_bring() {
    let asked_once = ["POST /api/auth/verify_otp"];
    let full = r#"{"token_type":"Bearer","access_token":"a","refresh_token":"r","expires_in":60}"#;
    let (outcome, lines) = verify("Set-Cookie: a=1\r\n", full, (500, "")).await;
    let tokens = outcome.unwrap().unwrap();
    assert_eq!(tokens.refresh.unwrap().expose_secret(), "r");
    assert_eq!(lines, asked_once);
    for body in ["", " \r\n", "{}", r#"{"access_token":null}"#, r#"{"verified":true}"#] {
        let (outcome, lines) = verify("", body, (500, "")).await;
        assert!(outcome.unwrap().is_none(), "{body}");
        assert_eq!(lines, asked_once);
    }
    for body in ["", "{}", "OK", "true", "<html>"] {
        let (outcome, lines) = verify("Set-Cookie: a=1\r\n", body, (200, SESSION)).await;
        let tokens = outcome.unwrap().unwrap();
        assert!(tokens.access.expose_secret() == "access" && tokens.refresh.is_none());
        assert_eq!(lines, ["POST /api/auth/verify_otp", "GET /api/login"]);
    }
    for login in [(401, ""), (404, ""), (500, ""), (200, "<html>"), (200, "{}")] {
        let (outcome, _) = verify("Set-Cookie: a=1\r\n", "", login).await;
        assert!(outcome.unwrap().is_none(), "{login:?}");
    }
}

#[tokio::test]
async fn a_wrong_code_is_sent_once() {
    for status in [400, 401, 403, 422] {
        let identity = Identity::signed(|_| {});
        let peer = Peer::start(&identity, move |_| json(status, "")).await;
        let outcome = peer.client(&identity).verify_code(&"token".into(), &"123456".into()).await;
        assert!(matches!(outcome, Err(ApiError::WrongCredentials)), "{status}: {outcome:?}");
        assert_eq!(peer.lines(), ["POST /api/auth/verify_otp"]);
    }
}
