//! The contacts of the PBX: kept on disk by a thread of their own, asked for while their account is signed in, and
//! found by name or number.

mod computer;
mod directory;
mod keeper;
mod rounds;
mod search;
mod store;
mod sync;
mod text;
mod writing;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use pbx_api::{ApiError, ErrorCode};
use sign_in::{Session, SignInError};
use tokio::task::AbortHandle;

use crate::actor::Input;
use crate::outlet::Outlet;
use crate::portraits::{Outcome, Portraits, Whose};
use crate::words::of_sign_in_error;
use crate::{
    AccountId, Code, Command, ContactId, ContactKind, ContactsState, ContactsView, Event, Problem, UnixMs,
};

pub(crate) use directory::Directory;
pub(crate) use search::Called;
pub(crate) use text::is_same_number;

use computer::{Computer, ComputerInput};
use keeper::{Keeper, Order};

/// What happened to the contacts, outside the actor.
pub(crate) enum ContactsInput {
    /// They were read, or are others now.
    Read(Directory),
    /// The session of an account stands.
    Stands(AccountId, Session),
    /// The time has come to ask the PBX for what changed.
    Due(AccountId),
    /// The PBX was asked: whether it tells any contacts.
    Asked(AccountId, Result<bool, SignInError>),
    /// A contact was written: its id at the PBX.
    Written {
        /// Number of who asked.
        ask: u32,
        /// For which account.
        account: AccountId,
        /// What became of it.
        done: Result<String, Problem>,
    },
    /// What became of a portrait that was asked for.
    Portrait(Whose, Outcome),
    /// Something could not be done.
    Refused(Problem),
    /// Something of this computer's address book.
    Computer(ComputerInput),
    /// An account was signed out.
    Gone(AccountId),
}

/// The contacts: what is known of them, and how it stands with asking for them.
pub(crate) struct Contacts {
    directory: Arc<Directory>,
    accounts: BTreeMap<AccountId, Account>,
    computer: Computer,
    keeper: Keeper,
    portraits: Portraits,
    told: ContactsView,
    outlet: Outlet,
}

/// How it stands with the contacts of one account.
struct Account {
    session: Session,
    /// The PBX tells some; unknown until it was asked.
    offers: Option<bool>,
    /// Times in a row that it could not be asked.
    failures: u32,
    problem: Option<Problem>,
    /// When they were last asked for in this run.
    asked: Option<UnixMs>,
    /// Rings when it is to be asked again.
    alarm: Option<AbortHandle>,
    /// One after the other asks: each begins where the one before ended.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Drop for Account {
    fn drop(&mut self) {
        if let Some(alarm) = &self.alarm {
            alarm.abort();
        }
    }
}

impl Contacts {
    /// Begins to read those that are kept below `dir`; or knows none, and asks for none.
    pub(crate) fn start(dir: &Path, keeps: bool, outlet: Outlet) -> Self {
        let contacts = Self {
            directory: Arc::default(),
            accounts: BTreeMap::new(),
            computer: Computer::default(),
            keeper: if keeps { Keeper::start(dir.to_owned(), outlet.clone()) } else { Keeper::none() },
            portraits: Portraits::new(dir, keeps),
            told: ContactsView::default(),
            outlet,
        };
        if keeps {
            contacts.look_for_computer();
        }
        contacts
    }

    /// What the shells know of them.
    pub(crate) fn view(&self) -> ContactsView {
        self.told.clone()
    }

