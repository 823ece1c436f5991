use pbx_api::{
    ApiError, CertificateFacts, Fingerprint, Info, Pin, ServerAddress, SignInAnswer, SipDomain, Tenant,
    Tokens, User,
};
use secrecy::{ExposeSecret, SecretString};

use crate::{Answer, Extension, Picture, Question, SignInError, profile};

/// Page the wizard shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Domain and server.
    Server,
    /// User name and password.
    User,
    /// Signed in.
    Done,
}

/// Number of a question, so that a late answer can be told from the one waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId(u64);

/// What can happen to the wizard.
#[derive(Debug)]
pub enum Input {
    /// *Next* on the first page; on any other page the wizard starts anew with it.
    FindServer {
        /// SIP domain, as typed.
        domain: String,
        /// Server, as typed.
        server: String,
    },
    /// The certificate shown is trusted on purpose.
    TrustCertificate {
        /// Its fingerprint.
        fingerprint: Fingerprint,
    },
    /// Away from a certificate, or one page back. Gives up what is under way.
    Back,
    /// *Sign in* on the second page.
    SignIn {
        /// User name.
        username: String,
        /// The account's password.
        password: SecretString,
    },
    /// An answer from the server.
    Answer {
        /// Number of the question.
        request: RequestId,
        /// The answer.
        answer: Answer,
    },
}

/// What the wizard wants done.
#[derive(Debug)]
pub enum Action {
    /// Ask a server, once, and give the answer back as [`Input::Answer`]. Where no client can be made, use
    /// [`Question::failed`].
    Ask {
        /// Number to give back.
        request: RequestId,
        /// Whom to ask.
        server: ServerAddress,
        /// What to ask.
        question: Question,
    },
    /// Trust this certificate from now on. Comes before the question that it stopped.
    Trust(Pin),
    /// Sign out of a session that will not be used.
    EndSession {
        /// Where.
        server: ServerAddress,
        /// Access token of the session.
        access: SecretString,
    },
    /// Signed in: begin a [`Session`](crate::Session) and register.
    Finish(Box<SignedIn>),
}

/// What a finished wizard hands over.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The PBX.
    pub server: ServerAddress,
    /// The tenant.
    pub tenant: Tenant,
    /// User name, as typed.
    pub username: String,
    /// Tokens of the session.
    pub tokens: Tokens,
    /// What to register; its SIP password where the PBX handed it over.
    pub extension: Extension,
}

/// The sign-in wizard: a pure state machine. [`Input`] goes in, [`Action`]s come out, the rest is what to show.
#[derive(Debug)]
pub struct Wizard {
    page: Page,
    typed_domain: String,
    typed_server: String,
    username: String,
    problem: Option<SignInError>,
    found: Option<Found>,
    progress: Option<Progress>,
    waiting: Option<(RequestId, ServerAddress, Question)>,
    /// The question that a certificate stopped.
    stopped: Option<(ServerAddress, Question)>,
    /// Sign-ins given up, whose answers are still to come.
    abandoned: Vec<(RequestId, ServerAddress)>,
    picture_request: Option<RequestId>,
    requests: u64,
}

/// A server that knows the domain.
#[derive(Debug)]
struct Found {
    server: ServerAddress,
    tenant: Tenant,
    picture: Option<Picture>,
}

