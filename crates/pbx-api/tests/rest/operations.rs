//! Every sign-in operation against servers that refuse it or answer it with nonsense.

use std::pin::Pin;
use std::time::Duration;

use pbx_api::{ApiError, Client, Dialect, ErrorCode, SipDomain};
use secrecy::SecretString;
use url::Url;

use crate::peer::{Identity, Peer, Request, Step, answer, error, json};

// What the operations send in secret. Each has something that JSON, a form or a URL writes in another way.
const PASSWORD: &str = "pass\"wörd &+%";
const OLD: &str = "old pass/word";
const TOKEN: &str = "session=token";
const CODE: &str = "co de";
const ACCESS: &str = "access-to_ken";
const REFRESH: &str = "refresh?token";
const SECRETS: [&str; 6] = [PASSWORD, OLD, TOKEN, CODE, ACCESS, REFRESH];

type Outcome = Pin<Box<dyn Future<Output = Result<String, ApiError>> + Send>>;

/// An operation: its name, its call with the answer as `Debug` shows it, and what its answer must hold.
struct Operation {
    name: &'static str,
    call: fn(Client) -> Outcome,
    answer: Needed,
}

/// What an operation reads out of a successful answer.
#[derive(Clone, Copy, PartialEq)]
enum Needed {
    /// An object of its own.
    Object,
    /// Whatever comes will do.
    Nothing,
    /// A redirect.
    Location,
}

macro_rules! operation {
    ($name:literal, $answer:ident, $client:ident => $call:expr) => {
        Operation {
            name: $name,
            call: |$client| Box::pin(async move { $call.await.map(|told| format!("{told:?}")) }),
            answer: Needed::$answer,
        }
    };
}

fn operations() -> Vec<Operation> {
    vec![
        operation!("sign_in", Object, client => client.sign_in(&domain(), "alice", &PASSWORD.into())),
        operation!("sign_in_oauth", Object, client => client.sign_in_oauth(&domain(), "alice", &PASSWORD.into())),
        operation!("exchange_code", Object, client => client.exchange_code(&CODE.into(), &callback())),
        operation!("refresh", Object, client => client.refresh(Dialect::Auth, &REFRESH.into())),
        operation!("refresh_oauth", Object, client => client.refresh(Dialect::OAuth, &REFRESH.into())),
        operation!("sign_out", Nothing, client => client.sign_out(Dialect::Auth, &ACCESS.into(), None)),
        operation!("sign_out_token", Nothing, client => client.sign_out(Dialect::Token, &ACCESS.into(), None)),
        operation!("sign_out_cookie", Nothing, client => client.sign_out(Dialect::Cookie, &ACCESS.into(), None)),
        operation!("send_code", Nothing, client => client.send_code(&TOKEN.into())),
        operation!("verify_code", Object, client => client.verify_code(&TOKEN.into(), &CODE.into())),
        operation!("microsoft", Object, client => client.microsoft(&domain(), &callback())),
        operation!("microsoft_older", Location, client => client.microsoft_older(&domain(), &callback())),
        operation!("forget_password", Nothing, client => client.forget_password(&domain(), "alice", &callback())),
        operation!("reset_password", Nothing, client => client.reset_password(&TOKEN.into(), &PASSWORD.into())),
        operation!("change_password", Nothing,
            client => client.change_password(&ACCESS.into(), &OLD.into(), &PASSWORD.into())),
        operation!("password_policy", Object, client => client.password_policy(Some(&ACCESS.into()))),
        operation!("auth_user", Object, client => client.auth_user(&ACCESS.into())),
    ]
}

fn domain() -> SipDomain {
    "test.io".parse().unwrap()
}

fn callback() -> Url {
    "carillon://callback/0123456789abcdef?a=b&c".parse().unwrap()
}

fn secret(text: &str) -> SecretString {
    text.into()
}

