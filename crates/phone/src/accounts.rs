//! The accounts and their user agents.

use sip::UserAgent;
use tokio::sync::mpsc;

use crate::actor::Input;
use crate::call::now;
use crate::outlet::Outlet;
use crate::words::{of_cause, of_sip_error};
use crate::{AccountId, AccountState, AccountView, Event, Problem, UnixMs};

/// The accounts, in the order they were signed in.
pub(crate) struct Accounts {
    list: Vec<Account>,
    last_agent: u64,
    outlet: Outlet,
}

struct Account {
    view: AccountView,
    /// What its user agent is started with, once that is known.
    sip: Option<sip::Account>,
    agent: Option<Standing>,
}

/// The user agent of an account: it may still be starting.
struct Standing {
    id: AgentId,
    handle: Option<UserAgent>,
}

impl Standing {
    fn agent(self) -> Option<Agent> {
        let Self { id, handle } = self;
        handle.map(|handle| Agent { id, handle })
    }
}

/// Names a user agent among all that this phone starts: an account's former one may still have a last
/// word to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AgentId(u64);

/// A running user agent.
#[derive(Clone)]
pub(crate) struct Agent {
    /// Its name.
    pub(crate) id: AgentId,
    /// What it is told.
    pub(crate) handle: UserAgent,
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

    /// Puts an account in its place; a former one of its name leaves its user agent to be stopped.
    #[must_use]
    pub(crate) fn put(&mut self, view: AccountView) -> Option<Agent> {
        self.outlet.tell(Event::Account { view: view.clone() });
        let account = Account { view, sip: None, agent: None };
        match self.list.iter_mut().find(|a| a.view.id == account.view.id) {
            Some(place) => std::mem::replace(place, account).agent.and_then(Standing::agent),
            None => {
                self.list.push(account);
                None
            }
        }
    }

    /// Takes an account away; its user agent is left to be stopped.
    #[must_use]
    pub(crate) fn remove(&mut self, id: &AccountId) -> Option<Agent> {
        let place = self.list.iter().position(|a| a.view.id == *id)?;
        let account = self.list.remove(place);
        self.outlet.tell(Event::AccountGone { account: id.clone() });
        account.agent.and_then(Standing::agent)
    }

    /// Takes the user agent of an account away, to be stopped.
    #[must_use]
    pub(crate) fn take_agent(&mut self, id: &AccountId) -> Option<Agent> {
        let account = self.list.iter_mut().find(|a| a.view.id == *id)?;
        account.sip = None;
        account.agent.take()?.agent()
    }

    /// Takes all user agents away, to be stopped.
    pub(crate) fn agents(&mut self) -> Vec<Agent> {
        self.list.iter_mut().filter_map(|account| account.agent.take()?.agent()).collect()
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

    /// Starts the user agent of an account; its former one is left to be stopped. The new one is handed
    /// over as [`Input::AgentStarted`], all it says follows as [`Input::Signalled`], and its end is
    /// [`Input::AgentGone`].
    #[must_use]
    pub(crate) fn start_agent(&mut self, id: &AccountId, sip: sip::Account) -> Option<Agent> {
        let account = self.list.iter_mut().find(|a| a.view.id == *id)?;
        self.last_agent += 1;
        let agent = AgentId(self.last_agent);
        account.sip = Some(sip.clone());
        let former = account.agent.replace(Standing { id: agent, handle: None });
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
        former.and_then(Standing::agent)
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
            (Ok(handle), None) => Some(Agent { id, handle }),
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
                let wait = u64::try_from(retry_in.as_millis()).unwrap_or(u64::MAX);
                let retry_at = UnixMs(now().0.saturating_add(wait));
                AccountState::Reconnecting { retry_at, problem: of_cause(cause, status), status }
            }
            sip::Registration::Refused { cause, status } => {
                AccountState::Offline { problem: of_cause(cause, status), status }
            }
            sip::Registration::Unregistered => return None,
        };
        self.change(&id, |view| view.state = state);
        Some(id)
    }

    /// Registers an account now.
    ///
    /// Returns whether it is known what to register.
    pub(crate) fn reconnect(&mut self, id: &AccountId) -> bool {
        let Some(account) = self.list.iter().find(|a| a.view.id == *id) else { return false };
        match (&account.agent, account.sip.clone()) {
            (Some(Standing { handle: Some(agent), .. }), _) => agent.reconnect(),
            (Some(_), _) => {}
            (None, Some(sip)) => {
                self.change(id, |view| view.state = AccountState::Registering);
                // There is no former one to be stopped.
                let _ = self.start_agent(id, sip);
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
        let Standing { id, handle } = self.agent.as_ref()?;
        Some((self.view.id.clone(), Agent { id: *id, handle: handle.clone()? }))
    }
}
