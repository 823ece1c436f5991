//! The contacts of this computer's own address book: read while the user wants to see them here, and kept beside the PBX's.

use std::sync::mpsc::Sender;
use std::time::Duration;

use address_book::{Contact, Error, Kind};
use pbx_api::{ContactChange, ContactChanges, ContactNumber, NumberKind};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::keeper::Order;
use super::sync::Told;
use super::{Contacts, ContactsInput, put};
use crate::outlet::Outlet;
use crate::rounds::wait;
use crate::{AccountId, Code, ComputerState, ContactKind, Problem};

/// What happened to the address book.
pub(crate) enum ComputerInput {
    /// Whether there is one.
    Here(bool),
    /// All of it was read, and is on its way to the others.
    Read,
    /// It cannot be read, or no longer.
    Failed(Error),
    /// The time has come to read it again.
    Due,
}

/// How it stands with the address book.
#[derive(Default)]
pub(super) struct Computer {
    /// Nobody knows before it was looked for.
    here: Option<bool>,
    wanted: bool,
    /// It is read, or will be again.
    reader: Option<AbortHandle>,
    failures: u32,
    pub(super) state: ComputerState,
}

impl Drop for Computer {
    fn drop(&mut self) {
        self.rest();
    }
}

impl Computer {
    fn rest(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.abort();
        }
    }
}

impl Contacts {
    /// Looks whether there is an address book.
    pub(super) fn look_for_computer(&self) {
        let outlet = self.outlet.clone();
        tokio::spawn(async move {
            let here = address_book::is_there().await;
            put(&outlet, ContactsInput::Computer(ComputerInput::Here(here)));
        });
    }

    /// Shows the contacts of the address book beside the others, or no longer.
    pub(crate) fn want_computer(&mut self, wanted: bool) {
        if self.computer.wanted != wanted {
            self.computer.wanted = wanted;
            self.settle_computer();
        }
    }

    /// Takes what happened to the address book.
    pub(super) fn computer_told(&mut self, input: ComputerInput) {
        // What was on its way when the user would have it no more is too late.
        let reads = self.computer.reader.is_some();
        match input {
            ComputerInput::Here(here) => {
                self.computer.here = Some(here);
                self.settle_computer();
            }
            ComputerInput::Read if reads => {
                (self.computer.failures, self.computer.state) = (0, ComputerState::Fresh);
            }
            ComputerInput::Failed(error) if reads => self.failed(&error),
            ComputerInput::Due if reads => self.read_computer(),
            ComputerInput::Read | ComputerInput::Failed(_) | ComputerInput::Due => {}
        }
        self.tell();
    }

    fn settle_computer(&mut self) {
        let Some(here) = self.computer.here else { return };
        match (self.computer.wanted, here) {
            (true, true) => {
                self.computer.state = ComputerState::Loading;
                self.keeper.order(Order::Expect(AccountId::COMPUTER));
                self.read_computer();
            }
            // What was read of it before is kept: it may come back.
            (true, false) => self.computer.state = failed(&Error::None),
            (false, here) => {
                self.computer.rest();
                self.computer.state = if here { ComputerState::Off } else { ComputerState::None };
                self.keeper.order(Order::Forget(AccountId::COMPUTER));
            }
        }
        self.tell();
    }

    fn read_computer(&mut self) {
        let Some(orders) = self.keeper.orders() else { return };
        self.computer.rest();
        let reader = tokio::spawn(read(orders, self.outlet.clone()));
        self.computer.reader = Some(reader.abort_handle());
    }

    fn failed(&mut self, error: &Error) {
        tracing::info!(%error, "the computer's address book cannot be read");
        self.computer.failures = self.computer.failures.saturating_add(1);
        self.computer.state = failed(error);
        let alarm = tokio::spawn(remind(wait(self.computer.failures, None), self.outlet.clone()));
        self.computer.reader = Some(alarm.abort_handle());
    }
}

fn failed(error: &Error) -> ComputerState {
    ComputerState::Failed { problem: Problem::new(Code::AddressBookFailed, error.to_string()) }
}

async fn remind(after: Duration, outlet: Outlet) {
    tokio::time::sleep(after).await;
    put(&outlet, ContactsInput::Computer(ComputerInput::Due));
}

/// Has the address book kept as it is, now and after each change.
async fn read(orders: Sender<Order>, outlet: Outlet) {
    let mut known = None;
    let keep = |contacts: Vec<Contact>| {
        if known.as_ref() != Some(&contacts) {
            let (done, _) = oneshot::channel();
            // A thread that is gone keeps nothing.
            let _ =
                orders.send(Order::Follow(AccountId::COMPUTER, ContactKind::Computer, told(&contacts), done));
            known = Some(contacts);
        }
        put(&outlet, ContactsInput::Computer(ComputerInput::Read));
    };
    if let Err(error) = address_book::follow(keep).await {
        put(&outlet, ContactsInput::Computer(ComputerInput::Failed(error)));
    }
}

/// The address book as the PBX would tell it.
fn told(contacts: &[Contact]) -> Told {
    let items = contacts.iter().map(|contact| ContactChange::Changed(Box::new(theirs(contact)))).collect();
    Told { changes: ContactChanges { token: String::new(), items }, whole: true }
}

fn theirs(contact: &Contact) -> pbx_api::Contact {
    let number = |number: &address_book::Number| ContactNumber {
        kind: match number.kind {
            Kind::Mobile => NumberKind::Mobile,
            Kind::Work => NumberKind::Business,
            Kind::Home => NumberKind::Home,
            Kind::Other => NumberKind::Other,
            Kind::WorkFax => NumberKind::BusinessFax,
            Kind::HomeFax => NumberKind::HomeFax,
        },
        number: number.number.clone(),
    };
    pbx_api::Contact {
        id: contact.id.clone(),
        name: contact.name.clone(),
        numbers: contact.numbers.iter().map(number).collect(),
        email: contact.email.clone(),
        company: contact.company.clone(),
        title: contact.title.clone(),
        department: contact.department.clone(),
        address: contact.address.clone(),
        notes: contact.notes.clone(),
        avatar_file_url: None,
        favorite: None,
    }
}