/// What each operation ends in where a server answers everything so; each asks exactly once.
async fn each(
    steps: impl Fn() -> Vec<Step> + Send + Sync + 'static,
) -> Vec<(Operation, Result<String, ApiError>)> {
    let identity = Identity::signed(|_| {});
    let peer = Peer::start(&identity, move |_| steps()).await;
    let client = peer.client(&identity);
    let mut outcomes = Vec::new();
    for operation in operations() {
        let before = peer.requests().len();
        let outcome = (operation.call)(client.clone()).await;
        assert_eq!(peer.requests().len(), before + 1, "{}", operation.name);
        outcomes.push((operation, outcome));
    }
    outcomes
}

#[tokio::test]
async fn what_is_sent() {
    let identity = Identity::signed(|_| {});
    let peer = Peer::start(&identity, |_| json(404, "")).await;
    for operation in operations() {
        let _ = (operation.call)(peer.client(&identity)).await;
    }
    let form = "application/x-www-form-urlencoded";
    let written = "callback_url=carillon%3A%2F%2Fcallback%2F0123456789abcdef%3Fa%3Db%26c";
    let client_id = "client_id=9d806019-75b2-4b3d-bb8b-f5a3a412cc0a";
    let sent = [
        ("auth/sign_in", r#"{"username":"alice","password":"pass\"wörd &+%","domain":"test.io"}"#.to_owned()),
        (
            "login/oauth/token",
            format!(
                "grant_type=password&username=alice&domain=test.io&password=pass%22w%C3%B6rd+%26%2B%25&scope=all&{client_id}"
            ),
        ),
        (
            "login/oauth/token",
            format!(
                "grant_type=authorization_code&code=co+de&{}&{client_id}",
                written.replace("callback_url", "redirect_uri")
            ),
        ),
        ("auth/refresh_token", r#"{"refresh_token":"refresh?token"}"#.to_owned()),
        ("login/oauth/token", format!("grant_type=refresh_token&refresh_token=refresh%3Ftoken&{client_id}")),
        ("auth/sign_out", String::new()),
        ("auth/sign_out", String::new()),
        ("logout", String::new()),
        ("auth/send_otp", r#"{"token":"session=token"}"#.to_owned()),
        ("auth/verify_otp", r#"{"token":"session=token","code":"co de"}"#.to_owned()),
        ("auth/sign_in/microsoft", format!(r#"{{"domain":"test.io","callback_url":"{}"}}"#, callback())),
        ("login/by_microsoft", format!("domain=test.io&{written}")),
        (
            "auth/forget_password",
            format!(r#"{{"domain":"test.io","username":"alice","callback_url":"{}"}}"#, callback()),
        ),
        ("auth/reset_password", r#"{"token":"session=token","new_password":"pass\"wörd &+%"}"#.to_owned()),
        ("user/password", r#"{"old_password":"old pass/word","new_password":"pass\"wörd &+%"}"#.to_owned()),
        ("tenant/password_policy", String::new()),
        ("auth/user", String::new()),
    ];
    let requests = peer.requests();
    assert_eq!(requests.len(), sent.len());
    for (request, (path, body)) in requests.iter().zip(sent) {
        assert!(request.line.ends_with(&format!(" /api/{path}")), "{request:?}");
        assert_eq!(request.body, body, "{path}");
        let of_type = |kind: &str| request.head.contains(&format!("content-type: {kind}\n"));
        assert_eq!(of_type(form), path.starts_with("login/"), "{request:?}");
        assert_eq!(of_type("application/json"), body.starts_with('{'), "{request:?}");
        let with_token = ["auth/sign_out", "logout", "user/password", "tenant/password_policy", "auth/user"];
        let bearer = request.head.contains("authorization: Bearer access-to_ken\n");
        assert_eq!(bearer, with_token.contains(&path), "{request:?}");
    }
}

#[tokio::test]
async fn nonsense_is_not_understood() {
    let deep: &'static str = "[".repeat(100_000).leak();
    for body in [
        "{\"access_token\":",
        "[{\"access_token\":\"sesame\"}]",
        "\"sesame\"",
        "<html>sesame</html>",
        "{\"access_token\":[\"sesame\"],\"url\":[\"sesame\"],\"role\":[\"sesame\"]}",
        "{\"access_token\":{\"sesame\":1},\"url\":\"sesame\",\"role\":{}}",
        "{\"access_token\":\"sesame\",\"expires_in\":-1,\"url\":\"file:///sesame\",\"role\":1}",
        "{\"access_token\":\"sesame\",\"expires_in\":1e400}",
        "\u{feff}{}",
        "sesame\0\u{7f}\r\n",
        deep,
    ] {
        for (operation, outcome) in each(move || answer("200 OK", "Content-Type: text/html\r\n", body)).await
        {
            let shown = format!("{}: {outcome:?}", operation.name);
            match operation.answer {
                Needed::Nothing => assert!(outcome.is_ok(), "{shown}"),
                // The policy is advice: what cannot be read of it is as usual.
                Needed::Object if operation.name == "password_policy" && body.starts_with('{') => {}
                _ => assert!(matches!(outcome, Err(ApiError::NotUnderstood { .. })), "{shown} {body}"),
            }
            assert!(!shown.contains("sesame"), "{shown}");
        }
    }
}

#[tokio::test]
async fn no_answer_is_endless() {
    let head = |line: &str| Step::Send(format!("HTTP/1.1 200 OK\r\n{line}\r\n\r\n").into_bytes());
    let told = move || vec![head("Content-Length: 1048577"), Step::Send(b" ".repeat(1_048_577)), Step::Cut];
    let to_the_end = move || vec![head("Connection: close"), Step::Send(b" ".repeat(1_048_577)), Step::Cut];
    for outcomes in [each(told).await, each(to_the_end).await] {
        for (operation, outcome) in outcomes {
            let too_large = matches!(outcome, Err(ApiError::TooLarge { limit: 1_048_576 }));
            // It looks for a redirect, not at a body.
            assert_eq!(too_large, operation.answer != Needed::Location, "{}: {outcome:?}", operation.name);
        }
    }
}

#[tokio::test]
async fn a_cut_answer_is_a_lost_connection() {
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"access_token\":\"sesame\"".to_vec();
    for (operation, outcome) in each(move || vec![Step::Send(half.clone()), Step::Cut]).await {
        let lost = matches!(outcome, Err(ApiError::ConnectionLost { .. }));
        assert_eq!(lost, operation.answer != Needed::Location, "{}: {outcome:?}", operation.name);
    }
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let wait = "Retry-After: 30\r\n";
    for (status, head) in [
        ("401 No", ""),
        ("402 No", ""),
        ("403 No", wait),
        ("404 No", ""),
        ("405 No", ""),
        ("423 No", wait),
        ("429 No", wait),
        ("500 No", ""),
        ("503 No", wait),
    ] {
        for (operation, outcome) in each(move || answer(status, head, "<html>")).await {
            let error = outcome.unwrap_err();
            let shown = format!("{} {status}: {error:?}", operation.name);
            let credentials = ["sign_in", "sign_in_oauth", "verify_code"].contains(&operation.name);
            let right = match (status, &error) {
                ("401 No", ApiError::WrongCredentials) => credentials,
                ("401 No", ApiError::Unauthorized) => !credentials,
                ("402 No", ApiError::Refused { status: 402, code: None, message: None }) => true,
                ("403 No" | "423 No", ApiError::Blocked { .. }) => true,
                ("404 No" | "405 No", ApiError::NotFound { code: None, .. }) => true,
                ("429 No", ApiError::Throttled { .. }) => true,
                ("500 No" | "503 No", ApiError::ServerFailed { .. }) => true,
                _ => false,
            };
            assert!(right, "{shown}");
            assert_eq!(error.retry_after(), (!head.is_empty()).then_some(Duration::from_secs(30)), "{shown}");
        }
    }
}

#[tokio::test]
async fn codes_of_refusals() {
    for code in ["UNAUTHORIZED", "VALIDATE_FAILED", "UNKNOWN", "BRAND_NEW"] {
        for (operation, outcome) in each(move || error(400, code)).await {
            let wrong = match operation.name {
                "verify_code" => true,
                "sign_in" | "sign_in_oauth" | "change_password" => code == "UNAUTHORIZED",
                _ => false,
            };
            let expected = match code {
                "UNAUTHORIZED" => ErrorCode::Unauthorized,
                "VALIDATE_FAILED" => ErrorCode::ValidateFailed,
                _ => ErrorCode::Unknown,
            };
            match outcome.unwrap_err() {
                ApiError::WrongCredentials => assert!(wrong, "{} {code}", operation.name),
                ApiError::Refused { status: 400, code: Some(code), message: Some(text) } => {
                    assert!(!wrong && code == expected && text == "a message", "{} {code:?}", operation.name);
                }
                other => panic!("{} {code}: {other:?}", operation.name),
            }
        }
    }
}

#[tokio::test]
async fn refusals_as_oauth_words_them() {
    let identity = Identity::signed(|_| {});
    let body = r#"{"error":"invalid_grant","error_description":"no such user"}"#;
    let peer = Peer::start(&identity, move |_| json(400, body)).await;
    let client = peer.client(&identity);
    let error = client.sign_in_oauth(&domain(), "alice", &secret(PASSWORD)).await.unwrap_err();
    assert!(matches!(error, ApiError::WrongCredentials), "{error:?}");
    let error = client.refresh(Dialect::OAuth, &secret(REFRESH)).await.unwrap_err();
    assert!(
        matches!(&error, ApiError::Refused { code: Some(ErrorCode::Unauthorized), message: Some(text), .. }
            if text == "no such user"),
        "{error:?}"
    );
}

/// A server that quotes what it was given, in its words or in a redirect.
#[tokio::test]
async fn secrets_quoted_by_the_server_are_not_repeated() {
    let quoting = |secret: &'static str| {
        let written: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let complain = move |prefix: &str| {
            let message = format!("{prefix}{secret} is not right");
            json(400, &serde_json::json!({"errors": [{"code": "UNKNOWN", "message": message}]}).to_string())
        };
        let locate = move |value: &str| {
            let head = format!("Location: https://x/{value}/p?access_token=sesame#sesame\r\n");
            answer("302 Found", &head, "")
        };
        let ascii: String = secret.chars().filter(char::is_ascii).collect();
        // Right across the length at which a message is cut off.
        let far = "x".repeat(300 - 4);
        let raw = if ascii == secret { locate(secret) } else { locate(&written) };
        [complain(""), complain(&far), raw, locate(&written)]
    };
    for secret in SECRETS {
        for steps in quoting(secret) {
            for (operation, outcome) in each(move || steps.clone()).await {
                // The place of this one's redirect is its answer.
                let Err(error) = outcome else {
                    assert!(operation.answer == Needed::Location, "{}", operation.name);
                    continue;
                };
                let mine = sends(&operation, secret);
                let shown = format!("{error} {error:?}");
                let written: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
                let half: String = secret.chars().take(4).collect();
                let told = [secret, written.as_str(), half.as_str()].iter().any(|form| shown.contains(form));
                assert!(!(mine && told), "{}: {shown}", operation.name);
                assert!(!shown.contains("sesame"), "{}: {shown}", operation.name);
            }
        }
    }
}

fn sends(operation: &Operation, secret: &str) -> bool {
    let sent: &[&str] = match operation.name {
        "sign_in" | "sign_in_oauth" => &[PASSWORD],
        "exchange_code" => &[CODE],
        "refresh" | "refresh_oauth" => &[REFRESH],
        "send_code" => &[TOKEN],
        "verify_code" => &[TOKEN, CODE],
        "reset_password" => &[TOKEN, PASSWORD],
        "change_password" => &[ACCESS, OLD, PASSWORD],
        "microsoft" | "microsoft_older" | "forget_password" => &[],
        _ => &[ACCESS],
    };
    sent.contains(&secret)
}

#[tokio::test]
async fn a_session_without_a_refresh_token() {
    let identity = Identity::signed(|_| {});
    let peer = Peer::start(&identity, |_| json(200, r#"{"access_token":"a","refresh_token":null}"#)).await;
    let client = peer.client(&identity);
    assert!(client.refresh(Dialect::Auth, &secret(REFRESH)).await.unwrap().refresh.is_none());
    assert!(client.refresh(Dialect::OAuth, &secret(REFRESH)).await.unwrap().refresh.is_none());
    assert!(client.sign_in_oauth(&domain(), "alice", &secret(PASSWORD)).await.unwrap().refresh.is_none());
    let asked = peer.requests().len();
    for dialect in [Dialect::Cookie, Dialect::Token] {
        let error = client.refresh(dialect, &secret(REFRESH)).await.unwrap_err();
        assert!(matches!(error, ApiError::Unauthorized), "{error:?}");
    }
    assert_eq!(peer.requests().len(), asked);
}

#[tokio::test]
async fn revoked_by_bearer_or_by_name() {
    let revoke = async |steps: fn(&Request) -> Vec<Step>, refresh: Option<SecretString>| {
        let identity = Identity::signed(|_| {});
        let peer = Peer::start(&identity, steps).await;
        let client = peer.client(&identity);
        let outcome = client.sign_out(Dialect::OAuth, &secret(ACCESS), refresh.as_ref()).await;
        let requests = peer.requests();
        for request in &requests {
            assert_eq!(request.line, "POST /api/login/oauth/revoke");
            assert!(request.head.contains("authorization: Bearer access-to_ken\n"), "{request:?}");
        }
        (outcome, requests.into_iter().map(|request| request.body).collect::<Vec<_>>())
    };
    let (outcome, bodies) = revoke(|_| answer("200 OK", "", ""), Some(secret(REFRESH))).await;
    assert!(outcome.is_ok() && bodies == [""], "{bodies:?}");
    let named = |request: &Request| {
        if request.body.is_empty() {
            json(400, r#"{"error":"invalid_request"}"#)
        } else {
            answer("200 OK", "", "")
        }
    };
    let client_id = "client_id=9d806019-75b2-4b3d-bb8b-f5a3a412cc0a";
    let (outcome, bodies) = revoke(named, Some(secret(REFRESH))).await;
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(bodies, [String::new(), format!("token=refresh%3Ftoken&{client_id}")]);
    let (outcome, bodies) = revoke(named, None).await;
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(bodies, [String::new(), format!("token=access-to_ken&{client_id}")]);
    let (outcome, bodies) = revoke(|_| answer("401 No", "", ""), Some(secret(REFRESH))).await;
    assert!(matches!(outcome, Err(ApiError::Unauthorized)) && bodies == [""], "{outcome:?}");
    let (outcome, bodies) = revoke(|_| error(400, "UNKNOWN"), Some(secret(REFRESH))).await;
    assert!(
        matches!(outcome, Err(ApiError::Refused { status: 400, .. })) && bodies.len() == 2,
        "{outcome:?}"
    );
}

#[tokio::test]
async fn the_older_way_to_microsoft() {
    let lead = async |status: &'static str, location: String| {
        let identity = Identity::signed(|_| {});
        let head = if location.is_empty() { location } else { format!("Location: {location}\r\n") };
        let peer = Peer::start(&identity, move |_| answer(status, &head, "<html>")).await;
        let outcome = peer.client(&identity).microsoft_older(&domain(), &callback()).await;
        (peer.address.authority(), outcome)
    };
    // As long as Microsoft makes them.
    let long = format!("https://login.example/authorize?state={}", "x".repeat(2000));
    for status in ["302 Found", "303 See Other", "307 Temporary"] {
        let (_, outcome) = lead(status, long.clone()).await;
        assert_eq!(outcome.unwrap().as_str(), long);
    }
    let (server, outcome) = lead("302 Found", "/ms365/start?x=1".into()).await;
    assert_eq!(outcome.unwrap().as_str(), format!("https://{server}/ms365/start?x=1"));
    let (_, outcome) = lead("302 Found", String::new()).await;
    assert!(matches!(outcome, Err(ApiError::Redirect { status: 302, to: None })), "{outcome:?}");
    for location in [
        "javascript:sesame",
        "file:///sesame",
        "carillon://callback/sesame",
        "https://sesame@x/",
        "https://[sesame",
    ] {
        let (_, outcome) = lead("302 Found", location.into()).await;
        let error = outcome.unwrap_err();
        assert!(
            matches!(error, ApiError::NotUnderstood { .. } | ApiError::Redirect { to: None, .. }),
            "{location}: {error:?}"
        );
        assert!(!format!("{error} {error:?}").contains("sesame"), "{error:?}");
    }
}
