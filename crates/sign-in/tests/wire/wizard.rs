use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pbx_api::{ApiError, Client, Dialect, Trust};
use secrecy::{ExposeSecret, SecretString};
use sign_in::callback::{Callback, Purpose};
use sign_in::{
    Action, CallbackUrl, Input, Keeper, Method, Page, RequestId, Session, SignInCode, SignInError, SignedIn,
    Wizard, ask,
};

use crate::peer::{Peer, Request, Step, answer, error, json, tokens};
use crate::vault::OpenVault;
use crate::{ACCOUNT, count, identity};

const CALLBACK: &str = "http://127.0.0.1:4711/callback/nonce";

/// A wizard with what a phone does for it.
#[derive(Default)]
struct Drive {
    wizard: Wizard,
    trust: Trust,
    listening: Option<RequestId>,
    browser: Option<String>,
    done: Option<SignedIn>,
}

impl Drive {
    /// A drive that trusts a peer.
    async fn to(peer: &Peer) -> Self {
        let mut drive = Self::default();
        drive.input(find(peer, "test.io")).await;
        let fingerprint = drive.wizard.certificate().unwrap().fingerprint;
        assert!(peer.requests().is_empty());
        drive.input(Input::TrustCertificate { fingerprint }).await;
        assert_eq!(drive.wizard.page(), Page::User);
        drive
    }

    /// Does what the wizard wants, until it wants nothing more.
    async fn input(&mut self, input: Input) {
        let now = SystemTime::now();
        let mut todo = VecDeque::from(self.wizard.handle(now, input).unwrap());
        while let Some(action) = todo.pop_front() {
            match action {
                Action::Ask { request, server, question } => {
                    let client = Client::new(server, &self.trust, "Carillon/test").unwrap();
                    let answer = ask(&client, question).await;
                    todo.extend(self.wizard.handle(now, Input::Answer { request, answer }).unwrap());
                }
                Action::Trust(pin) => self.trust.pins.push(pin),
                Action::Listen { request, purpose, .. } => {
                    assert_eq!(purpose, Purpose::SignIn);
                    self.listening = Some(request);
                    let loopback = Some(CallbackUrl::from(CALLBACK.parse::<url::Url>().unwrap()));
                    let listening = Input::Listening { request, loopback, scheme: None };
                    todo.extend(self.wizard.handle(now, listening).unwrap());
                }
                Action::OpenBrowser { url } => self.browser = Some(url.to_string()),
                Action::Finish(signed_in) => self.done = Some(*signed_in),
                other => panic!("{other:?}"),
            }
        }
    }

    fn done(self) -> SignedIn {
        self.done.unwrap_or_else(|| panic!("{:?}", self.wizard.problem()))
    }
}

fn find(peer: &Peer, domain: &str) -> Input {
    Input::FindServer { domain: domain.into(), server: peer.address.to_string() }
}

fn sign_in(password: &str) -> Input {
    Input::SignIn { username: "alice".into(), password: password.into() }
}

