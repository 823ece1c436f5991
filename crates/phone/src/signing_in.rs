//! Signing in, staying signed in, signing out: the wizard, the sessions and what is remembered of both.

mod plain;
mod sessions;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use pbx_api::{ApiError, Client, Dialect, Fingerprint, Pin, ServerAddress, Trust};
use sessions::{Watched, shown};
use sign_in::{
    Action, Answer, Input as Step, Keeper, Page, RequestId, Session, SessionStatus, SignInError, SignedIn,
    Wizard,
};

use crate::accounts::{Accounts, Agent};
use crate::actor::Input;
use crate::outlet::Outlet;
use crate::settings::{SavedAccount, Settings, TrustedCertificate};
use crate::words::of_sign_in_error;
use crate::{
    AccountId, Code, Command, Config, Event, Problem, SessionState, SignInView, Transport, TrustedView,
};

/// What happened to the wizard or a session, from outside the actor.
pub(crate) enum SignedInput {
    /// A server answered the wizard.
    Answered(RequestId, Answer),
    /// A session was begun after the wizard, or taken up out of the keychain.
    Session(AccountId, Result<Option<Session>, SignInError>),
    /// The PBX was asked whether a session stands.
    Confirmed(AccountId, Result<(), SignInError>),
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
    sessions: BTreeMap<AccountId, Watched>,
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
            SignedInput::Confirmed(account, confirmed) => accounts.change(&account, |view| {
                view.session = match confirmed {
                    Ok(()) => SessionState::Open,
                    Err(SignInError::SessionExpired) => SessionState::Expired,
                    Err(error) => SessionState::Unconfirmed { problem: of_sign_in_error(&error) },
                };
            }),
            SignedInput::Status(account, status) => accounts.change(&account, |view| {
                if status.expired {
                    view.session = SessionState::Expired;
                }
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

    /// What to show.
    pub(crate) fn view(&self) -> SignInView {
        view::of(self)
    }

    /// Certificates trusted on purpose.
    pub(crate) fn trusted(&self) -> Vec<TrustedView> {
        let view = |trusted: &TrustedCertificate| TrustedView {
            server: trusted.server.clone(),
            fingerprint: trusted.fingerprint.clone(),
        };
        self.settings.trusted.iter().map(view).collect()
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
                let trusted = TrustedCertificate {
                    server: pin.server.authority(),
                    fingerprint: pin.fingerprint.to_string(),
                };
                self.settle(|settings| settings.trust(trusted.clone()));
                self.client = None;
                self.renew_clients(&pin.server);
            }
            Action::EndSession { server, access } => {
                if let Ok(client) = self.client(server) {
                    self.outlet.landing(async move {
                        if let Err(error) = client.sign_out(Dialect::Auth, &access, None).await {
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
        self.settle(|settings| settings.remember(saved.clone()));
        self.showing = Showing::Nothing;
        match self.client(server) {
            Ok(client) => {
                let outlet = self.outlet.clone();
                self.outlet.landing(async move {
                    let session =
                        Session::begin(client, keeper, id.0.clone(), tokens, extension.sip_password).await;
                    outlet.put(Input::Signed(SignedInput::Session(id.clone(), Ok(Some(session)))));
                    outlet.put(Input::Signed(SignedInput::Confirmed(id, Ok(()))));
                });
            }
            Err(error) => accounts.offline(&id, of_sign_in_error(&error.into())),
        }
        superseded
    }

    fn saved(&self, id: &AccountId) -> Option<&SavedAccount> {
        self.settings.accounts.iter().find(|saved| saved.id == *id)
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

    fn settle(&mut self, change: impl Fn(&mut Settings)) {
        if let Err(error) = self.settings.change(&self.config.data_dir, change) {
            let problem = Problem::new(Code::SettingsFailed, error.to_string());
            self.outlet.tell(Event::Notice { problem, call: None });
        }
    }

    fn tell(&self) {
        self.outlet.tell(Event::SignIn { view: self.view() });
    }
}
