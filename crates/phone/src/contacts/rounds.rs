//! When the PBX is asked for what changed in its contacts: as soon as a session stands, and from then on at intervals.

use std::sync::mpsc::Sender;

use pbx_api::ContactKind as Kind;
use sign_in::{Session, SignInError};
use tokio::sync::oneshot;

use super::keeper::Order;
use super::{Account, Contacts, ContactsInput, problem_of, put, sync};
use crate::rounds::wait;
use crate::{AccountId, ContactKind};

impl Contacts {
    /// The session of an account stands: its contacts are asked for.
    pub(super) fn stands(&mut self, id: AccountId, session: Session) {
        let Some(orders) = self.keeper.orders() else { return };
        let _ = orders.send(Order::Expect(id.clone()));
        match self.accounts.get_mut(&id) {
            Some(account) => account.session = session,
            None => {
                let account = Account {
                    session,
                    offers: None,
                    failures: 0,
                    problem: None,
                    asked: None,
                    alarm: None,
                    turn: Default::default(),
                };
                self.accounts.insert(id.clone(), account);
            }
        }
        self.tell();
        self.ask(&id);
    }

    /// Asks for what changed in the contacts of an account.
    pub(super) fn ask(&mut self, id: &AccountId) {
        let Some(orders) = self.keeper.orders() else { return };
        let Some(account) = self.accounts.get_mut(id) else { return };
        if let Some(alarm) = account.alarm.take() {
            alarm.abort();
        }
        let (session, turn) = (account.session.clone(), account.turn.clone());
        let (id, outlet) = (id.clone(), self.outlet.clone());
        tokio::spawn(async move {
            let _turn = turn.lock().await;
            let asked = round(&session, &id, &orders).await;
            put(&outlet, ContactsInput::Asked(id, asked));
        });
    }

    /// The PBX was asked: whether it tells any contacts, or why it could not be asked.
    pub(super) fn asked(&mut self, id: &AccountId, asked: Result<bool, SignInError>) {
        let Some(account) = self.accounts.get_mut(id) else { return };
        let told = match &asked {
            Err(SignInError::Api(error)) => error.retry_after(),
            _ => None,
        };
        match asked {
            Ok(offers) => {
                (account.offers, account.problem, account.failures) = (Some(offers), None, 0);
                account.asked = offers.then(crate::calls::now);
            }
            Err(error) => {
                tracing::info!(account = %id, %error, "the contacts cannot be asked for");
                account.problem = Some(problem_of(&error));
                account.failures = account.failures.saturating_add(1);
            }
        }
        // Until the user signs in again there is nobody to ask.
        let ended = account.session.status().borrow().expired;
        if !ended {
            let wait = wait(account.failures, told);
            let (id, outlet) = (id.clone(), self.outlet.clone());
            let alarm = tokio::spawn(async move {
                tokio::time::sleep(wait).await;
                put(&outlet, ContactsInput::Due(id));
            });
            account.alarm = Some(alarm.abort_handle());
        }
        self.tell();
    }
}

/// Asks for what changed in each list, and has it kept. Whether the PBX tells any.
pub(super) async fn round(
    session: &Session,
    account: &AccountId,
    orders: &Sender<Order>,
) -> Result<bool, SignInError> {
    let mut any = false;
    for kind in Kind::ALL {
        any |= list(session, account, kind, orders).await?;
    }
    Ok(any)
}

/// The same for one list.
pub(super) async fn list(
    session: &Session,
    account: &AccountId,
    kind: Kind,
    orders: &Sender<Order>,
) -> Result<bool, SignInError> {
    let (reply, token) = oneshot::channel();
    // A thread that is gone answers nothing: all is asked for, and kept nowhere.
    let _ = orders.send(Order::Token(account.clone(), ours(kind), reply));
    let token = token.await.ok().flatten();
    let Some(told) = sync::changes(session, kind, token.as_deref()).await? else { return Ok(false) };
    let (done, kept) = oneshot::channel();
    let _ = orders.send(Order::Follow(account.clone(), ours(kind), told, done));
    let _ = kept.await;
    Ok(true)
}

/// A kind of contact as it is called here.
pub(super) fn ours(kind: Kind) -> ContactKind {
    match kind {
        Kind::Extension => ContactKind::Extension,
        Kind::Business => ContactKind::Business,
        Kind::Personal => ContactKind::Personal,
    }
}
