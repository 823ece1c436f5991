//! Wizard and session against a server of raw bytes.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../../pbx-api/tests/peer/mod.rs"]
mod peer;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use pbx_api::{ApiError, Client, Trust, User};
use peer::{Identity, Peer, Request, Step, answer, error, json, tokens};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use sign_in::{
    Action, Input, Keeper, MemoryVault, Page, Secrets, Session, SignInError, SignedIn, Vault, Wizard, ask,
};

const ACCOUNT: &str = "alice@test.io";

/// A vault that the test can look into.
#[derive(Clone, Default)]
struct OpenVault(Arc<MemoryVault>, Arc<Turn>);

/// Number of the write under way, and how long each takes.
#[derive(Default)]
struct Turn {
    write: AtomicUsize,
    takes: Duration,
}

impl Vault for OpenVault {
    fn get(&self, account: &str) -> Result<Option<Zeroizing<Vec<u8>>>, SignInError> {
        self.0.get(account)
    }

    fn set(&self, account: &str, entry: &[u8]) -> Result<(), SignInError> {
        self.1.write.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(self.1.takes);
        self.0.set(account, entry)
    }

    fn delete(&self, account: &str) -> Result<(), SignInError> {
        self.0.delete(account)
    }
}

impl OpenVault {
    fn text(&self) -> Option<String> {
        self.0.get(ACCOUNT).unwrap().map(|entry| String::from_utf8(entry.to_vec()).unwrap())
    }
}

fn identity() -> Identity {
    Identity::signed(|_| {})
}

/// A session with `access-1`, whose tokens end in `lifetime`.
async fn session(client: Client, vault: &OpenVault, lifetime: Duration) -> Session {
    let keeper = Arc::new(Keeper::new(vault.clone(), Duration::from_secs(60)));
    let secrets = Secrets {
        access: "access-1".into(),
        refresh: Some("refresh-1".into()),
        expires_at: SystemTime::now() + lifetime,
        sip_password: Some("sip".into()),
    };
    keeper.save(ACCOUNT, &secrets).await.unwrap();
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

fn count(peer: &Peer, line: &str) -> usize {
    peer.lines().iter().filter(|seen| seen.ends_with(line)).count()
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

/// Does what the wizard wants, as the phone does, until it wants nothing more.
async fn drive(wizard: &mut Wizard, trust: &mut Trust, input: Input) -> Option<SignedIn> {
    let mut todo = VecDeque::from(wizard.handle(input).unwrap());
    while let Some(action) = todo.pop_front() {
        match action {
            Action::Ask { request, server, question } => {
                let client = Client::new(server, trust, "Carillon/test").unwrap();
                let answer = ask(&client, question).await;
                todo.extend(wizard.handle(Input::Answer { request, answer }).unwrap());
            }
            Action::Trust(pin) => trust.pins.push(pin),
            Action::EndSession { .. } => panic!("session ended"),
            Action::Finish(signed_in) => return Some(*signed_in),
        }
    }
    None
}

#[tokio::test]
async fn from_nothing_to_a_session() {
    let identity = identity();
    let peer = Peer::start(&identity, |request| match request.line.as_str() {
        "GET /api/info?domain=test.io" => json(200, r#"{"name":"Test","domain":"test.io"}"#),
        "GET /api/info?domain=nowhere.io" => error(400, "UNKNOWN"),
        "POST /api/auth/sign_in" if request.body.contains("right") => tokens(1),
        "POST /api/auth/sign_in" => error(400, "UNAUTHORIZED"),
        "GET /api/auth/user" => json(200, r#"{"role":"StandardUser","password_force_reset":false}"#),
        "GET /api/user" => json(
            200,
            r#"{"extension_number":"101","display_name":"Alice","profile":"abc","preferred_transport":"TCP",
            "transports":[{"protocol":"UDP","port":5060},{"protocol":"TCP","port":5063}]}"#,
        ),
        "GET /api/blobs/abc" => answer("200 OK", "", "<root><Account/></root>"),
        _ => error(404, "UNKNOWN"),
    })
    .await;
    let (mut wizard, mut trust) = (Wizard::new(), Trust::default());
    let find = |domain: &str| Input::FindServer { domain: domain.into(), server: peer.address.to_string() };
    let sign_in = |password: &str| Input::SignIn { username: "alice".into(), password: password.into() };

    assert!(drive(&mut wizard, &mut trust, find("test.io")).await.is_none());
    let fingerprint = wizard.certificate().unwrap().fingerprint;
    assert!(peer.requests().is_empty());
    assert!(drive(&mut wizard, &mut trust, Input::TrustCertificate { fingerprint }).await.is_none());
    assert_eq!(wizard.page(), Page::User);

    assert!(drive(&mut wizard, &mut trust, find("nowhere.io")).await.is_none());
    assert!(matches!(wizard.problem(), Some(SignInError::DomainUnknown)));
    assert!(drive(&mut wizard, &mut trust, find("test.io")).await.is_none());

    assert!(drive(&mut wizard, &mut trust, sign_in("wrong")).await.is_none());
    assert!(matches!(wizard.problem(), Some(SignInError::Api(ApiError::WrongCredentials))));
    assert_eq!(count(&peer, "sign_in"), 1);

    let done = drive(&mut wizard, &mut trust, sign_in("right")).await.unwrap();
    assert!(done.extension.sip_password.is_none());
    let sip_password = Some(SecretString::from("sip"));
    assert_eq!(
        (done.extension.preferred.port, done.extension.preferred.transport.to_string()),
        (5063, "tcp".into())
    );

    let vault = OpenVault::default();
    let keeper = Arc::new(Keeper::new(vault.clone(), Duration::from_secs(60)));
    let client = Client::new(done.server, &trust, "Carillon/test").unwrap();
    let session = Session::begin(client, keeper, ACCOUNT, done.tokens, sip_password).await;
    assert!(!session.status().borrow().secrets_in_memory);
    let entry = vault.text().unwrap();
    assert!(entry.contains("access-1") && entry.contains(r#""sip_password":"sip""#), "{entry}");
    assert_eq!(user(&session).await.unwrap().display_name.as_deref(), Some("Alice"));
}
