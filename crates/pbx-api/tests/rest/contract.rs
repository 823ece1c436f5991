//! The client against a server that Prism makes of the vendor's description of the API, so that our own idea of
//! it is not the only judge: Prism refuses every request that does not fit. See `tests/contract/README.md`.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::peer::{Identity, Peer, Step};
use crate::prism::{self, Prism};
use pbx_api::{
    AgentChoice, AgentState, ApiError, Client, ContactChange, ContactDraft, ContactKind, ContactNumber,
    Dialect, ForwardAction, ForwardRule, NumberKind, OwnPresence, PasswordPolicy, Presence, RecordEnd,
    SignInAnswer, SipDomain, Tokens,
};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// Prism behind TLS, below `/api`, and a client for it.
struct Contract {
    prism: Prism,
    peer: Peer,
    client: Client,
    /// What Prism found wrong, and with which request.
    violations: Arc<Mutex<Vec<String>>>,
}

impl Drop for Contract {
    fn drop(&mut self) {
        // The answer itself does not say it.
        if std::thread::panicking() {
            eprintln!("{:#?}", self.violations.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl Contract {
    async fn start() -> Self {
        let prism = Prism::start();
        let port = prism.port;
        let identity = Identity::signed(|_| {});
        let violations = Arc::<Mutex<Vec<String>>>::default();
        let found = Arc::clone(&violations);
        let peer = Peer::start(&identity, move |request| {
            let answer = prism::forward(port, request);
            if let Some(violation) = prism::violation(&answer) {
                found.lock().unwrap().push(format!("{}: {violation}", request.line));
            }
            vec![Step::Send(answer)]
        })
        .await;
        let client = peer.client(&identity);
        Self { prism, peer, client, violations }
    }

    /// Operations asked for, as the description names them.
    fn asked(&self) -> BTreeSet<String> {
        let named = |line: String| match line.as_str() {
            "POST /api/auth/sign_in/microsoft" => "POST /auth/sign_in/{provider}".to_owned(),
            "GET /api/blobs/0123abc" => "GET /blobs/{digest}".to_owned(),
            line => {
                let line = line.split('?').next().unwrap().replacen("/api", "", 1);
                line.replacen("/c-1", "/{id}", 1).replacen("/t-1", "/{token}", 1)
            }
        };
        self.peer.lines().into_iter().map(named).collect()
    }
}

fn domain() -> SipDomain {
    "test.io".parse().unwrap()
}

fn callback() -> Url {
    "http://127.0.0.1:51234/callback/0123456789abcdef?x=y&z".parse().unwrap()
}

/// What Prism makes of a text nobody described further.
fn is_made_up(secret: &SecretString) -> bool {
    secret.expose_secret() == "string"
}

fn made_up(tokens: &Tokens) -> bool {
    is_made_up(&tokens.access) && tokens.refresh.as_ref().is_some_and(is_made_up)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_fits_the_contract() {
    let contract = Contract::start().await;
    let client = &contract.client;
    let (domain, callback) = (domain(), callback());
    let [password, token, code, access, refresh]: [SecretString; 5] =
        ["p\"ä&=+% w", "t\"&=+ k", "12 34", "access-1", "r&=+% h"].map(SecretString::from);

    let tenant = client.info(Some(&domain)).await.unwrap().tenant.unwrap();
    assert!(tenant.microsoft && tenant.name == "string", "{tenant:?}");

    let answer = client.sign_in(&domain, "alice", &password).await.unwrap();
    let SignInAnswer::Tokens(tokens) = answer else { panic!("{answer:?}") };
    assert_eq!(tokens.expires_in, Duration::from_secs(3600));
    let answer = client.sign_in(&domain, "second.factor", &password).await.unwrap();
    assert!(matches!(answer, SignInAnswer::SecondFactor { .. }), "{answer:?}");
    client.send_code(&token).await.unwrap();
    // The description knows no body: whether tokens come is the real server's secret.
    assert!(client.verify_code(&token, &code).await.unwrap().is_none());

    let page = client.microsoft(&domain, &callback).await.unwrap();
    assert_eq!(page.as_str(), "https://login.example/authorize?client_id=7");
    let page = client.microsoft_older(&domain, &callback).await.unwrap();
    assert_eq!(page.as_str(), "https://login.example/authorize?client_id=8");

    client.forget_password(&domain, "alice", &callback).await.unwrap();
    client.reset_password(&token, &password).await.unwrap();
    client.change_password(&access, &password, &code).await.unwrap();
    assert_eq!(client.password_policy(Some(&access)).await.unwrap(), PasswordPolicy::default());

    assert!(!client.auth_user(&access).await.unwrap().password_force_reset);
    assert_eq!(client.user(&access).await.unwrap().extension_number.as_deref(), Some("101"));
    assert_eq!(client.blob("/api/blobs/0123abc", None).await.unwrap().bytes.as_slice(), b"string");

    contacts(client, &access).await;
    voicemails(client, &access).await;
    beside_calls(client, &access).await;

    assert!(made_up(&client.refresh(Dialect::Auth, &refresh).await.unwrap()));
    client.sign_out(Dialect::Auth, &access, Some(&refresh)).await.unwrap();

    assert!(made_up(&client.sign_in_oauth(&domain, "alice", &password).await.unwrap()));
    assert!(made_up(&client.exchange_code(&code, &callback).await.unwrap()));
    assert!(made_up(&client.refresh(Dialect::OAuth, &refresh).await.unwrap()));
    client.sign_out(Dialect::OAuth, &access, Some(&refresh)).await.unwrap();

    let tokens = client.sign_in_cookie(&domain, "alice", &password).await.unwrap();
    assert!(is_made_up(&tokens.access) && tokens.expires_in == Duration::from_secs(1800), "{tokens:?}");
    client.sign_out(Dialect::Cookie, &access, None).await.unwrap();

    assert_eq!(contract.asked(), contract.prism.operations);
}

/// Every operation on contacts, with every field there is.
async fn contacts(client: &Client, access: &SecretString) {
    use NumberKind::{Business, BusinessFax, Home, HomeFax, Mobile, Other};
    let numbers = [Business, Business, Mobile, Mobile, Home, Home, Other, BusinessFax, HomeFax];
    let draft = ContactDraft {
        name: "Ann \"Ä\"".into(),
        numbers: numbers.map(|kind| ContactNumber { kind, number: "+44 20 7946 0312".into() }).to_vec(),
        email: "ann@test.io".into(),
        company: "Test Works".into(),
        title: "Head".into(),
        address: "1 High Street".into(),
        notes: "Prefers\nmornings".into(),
    };
    assert_eq!(client.create_contact(access, &draft).await.unwrap(), "string");
    client
        .update_contact(access, "c-1", &ContactDraft { name: "Ann".into(), ..ContactDraft::default() })
        .await
        .unwrap();
    client.delete_contact(access, "c-1").await.unwrap();
    for kind in ContactKind::ALL {
        assert_eq!(client.contact_token(access, kind).await.unwrap(), "string");
        let changes = client.contact_changes(access, kind, "t-1").await.unwrap().unwrap();
        let [ContactChange::Changed(contact)] = changes.items.as_slice() else { panic!("{changes:?}") };
        let extension = contact.numbers.iter().any(|number| number.kind == NumberKind::Extension);
        assert_eq!((contact.favorite, extension), (Some(true), kind == ContactKind::Extension));
        client.favor_contact(access, kind, "c-1", true).await.unwrap();
        client.favor_contact(access, kind, "c-1", false).await.unwrap();
    }
    for kind in [ContactKind::Business, ContactKind::Personal] {
        let page = client.contacts(access, kind, 100, 100).await.unwrap();
        assert_eq!((page.sent, page.contacts.len()), (1, 1));
    }
}

/// Every operation on voicemails, their greetings and the user's presence.
async fn voicemails(client: &Client, access: &SecretString) {
    let page = client.voicemails(access, 100, 100).await.unwrap();
    let [voicemail] = page.voicemails.as_slice() else { panic!("{page:?}") };
    assert_eq!(
        (page.sent, voicemail.id.as_str(), voicemail.sender.as_deref()),
        (1, "string", Some("string"))
    );
    assert!(
        voicemail.read && voicemail.created_at.is_some() && voicemail.duration.is_some(),
        "{voicemail:?}"
    );
    assert_eq!(client.sound("/api/blobs/0123abc", access).await.unwrap().bytes.as_slice(), b"string");
    client.mark_voicemail(access, "c-1", true).await.unwrap();
    client.mark_voicemail(access, "c-1", false).await.unwrap();
    client.delete_voicemail(access, "c-1").await.unwrap();

    let greetings = client.greetings(access).await.unwrap();
    assert_eq!((greetings.len(), greetings[0].enabled), (1, true));
    assert_eq!(client.upload(access, "a \"b\".wav", b"RIFF".as_slice().into()).await.unwrap(), "string");
    assert_eq!(client.add_greeting(access, "f-1").await.unwrap(), "string");
    client.enable_greeting(access, "c-1", true).await.unwrap();
    client.enable_greeting(access, "c-1", false).await.unwrap();
    client.delete_greeting(access, "c-1").await.unwrap();

    let own = client.own_presence(access).await.unwrap();
    assert_eq!((own.presence, own.note.as_deref()), (Presence::DoNotDisturb, Some("string")));
    let note = Some("n".repeat(200));
    client.set_presence(access, &OwnPresence { presence: Presence::Lunch, note }).await.unwrap();
}

/// Without this, a judge that lets everything pass would not be noticed.
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused() {
    let contract = Contract::start().await;
    let (client, domain, password) = (&contract.client, domain(), SecretString::from("p"));
    for username in ["", &"a".repeat(65)] {
        let error = client.sign_in(&domain, username, &password).await.unwrap_err();
        assert!(matches!(error, ApiError::Refused { status: 422, .. }), "{error:?}");
        let error = client.sign_in_cookie(&domain, username, &password).await.unwrap_err();
        assert!(matches!(error, ApiError::Refused { status: 422, .. }), "{error:?}");
    }
    for (username, password) in [("", "p"), ("alice", "")] {
        let error = client.sign_in_oauth(&domain, username, &password.into()).await.unwrap_err();
        assert!(matches!(error, ApiError::Refused { status: 422, .. }), "{error:?}");
    }
    let error = client.password_policy(None).await.unwrap_err();
    assert!(matches!(error, ApiError::Unauthorized), "{error:?}");
}

/// Every operation on what the PBX offers beside calls.
async fn beside_calls(client: &Client, access: &SecretString) {
    let page = client.call_records(access, 100, 100).await.unwrap();
    let [record] = page.records.as_slice() else { panic!("{page:?}") };
    assert_eq!(
        (page.sent, record.id.as_str(), record.caller.number.as_str(), record.callee.name.as_deref()),
        (1, "string", "string", Some("string"))
    );
    assert!(record.answered_at.is_some() && record.ended_at.is_some(), "{record:?}");
    assert_eq!((record.end, record.rerouted), (RecordEnd::Caller, true));

    let rules = client.forwarding(access).await.unwrap().unwrap();
    assert!(rules.iter().all(|(_, rule)| rule.is_some()), "{rules:?}");
    for (case, _) in rules {
        for action in
            [ForwardAction::Number, ForwardAction::Voicemail, ForwardAction::Ring, ForwardAction::HangUp]
        {
            let rule = ForwardRule { action, number: Some("102".into()), timeout_s: Some(20) };
            let done = client.set_forwarding(access, case, &rule).await;
            assert_eq!(done.is_ok(), case.takes(action), "{case:?} {action:?} {done:?}");
        }
    }
    let queues = client.queues(access).await.unwrap();
    assert_eq!((queues.len(), queues[0].id.as_str(), queues[0].name.as_str()), (1, "string", "string"));
    assert_eq!(client.agent_state(access, "c-1").await.unwrap(), AgentState::Ready);
    for choice in [AgentChoice::Ready, AgentChoice::NotReady, AgentChoice::LogIn, AgentChoice::LogOut] {
        client.set_agent_state(access, "c-1", choice).await.unwrap();
    }
    // Prism makes up a text that is no number.
    assert_eq!(client.caller_ids(access).await.unwrap(), []);
    let codes = client.feature_codes(access).await.unwrap();
    assert!(codes.is_empty(), "nor is what it makes up a code: {codes:?}");
}