    /// All of them as they are known.
    pub(crate) fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory)
    }

    /// Follows a command about contacts; any other is handed back. `called` is asked for whom there were calls with.
    ///
    /// # Errors
    /// There is no such contact, or no session to change it with.
    pub(crate) fn follow(
        &mut self,
        command: Command,
        called: impl FnOnce() -> Vec<(crate::PeerView, UnixMs)>,
    ) -> Result<Result<(), Problem>, Box<Command>> {
        Ok(match command {
            Command::FindContacts { ask, text, filter, from, most } => {
                let find = move |directory: &Directory| Event::ContactsFound {
                    ask,
                    page: Box::new(directory.find(&text, filter, from, most)),
                };
                self.look(find);
                Ok(())
            }
            Command::Search { ask, text, most } => {
                let calls = called();
                let search = move |directory: &Directory| {
                    let (called, now) = (Called::of(calls), crate::calls::now());
                    Event::Found { ask, hits: directory.search(&text, &called, now, most as usize) }
                };
                self.look(search);
                Ok(())
            }
            Command::FavorContact { id, favorite } => self.favor(id, favorite),
            Command::SaveContact { ask, account, id, draft } => {
                self.save(ask, account, id, draft);
                Ok(())
            }
            Command::DeleteContact { id } => self.delete(id),
            Command::AskPortrait { account, reference } => {
                let session = self.accounts.get(&account).map(|account| account.session.clone());
                self.portraits.ask((account, reference), session, &self.outlet);
                Ok(())
            }
            Command::SyncContacts => {
                let all: Vec<AccountId> = self.accounts.keys().cloned().collect();
                all.iter().for_each(|account| self.ask(account));
                Ok(())
            }
            other => return Err(Box::new(other)),
        })
    }

    /// Takes what happened. Whether the contacts are others now.
    pub(crate) fn take(&mut self, input: ContactsInput) -> bool {
        match input {
            ContactsInput::Read(directory) => {
                self.directory = Arc::new(directory);
                self.tell();
                return true;
            }
            ContactsInput::Stands(account, session) => {
                self.portraits.stands(&account);
                self.stands(account, session);
            }
            ContactsInput::Portrait(whose, outcome) => self.outlet.tell(self.portraits.found(whose, outcome)),
            ContactsInput::Due(account) => self.ask(&account),
            ContactsInput::Asked(account, outcome) => self.asked(&account, outcome),
            ContactsInput::Written { ask, account, done } => {
                let (contact, problem) = match done {
                    Ok(remote) => (self.directory.at_pbx(&account, ContactKind::Personal, &remote), None),
                    Err(problem) => (None, Some(problem)),
                };
                self.outlet.tell(Event::ContactSaved { ask, contact, problem });
            }
            ContactsInput::Computer(input) => self.computer_told(input),
            ContactsInput::Refused(problem) => self.outlet.tell(Event::Notice { problem, call: None }),
            ContactsInput::Gone(account) => {
                self.accounts.remove(&account);
                self.portraits.forget(&account);
                self.keeper.order(Order::Forget(account));
                self.tell();
            }
        }
        false
    }

    /// Waits until all is written.
    pub(crate) async fn close(&mut self) {
        self.accounts.clear();
        self.computer = Computer::default();
        self.keeper.close().await;
    }

    /// Looks something up on a thread for such: there may be very many contacts.
    fn look(&self, find: impl FnOnce(&Directory) -> Event + Send + 'static) {
        let (directory, outlet) = (self.directory(), self.outlet.clone());
        tokio::task::spawn_blocking(move || outlet.tell(find(&directory)));
    }

    /// The contact with what it takes to change it at the PBX.
    fn changeable(&self, id: ContactId) -> Result<(Session, AccountId, ContactKind, String), Problem> {
        let (contact, remote) = self.directory.get(id).ok_or(Code::NoSuchContact)?;
        if contact.kind == ContactKind::Computer {
            return Err(Code::NotNow.into());
        }
        let account = self.accounts.get(&contact.account).ok_or(Code::SessionExpired)?;
        Ok((account.session.clone(), contact.account.clone(), contact.kind, remote.to_owned()))
    }

    /// Tells how it stands with them, where that is another thing than before.
    fn tell(&mut self) {
        let view = ContactsView {
            version: self.directory.version,
            count: u32::try_from(self.directory.len()).unwrap_or(u32::MAX),
            state: self.state(),
            computer: self.computer.state.clone(),
        };
        if self.told != view {
            self.told = view;
            self.outlet.tell(Event::Contacts { view: self.view() });
        }
    }

    fn state(&self) -> ContactsState {
        let failed = self.accounts.values().find_map(|account| account.problem.clone());
        let fresh = &self.directory.fresh;
        let offering = self.accounts.iter().filter(|(_, account)| account.offers != Some(false));
        let times: Vec<Option<UnixMs>> =
            offering.map(|(id, account)| account.asked.or_else(|| fresh.get(id).copied())).collect();
        let at = match times.is_empty() {
            true => fresh.values().min().copied(),
            false => times.iter().flatten().min().copied(),
        };
        match (failed, at) {
            (Some(problem), at) => ContactsState::Stale { at, problem },
            (None, Some(at)) => ContactsState::Fresh { at },
            (None, None) if times.is_empty() => ContactsState::None,
            (None, None) => ContactsState::Loading,
        }
    }
}

/// Why the contacts could not be asked for, or one of them not be changed.
fn problem_of(error: &SignInError) -> Problem {
    let problem = of_sign_in_error(error);
    match error {
        SignInError::Api(ApiError::NotFound { .. }) => Problem { code: Code::NoSuchContact, ..problem },
        SignInError::Api(ApiError::Refused { code: Some(ErrorCode::ValidateFailed), .. }) => {
            Problem { code: Code::ContactInvalid, ..problem }
        }
        _ => problem,
    }
}

/// Puts what happened into the actor's inbox.
fn put(outlet: &Outlet, input: ContactsInput) {
    outlet.put(Input::Contacts(Box::new(input)));
}
