//! What the user tells others of being there, kept by the PBX for all of his phones.

use std::collections::BTreeMap;

use pbx_api::{Client, OwnPresence, Presence};
use secrecy::SecretString;
use sign_in::{Session, SignInError};
use tokio::task::AbortHandle;

use super::{PortalInput, is_not_offered, later, problem_of, put, wait};
use crate::outlet::Outlet;
use crate::{AccountId, Code, Command, Event, OwnPresenceView, PresenceChoice, Problem};

/// What happened to it, outside the actor.
pub(crate) enum PresenceInput {
    /// The time has come to ask the PBX.
    Due(AccountId),
    /// The PBX was asked, or does not offer it.
    Asked(AccountId, Result<Option<OwnPresence>, SignInError>),
    /// It was changed, or could not be.
    Changed(AccountId, Result<(), SignInError>),
}

/// What is told for each account.
pub(super) struct Presences {
    accounts: BTreeMap<AccountId, Known>,
    told: Vec<OwnPresenceView>,
    outlet: Outlet,
}

struct Known {
    session: Session,
    /// None where it is not known, or not offered.
    own: Option<OwnPresence>,
    failures: u32,
    alarm: Option<AbortHandle>,
}

impl Drop for Known {
    fn drop(&mut self) {
        if let Some(alarm) = &self.alarm {
            alarm.abort();
        }
    }
}

impl Presences {
    pub(super) fn new(outlet: Outlet) -> Self {
        Self { accounts: BTreeMap::new(), told: Vec::new(), outlet }
    }

    pub(super) fn views(&self) -> Vec<OwnPresenceView> {
        self.told.clone()
    }

    /// Follows a command about it; any other is handed back.
    ///
    /// # Errors
    /// The PBX of that account does not offer it.
    pub(super) fn follow(&mut self, command: Command) -> Result<Result<(), Problem>, Box<Command>> {
        Ok(match command {
            Command::SetPresence { account, presence, note } => self.set(account, presence, &note),
            Command::AskPresence => {
                let all: Vec<AccountId> = self.accounts.keys().cloned().collect();
                all.iter().for_each(|account| self.ask(account));
                Ok(())
            }
            other => return Err(Box::new(other)),
        })
    }

    /// Takes what happened.
    pub(super) fn take(&mut self, input: PresenceInput) {
        match input {
            PresenceInput::Due(account) => self.ask(&account),
            PresenceInput::Asked(account, asked) => self.asked(&account, asked),
            PresenceInput::Changed(account, done) => {
                if let Err(error) = done {
                    self.outlet.tell(Event::Notice { problem: problem_of(&error), call: None });
                }
                self.ask(&account);
            }
        }
    }

    pub(super) fn stands(&mut self, id: AccountId, session: Session) {
        let own = self.accounts.remove(&id).and_then(|mut known| known.own.take());
        self.accounts.insert(id.clone(), Known { session, own, failures: 0, alarm: None });
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
            let ask =
                |client: Client, access: SecretString| async move { client.own_presence(&access).await };
            let asked = match session.authorized(ask).await {
                Err(error) if is_not_offered(&error) => Ok(None),
                own => own.map(Some),
            };
            put(&outlet, PortalInput::Presence(PresenceInput::Asked(id, asked)));
        });
    }

    fn asked(&mut self, id: &AccountId, asked: Result<Option<OwnPresence>, SignInError>) {
        let Some(known) = self.accounts.get_mut(id) else { return };
        let told = match &asked {
            Err(SignInError::Api(error)) => error.retry_after(),
            _ => None,
        };
        match asked {
            Ok(own) => (known.own, known.failures) = (own, 0),
            Err(error) => {
                tracing::info!(account = %id, %error, "the PBX cannot be asked for the user's presence");
                known.failures = known.failures.saturating_add(1);
            }
        }
        if let Some(alarm) = known.alarm.take() {
            alarm.abort();
        }
        if !known.session.status().borrow().expired {
            let due = PortalInput::Presence(PresenceInput::Due(id.clone()));
            known.alarm = Some(later(&self.outlet, wait(known.failures, told), due));
        }
        self.tell();
    }

    fn set(&self, id: AccountId, presence: PresenceChoice, note: &str) -> Result<(), Problem> {
        let known = self.accounts.get(&id).filter(|known| known.own.is_some()).ok_or(Code::FeatureOff)?;
        let note = Some(note.trim().to_owned()).filter(|note| !note.is_empty());
        let own = OwnPresence { presence: theirs(presence), note };
        let (session, outlet) = (known.session.clone(), self.outlet.clone());
        tokio::spawn(async move {
            let ask = |client: Client, access: SecretString| {
                let own = own.clone();
                async move { client.set_presence(&access, &own).await }
            };
            let done = session.authorized(ask).await;
            put(&outlet, PortalInput::Presence(PresenceInput::Changed(id, done)));
        });
        Ok(())
    }

    fn tell(&mut self) {
        let view = |(account, known): (&AccountId, &Known)| {
            let own = known.own.as_ref()?;
            Some(OwnPresenceView {
                account: account.clone(),
                presence: ours(own.presence),
                note: own.note.clone().unwrap_or_default(),
            })
        };
        let views: Vec<OwnPresenceView> = self.accounts.iter().filter_map(view).collect();
        if self.told != views {
            self.told.clone_from(&views);
            self.outlet.tell(Event::OwnPresence { views });
        }
    }
}

fn ours(presence: Presence) -> Option<PresenceChoice> {
    match presence {
        Presence::Available => Some(PresenceChoice::Available),
        Presence::Away => Some(PresenceChoice::Away),
        Presence::DoNotDisturb => Some(PresenceChoice::DoNotDisturb),
        Presence::Lunch => Some(PresenceChoice::Lunch),
        Presence::BusinessTrip => Some(PresenceChoice::BusinessTrip),
        Presence::Other => None,
    }
}

fn theirs(presence: PresenceChoice) -> Presence {
    match presence {
        PresenceChoice::Available => Presence::Available,
        PresenceChoice::Away => Presence::Away,
        PresenceChoice::DoNotDisturb => Presence::DoNotDisturb,
        PresenceChoice::Lunch => Presence::Lunch,
        PresenceChoice::BusinessTrip => Presence::BusinessTrip,
    }
}
