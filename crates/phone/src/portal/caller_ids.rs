//! The numbers that the PBX lets its user show, and the one that is shown.

use std::collections::BTreeMap;

use pbx_api::{CallerId, Client};
use secrecy::SecretString;
use sign_in::{Session, SignInError};
use tokio::task::AbortHandle;

use super::{PortalInput, is_not_offered, later, put, wait};
use crate::outlet::Outlet;
use crate::{AccountId, CallerIdView, CallerIdsView, Event};

/// Numbers that are offered at most.
const MOST: usize = 100;

/// What happened to it, outside the actor.
pub(crate) enum CallerIdsInput {
    /// The time has come to ask the PBX.
    Due(AccountId),
    /// The PBX was asked, or does not offer it.
    Asked(AccountId, Result<Vec<CallerId>, SignInError>),
}

/// The numbers of each account.
pub(super) struct CallerIds {
    accounts: BTreeMap<AccountId, Known>,
    told: Vec<CallerIdsView>,
    outlet: Outlet,
}

struct Known {
    session: Session,
    numbers: Vec<CallerIdView>,
    /// What the user wants, also while the PBX has not said whether it may be.
    wanted: Option<String>,
    failures: u32,
    alarm: Option<AbortHandle>,
}

impl Known {
    /// What is shown: nothing that the PBX does not let the user show.
    fn chosen(&self) -> Option<String> {
        self.wanted.clone().filter(|wanted| self.numbers.iter().any(|one| one.number == *wanted))
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        if let Some(alarm) = &self.alarm {
            alarm.abort();
        }
    }
}

impl CallerIds {
    pub(super) fn new(outlet: Outlet) -> Self {
        Self { accounts: BTreeMap::new(), told: Vec::new(), outlet }
    }

    pub(super) fn views(&self) -> Vec<CallerIdsView> {
        self.told.clone()
    }

    /// The number that calls through an account show.
    pub(super) fn chosen(&self, account: &AccountId) -> Option<String> {
        self.accounts.get(account)?.chosen()
    }

    /// The user wants this one shown. Whether the PBX lets him.
    pub(super) fn choose(&mut self, account: &AccountId, number: Option<String>) -> bool {
        let Some(known) = self.accounts.get_mut(account) else { return false };
        let offered =
            number.as_ref().is_none_or(|number| known.numbers.iter().any(|one| one.number == *number));
        if offered {
            known.wanted = number;
            self.tell();
        }
        offered
    }

    /// Takes what happened.
    pub(super) fn take(&mut self, input: CallerIdsInput) {
        match input {
            CallerIdsInput::Due(account) => self.ask(&account),
            CallerIdsInput::Asked(account, asked) => self.asked(&account, asked),
        }
    }

    pub(super) fn stands(&mut self, id: AccountId, wanted: Option<String>, session: Session) {
        let numbers = self.accounts.remove(&id).map(|mut known| std::mem::take(&mut known.numbers));
        let known = Known { session, numbers: numbers.unwrap_or_default(), wanted, failures: 0, alarm: None };
        self.accounts.insert(id.clone(), known);
        self.ask(&id);
    }

    pub(super) fn gone(&mut self, id: &AccountId) {
        self.accounts.remove(id);
        self.tell();
    }

    fn ask(&mut self, id: &AccountId) {
        let Some(known) = self.accounts.get_mut(id) else { return };
        if let Some(alarm) = known.alarm.take() {
            alarm.abort();
        }
        let (session, id, outlet) = (known.session.clone(), id.clone(), self.outlet.clone());
        tokio::spawn(async move {
            let ask = |client: Client, access: SecretString| async move { client.caller_ids(&access).await };
            let asked = match session.authorized(ask).await {
                Err(error) if is_not_offered(&error) => Ok(Vec::new()),
                asked => asked,
            };
            put(&outlet, PortalInput::CallerIds(CallerIdsInput::Asked(id, asked)));
        });
    }

    fn asked(&mut self, id: &AccountId, asked: Result<Vec<CallerId>, SignInError>) {
        let Some(known) = self.accounts.get_mut(id) else { return };
        let told = match &asked {
            Err(SignInError::Api(error)) => error.retry_after(),
            _ => None,
        };
        match asked {
            Ok(numbers) => {
                let view = |CallerId { number, description }| CallerIdView {
                    number,
                    label: description.unwrap_or_default(),
                };
                known.failures = 0;
                known.numbers = numbers.into_iter().take(MOST).map(view).collect();
            }
            Err(error) => {
                tracing::info!(account = %id, %error, "the PBX cannot be asked for caller IDs");
                known.failures = known.failures.saturating_add(1);
            }
        }
        if let Some(alarm) = known.alarm.take() {
            alarm.abort();
        }
        if !known.session.status().borrow().expired {
            let due = PortalInput::CallerIds(CallerIdsInput::Due(id.clone()));
            known.alarm = Some(later(&self.outlet, wait(known.failures, told), due));
        }
        self.tell();
    }

    fn tell(&mut self) {
        let offers = self.accounts.iter().filter(|(_, known)| !known.numbers.is_empty());
        let view = |(account, known): (&AccountId, &Known)| CallerIdsView {
            account: account.clone(),
            numbers: known.numbers.clone(),
            chosen: known.chosen(),
        };
        let views: Vec<CallerIdsView> = offers.map(view).collect();
        if self.told != views {
            self.told.clone_from(&views);
            self.outlet.tell(Event::CallerIds { views });
        }
    }
}
