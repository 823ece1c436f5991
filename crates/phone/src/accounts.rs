//! The accounts and their user agents.

use std::sync::Arc;

use media::Keying;
use pbx_api::Trust;
use secrecy::{ExposeSecret, SecretString};
use sip::UserAgent;
use tokio::sync::mpsc;

use crate::actor::Input;
use crate::calls::now;
use crate::outlet::Outlet;
use crate::words::{of_cause, of_sip_error};
use crate::{
    AccountId, AccountState, AccountView, CertificateView, Code, Codec, Connection, Event, FeatureCodes, Nat,
    Problem, SessionState, SrtpPolicy, Transport, UnixMs,
};

/// The accounts, in the order they were signed in.
pub(crate) struct Accounts {
    list: Vec<Account>,
    last_agent: u64,
    outlet: Outlet,
}

struct Account {
    view: AccountView,
    /// What its user agent is started with, once that is known.
    line: Option<Line>,
    agent: Option<Standing>,
    /// What is wrong with the certificate that its server shows.
    certificate: Option<Code>,
}

/// What it takes to call with an account.
#[derive(Clone)]
pub(crate) struct Line {
    /// What to register.
    pub(crate) sip: sip::Account,
    /// Codecs settled for its calls, best first; none where that is for the user to say.
    pub(crate) codecs: Vec<Codec>,
    /// Whether they are encrypted.
    pub(crate) srtp: SrtpPolicy,
    /// How they find their way through NATs.
    pub(crate) nat: Arc<Nat>,
}

impl Line {
    /// Whether a user agent of this one serves the other as well.
    fn serves(&self, other: &Self) -> bool {
        let (mine, theirs) = (&self.sip, &other.sip);
        mine.user == theirs.user
            && mine.auth_user == theirs.auth_user
            && mine.domain == theirs.domain
            && mine.display_name == theirs.display_name
            && mine.proxy == theirs.proxy
            && mine.transport == theirs.transport
            && mine.password.expose_secret() == theirs.password.expose_secret()
    }
}

/// The user agent of an account: it may still be starting.
struct Standing {
    id: AgentId,
    handle: Option<UserAgent>,
}

impl Standing {
    fn agent(&self, line: Option<&Line>, view: &AccountView) -> Option<Agent> {
        let handle = self.handle.clone()?;
        Some(Agent {
            id: self.id,
            handle,
            codecs: line.map(|line| line.codecs.clone()).unwrap_or_default(),
            srtp: line.map_or(view.srtp, |line| line.srtp),
            nat: line.map(|line| Arc::clone(&line.nat)).unwrap_or_default(),
            secure: matches!(view.transport, Transport::Tls | Transport::Wss),
            browserly: view.transport == Transport::Wss,
        })
    }
}

/// Names a user agent among all that this phone starts: an account's former one may still have a last
/// word to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct AgentId(u64);

/// A running user agent.
#[derive(Clone)]
pub(crate) struct Agent {
    /// Its name.
    pub(crate) id: AgentId,
    /// What it is told.
    pub(crate) handle: UserAgent,
    /// Codecs settled for its calls, best first; none where that is for the user to say.
    pub(crate) codecs: Vec<Codec>,
    /// Whether they are encrypted.
    pub(crate) srtp: SrtpPolicy,
    /// How they find their way through NATs.
    pub(crate) nat: Arc<Nat>,
    /// Its signalling is encrypted as far as the PBX.
    pub(crate) secure: bool,
    /// Its signalling is that of browsers.
    pub(crate) browserly: bool,
}

impl Agent {
    /// How its offers want to come to keys: a PBX that must have them over WebSockets speaks to browsers, and those
    /// have done with keys in descriptions (RFC 8827, section 6.5).
    pub(crate) fn keying(&self) -> Keying {
        match self.browserly && self.srtp == SrtpPolicy::Require {
            true => Keying::Dtls,
            false => Keying::Sdes,
        }
    }
}