/// What every PBX of these tests knows.
fn common(request: &Request) -> Vec<Step> {
    match request.line.as_str() {
        "GET /api/info?domain=test.io" => {
            json(200, r#"{"name":"Test","domain":"test.io","enable_ms365_integration":true}"#)
        }
        "GET /api/info?domain=nowhere.io" => error(400, "UNKNOWN"),
        "GET /api/auth/user" => json(200, r#"{"role":"StandardUser","password_force_reset":false}"#),
        "GET /api/user" => json(
            200,
            r#"{"extension_number":"101","display_name":"Alice","profile":"abc","preferred_transport":"TCP",
            "transports":[{"protocol":"UDP","port":5060},{"protocol":"TCP","port":5063}]}"#,
        ),
        "GET /api/blobs/abc" => answer("200 OK", "", "<root><Account/></root>"),
        _ => error(404, "UNKNOWN"),
    }
}

#[tokio::test]
async fn from_nothing_to_a_session() {
    let identity = identity();
    let peer = Peer::start(&identity, |request| match request.line.as_str() {
        "POST /api/auth/sign_in" if request.body.contains("right") => tokens(1),
        "POST /api/auth/sign_in" => error(400, "UNAUTHORIZED"),
        _ => common(request),
    })
    .await;
    let mut drive = Drive::to(&peer).await;
    drive.input(find(&peer, "nowhere.io")).await;
    assert!(matches!(drive.wizard.problem(), Some(SignInError::DomainUnknown)));
    drive.input(find(&peer, "test.io")).await;

    drive.input(sign_in("wrong")).await;
    assert!(matches!(drive.wizard.problem(), Some(SignInError::Api(ApiError::WrongCredentials))));
    assert_eq!(count(&peer, "sign_in"), 1);

    drive.input(sign_in("right")).await;
    let trust = drive.trust.clone();
    let done = drive.done();
    assert!(done.extension.sip_password.is_none());
    assert_eq!((done.dialect, done.method), (Dialect::Auth, Method::Password));
    let preferred = done.extension.preferred;
    assert_eq!((preferred.port, preferred.transport.to_string()), (5063, "tcp".into()));

    let vault = OpenVault::default();
    let keeper = Arc::new(Keeper::new(vault.clone(), Duration::from_secs(60)));
    let client = Client::new(done.server, &trust, "Carillon/test").unwrap();
    let sip_password = Some(SecretString::from("sip"));
    let session = Session::begin(client, keeper, ACCOUNT, done.dialect, done.tokens, sip_password).await;
    assert!(!session.status().borrow().secrets_in_memory);
    let entry = vault.text().unwrap();
    assert!(entry.contains("access-1") && entry.contains(r#""sip_password":"sip""#), "{entry}");
    let user = session.authorized(|client, access| async move { client.user(&access).await }).await;
    assert_eq!(user.unwrap().display_name.as_deref(), Some("Alice"));
}

#[tokio::test]
async fn a_code_and_a_new_password_on_the_way() {
    let identity = identity();
    let peer = Peer::start(&identity, |request| match request.line.as_str() {
        "POST /api/auth/sign_in" => json(200, r#"{"two_factor_enabled":true,"token":"half"}"#),
        "POST /api/auth/send_otp" if request.body.contains("half") => answer("200 OK", "", ""),
        "POST /api/auth/verify_otp" if request.body.contains("246810") => tokens(1),
        "POST /api/auth/verify_otp" => error(400, "UNKNOWN"),
        "GET /api/auth/user" => json(200, r#"{"password_force_reset":true}"#),
        "GET /api/tenant/password_policy" if request.head.contains("access-1") => {
            json(200, r#"{"min_length":12}"#)
        }
        "POST /api/user/password" if request.body.contains("right") && request.body.contains("Better-1") => {
            answer("200 OK", "", "")
        }
        "POST /api/user/password" => error(400, "VALIDATE_FAILED"),
        _ => common(request),
    })
    .await;
    let mut drive = Drive::to(&peer).await;
    drive.input(sign_in("right")).await;
    assert!(drive.wizard.code().unwrap().sent);
    drive.input(Input::GiveCode { code: "13579".into() }).await;
    assert!(matches!(drive.wizard.problem(), Some(SignInError::SecondFactorWrong)));
    drive.input(Input::GiveCode { code: " 246 810\n".into() }).await;
    let page = drive.wizard.new_password().unwrap();
    assert!(page.forced && !page.old_needed);
    assert_eq!(page.policy.unwrap().min_length, 12);
    drive.input(Input::ChoosePassword { old: None, new: "worse".into() }).await;
    assert!(matches!(drive.wizard.problem(), Some(SignInError::NewPasswordRefused { .. })));
    drive.input(Input::ChoosePassword { old: None, new: "Better-1".into() }).await;
    assert_eq!(drive.done().tokens.access.expose_secret(), "access-1");
}

#[tokio::test]
async fn older_servers() {
    for (oauth, dialect, asked) in [(true, Dialect::OAuth, 2), (false, Dialect::Cookie, 4)] {
        let identity = identity();
        let peer = Peer::start(&identity, move |request| match request.line.as_str() {
            "POST /api/login/oauth/token" if oauth && request.body.contains("right") => tokens(1),
            "POST /api/login" if request.body.contains("right") => {
                answer("200 OK", "Set-Cookie: session=abc; HttpOnly\r\n", "")
            }
            "GET /api/login" if request.head.contains("session=abc") => {
                json(200, r#"{"access_token":"access-1","expires_in":1800}"#)
            }
            "GET /api/auth/user" => error(404, "UNKNOWN"),
            _ => common(request),
        })
        .await;
        let mut drive = Drive::to(&peer).await;
        let before = peer.requests().len();
        drive.input(sign_in("right")).await;
        let lines = peer.lines().split_off(before);
        assert_eq!(lines.iter().position(|line| line == "GET /api/auth/user"), Some(asked), "{lines:?}");
        let done = drive.done();
        assert_eq!(done.dialect, dialect);
        assert_eq!(done.tokens.refresh.is_some(), oauth);
    }
}

#[tokio::test]
async fn by_microsoft() {
    let identity = identity();
    let peer = Peer::start(&identity, |request| match request.line.as_str() {
        "POST /api/auth/sign_in/microsoft" if request.body.contains(CALLBACK) => {
            json(200, r#"{"url":"https://login.example/authorize"}"#)
        }
        "POST /api/login/oauth/token" if request.body.contains("swap-me") => tokens(1),
        _ => common(request),
    })
    .await;
    let mut drive = Drive::to(&peer).await;
    drive.input(Input::SignInWithMicrosoft).await;
    assert_eq!(drive.browser.as_deref(), Some("https://login.example/authorize"));
    let request = drive.listening.unwrap();
    drive.input(Input::Returned { request, callback: Callback::Code("swap-me".into()) }).await;
    let done = drive.done();
    assert_eq!(
        (done.dialect, done.method, done.username.as_str()),
        (Dialect::OAuth, Method::Microsoft, "101")
    );
}

#[tokio::test]
async fn by_qr_code() {
    let identity = identity();
    let peer = Peer::start(&identity, |request| match request.line.as_str() {
        "GET /api/blobs/file" if !request.head.to_lowercase().contains("authorization") => answer(
            "200 OK",
            "",
            "<root><Account><AccessToken>access-1</AccessToken><TenantDomain>test.io</TenantDomain>\
             <ExtensionNumber>101</ExtensionNumber><ExtensionPassword>sip</ExtensionPassword></Account></root>",
        ),
        "GET /api/user" if !request.head.contains("access-1") => error(401, "UNAUTHORIZED"),
        _ => common(request),
    })
    .await;
    let code = format!(
        r#"{{"v":220,"path":"/api/blobs/file","info":[{{"pub4":"127.0.0.1:1","prefer":true}},{{"pbx_domain":"{}"}}]}}"#,
        peer.address
    );
    let mut drive = Drive { trust: Drive::to(&peer).await.trust, ..Drive::default() };
    drive.input(Input::Scan).await;
    drive.input(Input::Scanned(SignInCode::parse(&code).unwrap())).await;
    let done = drive.done();
    assert_eq!((done.dialect, done.method), (Dialect::Token, Method::Qr));
    assert_eq!(done.server.authority(), peer.address.to_string());
    assert_eq!(done.extension.sip_password.unwrap().expose_secret(), "sip");
    assert!(done.tokens.refresh.is_none());
}
