//! Signing in, staying signed in, signing out: the wizard, the sessions and what is remembered of both.

mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use pbx_api::{ApiError, Client, Fingerprint, Pin, ServerAddress, Trust};
use secrecy::SecretString;
use sign_in::{
    Action, Answer, Input as Step, Keeper, Page, RequestId, Session, SessionStatus, SignInError, SignedIn,
    Wizard,
};
use tokio::task::AbortHandle;

use crate::accounts::{Accounts, Agent};
use crate::actor::Input;
use crate::outlet::Outlet;
use crate::settings::{SavedAccount, Settings, TrustedCertificate};
use crate::words::of_sign_in_error;
use crate::{
    AccountId, AccountState, AccountView, Code, Command, Config, Event, Problem, SessionState, SignInView,
    SipAccount, Start, Transport,
};

/// What happened to the wizard or a session, from outside the actor.
pub(crate) enum SignedInput {
    /// A server answered the wizard.
    Answered(RequestId, Answer),
    /// A session was begun after the wizard, or taken up out of the keychain.
    Session(AccountId, Result<Option<Session>, SignInError>),
    /// The status of a session changed.
    Status(AccountId, SessionStatus),
    /// Signing out has come to its end.
    SignedOut(AccountId, Result<(), SignInError>),
}

/// The wizard and the sessions.
pub(crate) struct SigningIn {
    config: Arc<Config>,
    settings: Settings,
    keeper: Arc<Keeper>,
    outlet: Outlet,
    wizard: Wizard,
    showing: Showing,
    /// The client last used by the wizard, whose connection can be used again.
    client: Option<(ServerAddress, Client)>,
    sessions: BTreeMap<AccountId, Standing>,
}

/// A session, and the tasks that keep it fresh and watch it; they end with it.
struct Standing {
    session: Session,
    tasks: [AbortHandle; 2],
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// What the wizard's place in the window shows.
enum Showing {
    /// The wizard.
    Wizard,
    /// The question for an account's SIP password, and why it is asked again.
    SipPassword(AccountId, Option<Problem>),
    /// Nothing: signed in.
    Nothing,
}

impl SigningIn {
    /// Signing in, with what is remembered.
    pub(crate) fn new(config: Arc<Config>, settings: Settings, keeper: Keeper, outlet: Outlet) -> Self {
        Self {
            config,
            settings,
            keeper: Arc::new(keeper),
            outlet,
            wizard: Wizard::new(),
            showing: Showing::Wizard,
            client: None,
            sessions: BTreeMap::new(),
        }
    }

    /// Takes up the accounts signed in to before.
    pub(crate) fn begin(&mut self, accounts: &mut Accounts) {
        let start = &self.config.start;
        let wanted = |saved: &&SavedAccount| match start {
            Start::All => true,
            Start::One(id) => saved.id == *id,
            Start::None => false,
        };
        let saved: Vec<SavedAccount> = self.settings.accounts.iter().filter(wanted).cloned().collect();
        for account in &saved {
            self.showing = Showing::Nothing;
            // A phone that has just started has no user agent yet.
            let _ = accounts.put(shown(account));
            self.resume(account);
        }
        self.tell();
    }

    /// Follows a command of the wizard's. A user agent that is no longer wanted is left to be stopped.
    pub(crate) fn follow(&mut self, command: Command, accounts: &mut Accounts) -> Option<Agent> {
        let step = match command {
            Command::FindServer { domain, server } => Step::FindServer { domain, server },
            Command::SignIn { username, password } => Step::SignIn { username, password },
            Command::TrustCertificate { fingerprint } => match Fingerprint::parse(&fingerprint) {
                Some(fingerprint) => Step::TrustCertificate { fingerprint },
                None => return self.refuse(Code::NotNow.into()),
            },
            Command::GiveSipPassword { password } => return self.sip_password_given(password, accounts),
            Command::Back => match &self.showing {
                Showing::SipPassword(account, _) => {
                    let account = account.clone();
                    return self.sign_out(&account, accounts);
                }
                // There is no page before the first, but there may be a phone behind it.
                _ if self.is_on_first_page() && !accounts.views().is_empty() => {
                    let superseded = self.step(Step::Back, accounts);
                    self.showing = Showing::Nothing;
                    self.tell();
                    return superseded;
                }
                _ => Step::Back,
            },
            Command::UseSipAccount { account } => return self.plain(account, accounts),
            _ => return self.refuse(Code::NotNow.into()),
        };
        self.step(step, accounts)
    }

