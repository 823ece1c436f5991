//! The sign-in wizard. Each way in has its file; all of them end in `opening`, which turns tokens into an account.

mod answers;
mod code;
mod credentials;
mod handed_over;
mod messages;
mod microsoft;
mod opening;
mod password;
mod second_factor;
mod server;
mod stage;
mod way_back;

use std::time::SystemTime;

use pbx_api::{ApiError, CertificateFacts, Dialect, ServerAddress, Tenant};
use secrecy::SecretString;

pub use handed_over::{Method, PlainAccount, SignedIn};
pub use messages::{Action, Input, RequestId};
use microsoft::Ear;
use opening::Opening;
use stage::Stage;
pub use stage::{BrowserPage, CodePage, ForgotPage, NewPasswordPage, News, Page};

use crate::{Picture, Question, SignInError};

/// The sign-in wizard: a pure state machine. [`Input`] and the time go in, [`Action`]s come out, the rest is what
/// to show.
#[derive(Debug)]
pub struct Wizard {
    stage: Stage,
    typed_domain: String,
    typed_server: String,
    username: String,
    /// The password just typed, until the PBX has said whether another must be chosen.
    typed_password: Option<SecretString>,
    problem: Option<SignInError>,
    news: Option<News>,
    found: Option<Found>,
    opening: Option<Opening>,
    waiting: Option<Asked>,
    /// The question that a certificate stopped.
    stopped: Option<(ServerAddress, Question)>,
    ear: Option<Ear>,
    /// Requests given up that may still bring a session.
    abandoned: Vec<Abandoned>,
    picture_request: Option<RequestId>,
    policy_request: Option<RequestId>,
    requests: u64,
}

/// A server that knows the domain.
#[derive(Debug)]
struct Found {
    server: ServerAddress,
    tenant: Tenant,
    picture: Option<Picture>,
    /// The newest dialect that the server is not known to lack.
    dialect: Dialect,
}

/// The question whose answer is waited for.
#[derive(Debug)]
struct Asked {
    request: RequestId,
    server: ServerAddress,
    question: Question,
}

#[derive(Debug)]
struct Abandoned {
    request: RequestId,
    server: ServerAddress,
    dialect: Dialect,
}

impl Default for Wizard {
    fn default() -> Self {
        Self::new()
    }
}

impl Wizard {
    /// A wizard on its first page.
    pub fn new() -> Self {
        Self {
            stage: Stage::Server,
            typed_domain: String::new(),
            typed_server: String::new(),
            username: String::new(),
            typed_password: None,
            problem: None,
            news: None,
            found: None,
            opening: None,
            waiting: None,
            stopped: None,
            ear: None,
            abandoned: Vec::new(),
            picture_request: None,
            policy_request: None,
            requests: 0,
        }
    }

    /// On its first page again. What was given up is still known, and no request gets the number of another.
    #[must_use]
    pub fn renewed(self) -> Self {
        let Self { requests, abandoned, .. } = self;
        Self { requests, abandoned, ..Self::new() }
    }

    /// A request is under way, or a listener is being set up.
    pub fn busy(&self) -> bool {
        self.waiting.is_some() || self.ear.as_ref().is_some_and(Ear::is_deaf)
    }

    /// Domain as last given.
    pub fn domain(&self) -> &str {
        &self.typed_domain
    }

    /// Server as last given.
    pub fn server(&self) -> &str {
        &self.typed_server
    }

    /// User name as last given.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// What the server said of the tenant.
    pub fn tenant(&self) -> Option<&Tenant> {
        self.found.as_ref().map(|found| &found.tenant)
    }

    /// The tenant's picture.
    pub fn picture(&self) -> Option<&Picture> {
        self.found.as_ref()?.picture.as_ref()
    }

    /// What stopped the last step.
    pub fn problem(&self) -> Option<&SignInError> {
        self.problem.as_ref()
    }

    /// Something good to say on the page shown.
    pub fn news(&self) -> Option<News> {
        self.news
    }

    /// The certificate to be looked at, where one is the problem.
    pub fn certificate(&self) -> Option<&CertificateFacts> {
        match &self.problem {
            Some(SignInError::Api(ApiError::Certificate { certificate, .. })) => Some(certificate),
            _ => None,
        }
    }

    /// Takes an input and the time, and says what is to be done, in this order.
    ///
    /// # Errors
    /// [`SignInError::NotNow`] for an input of the user's that does not fit the page; the wizard is unchanged then.
    /// A late answer is no error: it is ignored, and a session it brought is ended.
    pub fn handle(&mut self, now: SystemTime, input: Input) -> Result<Vec<Action>, SignInError> {
        match input {
            Input::FindServer { domain, server } => Ok(self.find_server(domain, server)),
            Input::SignInAgain { domain, server, username } => {
                Ok(self.sign_in_again(domain, server, username))
            }
            Input::TrustCertificate { fingerprint } => self.trust(fingerprint),
            Input::Back => Ok(self.back()),
            Input::Leave => Ok(self.leave()),
            Input::SignIn { username, password } => self.sign_in(username, password),
            Input::SignInWithMicrosoft => self.sign_in_with_microsoft(),
            Input::OpenBrowserAgain => self.open_browser_again(),
            Input::BrowserFailed => Ok(self.browser_failed()),
            Input::GiveCode { code } => self.give_code(&code),
            Input::SendCodeAgain => self.send_code_again(now),
            Input::ForgotPassword => self.forgot_password(),
            Input::AskForReset { username } => self.ask_for_reset(&username),
            Input::GiveResetLink { link } => self.give_reset_link(&link),
            Input::ChoosePassword { old, new } => self.choose_password(old, new),
            Input::Scan => Ok(self.start_anew(Stage::Scan(None))),
            Input::Scanned(code) => self.scanned(code),
            Input::EnterSipAccount => Ok(self.start_anew(Stage::Sip)),
            Input::Listening { request, loopback, scheme } => {
                Ok(self.listening(now, request, loopback, scheme))
            }
            Input::Returned { request, callback } => Ok(self.returned(now, request, callback)),
            Input::TimedOut => Ok(self.timed_out(now)),
            Input::Answer { request, answer } => Ok(self.answered(now, request, answer)),
        }
    }

    fn ask(&mut self, server: ServerAddress, question: Question) -> Action {
        let request = self.next_request();
        self.waiting = Some(Asked { request, server: server.clone(), question: question.clone() });
        Action::Ask { request, server, question }
    }

    /// Asks the server of the tenant.
    fn ask_found(&mut self, question: impl FnOnce(&Found) -> Question) -> Vec<Action> {
        let Some(found) = &self.found else { return self.fail(SignInError::NotNow) };
        let (server, question) = (found.server.clone(), question(found));
        vec![self.ask(server, question)]
    }

    fn next_request(&mut self) -> RequestId {
        self.requests = self.requests.wrapping_add(1);
        RequestId(self.requests)
    }

    /// The user may act on this page: nothing is under way.
    fn is_idle(&self) -> bool {
        !self.busy() && self.stopped.is_none() && self.opening.is_none()
    }
}

#[cfg(test)]
mod tests;
