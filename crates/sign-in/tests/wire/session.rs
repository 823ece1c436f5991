use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use pbx_api::{ApiError, Client, Dialect, Trust, User};
use secrecy::ExposeSecret;
use sign_in::{Keeper, Secrets, Session, SessionSecrets, SignInError};

use crate::peer::{Peer, Request, Step, answer, error, json, tokens};
use crate::vault::{OpenVault, Turn};
use crate::{ACCOUNT, count, identity};

/// A session with `access-1`, whose tokens end in `lifetime`.
async fn session(client: Client, vault: &OpenVault, lifetime: Duration) -> Session {
    let expires_at = Some(SystemTime::now() + lifetime);
    let refresh = Some("refresh-1".into());
    taken_up(
        client,
        vault,
        SessionSecrets { access: "access-1".into(), refresh, expires_at, dialect: Dialect::Auth },
    )
    .await
}

async fn taken_up(client: Client, vault: &OpenVault, tokens: SessionSecrets) -> Session {
    let keeper = Arc::new(Keeper::new(vault.clone(), Duration::from_secs(60)));
    keeper.save(ACCOUNT, &Secrets::new(tokens, Some("sip".into()))).await.unwrap();
    Session::resume(client, keeper, ACCOUNT).await.unwrap().unwrap()
}

const LONG: Duration = Duration::from_secs(3600);

async fn user(session: &Session) -> Result<User, SignInError> {
    session.authorized(|client, access| async move { client.user(&access).await }).await
}