impl Accounts {
    /// None yet.
    pub(crate) fn new(outlet: Outlet) -> Self {
        Self { list: Vec::new(), last_agent: 0, outlet }
    }

    /// What the shells show of them.
    pub(crate) fn views(&self) -> Vec<AccountView> {
        self.list.iter().map(|account| account.view.clone()).collect()
    }

    /// The account to call with: the one named, or the first.
    pub(crate) fn agent(&self, wanted: Option<&AccountId>) -> Option<(AccountId, Agent)> {
        let account = self.list.iter().find(|a| wanted.is_none_or(|id| a.view.id == *id))?;
        account.agent()
    }

    /// The account that a user agent belongs to now.
    pub(crate) fn of_agent(&self, id: AgentId) -> Option<(AccountId, Agent)> {
        self.list.iter().find(|a| a.is_served_by(id))?.agent()
    }

    /// Whether there is an account of this name.
    pub(crate) fn has(&self, id: &AccountId) -> bool {
        self.list.iter().any(|a| a.view.id == *id)
    }

    /// Star codes of an account, where its PBX has told them.
    pub(crate) fn codes(&self, id: &AccountId) -> Option<FeatureCodes> {
        self.list.iter().find(|a| a.view.id == *id)?.view.codes.as_deref().cloned()
    }

    /// Whether the calls of an account keep to themselves who calls, unless something else is asked for.
    pub(crate) fn hides(&self, id: &AccountId) -> bool {
        self.list.iter().any(|a| a.view.id == *id && a.view.hidden)
    }

    /// Whether an account is one of a PBX, rather than a plain SIP account.
    pub(crate) fn is_of_pbx(&self, id: &AccountId) -> bool {
        self.list.iter().any(|a| a.view.id == *id && a.view.session != SessionState::None)
    }

    /// What the user agent of an account is started with, where that is known.
    pub(crate) fn line(&self, id: &AccountId) -> Option<&Line> {
        self.list.iter().find(|a| a.view.id == *id)?.line.as_ref()
    }

    /// SIP password of an account, where it is known.
    pub(crate) fn password(&self, id: &AccountId) -> Option<SecretString> {
        self.line(id).map(|line| line.sip.password.clone())
    }

    /// Extension number of an account.
    pub(crate) fn extension(&self, id: &AccountId) -> Option<String> {
        self.list.iter().find(|a| a.view.id == *id).map(|account| account.view.extension.clone())
    }

    /// Puts an account in its place. One of its name keeps its user agent, and how it stands with it.
    pub(crate) fn put(&mut self, mut view: AccountView) {
        let place = self.list.iter_mut().find(|a| a.view.id == view.id);
        match place {
            Some(place) => {
                if place.agent.is_some() {
                    view.state = place.view.state.clone();
                    view.mailbox = place.view.mailbox.clone();
                }
                view.codes = view.codes.or(place.view.codes.clone());
                view.hidden = place.view.hidden;
                place.view = view.clone();
            }
            None => {
                self.list.push(Account { view: view.clone(), line: None, agent: None, certificate: None })
            }
        }
        self.outlet.tell(Event::Account { view });
    }

    /// How it stands with an account.
    pub(crate) fn state(&self, id: &AccountId) -> Option<&AccountState> {
        self.list.iter().find(|a| a.view.id == *id).map(|account| &account.view.state)
    }

    /// Takes an account away; its user agent is left to be stopped.
    #[must_use]
    pub(crate) fn remove(&mut self, id: &AccountId) -> Option<Agent> {
        let place = self.list.iter().position(|a| a.view.id == *id)?;
        let mut account = self.list.remove(place);
        self.outlet.tell(Event::AccountGone { account: id.clone() });
        account.take_agent()
    }

    /// Takes the user agent of an account away, to be stopped.
    #[must_use]
    pub(crate) fn take_agent(&mut self, id: &AccountId) -> Option<Agent> {
        let account = self.list.iter_mut().find(|a| a.view.id == *id)?;
        let agent = account.take_agent();
        account.line = None;
        agent
    }

