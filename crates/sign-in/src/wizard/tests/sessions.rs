//! Whatever users, servers and browsers do in whatever order: a session that the PBX gave is handed over or
//! ended, once.

use std::collections::BTreeMap;

use pbx_api::{ApiError, PasswordPolicy, SignInAnswer, Tokens};
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use secrecy::ExposeSecret;

use super::{Trial, auth_user, blob, certificate, find, info, link, missing, session, timeout, user};
use crate::callback::{Callback, Purpose};
use crate::wizard::{Action, Input, RequestId, way_back};
use crate::{Answer, Question, SignInCode};

const CODE: &str = r#"{"v":220,"path":"/api/blobs/file","info":[{"pub4":"192.0.2.1"}]}"#;
const FILE: &[u8] =
    br#"{"account":{"access_token":"qr","tenant_domain":"test.io","extension_number":"101"}}"#;

/// A trial, what it has not been answered yet, and its sessions with the number of times they were settled.
struct World {
    trial: Trial,
    questions: Vec<(RequestId, Question)>,
    listeners: Vec<(RequestId, Purpose)>,
    sessions: BTreeMap<String, usize>,
}

impl World {
    fn new() -> Self {
        let (questions, listeners) = (Vec::new(), Vec::new());
        Self { trial: Trial::new(), questions, listeners, sessions: BTreeMap::new() }
    }

    fn session(&mut self) -> Tokens {
        let access = format!("session {}", self.sessions.len());
        self.sessions.insert(access.clone(), 0);
        session(&access)
    }

    fn does(&mut self, input: Input) {
        // What does not fit is refused, and brings no session.
        let actions = self.trial.wizard.handle(self.trial.now, input).unwrap_or_default();
        for action in actions {
            let settled = match action {
                Action::Ask { request, question, .. } => {
                    self.questions.push((request, question));
                    continue;
                }
                Action::Listen { request, purpose, .. } => {
                    self.listeners.push((request, purpose));
                    continue;
                }
                Action::EndSession { access, .. } => access,
                Action::Finish(signed_in) => signed_in.tokens.access,
                _ => continue,
            };
            match self.sessions.get_mut(settled.expose_secret()) {
                Some(times) => *times += 1,
                None => assert_eq!(settled.expose_secret(), "qr"),
            }
        }
    }

    fn step(&mut self, what: u8, how: u8) {
        match what {
            0 => self.does(find("test.io", "pbx")),
            1 => self.does(super::sign_in("alice", "secret")),
            2 => self.does(Input::SignInWithMicrosoft),
            3 => self.does(Input::Back),
            4 => self.does(Input::GiveCode { code: "1".into() }),
            5 => self.does(Input::ChoosePassword { old: Some("old".into()), new: "new".into() }),
            6 => self.does(Input::Scan),
            7 => self.does(Input::Scanned(SignInCode::parse(CODE).unwrap())),
            8 => {
                if let Some(shown) = self.trial.wizard.certificate() {
                    let fingerprint = shown.fingerprint;
                    self.does(Input::TrustCertificate { fingerprint });
                }
            }
            9 => {
                self.trial.pass(u64::from(how) * 100);
                self.does(Input::TimedOut);
            }
            10 => match how {
                0 => self.does(Input::Leave),
                1 => self.does(Input::ForgotPassword),
                2 => self.does(Input::AskForReset { username: "alice".into() }),
                3 => self.does(Input::SendCodeAgain),
                _ => self.does(Input::OpenBrowserAgain),
            },
            11 => self.listens(),
            12 => self.returns(how),
            _ => self.answers(how),
        }
    }

    fn listens(&mut self) {
        if let Some((request, _)) = self.listeners.last() {
            let (request, scheme) = (*request, None);
            let loopback = Some(link("http://127.0.0.1:4711/callback/nonce"));
            self.does(Input::Listening { request, loopback, scheme });
        }
    }

    fn returns(&mut self, how: u8) {
        let Some((request, purpose)) = self.listeners.pop() else { return };
        let callback = match (purpose, how) {
            (Purpose::Reset, _) => Callback::ResetToken("token".into()),
            (Purpose::SignIn, 0) => Callback::Denied,
            (Purpose::SignIn, 1) => Callback::Code("code".into()),
            (Purpose::SignIn, 2) => Callback::SessionToken { token: "half".into(), second_factor: true },
            (Purpose::SignIn, _) => Callback::Tokens(self.session()),
        };
        self.does(Input::Returned { request, callback });
    }

    /// Answers one of the last questions.
    fn answers(&mut self, how: u8) {
        let back = usize::from(how) % 2;
        let Some(index) = self.questions.len().checked_sub(1 + back) else { return };
        let (request, question) = self.questions.remove(index);
        let error = [timeout(), missing(), certificate(1), ApiError::Unauthorized];
        let answer = match error.into_iter().nth(usize::from(how)) {
            Some(error) => question.failed(error),
            None => self.good(&question, how),
        };
        self.does(Input::Answer { request, answer });
    }

    fn good(&mut self, question: &Question, how: u8) -> Answer {
        match question {
            Question::Info { .. } => info(None),
            Question::SignIn { .. } if how == 4 => {
                Answer::SignIn(Ok(SignInAnswer::SecondFactor { token: "half".into() }))
            }
            Question::SignIn { .. } => Answer::SignIn(Ok(SignInAnswer::Tokens(self.session()))),
            Question::SendCode { .. } => Answer::SendCode(Ok(())),
            Question::VerifyCode { .. } => Answer::VerifyCode(Ok(Some(self.session()))),
            Question::Microsoft { .. } => Answer::Microsoft(Ok("https://login.example/".parse().unwrap())),
            Question::ExchangeCode { .. } => Answer::ExchangeCode(Ok(self.session())),
            Question::ForgetPassword { .. } => Answer::ForgetPassword(Ok(())),
            Question::ResetPassword { .. } => Answer::ResetPassword(Ok(())),
            Question::ChangePassword { .. } => Answer::ChangePassword(Ok(())),
            Question::PasswordPolicy { .. } => Answer::PasswordPolicy(Ok(PasswordPolicy::default())),
            Question::AuthUser { .. } => auth_user(how == 4),
            Question::User { .. } => user(None, Some("digest")),
            Question::Profile { .. } => Answer::Profile(Ok(blob(FILE))),
            Question::Picture { .. } => Answer::Picture(Ok(blob(FILE))),
        }
    }
}

proptest! {
    #[test]
    fn each_is_settled_once(steps in proptest::collection::vec((0..32_u8, 0..8_u8), 0..60)) {
        let mut world = World::new();
        for (what, how) in steps {
            world.step(what, how);
            prop_assert!(world.trial.wizard.abandoned.len() <= way_back::ABANDONED);
            let shown = format!("{:?}", world.trial.wizard);
            prop_assert!(!shown.contains("secret") && !shown.contains("session 0"), "{}", shown);
        }
        world.does(Input::Leave);
        while !world.questions.is_empty() {
            let (request, question) = world.questions.remove(0);
            let answer = world.good(&question, 7);
            world.does(Input::Answer { request, answer });
        }
        while !world.listeners.is_empty() {
            world.returns(7);
        }
        for (access, times) in &world.sessions {
            prop_assert_eq!(*times, 1, "{} of {:?}", access, world.sessions);
        }
    }
}