/// A PBX that takes `access-2` only, and answers refreshes as it is told.
fn only_second(
    refresh: impl Fn() -> Vec<Step> + Send + Sync + 'static,
) -> impl Fn(&Request) -> Vec<Step> + Send + Sync {
    move |request| match request.line.as_str() {
        "GET /api/user" if request.head.contains("access-2") => json(200, r#"{"extension_number":"101"}"#),
        "GET /api/user" => error(401, "UNAUTHORIZED"),
        "POST /api/auth/refresh_token" => refresh(),
        "POST /api/auth/sign_out" => answer("200 OK", "", ""),
        _ => error(404, "UNKNOWN"),
    }
}

#[tokio::test]
async fn refreshed_once_after_a_401() {
    let (identity, vault) = (identity(), OpenVault::default());
    let peer = Peer::start(&identity, only_second(|| tokens(2))).await;
    let session = session(peer.client(&identity), &vault, LONG).await;
    assert_eq!(user(&session).await.unwrap().extension_number.as_deref(), Some("101"));
    assert_eq!(peer.lines(), ["GET /api/user", "POST /api/auth/refresh_token", "GET /api/user"]);
    assert_eq!(peer.requests()[1].body, r#"{"refresh_token":"refresh-1"}"#);
    let entry = vault.text().unwrap();
    assert!(entry.contains("access-2") && entry.contains("refresh-2") && entry.contains("sip"), "{entry}");
    assert!(!session.status().borrow().expired);
}

#[tokio::test]
async fn two_at_once_refresh_once() {
    let (identity, vault) = (identity(), OpenVault::default());
    let slow = || [vec![Step::Pause(Duration::from_millis(100))], tokens(2)].concat();
    let peer = Peer::start(&identity, only_second(slow)).await;
    let session = session(peer.client(&identity), &vault, LONG).await;
    let (one, other) = tokio::join!(user(&session), user(&session));
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(count(&peer, "refresh_token"), 1);
}

#[tokio::test]
async fn a_401_that_stays_is_told() {
    let (identity, vault) = (identity(), OpenVault::default());
    let peer = Peer::start(&identity, only_second(|| tokens(3))).await;
    let session = session(peer.client(&identity), &vault, LONG).await;
    let error = user(&session).await.unwrap_err();
    assert!(matches!(error, SignInError::Api(ApiError::Unauthorized)), "{error:?}");
    assert_eq!(peer.lines().len(), 3);
}

#[tokio::test]
async fn a_refused_refresh_token_ends_the_session() {
    for status in [400, 401] {
        let (identity, vault) = (identity(), OpenVault::default());
        let peer = Peer::start(&identity, only_second(move || error(status, "UNKNOWN"))).await;
        let session = session(peer.client(&identity), &vault, LONG).await;
        let (one, other) = tokio::join!(user(&session), user(&session));
        for outcome in [one, other, user(&session).await] {
            assert!(matches!(outcome, Err(SignInError::SessionExpired)), "{outcome:?}");
        }
        assert_eq!(count(&peer, "refresh_token"), 1, "a refused credential was tried again");
        assert!(session.status().borrow().expired);
        session.keep_fresh().await;
        assert_eq!(session.sip_password().unwrap().expose_secret(), "sip");
    }
}

#[tokio::test]
async fn a_refresh_that_fails_may_pass() {
    let (identity, vault) = (identity(), OpenVault::default());
    let answers = Mutex::new(VecDeque::from([
        [vec![Step::Pause(Duration::from_millis(100))], error(503, "UNKNOWN")].concat(),
        vec![Step::Cut],
        tokens(2),
    ]));
    let peer =
        Peer::start(&identity, only_second(move || answers.lock().unwrap().pop_front().unwrap())).await;
    let session = session(peer.client(&identity), &vault, LONG).await;
    let failed = user(&session).await.unwrap_err();
    assert!(matches!(failed, SignInError::Api(ApiError::ServerFailed { status: 503, .. })), "{failed:?}");
    let failed = user(&session).await.unwrap_err();
    assert!(matches!(failed, SignInError::Api(ApiError::ConnectionLost { .. })), "{failed:?}");
    assert!(!session.status().borrow().expired);
    assert!(vault.text().unwrap().contains("refresh-1"));
    user(&session).await.unwrap();
}

#[tokio::test]
async fn new_tokens_are_in_the_vault_before_they_are_used() {
    let (identity, vault) = (identity(), OpenVault::default());
    let (seen, used) = (vault.clone(), Arc::<AtomicUsize>::default());
    let (rest, uses) = (only_second(|| tokens(2)), Arc::clone(&used));
    let peer = Peer::start(&identity, move |request| {
        if request.head.contains("access-2") {
            uses.fetch_add(
                if seen.text().unwrap().contains("refresh-2") { 1 } else { 1000 },
                Ordering::Relaxed,
            );
        }
        rest(request)
    })
    .await;
    user(&session(peer.client(&identity), &vault, LONG).await).await.unwrap();
    assert_eq!(used.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_caller_that_gives_up_does_not_lose_the_tokens() {
    let (identity, vault) = (identity(), OpenVault::default());
    let slow = || [vec![Step::Pause(Duration::from_millis(200))], tokens(2)].concat();
    let peer = Peer::start(&identity, only_second(slow)).await;
    let session = session(peer.client(&identity), &vault, LONG).await;
    {
        let mut impatient = std::pin::pin!(user(&session));
        while count(&peer, "refresh_token") == 0 {
            let _ = tokio::time::timeout(Duration::from_millis(5), &mut impatient).await;
        }
    }
    user(&session).await.unwrap();
    assert_eq!(count(&peer, "refresh_token"), 1);
}

#[tokio::test]
async fn kept_fresh_until_signed_out() {
    let (identity, vault) = (identity(), OpenVault::default());
    let peer = Peer::start(&identity, only_second(|| tokens(2))).await;
    let session = session(peer.client(&identity), &vault, Duration::ZERO).await;
    let fresh = tokio::spawn({
        let session = session.clone();
        async move { session.keep_fresh().await }
    });
    while !vault.text().unwrap().contains("access-2") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let out = session.sign_out().await;
    assert!(out.pbx.is_ok() && out.vault.is_ok(), "{out:?}");
    fresh.await.unwrap();
    assert_eq!(vault.text(), None);
    assert_eq!(count(&peer, "refresh_token"), 1);
    assert!(peer.requests().last().unwrap().head.contains("access-2"));
    assert!(matches!(user(&session).await, Err(SignInError::SessionExpired)));
    session.set_sip_password("late".into()).await;
    assert_eq!(vault.text(), None);
}

#[tokio::test]
async fn a_sip_password_given_in_the_middle_of_a_refresh() {
    let identity = identity();
    let turn = Turn { write: AtomicUsize::new(0), takes: Duration::from_millis(100) };
    let vault = OpenVault(Arc::default(), Arc::new(turn));
    let peer = Peer::start(&identity, only_second(|| tokens(2))).await;
    let session = session(peer.client(&identity), &vault, LONG).await;
    let giving = async {
        // The new tokens are on their way into the vault, and not yet in use.
        while vault.1.write.load(Ordering::Relaxed) < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        session.set_sip_password("newer".into()).await;
    };
    let (called, ()) = tokio::join!(user(&session), giving);
    called.unwrap();
    let entry = vault.text().unwrap();
    assert!(entry.contains("refresh-2") && entry.contains("newer"), "{entry}");
}

#[tokio::test]
async fn signing_out_in_the_middle_of_a_refresh() {
    let (identity, vault) = (identity(), OpenVault::default());
    let slow = || [vec![Step::Pause(Duration::from_millis(300))], tokens(2)].concat();
    let peer = Peer::start(&identity, only_second(slow)).await;
    let session = session(peer.client(&identity), &vault, LONG).await;
    let calling = async {
        while count(&peer, "refresh_token") == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        session.sign_out().await
    };
    let (_, out) = tokio::join!(user(&session), calling);
    assert!(out.pbx.is_ok(), "{out:?}");
    assert_eq!(vault.text(), None);
    let last = peer.requests().pop().unwrap();
    assert!(last.line.ends_with("sign_out") && last.head.contains("access-2"), "{last:?}");
}

#[tokio::test]
async fn signing_out_of_a_dead_or_silent_server() {
    let identity = identity();
    let silent = Peer::start(&identity, |_| vec![Step::Pause(LONG)]).await;
    let dead = Peer::start(&identity, |_| Vec::new()).await;
    for (peer, name) in [(Some(&silent), "silent"), (None, "dead")] {
        let vault = OpenVault::default();
        let client = peer.unwrap_or(&dead).client(&identity);
        let session = session(client, &vault, LONG).await;
        if peer.is_none() {
            let gone: pbx_api::ServerAddress = "127.0.0.1:1".parse().unwrap();
            session.set_client(Client::new(gone, &Trust::default(), "Carillon/test").unwrap());
        }
        let out = session.sign_out().await;
        match name {
            "silent" => assert!(matches!(out.pbx, Err(ApiError::Timeout { .. })), "{out:?}"),
            _ => assert!(matches!(out.pbx, Err(ApiError::ConnectionRefused { .. })), "{out:?}"),
        }
        assert!(out.vault.is_ok());
        assert_eq!(vault.text(), None);
    }
}

fn secrets(dialect: Dialect, refresh: Option<&str>, expires_at: Option<SystemTime>) -> SessionSecrets {
    SessionSecrets { access: "access-1".into(), refresh: refresh.map(Into::into), expires_at, dialect }
}

#[tokio::test]
async fn a_session_refreshes_and_ends_as_it_began() {
    let (identity, vault) = (identity(), OpenVault::default());
    let peer = Peer::start(&identity, |request| match request.line.as_str() {
        "GET /api/user" if request.head.contains("access-2") => json(200, "{}"),
        "GET /api/user" => error(401, "UNAUTHORIZED"),
        // An answer without a refresh token: the one there is goes on.
        "POST /api/login/oauth/token" if request.body.contains("refresh-1") => {
            json(200, r#"{"access_token":"access-2","expires_in":1800}"#)
        }
        "POST /api/login/oauth/revoke" => answer("200 OK", "", ""),
        _ => error(404, "UNKNOWN"),
    })
    .await;
    let tokens = secrets(Dialect::OAuth, Some("refresh-1"), Some(SystemTime::now() + LONG));
    let session = taken_up(peer.client(&identity), &vault, tokens).await;
    user(&session).await.unwrap();
    let entry = vault.text().unwrap();
    assert!(entry.contains("access-2") && entry.contains("refresh-1") && entry.contains("oauth"), "{entry}");
    session.sign_out().await.pbx.unwrap();
    assert!(count(&peer, "login/oauth/revoke") > 0);
    assert_eq!(count(&peer, "sign_out"), 0);
}

#[tokio::test]
async fn a_session_that_cannot_be_refreshed_expires() {
    for dialect in [Dialect::Cookie, Dialect::Token] {
        let (identity, vault) = (identity(), OpenVault::default());
        let peer = Peer::start(&identity, |request| match request.line.as_str() {
            "GET /api/user" => error(401, "UNAUTHORIZED"),
            "POST /api/logout" | "POST /api/auth/sign_out" => answer("200 OK", "", ""),
            _ => error(404, "UNKNOWN"),
        })
        .await;
        // By a 401.
        let session = taken_up(peer.client(&identity), &vault, secrets(dialect, None, None)).await;
        let told = user(&session).await;
        assert!(matches!(told, Err(SignInError::SessionExpired)), "{told:?}");
        assert!(session.status().borrow().expired);
        assert_eq!(peer.lines(), ["GET /api/user"]);
        // By the clock, without a question.
        let ended = secrets(dialect, None, Some(SystemTime::now()));
        let session = taken_up(peer.client(&identity), &vault, ended).await;
        session.keep_fresh().await;
        assert!(session.status().borrow().expired);
        assert_eq!(peer.lines().len(), 1);
        // It can still be signed out of.
        session.sign_out().await.pbx.unwrap();
        let path = if dialect == Dialect::Cookie { "logout" } else { "auth/sign_out" };
        assert_eq!(count(&peer, path), 1);
        assert_eq!(vault.text(), None);
    }
}

#[tokio::test]
async fn a_plain_account_has_no_session_to_take_up() {
    let (identity, vault) = (identity(), OpenVault::default());
    let peer = Peer::start(&identity, |_| error(404, "UNKNOWN")).await;
    let keeper = Arc::new(Keeper::new(vault.clone(), Duration::from_secs(60)));
    keeper.save(ACCOUNT, &Secrets::plain("sip".into())).await.unwrap();
    let session = Session::resume(peer.client(&identity), Arc::clone(&keeper), ACCOUNT).await.unwrap();
    assert!(session.is_none());
    let kept = keeper.load(ACCOUNT).await.unwrap().unwrap();
    assert_eq!(kept.sip_password.unwrap().expose_secret(), "sip");
}
