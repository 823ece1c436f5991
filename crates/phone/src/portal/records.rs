//! The calls of all of the user's phones, as the PBX remembers them, for the call list.

use std::collections::BTreeMap;
use std::time::SystemTime;

use pbx_api::{Client, RecordPage};
use secrecy::SecretString;
use sign_in::{Session, SignInError};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::{PortalInput, is_not_offered, later, put, wait};
use crate::history::records::{Record, ours};
use crate::history::store::merge::Merged;
use crate::outlet::Outlet;
use crate::{AccountId, Command, Problem};

/// Calls of one part.
const PART: u8 = 100;
/// Calls asked for at most: as many as the call list keeps.
const MOST: u64 = crate::history::store::MOST_CALLS as u64;

/// What happened to it, outside the actor.
pub(crate) enum RecordsInput {
    /// The time has come to ask the PBX.
    Due(AccountId),
    /// A part was read; what becomes of it is to be answered.
    Read {
        /// For which account.
        account: AccountId,
        /// Oldest first.
        records: Vec<Record>,
        /// The answer.
        done: oneshot::Sender<Merged>,
    },
    /// A round is over, or the PBX does not offer them.
    Asked(AccountId, Result<Option<Round>, SignInError>),
}

/// What came of a round of questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Round {
    /// The call list is another now.
    pub(crate) changed: bool,
    /// All that there is was looked through.
    pub(crate) complete: bool,
}

/// Where it stands for each account.
pub(super) struct Records {
    accounts: BTreeMap<AccountId, Known>,
    outlet: Outlet,
}

struct Known {
    session: Session,
    extension: String,
    failures: u32,
    alarm: Option<AbortHandle>,
    asking: Option<AbortHandle>,
    /// Somebody has asked during a round: what it has read by then may be old.
    again: bool,
}

impl Drop for Known {
    fn drop(&mut self) {
        [&self.alarm, &self.asking].into_iter().flatten().for_each(AbortHandle::abort);
    }
}

impl Records {
    pub(super) fn new(outlet: Outlet) -> Self {
        Self { accounts: BTreeMap::new(), outlet }
    }

    /// Follows a command about it; any other is handed back.
    pub(super) fn follow(&mut self, command: Command) -> Result<Result<(), Problem>, Box<Command>> {
        let Command::AskCallRecords = command else { return Err(Box::new(command)) };
        let all: Vec<AccountId> = self.accounts.keys().cloned().collect();
        all.iter().for_each(|account| self.ask(account));
        Ok(Ok(()))
    }

    pub(super) fn stands(&mut self, id: AccountId, extension: String, session: Session) {
        let known = Known { session, extension, failures: 0, alarm: None, asking: None, again: false };
        self.accounts.insert(id.clone(), known);
        self.ask(&id);
    }

    pub(super) fn gone(&mut self, id: &AccountId) {
        self.accounts.remove(id);
    }

    /// Begins a round; where there is one, another after it.
    pub(super) fn ask(&mut self, id: &AccountId) {
        let Some(known) = self.accounts.get_mut(id) else { return };
        if known.asking.is_some() {
            known.again = true;
            return;
        }
        if let Some(alarm) = known.alarm.take() {
            alarm.abort();
        }
        let asker = Asker {
            session: known.session.clone(),
            extension: known.extension.clone(),
            account: id.clone(),
            outlet: self.outlet.clone(),
        };
        let asking = tokio::spawn(async move {
            let asked = match asker.round().await {
                Err(error) if is_not_offered(&error) => Ok(None),
                asked => asked.map(Some),
            };
            put(&asker.outlet, PortalInput::Records(RecordsInput::Asked(asker.account, asked)));
        });
        known.asking = Some(asking.abort_handle());
    }

    /// A round is over.
    pub(super) fn asked(
        &mut self,
        id: &AccountId,
        asked: Result<Option<Round>, SignInError>,
    ) -> Option<Round> {
        let known = self.accounts.get_mut(id)?;
        known.asking = None;
        let told = match &asked {
            Err(SignInError::Api(error)) => error.retry_after(),
            _ => None,
        };
        match &asked {
            Ok(_) => known.failures = 0,
            Err(error) => {
                tracing::info!(account = %id, %error, "the PBX cannot be asked for calls");
                known.failures = known.failures.saturating_add(1);
            }
        }
        let again = std::mem::take(&mut known.again) && asked.is_ok();
        if !known.session.status().borrow().expired {
            let due = PortalInput::Records(RecordsInput::Due(id.clone()));
            known.alarm = Some(later(&self.outlet, wait(known.failures, told), due));
        }
        if again {
            self.ask(id);
        }
        // What was taken in before a round failed is in the list.
        Some(asked.ok().flatten().unwrap_or(Round { changed: true, complete: false }))
    }
}

/// Asks for one account.
struct Asker {
    session: Session,
    extension: String,
    account: AccountId,
    outlet: Outlet,
}

impl Asker {
    /// Reads from the newest on until nothing is new. No document says in which order they come.
    async fn round(&self) -> Result<Round, SignInError> {
        let first = self.part(0).await?;
        let newest_first = match (first.records.first(), first.records.last()) {
            (Some(first), Some(last)) => first.started_at >= last.started_at,
            _ => true,
        };
        let sent = first.sent as u64;
        match first.count.filter(|count| !newest_first && *count > sent) {
            Some(count) => self.backwards(count).await,
            None => self.forwards(first).await,
        }
    }

    async fn forwards(&self, first: RecordPage) -> Result<Round, SignInError> {
        let (mut page, mut skip, mut round) = (first, 0, Round { changed: false, complete: true });
        loop {
            let sent = page.sent as u64;
            let most = page.count.unwrap_or(MOST).min(MOST);
            let Some(merged) = self.merge(&page).await else { return Ok(Round { complete: false, ..round }) };
            round.changed |= merged.changed > 0;
            skip += sent;
            if sent == 0 || skip >= most || (merged.complete && merged.changed == 0) {
                return Ok(round);
            }
            page = self.part(skip).await?;
        }
    }

    async fn backwards(&self, count: u64) -> Result<Round, SignInError> {
        let (mut end, mut round) = (count, Round { changed: false, complete: true });
        let least = count.saturating_sub(MOST);
        while end > least {
            let skip = end.saturating_sub(PART.into());
            let page = self.part(skip).await?;
            let Some(merged) = self.merge(&page).await else { return Ok(Round { complete: false, ..round }) };
            round.changed |= merged.changed > 0;
            if merged.complete && merged.changed == 0 {
                break;
            }
            end = skip;
        }
        Ok(round)
    }

    async fn part(&self, skip: u64) -> Result<RecordPage, SignInError> {
        let ask = move |client: Client, access: SecretString| async move {
            client.call_records(&access, skip, PART).await
        };
        self.session.authorized(ask).await
    }

    /// Has a part taken into the call list; nothing where that is not kept.
    async fn merge(&self, page: &RecordPage) -> Option<Merged> {
        let records = ours(page, &self.extension, SystemTime::now());
        let (done, merged) = oneshot::channel();
        let read = RecordsInput::Read { account: self.account.clone(), records, done };
        put(&self.outlet, PortalInput::Records(read));
        merged.await.ok()
    }
}
