mod certificates;
mod code;
mod credentials;
mod forgotten;
mod microsoft;
mod opening;
mod password;
mod second_factor;
mod server;
mod sessions;
mod way_back;

use std::time::{Duration, SystemTime};

use pbx_api::{
    ApiError, AuthUser, Blob, Cause, CertificateFacts, CertificateProblem, ErrorCode, Fingerprint, Info,
    SignInAnswer, Tenant, Tokens, User,
};
use secrecy::ExposeSecret;

use super::{Action, Input, Page, PlainAccount, RequestId, SignedIn, Wizard};
use crate::callback::Purpose;
use crate::{Answer, CallbackUrl, Question, SignInError};

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
        microsoft: true,
    };
    Answer::Info(Ok(Info { tenant: Some(tenant), ..Info::default() }))
}

fn session(access: &str) -> Tokens {
    Tokens {
        access: access.into(),
        refresh: Some("refresh".into()),
        expires_in: Duration::from_secs(1800),
        token_type: None,
    }
}

fn tokens() -> Answer {
    Answer::SignIn(Ok(SignInAnswer::Tokens(session("access"))))
}

fn auth_user(force_reset: bool) -> Answer {
    Answer::AuthUser(Ok(AuthUser { password_force_reset: force_reset, ..AuthUser::default() }))
}

fn user(sip_password: Option<&str>, profile: Option<&str>) -> Answer {
    Answer::User(Ok(Box::new(User {
        name: Some("alice".into()),
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

fn missing() -> ApiError {
    ApiError::NotFound { status: 404, code: None }
}

fn refused(status: u16, code: ErrorCode) -> ApiError {
    ApiError::Refused { status, code: Some(code), message: Some("no".into()) }
}

fn link(text: &str) -> CallbackUrl {
    CallbackUrl::from(text.parse::<url::Url>().unwrap())
}

/// A wizard with the last question it asked, the last listener it wanted, and a clock.
struct Trial {
    wizard: Wizard,
    request: Option<RequestId>,
    listener: Option<RequestId>,
    now: SystemTime,
}

impl Trial {
    fn new() -> Self {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        Self { wizard: Wizard::new(), request: None, listener: None, now }
    }

    /// A trial at the second page.
    fn at_user() -> Self {
        let mut trial = Self::new();
        trial.does(find("test.io", "pbx"));
        trial.answers(info(None));
        assert_eq!(trial.wizard.page(), Page::User);
        trial
    }

    /// A trial that waits for what the PBX says of the user, signed in by password.
    fn at_auth_user() -> Self {
        let mut trial = Self::at_user();
        trial.does(sign_in("alice", "secret"));
        assert_eq!(asked(&trial.answers(tokens())), "auth/user@pbx");
        trial
    }

    /// A trial that waits for the profile: the session is there, but not handed over.
    fn at_profile() -> Self {
        let mut trial = Self::at_auth_user();
        trial.answers(auth_user(false));
        trial.answers(user(None, Some("digest")));
        trial
    }

    fn does(&mut self, input: Input) -> Vec<Action> {
        let actions = self.wizard.handle(self.now, input).unwrap();
        for action in &actions {
            match action {
                Action::Ask {
                    question: Question::Picture { .. } | Question::PasswordPolicy { .. }, ..
                } => {}
                Action::Ask { request, .. } => self.request = Some(*request),
                Action::Listen { request, .. } => self.listener = Some(*request),
                _ => {}
            }
        }
        actions
    }

    fn answers(&mut self, answer: Answer) -> Vec<Action> {
        let request = self.request.unwrap();
        self.does(Input::Answer { request, answer })
    }

    /// A listener on the loopback and one of the application's scheme.
    fn listens(&mut self) -> Vec<Action> {
        let request = self.listener.unwrap();
        let loopback = Some(link("http://127.0.0.1:4711/callback/nonce"));
        self.does(Input::Listening { request, loopback, scheme: Some(link("carillon://callback/nonce")) })
    }

    fn refuses(&mut self, input: Input) {
        let before = format!("{:?}", self.wizard);
        assert!(matches!(self.wizard.handle(self.now, input), Err(SignInError::NotNow)));
        assert_eq!(format!("{:?}", self.wizard), before, "a refused input changes nothing");
    }

    fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    fn page(&self) -> Page {
        self.wizard.page()
    }

    fn problem(&self) -> String {
        format!("{:?}", self.wizard.problem())
    }

    /// The page, and the name of the problem on it.
    fn stands(&self, page: Page, problem: &str) {
        assert_eq!(self.page(), page);
        assert!(self.problem().contains(problem), "{} is not {problem}", self.problem());
        assert!(!self.wizard.busy());
    }
}

/// What is to be done, in short.
fn asked(actions: &[Action]) -> String {
    let names = actions.iter().map(|action| match action {
        Action::Ask { server, question, .. } => format!("{}@{server}", question.name()),
        Action::Trust(pin) => format!("trust {}", pin.server),
        Action::EndSession { dialect, access, .. } => {
            format!("end {dialect:?} {}", access.expose_secret())
        }
        Action::Listen { purpose: Purpose::SignIn, .. } => "listen".into(),
        Action::Listen { purpose: Purpose::Reset, .. } => "listen for a link".into(),
        Action::StopListening { .. } => "stop listening".into(),
        Action::OpenBrowser { url } => format!("open {url}"),
        Action::Finish(_) => "finish".into(),
        Action::FinishPlain(_) => "finish plain".into(),
    });
    names.collect::<Vec<_>>().join(", ")
}

fn finished(mut actions: Vec<Action>) -> SignedIn {
    match (actions.len(), actions.pop()) {
        (1, Some(Action::Finish(signed_in))) => *signed_in,
        other => panic!("not finished: {other:?}"),
    }
}

fn finished_plain(mut actions: Vec<Action>) -> PlainAccount {
    match (actions.len(), actions.pop()) {
        (1, Some(Action::FinishPlain(account))) => *account,
        other => panic!("not finished: {other:?}"),
    }
}