    /// Takes what happened outside.
    pub(crate) fn take(&mut self, input: SignedInput, accounts: &mut Accounts) -> Option<Agent> {
        match input {
            SignedInput::Answered(request, answer) => {
                return self.step(Step::Answer { request, answer }, accounts);
            }
            SignedInput::Session(account, session) => return self.session(&account, session, accounts),
            SignedInput::Status(account, status) => accounts.change(&account, |view| {
                view.session = if status.expired { SessionState::Expired } else { SessionState::Open };
                view.secrets_in_memory = status.secrets_in_memory;
            }),
            SignedInput::SignedOut(account, vault) => {
                if let Err(error) = vault {
                    self.outlet.tell(Event::Notice { problem: of_sign_in_error(&error), call: None });
                }
                // Unless it was signed in to again meanwhile.
                if self.saved(&account).is_none() && accounts.has(&account) {
                    let agent = accounts.remove(&account);
                    self.after_sign_out(accounts);
                    return agent;
                }
            }
        }
        None
    }

    /// Signs an account out. Its user agent is left to be stopped, which un-registers it.
    pub(crate) fn sign_out(&mut self, id: &AccountId, accounts: &mut Accounts) -> Option<Agent> {
        if !accounts.has(id) {
            return self.refuse(Code::NoAccount.into());
        }
        if self.saved(id).is_none() {
            let agent = accounts.remove(id);
            self.after_sign_out(accounts);
            return agent;
        }
        self.settings.forget(id);
        self.save();
        let session = self.sessions.remove(id).map(|standing| standing.session.clone());
        let (account, keeper, outlet) = (id.clone(), Arc::clone(&self.keeper), self.outlet.clone());
        self.outlet.landing(async move {
            let vault = match session {
                Some(session) => {
                    let gone = session.sign_out().await;
                    if let Err(error) = gone.pbx {
                        tracing::info!(%account, %error, "the PBX was not told of signing out");
                    }
                    gone.vault
                }
                None => keeper.delete(&account.0).await,
            };
            outlet.put(Input::Signed(SignedInput::SignedOut(account, vault)));
        });
        accounts.take_agent(id)
    }

    /// An account's registrar refuses its password: it must be asked for anew.
    pub(crate) fn password_refused(&mut self, id: &AccountId) {
        if self.sessions.contains_key(id) {
            self.showing = Showing::SipPassword(id.clone(), Some(Code::SipPasswordWrong.into()));
            self.tell();
        }
    }

    /// Tries again to take up an account whose secrets could not be read; one that lacks its SIP password
    /// asks for it again.
    ///
    /// Returns whether there is such an account.
    pub(crate) fn reconnect(&mut self, id: &AccountId, accounts: &mut Accounts) -> bool {
        let Some(saved) = self.saved(id) else { return false };
        if self.sessions.contains_key(id) {
            self.showing = Showing::SipPassword(id.clone(), None);
            self.tell();
        } else {
            accounts.change(id, |view| view.state = AccountState::Registering);
            self.resume(saved);
        }
        true
    }

    /// What to show.
    pub(crate) fn view(&self) -> SignInView {
        view::of(self)
    }

    fn step(&mut self, step: Step, accounts: &mut Accounts) -> Option<Agent> {
        let mut superseded = None;
        // Who has left the wizard is not brought back by a late answer.
        let asked_for = !matches!(step, Step::Answer { .. });
        match self.wizard.handle(step) {
            Ok(actions) => {
                if asked_for && !matches!(self.wizard.page(), Page::Done) {
                    self.showing = Showing::Wizard;
                }
                for action in actions {
                    superseded = self.act(action, accounts).or(superseded);
                }
                self.tell();
            }
            Err(error) => return self.refuse(of_sign_in_error(&error)),
        }
        superseded
    }

    fn is_on_first_page(&self) -> bool {
        matches!(self.wizard.page(), Page::Server) && self.wizard.certificate().is_none()
    }

    fn act(&mut self, action: Action, accounts: &mut Accounts) -> Option<Agent> {
        match action {
            Action::Ask { request, server, question } => match self.client(server) {
                Ok(client) => self.outlet.waiting(async move {
                    let answer = sign_in::ask(&client, question).await;
                    Input::Signed(SignedInput::Answered(request, answer))
                }),
                Err(error) => {
                    self.outlet.put(Input::Signed(SignedInput::Answered(request, question.failed(error))));
                }
            },
            Action::Trust(pin) => {
                self.settings.trust(TrustedCertificate {
                    server: pin.server.authority(),
                    fingerprint: pin.fingerprint.to_string(),
                });
                self.save();
                self.client = None;
                self.renew_clients(&pin.server);
            }
            Action::EndSession { server, access } => {
                if let Ok(client) = self.client(server) {
                    self.outlet.landing(async move {
                        if let Err(error) = client.sign_out(&access).await {
                            tracing::info!(%error, "the PBX keeps a session nobody uses");
                        }
                    });
                }
            }
            Action::Finish(signed_in) => return self.finish(*signed_in, accounts),
        }
        None
    }

