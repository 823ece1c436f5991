//! Contacts marked, written and deleted: at the PBX first, then here.

use pbx_api::{ApiError, Client, ContactKind as Kind};
use secrecy::SecretString;
use sign_in::{Session, SignInError};

use super::keeper::Order;
use super::{Contacts, ContactsInput, problem_of, put, rounds};
use crate::{AccountId, Code, ContactDraft, ContactId, ContactKind, NumberKind, Problem};

impl Contacts {
    /// Marks a contact as a favourite, or no longer.
    pub(super) fn favor(&mut self, id: ContactId, favorite: bool) -> Result<(), Problem> {
        if self.directory.get(id).is_some_and(|(contact, _)| contact.kind == ContactKind::Computer) {
            self.keeper.order(Order::Favor(id, favorite));
            return Ok(());
        }
        let (session, _, kind, remote) = self.changeable(id)?;
        let kind = theirs(kind).ok_or(Code::NotNow)?;
        let (orders, outlet) = (self.keeper.orders(), self.outlet.clone());
        tokio::spawn(async move {
            let ask = |client: Client, access: SecretString| {
                let remote = remote.clone();
                async move { client.favor_contact(&access, kind, &remote, favorite).await }
            };
            match (session.authorized(ask).await, orders) {
                (Ok(()), Some(orders)) => drop(orders.send(Order::Favor(id, favorite))),
                (Ok(()), None) => {}
                (Err(error), _) => put(&outlet, ContactsInput::Refused(problem_of(&error))),
            }
        });
        Ok(())
    }

    /// Deletes a contact of the user's own.
    pub(super) fn delete(&mut self, id: ContactId) -> Result<(), Problem> {
        let (session, _, kind, remote) = self.changeable(id)?;
        if kind != ContactKind::Personal {
            return Err(Code::NotNow.into());
        }
        let (orders, outlet) = (self.keeper.orders(), self.outlet.clone());
        tokio::spawn(async move {
            let ask = |client: Client, access: SecretString| {
                let remote = remote.clone();
                async move { client.delete_contact(&access, &remote).await }
            };
            match (session.authorized(ask).await, orders) {
                // Somebody else was first.
                (Ok(()) | Err(SignInError::Api(ApiError::NotFound { .. })), Some(orders)) => {
                    drop(orders.send(Order::Remove(id)));
                }
                (Err(error), _) => put(&outlet, ContactsInput::Refused(problem_of(&error))),
                (Ok(()), None) => {}
            }
        });
        Ok(())
    }

    /// Writes a contact of the user's own: a new one of the account named, or of the first that has any; or one there
    /// is already.
    pub(super) fn save(
        &mut self,
        ask: u32,
        account: Option<AccountId>,
        id: Option<ContactId>,
        draft: ContactDraft,
    ) {
        let to = match id {
            Some(id) => self.changeable(id).and_then(|(session, account, kind, remote)| match kind {
                ContactKind::Personal => Ok((session, account, Some(remote))),
                _ => Err(Code::NotNow.into()),
            }),
            None => self.writable(account.as_ref()).map(|(session, account)| (session, account, None)),
        };
        let (session, account, remote) = match to {
            Ok(to) => to,
            Err(problem) => {
                let account = account.unwrap_or_else(|| AccountId(String::new()));
                return put(&self.outlet, ContactsInput::Written { ask, account, done: Err(problem) });
            }
        };
        let turn = self.accounts.get(&account).map(|account| account.turn.clone()).unwrap_or_default();
        let (orders, outlet) = (self.keeper.orders(), self.outlet.clone());
        let draft = draft_of(draft);
        tokio::spawn(async move {
            let written = write(&session, remote.as_deref(), &draft).await;
            if let (Ok(_), Some(orders)) = (&written, orders) {
                let _turn = turn.lock().await;
                // It is there; what else is not known yet comes with the next round.
                if let Err(error) = rounds::list(&session, &account, Kind::Personal, &orders).await {
                    tracing::info!(%account, %error, "what was written cannot be read yet");
                }
            }
            let done = written.map_err(|error| problem_of(&error));
            put(&outlet, ContactsInput::Written { ask, account, done });
        });
    }

    /// The account that a new contact is written for.
    fn writable(&self, wanted: Option<&AccountId>) -> Result<(Session, AccountId), Problem> {
        let mut accounts = self.accounts.iter().filter(|(id, _)| wanted.is_none_or(|wanted| wanted == *id));
        let (id, account) = accounts.next().ok_or(Code::NoAccount)?;
        Ok((account.session.clone(), id.clone()))
    }
}

/// Writes a contact; its id at the PBX.
async fn write(
    session: &Session,
    remote: Option<&str>,
    draft: &pbx_api::ContactDraft,
) -> Result<String, SignInError> {
    let ask = |client: Client, access: SecretString| {
        let (remote, draft) = (remote.map(str::to_owned), draft.clone());
        async move {
            match remote {
                Some(remote) => client.update_contact(&access, &remote, &draft).await.map(|()| remote),
                None => client.create_contact(&access, &draft).await,
            }
        }
    };
    session.authorized(ask).await
}

fn draft_of(draft: ContactDraft) -> pbx_api::ContactDraft {
    let ContactDraft { name, numbers, email, company, title, address, notes } = draft;
    let number = |number: crate::ContactNumber| pbx_api::ContactNumber {
        kind: match number.kind {
            NumberKind::Extension => pbx_api::NumberKind::Extension,
            NumberKind::Business => pbx_api::NumberKind::Business,
            NumberKind::Mobile => pbx_api::NumberKind::Mobile,
            NumberKind::Home => pbx_api::NumberKind::Home,
            NumberKind::Other => pbx_api::NumberKind::Other,
            NumberKind::BusinessFax => pbx_api::NumberKind::BusinessFax,
            NumberKind::HomeFax => pbx_api::NumberKind::HomeFax,
        },
        number: number.number,
    };
    let numbers = numbers.into_iter().map(number).collect();
    pbx_api::ContactDraft { name, numbers, email, company, title, address, notes }
}

/// A kind of contact as the PBX calls it; nothing for those it knows nothing of.
fn theirs(kind: ContactKind) -> Option<Kind> {
    match kind {
        ContactKind::Extension => Some(Kind::Extension),
        ContactKind::Business => Some(Kind::Business),
        ContactKind::Personal => Some(Kind::Personal),
        ContactKind::Computer => None,
    }
}