/// A session that is not yet handed over.
#[derive(Debug)]
struct Progress {
    tokens: Tokens,
    extension: Option<Extension>,
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
            page: Page::Server,
            typed_domain: String::new(),
            typed_server: String::new(),
            username: String::new(),
            problem: None,
            found: None,
            progress: None,
            waiting: None,
            stopped: None,
            abandoned: Vec::new(),
            picture_request: None,
            requests: 0,
        }
    }

    /// Page to show.
    pub fn page(&self) -> Page {
        self.page
    }

    /// A request is under way.
    pub fn busy(&self) -> bool {
        self.waiting.is_some()
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

    /// The certificate to be looked at, where one is the problem.
    pub fn certificate(&self) -> Option<&CertificateFacts> {
        match &self.problem {
            Some(SignInError::Api(ApiError::Certificate { certificate, .. })) => Some(certificate),
            _ => None,
        }
    }

    /// Takes an input and says what is to be done, in this order.
    ///
    /// # Errors
    /// [`SignInError::NotNow`] for an input that does not fit the page; the wizard is unchanged then. A late
    /// answer is no error: it is ignored, and a session it brought is ended.
    pub fn handle(&mut self, input: Input) -> Result<Vec<Action>, SignInError> {
        match input {
            Input::FindServer { domain, server } => Ok(self.find_server(domain, server)),
            Input::TrustCertificate { fingerprint } => self.trust(fingerprint),
            Input::Back => Ok(self.back()),
            Input::SignIn { username, password } => self.sign_in(username, password),
            Input::Answer { request, answer } => Ok(self.answered(request, answer)),
        }
    }

    fn find_server(&mut self, domain: String, server: String) -> Vec<Action> {
        let mut actions = self.give_up();
        self.page = Page::Server;
        self.found = None;
        self.picture_request = None;
        let parsed = server.parse::<ServerAddress>();
        let parsed_domain = domain.parse::<SipDomain>();
        (self.typed_domain, self.typed_server) = (domain, server);
        match (parsed_domain, parsed) {
            (Ok(domain), Ok(server)) => actions.push(self.ask(server, Question::Info { domain })),
            (Err(error), _) | (_, Err(error)) => self.problem = Some(error.into()),
        }
        actions
    }

    fn trust(&mut self, fingerprint: Fingerprint) -> Result<Vec<Action>, SignInError> {
        let pin = self
            .certificate()
            .filter(|shown| shown.fingerprint == fingerprint)
            .map(|shown| Pin { server: shown.server.clone(), fingerprint })
            .ok_or(SignInError::NotNow)?;
        let (server, question) = self.stopped.take().ok_or(SignInError::NotNow)?;
        self.problem = None;
        Ok(vec![Action::Trust(pin), self.ask(server, question)])
    }

    fn back(&mut self) -> Vec<Action> {
        let certificate_shown = self.certificate().is_some();
        let actions = self.give_up();
        if !certificate_shown {
            self.page = match self.page {
                Page::Server | Page::User => Page::Server,
                Page::Done => Page::Done,
            };
        }
        actions
    }

    fn sign_in(&mut self, username: String, password: SecretString) -> Result<Vec<Action>, SignInError> {
        let found = self.found.as_ref().filter(|_| self.page == Page::User && self.waiting.is_none());
        let found = found.ok_or(SignInError::NotNow)?;
        let (server, domain) = (found.server.clone(), found.tenant.domain.clone());
        let mut actions = self.give_up();
        self.username = username.trim().to_owned();
        // Neither can be right when empty, and a refused try counts towards a block of the whole address.
        if self.username.is_empty() || password.expose_secret().is_empty() {
            self.problem = Some(ApiError::WrongCredentials.into());
            return Ok(actions);
        }
        let question = Question::SignIn { domain, username: self.username.clone(), password };
        actions.push(self.ask(server, question));
        Ok(actions)
    }

    fn answered(&mut self, request: RequestId, answer: Answer) -> Vec<Action> {
        if self.picture_request == Some(request) {
            self.picture_request = None;
            if let (Answer::Picture(Ok(blob)), Some(found)) = (&answer, &mut self.found) {
                found.picture = Picture::in_file(blob);
            }
            return Vec::new();
        }
        let Some((_, server, question)) = self.waiting.take_if(|(id, ..)| *id == request) else {
            return self.late(request, answer);
        };
        if let Some(error @ ApiError::Certificate { .. }) = error_of(&answer) {
            self.problem = Some(error.clone().into());
            self.stopped = Some((server, question));
            return Vec::new();
        }
        match (question, answer) {
            (Question::Info { domain }, Answer::Info(info)) => self.info(server, &domain, info),
            (Question::SignIn { .. }, Answer::SignIn(answer)) => self.signed_in(server, answer),
            (Question::AuthUser { access }, Answer::AuthUser(answer)) => match answer {
                Ok(user) if user.password_force_reset => self.fail(SignInError::PasswordChangeNeeded),
                Ok(_) | Err(ApiError::NotFound { .. }) => vec![self.ask(server, Question::User { access })],
                Err(error) => self.fail(error.into()),
            },
            (Question::User { access }, Answer::User(answer)) => match answer {
                Ok(user) => self.user(server, access, &user),
                Err(error) => self.fail(error.into()),
            },
            (Question::Profile { .. }, Answer::Profile(answer)) => {
                self.finish(answer.ok().and_then(|file| profile::sip_password(&file.bytes)))
            }
            (question, _) => {
                let what = format!("an answer to another question than {}", name(&question));
                self.fail(ApiError::NotUnderstood { what }.into())
            }
        }
    }

    /// An answer nobody waits for any more: a session it brought is ended.
    fn late(&mut self, request: RequestId, answer: Answer) -> Vec<Action> {
        let Some(index) = self.abandoned.iter().position(|(id, _)| *id == request) else { return Vec::new() };
        let (_, server) = self.abandoned.swap_remove(index);
        match answer {
            Answer::SignIn(Ok(SignInAnswer::Tokens(tokens))) => {
                vec![Action::EndSession { server, access: tokens.access }]
            }
            _ => Vec::new(),
        }
    }

    fn info(
        &mut self,
        server: ServerAddress,
        asked: &SipDomain,
        answer: Result<Info, ApiError>,
    ) -> Vec<Action> {
        let tenant = match answer {
            Ok(info) => info.tenant,
            // A 404 in another shape than the PBX's comes from something that is no PBX.
            Err(ApiError::NotFound { code: None, .. }) => return self.fail(SignInError::SignInUnsupported),
            Err(ApiError::NotFound { .. } | ApiError::Refused { .. } | ApiError::Unauthorized) => None,
            Err(error) => return self.fail(error.into()),
        };
        let Some(tenant) = tenant else { return self.fail(SignInError::DomainUnknown) };
        tracing::debug!(%server, %asked, "tenant found");
        let mut actions = Vec::new();
        if let Some(reference) = &tenant.avatar_url {
            let request = self.next_request();
            self.picture_request = Some(request);
            let question = Question::Picture { reference: reference.clone() };
            actions.push(Action::Ask { request, server: server.clone(), question });
        }
        self.found = Some(Found { server, tenant, picture: None });
        self.page = Page::User;
        actions
    }

    fn signed_in(&mut self, server: ServerAddress, answer: Result<SignInAnswer, ApiError>) -> Vec<Action> {
        match answer {
            Ok(SignInAnswer::Tokens(tokens)) => {
                let access = tokens.access.clone();
                self.progress = Some(Progress { tokens, extension: None });
                vec![self.ask(server, Question::AuthUser { access })]
            }
            Ok(SignInAnswer::SecondFactor { .. }) => self.fail(SignInError::SecondFactorNeeded),
            Err(ApiError::NotFound { .. }) => self.fail(SignInError::SignInUnsupported),
            Err(error) => self.fail(error.into()),
        }
    }

    fn user(&mut self, server: ServerAddress, access: SecretString, user: &User) -> Vec<Action> {
        let Some(found) = &self.found else { return self.fail(SignInError::NotNow) };
        let extension = match Extension::of(user, &found.tenant.domain, &found.server) {
            Ok(extension) => extension,
            Err(error) => return self.fail(error),
        };
        let password = extension.sip_password.clone();
        if let Some(progress) = &mut self.progress {
            progress.extension = Some(extension);
        }
        match &user.profile {
            Some(reference) if password.is_none() => {
                let question = Question::Profile { reference: reference.clone(), access };
                vec![self.ask(server, question)]
            }
            _ => self.finish(password),
        }
    }

    fn finish(&mut self, password: Option<SecretString>) -> Vec<Action> {
        let (Some(found), Some(Progress { tokens, extension: Some(mut extension) })) =
            (&self.found, self.progress.take())
        else {
            return self.fail(SignInError::NotNow);
        };
        extension.sip_password = password;
        let (server, tenant) = (found.server.clone(), found.tenant.clone());
        self.page = Page::Done;
        self.problem = None;
        let username = self.username.clone();
        vec![Action::Finish(Box::new(SignedIn { server, tenant, username, tokens, extension }))]
    }

    /// Stops with a problem on the page shown; a session that was begun is ended.
    fn fail(&mut self, problem: SignInError) -> Vec<Action> {
        let actions = self.give_up();
        self.problem = Some(problem);
        actions
    }

    /// Forgets what is under way, and the problem of the last step.
    fn give_up(&mut self) -> Vec<Action> {
        self.problem = None;
        self.stopped = None;
        if let Some((request, server, Question::SignIn { .. })) = self.waiting.take() {
            self.abandoned.push((request, server));
        }
        match (&self.found, self.progress.take()) {
            (Some(found), Some(progress)) => {
                vec![Action::EndSession { server: found.server.clone(), access: progress.tokens.access }]
            }
            _ => Vec::new(),
        }
    }

    fn ask(&mut self, server: ServerAddress, question: Question) -> Action {
        let request = self.next_request();
        self.waiting = Some((request, server.clone(), question.clone()));
        Action::Ask { request, server, question }
    }

    fn next_request(&mut self) -> RequestId {
        self.requests = self.requests.wrapping_add(1);
        RequestId(self.requests)
    }
}

fn error_of(answer: &Answer) -> Option<&ApiError> {
    match answer {
        Answer::Info(answer) => answer.as_ref().err(),
        Answer::SignIn(answer) => answer.as_ref().err(),
        Answer::AuthUser(answer) => answer.as_ref().err(),
        Answer::User(answer) => answer.as_ref().err(),
        Answer::Profile(answer) | Answer::Picture(answer) => answer.as_ref().err(),
    }
}

fn name(question: &Question) -> &'static str {
    match question {
        Question::Info { .. } => "info",
        Question::SignIn { .. } => "sign_in",
        Question::AuthUser { .. } => "auth/user",
        Question::User { .. } => "user",
        Question::Profile { .. } | Question::Picture { .. } => "blobs",
    }
}

#[cfg(test)]
mod tests;