    fn finish(&mut self, signed_in: SignedIn, accounts: &mut Accounts) -> Option<Agent> {
        let SignedIn { server, tenant, username, tokens, extension } = signed_in;
        let saved = SavedAccount {
            id: AccountId(format!("{username}@{}", tenant.domain)),
            server: server.authority(),
            domain: tenant.domain.to_string(),
            username,
            display_name: extension.display_name,
            extension: extension.extension_number,
            proxy_host: extension.outbound_proxy.to_string(),
            proxy_port: extension.preferred.port,
            transport: match extension.preferred.transport {
                sign_in::Transport::Udp => Transport::Udp,
                sign_in::Transport::Tcp => Transport::Tcp,
            },
        };
        let superseded = accounts.put(shown(&saved));
        let (id, keeper) = (saved.id.clone(), Arc::clone(&self.keeper));
        self.settings.remember(saved);
        self.save();
        self.showing = Showing::Nothing;
        match self.client(server) {
            Ok(client) => {
                let outlet = self.outlet.clone();
                self.outlet.landing(async move {
                    let session =
                        Session::begin(client, keeper, id.0.clone(), tokens, extension.sip_password).await;
                    outlet.put(Input::Signed(SignedInput::Session(id, Ok(Some(session)))));
                });
            }
            Err(error) => accounts.offline(&id, of_sign_in_error(&error.into())),
        }
        superseded
    }

    fn resume(&self, saved: &SavedAccount) {
        let (id, keeper, trust) = (saved.id.clone(), Arc::clone(&self.keeper), self.trust());
        let (server, agent) = (saved.server.clone(), self.config.user_agent.clone());
        self.outlet.waiting(async move {
            let client = server.parse().and_then(|server| Client::new(server, &trust, &agent));
            let session = match client {
                Ok(client) => Session::resume(client, keeper, id.0.clone()).await,
                Err(error) => Err(error.into()),
            };
            Input::Signed(SignedInput::Session(id, session))
        });
    }

    /// A session stands, or cannot be taken up.
    fn session(
        &mut self,
        id: &AccountId,
        session: Result<Option<Session>, SignInError>,
        accounts: &mut Accounts,
    ) -> Option<Agent> {
        let Some(saved) = self.saved(id).cloned() else {
            // Signed out meanwhile.
            if let Ok(Some(session)) = session {
                self.outlet.landing(async move { drop(session.sign_out().await) });
            }
            return None;
        };
        let session = match session {
            Ok(Some(session)) => session,
            Ok(None) => {
                accounts.change(id, |view| view.session = SessionState::Expired);
                accounts.offline(id, Code::SessionExpired.into());
                return None;
            }
            Err(error) => {
                accounts.offline(id, of_sign_in_error(&error));
                return None;
            }
        };
        if let Some(error) = session.vault_problem() {
            self.outlet.tell(Event::Notice { problem: of_sign_in_error(&error), call: None });
        }
        let password = session.sip_password();
        let tasks = self.watch(id.clone(), &session);
        self.sessions.insert(id.clone(), Standing { session, tasks });
        match password {
            Some(password) => accounts.start_agent(id, self.sip_account(&saved, password)),
            None => {
                accounts.offline(id, Code::SipPasswordNeeded.into());
                self.showing = Showing::SipPassword(id.clone(), None);
                self.tell();
                None
            }
        }
    }

    fn watch(&self, id: AccountId, session: &Session) -> [AbortHandle; 2] {
        let (keeping, mut status, outlet) = (session.clone(), session.status(), self.outlet.clone());
        let keep = tokio::spawn(async move { keeping.keep_fresh().await });
        let watch = tokio::spawn(async move {
            loop {
                let now = *status.borrow_and_update();
                outlet.put(Input::Signed(SignedInput::Status(id.clone(), now)));
                if status.changed().await.is_err() {
                    return;
                }
            }
        });
        [keep.abort_handle(), watch.abort_handle()]
    }

    fn sip_password_given(&mut self, password: SecretString, accounts: &mut Accounts) -> Option<Agent> {
        use secrecy::ExposeSecret;
        let Showing::SipPassword(id, problem) = &mut self.showing else {
            return self.refuse(Code::NotNow.into());
        };
        if password.expose_secret().is_empty() {
            *problem = Some(Code::SipPasswordNeeded.into());
            self.tell();
            return None;
        }
        let id = id.clone();
        let saved = self.saved(&id).cloned()?;
        if let Some(Standing { session, .. }) = self.sessions.get(&id) {
            let (session, password) = (session.clone(), password.clone());
            self.outlet.landing(async move { session.set_sip_password(password).await });
        }
        self.showing = Showing::Nothing;
        self.tell();
        accounts.change(&id, |view| view.state = AccountState::Registering);
        accounts.start_agent(&id, self.sip_account(&saved, password))
    }

