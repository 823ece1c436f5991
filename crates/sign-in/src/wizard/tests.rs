use std::time::Duration;

use pbx_api::{
    ApiError, AuthUser, Blob, Cause, CertificateFacts, CertificateProblem, ErrorCode, Fingerprint, Info,
    SignInAnswer, Tenant, Tokens, User,
};
use secrecy::ExposeSecret;

use super::{Action, Input, Page, RequestId, SignedIn, Wizard};
use crate::{Answer, Question, SignInError};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nrest";

fn find(domain: &str, server: &str) -> Input {
    Input::FindServer { domain: domain.into(), server: server.into() }
}

fn sign_in(username: &str, password: &str) -> Input {
    Input::SignIn { username: username.into(), password: password.into() }
}

fn info(avatar: Option<&str>) -> Answer {
    let tenant = Tenant {
        name: "Test".into(),
        domain: "test.io".parse().unwrap(),
        website: None,
        avatar_url: avatar.map(Into::into),
        microsoft: false,
    };
    Answer::Info(Ok(Info { tenant: Some(tenant), ..Info::default() }))
}

fn tokens() -> Answer {
    Answer::SignIn(Ok(SignInAnswer::Tokens(Tokens {
        access: "access".into(),
        refresh: "refresh".into(),
        expires_in: Duration::from_secs(1800),
        token_type: None,
    })))
}

fn auth_user(force_reset: bool) -> Answer {
    Answer::AuthUser(Ok(AuthUser { password_force_reset: force_reset, ..AuthUser::default() }))
}

fn user(sip_password: Option<&str>, profile: Option<&str>) -> Answer {
    Answer::User(Ok(Box::new(User {
        extension_number: Some("101".into()),
        display_name: Some("Alice".into()),
        profile: profile.map(Into::into),
        sip_password: sip_password.map(Into::into),
        ..User::default()
    })))
}

fn blob(bytes: &[u8]) -> Blob {
    Blob { bytes: bytes.to_vec().into(), media_type: None }
}

fn certificate(digit: u8) -> ApiError {
    ApiError::Certificate {
        problem: CertificateProblem::Untrusted,
        certificate: Box::new(CertificateFacts {
            server: "pbx".parse().unwrap(),
            fingerprint: Fingerprint([digit; 32]),
            subject: "CN=pbx".into(),
            issuer: "CN=pbx".into(),
            self_signed: true,
            not_before: 0,
            not_after: 1,
        }),
    }
}

fn timeout() -> ApiError {
    ApiError::Timeout { server: "pbx".parse().unwrap(), cause: Cause::new("slow") }
}

/// A wizard with the last question it asked.
struct Trial {
    wizard: Wizard,
    request: Option<RequestId>,
}

impl Trial {
    fn new() -> Self {
        Self { wizard: Wizard::new(), request: None }
    }

    /// A trial at the second page.
    fn at_user() -> Self {
        let mut trial = Self::new();
        trial.does(find("test.io", "pbx"));
        trial.answers(info(None));
        assert_eq!(trial.wizard.page(), Page::User);
        trial
    }

    /// A trial that waits for the profile: the session is there, but not handed over.
    fn at_profile() -> Self {
        let mut trial = Self::at_user();
        trial.does(sign_in("alice", "secret"));
        trial.answers(tokens());
        trial.answers(auth_user(false));
        trial.answers(user(None, Some("digest")));
        trial
    }

    fn does(&mut self, input: Input) -> Vec<Action> {
        let actions = self.wizard.handle(input).unwrap();
        for action in &actions {
            if let Action::Ask { request, question, .. } = action
                && !matches!(question, Question::Picture { .. })
            {
                self.request = Some(*request);
            }
        }
        actions
    }

    fn answers(&mut self, answer: Answer) -> Vec<Action> {
        let request = self.request.unwrap();
        self.does(Input::Answer { request, answer })
    }

    fn problem(&self) -> String {
        format!("{:?}", self.wizard.problem())
    }
}

fn asked(actions: &[Action]) -> String {
    let names = actions.iter().map(|action| match action {
        Action::Ask { server, question, .. } => format!("{}@{server}", super::name(question)),
        Action::Trust(pin) => format!("trust {}", pin.server),
        Action::EndSession { access, .. } => format!("end {}", access.expose_secret()),
        Action::Finish(_) => "finish".into(),
    });
    names.collect::<Vec<_>>().join(", ")
}

fn finished(mut actions: Vec<Action>) -> SignedIn {
    match (actions.len(), actions.pop()) {
        (1, Some(Action::Finish(signed_in))) => *signed_in,
        other => panic!("not finished: {other:?}"),
    }
}

