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
    outlet: Outlet,
}

struct Account {
    view: AccountView,
    agent: Option<UserAgent>,
}

impl Accounts {
    /// None yet.
    pub(crate) fn new(outlet: Outlet) -> Self {
        Self { list: Vec::new(), outlet }
    }

    /// What the shells show of them.
    pub(crate) fn views(&self) -> Vec<AccountView> {
        self.list.iter().map(|account| account.view.clone()).collect()
    }

    /// The account to call with: the one named, or the first.
    pub(crate) fn agent(&self, wanted: Option<&AccountId>) -> Option<(AccountId, UserAgent)> {
        let account = self.list.iter().find(|a| wanted.is_none_or(|id| a.view.id == *id))?;
        Some((account.view.id.clone(), account.agent.clone()?))
    }

    /// Whether there is an account of this name.
    pub(crate) fn has(&self, id: &AccountId) -> bool {
        self.list.iter().any(|a| a.view.id == *id)
    }

    /// Puts an account in its place; a former one of its name leaves its user agent to be stopped.
    #[must_use]
    pub(crate) fn put(&mut self, view: AccountView) -> Option<UserAgent> {
        self.outlet.tell(Event::Account { view: view.clone() });
        match self.list.iter_mut().find(|a| a.view.id == view.id) {
            Some(account) => {
                account.view = view;
                account.agent.take()
            }
            None => {
                self.list.push(Account { view, agent: None });
                None
            }
        }
    }

    /// Takes an account away; its user agent is left to be stopped.
    pub(crate) fn remove(&mut self, id: &AccountId) -> Option<UserAgent> {
        let place = self.list.iter().position(|a| a.view.id == *id)?;
        let account = self.list.remove(place);
        self.outlet.tell(Event::AccountGone { account: id.clone() });
        account.agent
    }

    /// Takes the user agent of an account away, to be stopped.
    pub(crate) fn take_agent(&mut self, id: &AccountId) -> Option<UserAgent> {
        self.list.iter_mut().find(|a| a.view.id == *id)?.agent.take()
    }

    /// Takes all user agents away, to be stopped.
    pub(crate) fn agents(&mut self) -> Vec<UserAgent> {
        self.list.iter_mut().filter_map(|account| account.agent.take()).collect()
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

    /// Starts the user agent of an account; it is handed over as [`Input::AgentStarted`], and all it says
    /// follows as [`Input::Signalled`].
    pub(crate) fn start_agent(&self, id: AccountId, account: sip::Account) {
        let outlet = self.outlet.clone();
        tokio::spawn(async move {
            let (said, mut heard) = mpsc::unbounded_channel();
            let started = UserAgent::start(account, said).await;
            let alive = started.is_ok();
            outlet.put(Input::AgentStarted(id.clone(), started));
            while alive && let Some(event) = heard.recv().await {
                outlet.put(Input::Signalled(id.clone(), event));
            }
        });
    }

    /// A user agent was started, or could not be. One that nobody waits for any more is given back.
    #[must_use]
    pub(crate) fn started(
        &mut self,
        id: &AccountId,
        started: Result<UserAgent, sip::Error>,
    ) -> Option<UserAgent> {
        match started {
            Ok(agent) => match self.list.iter_mut().find(|a| a.view.id == *id) {
                Some(account) => account.agent.replace(agent),
                None => Some(agent),
            },
            Err(error) => {
                self.offline(id, of_sip_error(&error));
                None
            }
        }
    }

    /// Takes what the user agent of an account says of its registration.
    pub(crate) fn registration(&mut self, id: &AccountId, registration: sip::Registration) {
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
            sip::Registration::Unregistered => return,
        };
        self.change(id, |view| view.state = state);
    }

    /// Asks the user agent of an account to register now.
    ///
    /// Returns whether there is one.
    pub(crate) fn reconnect(&self, id: &AccountId) -> bool {
        let agent = self.list.iter().find(|a| a.view.id == *id).and_then(|a| a.agent.as_ref());
        if let Some(agent) = agent {
            agent.reconnect();
        }
        agent.is_some()
    }
}