    /// Takes all user agents away, to be stopped.
    pub(crate) fn agents(&mut self) -> Vec<Agent> {
        self.list.iter_mut().filter_map(Account::take_agent).collect()
    }

    /// Changes what is shown of an account, and tells of it where it is another than before.
    pub(crate) fn change(&mut self, id: &AccountId, change: impl FnOnce(&mut AccountView)) {
        let Some(account) = self.list.iter_mut().find(|a| a.view.id == *id) else { return };
        let before = account.view.clone();
        change(&mut account.view);
        if account.view != before {
            self.outlet.tell(Event::Account { view: account.view.clone() });
        }
    }

    /// Nothing more happens by itself: the user must act.
    pub(crate) fn offline(&mut self, id: &AccountId, problem: Problem) {
        self.change(id, |view| view.state = AccountState::Offline { problem, status: None });
    }

    /// Starts the user agent of an account, unless the one it has serves the same line; another former one
    /// is left to be stopped. The new one is handed over as [`Input::AgentStarted`], all it says follows as
    /// [`Input::Signalled`], and its end is [`Input::AgentGone`].
    #[must_use]
    pub(crate) fn start_agent(&mut self, id: &AccountId, line: Line) -> Option<Agent> {
        let account = self.list.iter_mut().find(|a| a.view.id == *id)?;
        if let (Some(Standing { handle, .. }), Some(known)) = (&account.agent, &account.line)
            && known.serves(&line)
        {
            if let (Some(agent), AccountState::Offline { .. }) = (handle, &account.view.state) {
                agent.reconnect();
            }
            account.line = Some(line);
            return None;
        }
        let former = account.take_agent();
        self.last_agent += 1;
        let agent = AgentId(self.last_agent);
        let sip = line.sip.clone();
        account.line = Some(line);
        account.agent = Some(Standing { id: agent, handle: None });
        account.view.state = AccountState::Registering;
        self.outlet.tell(Event::Account { view: account.view.clone() });
        let outlet = self.outlet.clone();
        self.outlet.landing(async move {
            let (said, mut heard) = mpsc::unbounded_channel();
            let started = UserAgent::start(sip, said).await;
            let alive = started.is_ok();
            outlet.put(Input::AgentStarted(agent, started));
            while alive && let Some(event) = heard.recv().await {
                outlet.put(Input::Signalled(agent, event));
            }
            outlet.put(Input::AgentGone(agent));
        });
        former
    }

    /// A user agent was started, or could not be. One that nobody waits for any more is given back.
    #[must_use]
    pub(crate) fn started(&mut self, id: AgentId, started: Result<UserAgent, sip::Error>) -> Option<Agent> {
        let account = self.list.iter_mut().find(|a| a.is_served_by(id));
        match (started, account) {
            (Ok(handle), Some(account)) => {
                account.agent = Some(Standing { id, handle: Some(handle) });
                None
            }
            (Ok(handle), None) => Some(Agent {
                id,
                handle,
                codecs: Vec::new(),
                srtp: SrtpPolicy::Off,
                nat: Arc::default(),
                secure: false,
                browserly: false,
            }),
            (Err(error), Some(account)) => {
                account.agent = None;
                let account = account.view.id.clone();
                self.offline(&account, of_sip_error(&error));
                None
            }
            (Err(_), None) => None,
        }
    }