    fn plain(&mut self, account: SipAccount, accounts: &mut Accounts) -> Option<Agent> {
        let (host, port) = match proxy(&account.proxy) {
            Ok(proxy) => proxy,
            Err(problem) => return self.refuse(problem),
        };
        let id = AccountId(format!("{}@{}", account.user, account.domain));
        let superseded = accounts.put(AccountView {
            id: id.clone(),
            display_name: account.display_name.clone().unwrap_or_else(|| account.user.clone()),
            extension: account.user.clone(),
            domain: account.domain.clone(),
            server: account.proxy,
            transport: account.transport,
            state: AccountState::Registering,
            session: SessionState::None,
            secrets_in_memory: false,
        });
        let agent = sip::Account {
            user: account.user,
            auth_user: account.auth_user,
            domain: account.domain,
            display_name: account.display_name,
            proxy: sip::Proxy { host, port },
            transport: account.transport.into(),
            password: account.password,
            expires: sip::Account::EXPIRES,
            user_agent: self.config.user_agent.clone(),
            local_port: None,
        };
        // What was there before has been superseded.
        let _ = accounts.start_agent(&id, agent);
        self.showing = Showing::Nothing;
        self.tell();
        superseded
    }

    fn after_sign_out(&mut self, accounts: &Accounts) {
        if accounts.views().is_empty() {
            self.wizard = Wizard::new();
            self.showing = Showing::Wizard;
        } else {
            self.showing = Showing::Nothing;
        }
        self.tell();
    }

    fn saved(&self, id: &AccountId) -> Option<&SavedAccount> {
        self.settings.accounts.iter().find(|saved| saved.id == *id)
    }

    fn sip_account(&self, saved: &SavedAccount, password: SecretString) -> sip::Account {
        sip::Account {
            user: saved.extension.clone(),
            auth_user: None,
            domain: saved.domain.clone(),
            display_name: Some(saved.display_name.clone()),
            proxy: sip::Proxy { host: saved.proxy_host.clone(), port: Some(saved.proxy_port) },
            transport: saved.transport.into(),
            password,
            expires: sip::Account::EXPIRES,
            user_agent: self.config.user_agent.clone(),
            local_port: None,
        }
    }

    fn client(&mut self, server: ServerAddress) -> Result<Client, ApiError> {
        if let Some((known, client)) = &self.client
            && *known == server
        {
            return Ok(client.clone());
        }
        let client = Client::new(server.clone(), &self.trust(), &self.config.user_agent)?;
        self.client = Some((server, client.clone()));
        Ok(client)
    }

    /// Sessions with this server use its new pin from now on.
    fn renew_clients(&self, server: &ServerAddress) {
        let trust = self.trust();
        for (id, Standing { session, .. }) in &self.sessions {
            let there = self.settings.accounts.iter().any(|a| a.id == *id && a.server == server.authority());
            if there && let Ok(client) = Client::new(server.clone(), &trust, &self.config.user_agent) {
                session.set_client(client);
            }
        }
    }

    fn trust(&self) -> Trust {
        let pins = self.settings.trusted.iter().filter_map(|trusted| {
            let fingerprint = Fingerprint::parse(&trusted.fingerprint)?;
            Some(Pin { server: trusted.server.parse().ok()?, fingerprint })
        });
        let mut trust = self.config.extra_roots.clone();
        trust.pins.extend(pins);
        trust
    }

    fn refuse(&self, problem: Problem) -> Option<Agent> {
        self.outlet.tell(Event::Notice { problem, call: None });
        None
    }

    fn save(&self) {
        if let Err(error) = self.settings.save(&self.config.data_dir) {
            let problem = Problem::new(Code::SettingsFailed, error.to_string());
            self.outlet.tell(Event::Notice { problem, call: None });
        }
    }

    fn tell(&self) {
        self.outlet.tell(Event::SignIn { view: self.view() });
    }
}

fn shown(saved: &SavedAccount) -> AccountView {
    AccountView {
        id: saved.id.clone(),
        display_name: saved.display_name.clone(),
        extension: saved.extension.clone(),
        domain: saved.domain.clone(),
        server: saved.server.clone(),
        transport: saved.transport,
        state: AccountState::Registering,
        session: SessionState::Opening,
        secrets_in_memory: false,
    }
}

/// `host` or `host:port` of an outbound proxy; without a port the transport's own.
fn proxy(typed: &str) -> Result<(String, Option<u16>), Problem> {
    let invalid = || Problem::new(Code::ServerInvalid, typed.to_owned());
    if let Ok(host) = typed.parse::<pbx_api::Host>() {
        return Ok((host.to_string(), None));
    }
    let server = typed.parse::<ServerAddress>().map_err(|_| invalid())?;
    Ok((server.host().to_string(), Some(server.port())))
}