#[test]
fn the_straight_way() {
    let mut trial = Trial::new();
    assert_eq!(asked(&trial.does(find(" Test.io ", "https://pbx:9000/"))), "info@pbx:9000");
    assert!(trial.wizard.busy());
    assert_eq!(trial.answers(info(None)).len(), 0);
    assert_eq!((trial.wizard.page(), trial.wizard.busy()), (Page::User, false));
    assert_eq!(trial.wizard.tenant().unwrap().name, "Test");
    assert_eq!(asked(&trial.does(sign_in(" alice ", "secret"))), "sign_in@pbx:9000");
    assert_eq!(asked(&trial.answers(tokens())), "auth/user@pbx:9000");
    assert_eq!(asked(&trial.answers(auth_user(false))), "user@pbx:9000");
    let done = finished(trial.answers(user(Some("sip"), Some("digest"))));
    assert_eq!((trial.wizard.page(), trial.wizard.busy()), (Page::Done, false));
    assert_eq!((done.username.as_str(), done.extension.extension_number.as_str()), ("alice", "101"));
    assert_eq!(done.extension.outbound_proxy.to_string(), "pbx");
    assert_eq!(done.extension.sip_domain.as_str(), "test.io");
    assert_eq!(done.extension.sip_password.unwrap().expose_secret(), "sip");
    assert_eq!(done.tokens.refresh.expose_secret(), "refresh");
}