    /// Takes what a user agent says of its registration.
    ///
    /// Returns whose it is, unless it was let go.
    pub(crate) fn registration(
        &mut self,
        agent: AgentId,
        registration: sip::Registration,
    ) -> Option<AccountId> {
        let id = self.list.iter().find(|a| a.is_served_by(agent))?.view.id.clone();
        let state = match registration {
            sip::Registration::Registering => AccountState::Registering,
            sip::Registration::Registered { expires, rtt } => AccountState::Registered {
                expires_s: u32::try_from(expires.as_secs()).unwrap_or(u32::MAX),
                rtt_ms: u32::try_from(rtt.as_millis()).unwrap_or(u32::MAX),
            },
            sip::Registration::Retrying { cause, status, retry_in } => {
                let problem = self.problem(&id, cause, status);
                let wait = u64::try_from(retry_in.as_millis()).unwrap_or(u64::MAX);
                let retry_at = UnixMs(now().0.saturating_add(wait));
                AccountState::Reconnecting { retry_at, problem, status }
            }
            sip::Registration::Refused { cause, status } => {
                AccountState::Offline { problem: self.problem(&id, cause, status), status }
            }
            sip::Registration::Unregistered => return None,
        };
        self.change(&id, |view| {
            if matches!(state, AccountState::Registered { .. }) {
                view.certificate = None;
            }
            view.state = state;
        });
        Some(id)
    }

    fn problem(&self, id: &AccountId, cause: sip::Cause, status: Option<u16>) -> Problem {
        let shown = self.list.iter().find(|a| a.view.id == *id).and_then(|account| account.certificate);
        match (cause, shown) {
            (sip::Cause::CertificateNotTrusted, Some(code)) => code.into(),
            _ => of_cause(cause, status),
        }
    }

    /// The SIP server of an account shows a certificate that is not trusted.
    pub(crate) fn not_trusted(&mut self, agent: AgentId, problem: Code, certificate: CertificateView) {
        let Some(account) = self.list.iter_mut().find(|a| a.is_served_by(agent)) else { return };
        account.certificate = Some(problem);
        let id = account.view.id.clone();
        self.change(&id, |view| view.certificate = Some(Box::new(certificate)));
    }

    /// Whether the calls of an account are encrypted, from the next one on.
    pub(crate) fn protect(&mut self, id: &AccountId, srtp: SrtpPolicy) {
        if let Some(line) = self.list.iter_mut().find(|a| a.view.id == *id).and_then(|a| a.line.as_mut()) {
            line.srtp = srtp;
        }
        self.change(id, |view| view.srtp = srtp);
    }

    /// How the calls of an account find their way through NATs, from the next one on.
    pub(crate) fn connect(&mut self, id: &AccountId, connection: Connection, nat: Nat) {
        if let Some(line) = self.list.iter_mut().find(|a| a.view.id == *id).and_then(|a| a.line.as_mut()) {
            line.nat = Arc::new(nat);
        }
        self.change(id, |view| view.connection = connection);
    }

    /// What is trusted has changed.
    pub(crate) fn trust(&mut self, trust: &Trust) {
        for account in &mut self.list {
            if let Some(line) = &mut account.line {
                line.sip.trust = trust.clone();
            }
            if let Some(Standing { handle: Some(agent), .. }) = &account.agent {
                agent.trust(trust.clone());
            }
        }
    }

    /// Registers an account now.
    ///
    /// Returns whether it is known what to register.
    pub(crate) fn reconnect(&mut self, id: &AccountId) -> bool {
        let Some(account) = self.list.iter().find(|a| a.view.id == *id) else { return false };
        match (&account.agent, account.line.clone()) {
            (Some(Standing { handle: Some(agent), .. }), _) => agent.reconnect(),
            (Some(_), _) => {}
            (None, Some(line)) => {
                // There is no former one to be stopped.
                let _ = self.start_agent(id, line);
            }
            (None, None) => return false,
        }
        true
    }
}

impl Account {
    fn is_served_by(&self, id: AgentId) -> bool {
        self.agent.as_ref().is_some_and(|agent| agent.id == id)
    }

    fn agent(&self) -> Option<(AccountId, Agent)> {
        let agent = self.agent.as_ref()?.agent(self.line.as_ref(), &self.view)?;
        Some((self.view.id.clone(), agent))
    }

    fn take_agent(&mut self) -> Option<Agent> {
        self.agent.take()?.agent(self.line.as_ref(), &self.view)
    }
}