#[test]
fn sip_password_from_the_profile() {
    let mut trial = Trial::at_user();
    trial.does(sign_in("alice", "secret"));
    trial.answers(tokens());
    trial.answers(auth_user(false));
    assert_eq!(asked(&trial.answers(user(None, Some("digest")))), "blobs@pbx");
    let file = blob(br#"{"extension_password":"from file"}"#);
    let done = finished(trial.answers(Answer::Profile(Ok(file))));
    assert_eq!(done.extension.sip_password.unwrap().expose_secret(), "from file");
}

#[test]
fn a_session_stands_without_a_sip_password() {
    for profile in [Ok(blob(b"<root/>")), Ok(blob(b"\xff")), Err(timeout())] {
        let mut trial = Trial::at_profile();
        let done = finished(trial.answers(Answer::Profile(profile)));
        assert!(done.extension.sip_password.is_none());
        assert_eq!((trial.wizard.page(), trial.wizard.busy()), (Page::Done, false));
        assert!(trial.wizard.problem().is_none());
    }
}

#[test]
fn what_was_typed_wrong() {
    let mut trial = Trial::new();
    assert!(trial.does(find("", "pbx")).is_empty());
    assert!(matches!(trial.wizard.problem(), Some(SignInError::Api(ApiError::DomainInvalid))));
    assert!(trial.does(find("test.io", "alice@pbx")).is_empty());
    assert!(matches!(trial.wizard.problem(), Some(SignInError::Api(ApiError::ServerInvalid))));
    assert_eq!((trial.wizard.domain(), trial.wizard.server()), ("test.io", "alice@pbx"));
    assert!(!trial.wizard.busy());
    let mut trial = Trial::at_user();
    for (username, password) in [("", "secret"), (" ", "secret"), ("alice", "")] {
        assert!(trial.does(sign_in(username, password)).is_empty());
        assert!(matches!(trial.wizard.problem(), Some(SignInError::Api(ApiError::WrongCredentials))));
    }
}

#[test]
fn unknown_domain() {
    let refused = |status, code| ApiError::Refused { status, code, message: None };
    let unknown = Some(ErrorCode::Unknown);
    for answer in [
        Ok(Info::default()),
        Err(refused(400, unknown)),
        Err(refused(400, None)),
        Err(ApiError::NotFound { status: 404, code: unknown }),
        Err(ApiError::Unauthorized),
    ] {
        let mut trial = Trial::new();
        trial.does(find("nowhere.io", "pbx"));
        assert!(trial.answers(Answer::Info(answer)).is_empty());
        assert!(matches!(trial.wizard.problem(), Some(SignInError::DomainUnknown)), "{}", trial.problem());
        assert_eq!((trial.wizard.page(), trial.wizard.busy()), (Page::Server, false));
    }
}

#[test]
fn no_pbx_at_all() {
    let mut trial = Trial::new();
    trial.does(find("test.io", "pbx"));
    trial.answers(Answer::Info(Err(ApiError::NotFound { status: 404, code: None })));
    assert!(matches!(trial.wizard.problem(), Some(SignInError::SignInUnsupported)));
    let mut trial = Trial::at_user();
    trial.does(sign_in("alice", "secret"));
    trial.answers(Answer::SignIn(Err(ApiError::NotFound { status: 404, code: None })));
    assert!(matches!(trial.wizard.problem(), Some(SignInError::SignInUnsupported)));
    assert_eq!(trial.wizard.page(), Page::User);
}

#[test]
fn refused_credentials_are_not_tried_again() {
    let mut trial = Trial::at_user();
    trial.does(sign_in("alice", "wrong"));
    assert!(trial.answers(Answer::SignIn(Err(ApiError::WrongCredentials))).is_empty());
    assert!(matches!(trial.wizard.problem(), Some(SignInError::Api(ApiError::WrongCredentials))));
    assert_eq!((trial.wizard.page(), trial.wizard.busy()), (Page::User, false));
    assert_eq!(asked(&trial.does(sign_in("alice", "right"))), "sign_in@pbx");
    assert!(trial.wizard.problem().is_none());
}

#[test]
fn second_factor_and_forced_password() {
    let mut trial = Trial::at_user();
    trial.does(sign_in("alice", "secret"));
    assert!(trial.answers(Answer::SignIn(Ok(SignInAnswer::SecondFactor { token: "t".into() }))).is_empty());
    assert!(matches!(trial.wizard.problem(), Some(SignInError::SecondFactorNeeded)));
    trial.does(sign_in("alice", "secret"));
    trial.answers(tokens());
    assert_eq!(asked(&trial.answers(auth_user(true))), "end access");
    assert!(matches!(trial.wizard.problem(), Some(SignInError::PasswordChangeNeeded)));
    assert_eq!((trial.wizard.page(), trial.wizard.busy()), (Page::User, false));
}

#[test]
fn older_pbx_without_auth_user() {
    let mut trial = Trial::at_user();
    trial.does(sign_in("alice", "secret"));
    trial.answers(tokens());
    let missing = Answer::AuthUser(Err(ApiError::NotFound { status: 404, code: None }));
    assert_eq!(asked(&trial.answers(missing)), "user@pbx");
}

#[test]
fn failure_after_the_tokens_ends_the_session() {
    for (answers, expected) in [
        (vec![Answer::AuthUser(Err(timeout()))], "Timeout"),
        (vec![auth_user(false), Answer::User(Err(timeout()))], "Timeout"),
        (vec![auth_user(false), Answer::User(Ok(Box::default()))], "NoExtension"),
        (vec![tokens()], "NotUnderstood"),
    ] {
        let mut trial = Trial::at_user();
        trial.does(sign_in("alice", "secret"));
        trial.answers(tokens());
        let mut actions = Vec::new();
        for answer in answers {
            actions = trial.answers(answer);
        }
        assert_eq!(asked(&actions), "end access", "{expected}");
        assert!(trial.problem().contains(expected), "{}", trial.problem());
        assert_eq!((trial.wizard.page(), trial.wizard.busy()), (Page::User, false));
    }
}

#[test]
fn certificate_trusted_on_purpose() {
    let mut trial = Trial::new();
    trial.does(find("test.io", "pbx"));
    assert!(trial.answers(Answer::Info(Err(certificate(1)))).is_empty());
    assert!(!trial.wizard.busy());
    assert_eq!(trial.wizard.certificate().unwrap().fingerprint, Fingerprint([1; 32]));
    let other = Input::TrustCertificate { fingerprint: Fingerprint([2; 32]) };
    assert!(matches!(trial.wizard.handle(other), Err(SignInError::NotNow)));
    let actions = trial.does(Input::TrustCertificate { fingerprint: Fingerprint([1; 32]) });
    assert_eq!(asked(&actions), "trust pbx, info@pbx");
    assert!(trial.wizard.certificate().is_none() && trial.wizard.busy());
    trial.answers(info(None));
    assert_eq!(trial.wizard.page(), Page::User);
}

#[test]
fn certificate_that_changes_in_the_middle() {
    let mut trial = Trial::at_user();
    trial.does(sign_in("alice", "secret"));
    trial.answers(tokens());
    assert!(trial.answers(Answer::AuthUser(Err(certificate(3)))).is_empty());
    let trust = || Input::TrustCertificate { fingerprint: Fingerprint([3; 32]) };
    assert_eq!(asked(&trial.does(trust())), "trust pbx, auth/user@pbx");
    trial.answers(Answer::AuthUser(Err(certificate(3))));
    assert_eq!(asked(&trial.does(Input::Back)), "end access");
    assert_eq!(trial.wizard.page(), Page::User);
    assert!(trial.wizard.problem().is_none());
    assert!(matches!(trial.wizard.handle(trust()), Err(SignInError::NotNow)));
}

#[test]
fn back() {
    let mut trial = Trial::new();
    trial.does(find("test.io", "pbx"));
    trial.answers(Answer::Info(Err(certificate(1))));
    assert!(trial.does(Input::Back).is_empty());
    assert_eq!((trial.wizard.page(), trial.problem().as_str()), (Page::Server, "None"));
    let mut trial = Trial::at_user();
    trial.does(sign_in("alice", "wrong"));
    trial.answers(Answer::SignIn(Err(ApiError::WrongCredentials)));
    trial.does(Input::Back);
    assert_eq!((trial.wizard.page(), trial.problem().as_str()), (Page::Server, "None"));
    let mut trial = Trial::at_profile();
    assert_eq!(asked(&trial.does(Input::Back)), "end access");
    assert_eq!(trial.wizard.page(), Page::Server);
}

#[test]
fn late_answers_are_ignored() {
    let mut trial = Trial::new();
    trial.does(find("test.io", "old"));
    let old = trial.request.unwrap();
    assert_eq!(asked(&trial.does(find("test.io", "new"))), "info@new");
    assert!(trial.does(Input::Answer { request: old, answer: info(None) }).is_empty());
    assert_eq!((trial.wizard.page(), trial.wizard.busy()), (Page::Server, true));
    trial.does(Input::Back);
    assert!(!trial.wizard.busy());
    assert!(trial.answers(info(None)).is_empty());
    assert_eq!(trial.wizard.page(), Page::Server);
}

#[test]
fn a_session_that_comes_too_late_is_ended() {
    let mut trial = Trial::at_user();
    trial.does(sign_in("alice", "secret"));
    trial.does(Input::Back);
    assert_eq!(asked(&trial.answers(tokens())), "end access");
    assert!(trial.answers(tokens()).is_empty());
    assert_eq!((trial.wizard.page(), trial.wizard.busy()), (Page::Server, false));
}

#[test]
fn inputs_that_do_not_fit() {
    let mut trial = Trial::new();
    assert!(matches!(trial.wizard.handle(sign_in("alice", "x")), Err(SignInError::NotNow)));
    let mut trial = Trial::at_user();
    trial.does(sign_in("alice", "secret"));
    // A second press of the button must not become a second try.
    assert!(matches!(trial.wizard.handle(sign_in("alice", "secret")), Err(SignInError::NotNow)));
    assert!(trial.wizard.busy());
}

#[test]
fn another_account_after_the_first() {
    let mut trial = Trial::at_profile();
    finished(trial.answers(Answer::Profile(Err(timeout()))));
    trial.does(Input::Back);
    assert_eq!(trial.wizard.page(), Page::Done);
    assert_eq!(asked(&trial.does(find("other.io", "pbx"))), "info@pbx");
    assert_eq!(trial.wizard.page(), Page::Server);
    assert!(trial.wizard.tenant().is_none());
}

#[test]
fn a_new_server_in_the_middle_ends_the_session() {
    let mut trial = Trial::at_profile();
    assert_eq!(asked(&trial.does(find("test.io", "other"))), "end access, info@other");
}

#[test]
fn picture_of_the_tenant() {
    let mut trial = Trial::new();
    trial.does(find("test.io", "pbx"));
    let actions = trial.answers(info(Some("/api/blobs/x")));
    assert_eq!(asked(&actions), "blobs@pbx");
    assert!(!trial.wizard.busy());
    let Some(Action::Ask { request, .. }) = actions.first() else { panic!("no question") };
    // It is on its way while the user goes on.
    trial.does(sign_in("alice", "secret"));
    let answer = Answer::Picture(Ok(blob(PNG)));
    assert!(trial.does(Input::Answer { request: *request, answer }).is_empty());
    assert_eq!(trial.wizard.picture().unwrap().media_type, "image/png");
    assert!(trial.wizard.busy());
    for file in [Ok(blob(b"<svg/>")), Err(timeout())] {
        let mut trial = Trial::new();
        trial.does(find("test.io", "pbx"));
        let actions = trial.answers(info(Some("/api/blobs/x")));
        let Some(Action::Ask { request, .. }) = actions.first() else { panic!("no question") };
        trial.does(Input::Answer { request: *request, answer: Answer::Picture(file) });
        assert!(trial.wizard.picture().is_none() && trial.wizard.problem().is_none());
    }
}

#[test]
fn no_secret_is_shown() {
    let mut trial = Trial::at_user();
    let actions = trial.does(sign_in("alice", "sesame"));
    let shown = format!("{:?} {actions:?}", trial.wizard);
    assert!(shown.contains("alice") && !shown.contains("sesame"), "{shown}");
}
