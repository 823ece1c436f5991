//! Voicemails: asked for, marked, deleted.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pbx_api::{ApiError, Client, Voicemail};
use secrecy::SecretString;
use sign_in::{Session, SignInError};
use tokio::task::AbortHandle;

use super::saving::Place;
use super::sender::peer;
use super::{PortalInput, is_not_offered, later, problem_of, put, wait};
use crate::contacts::Directory;
use crate::outlet::Outlet;
use crate::{
    AccountId, Code, Command, Event, Problem, Standing, UnixMs, VoicemailId, VoicemailView, VoicemailsView,
};

/// Messages asked for at most.
const MOST: u64 = 1_000;
/// Messages of one part.
const PART: u8 = 100;
/// How long after it was deleted a message can still be kept.
const REGRET: Duration = Duration::from_secs(7);

/// What happened to the voicemails, outside the actor.
pub(crate) enum MailInput {
    /// The time has come to ask the PBX.
    Due(AccountId),
    /// The PBX was asked: the messages, or none where it does not offer them.
    Asked(AccountId, Result<Option<Vec<Voicemail>>, SignInError>),
    /// A message was marked, or could not be.
    Marked(VoicemailId, bool, Result<(), SignInError>),
    /// Nobody wanted to keep a message that was deleted.
    DeleteDue(VoicemailId),
    /// A message was deleted, or could not be.
    Deleted(VoicemailId, Result<(), SignInError>),
}

/// The voicemails of all accounts.
pub(super) struct Mail {
    boxes: BTreeMap<AccountId, Mailbox>,
    ids: HashMap<(AccountId, String), VoicemailId>,
    last: u32,
    /// Deleted here, and soon at the PBX.
    going: BTreeMap<VoicemailId, AbortHandle>,
    directory: Arc<Directory>,
    told: VoicemailsView,
    outlet: Outlet,
}

/// How it stands with the voicemails of one account.
struct Mailbox {
    session: Session,
    /// As the PBX told them, with their numbers here.
    messages: Vec<(VoicemailId, Voicemail)>,
    /// The PBX has such; unknown until it was asked.
    offers: Option<bool>,
    failures: u32,
    problem: Option<Problem>,
    asked: Option<UnixMs>,
    alarm: Option<AbortHandle>,
    /// It is asked at the moment.
    asking: bool,
    /// Something changed meanwhile.
    again: bool,
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        if let Some(alarm) = &self.alarm {
            alarm.abort();
        }
    }
}

impl Mail {
    pub(super) fn new(outlet: Outlet) -> Self {
        Self {
            boxes: BTreeMap::new(),
            ids: HashMap::new(),
            last: 0,
            going: BTreeMap::new(),
            directory: Arc::default(),
            told: VoicemailsView::default(),
            outlet,
        }
    }

    pub(super) fn view(&self) -> VoicemailsView {
        self.told.clone()
    }

    pub(super) fn know(&mut self, directory: Arc<Directory>) {
        self.directory = directory;
        self.tell();
    }

    /// Follows a command about voicemails; any other is handed back.
    ///
    /// # Errors
    /// There is no such message.
    pub(super) fn follow(&mut self, command: Command) -> Result<Result<(), Problem>, Box<Command>> {
        Ok(match command {
            Command::AskVoicemails => {
                let all: Vec<AccountId> = self.boxes.keys().cloned().collect();
                all.iter().for_each(|account| self.ask(account));
                Ok(())
            }
            Command::MarkVoicemail { id, heard } => self.mark(id, heard),
            Command::DeleteVoicemail { id } => self.delete(id),
            Command::KeepVoicemail { id } => {
                if let Some(alarm) = self.going.remove(&id) {
                    alarm.abort();
                    self.tell();
                }
                Ok(())
            }
            other => return Err(Box::new(other)),
        })
    }

    /// Takes what happened.
    pub(super) fn take(&mut self, input: MailInput) {
        match input {
            MailInput::Due(account) => self.ask(&account),
            MailInput::Asked(account, outcome) => self.asked(&account, outcome),
            MailInput::Marked(id, heard, done) => match done {
                Ok(()) => self.change(id, |one| one.read = heard),
                Err(error) => self.failed(id, &error),
            },
            MailInput::DeleteDue(id) => self.destroy(id),
            MailInput::Deleted(id, done) => {
                self.going.remove(&id);
                match done {
                    // Somebody else was first.
                    Ok(()) | Err(SignInError::Api(ApiError::NotFound { .. })) => self.forget(id),
                    Err(error) => self.failed(id, &error),
                }
            }
        }
    }

    /// The session of an account stands: its messages are asked for.
    pub(super) fn stands(&mut self, id: AccountId, session: Session) {
        match self.boxes.get_mut(&id) {
            Some(mailbox) => mailbox.session = session,
            None => {
                let mailbox = Mailbox {
                    session,
                    messages: Vec::new(),
                    offers: None,
                    failures: 0,
                    problem: None,
                    asked: None,
                    alarm: None,
                    asking: false,
                    again: false,
                };
                self.boxes.insert(id.clone(), mailbox);
            }
        }
        self.ask(&id);
        self.tell();
    }

    pub(super) fn gone(&mut self, id: &AccountId) {
        if let Some(mailbox) = self.boxes.remove(id) {
            for (id, _) in &mailbox.messages {
                if let Some(alarm) = self.going.remove(id) {
                    alarm.abort();
                }
            }
            self.tell();
        }
    }

    /// Asks the PBX of an account, or once more where it is being asked.
    pub(super) fn ask(&mut self, id: &AccountId) {
        let Some(mailbox) = self.boxes.get_mut(id) else { return };
        if let Some(alarm) = mailbox.alarm.take() {
            alarm.abort();
        }
        if std::mem::replace(&mut mailbox.asking, true) {
            mailbox.again = true;
            return;
        }
        let (session, id, outlet) = (mailbox.session.clone(), id.clone(), self.outlet.clone());
        tokio::spawn(async move {
            let asked = match list(&session).await {
                Err(error) if is_not_offered(&error) => Ok(None),
                listed => listed.map(Some),
            };
            put(&outlet, PortalInput::Mail(MailInput::Asked(id, asked)));
        });
    }

    /// The user hears a message for the first time.
    pub(super) fn heard(&mut self, id: VoicemailId) {
        if self.find(id).is_some_and(|(_, one)| !one.read)
            && let Err(problem) = self.mark(id, true)
        {
            tracing::info!(?problem, "a voicemail cannot be marked");
        }
    }

    /// Where the sound of a message is.
    ///
    /// # Errors
    /// There is no such message, or it has none.
    pub(super) fn place(&self, id: VoicemailId) -> Result<Place, Problem> {
        let (account, one) = self.find(id).ok_or(Code::GoneAtPbx)?;
        let mailbox = self.boxes.get(account).ok_or(Code::SessionExpired)?;
        let view = self.view_of(account, id, one);
        Ok(Place {
            session: mailbox.session.clone(),
            reference: one.file_url.clone().ok_or(Code::GoneAtPbx)?,
            about: (view.from, view.at.unwrap_or_else(crate::calls::now)),
        })
    }

    /// What was deleted is deleted at the PBX before the phone stops.
    pub(super) fn stop(&mut self) {
        for (id, alarm) in std::mem::take(&mut self.going) {
            alarm.abort();
            if let Ok((session, remote)) = self.at_pbx(id) {
                self.outlet.landing(async move {
                    if let Err(error) = destroyed(&session, remote).await {
                        tracing::info!(%error, "a voicemail is not deleted");
                    }
                });
            }
        }
    }

    fn asked(&mut self, id: &AccountId, asked: Result<Option<Vec<Voicemail>>, SignInError>) {
        let Some(mailbox) = self.boxes.get_mut(id) else { return };
        mailbox.asking = false;
        let told = match &asked {
            Err(SignInError::Api(error)) => error.retry_after(),
            _ => None,
        };
        match asked {
            Ok(listed) => {
                (mailbox.offers, mailbox.problem, mailbox.failures) = (Some(listed.is_some()), None, 0);
                mailbox.asked = Some(crate::calls::now());
                let (ids, last) = (&mut self.ids, &mut self.last);
                let number = |one: Voicemail| {
                    let number = *ids.entry((id.clone(), one.id.clone())).or_insert_with(|| {
                        *last += 1;
                        VoicemailId(*last)
                    });
                    (number, one)
                };
                mailbox.messages = listed.unwrap_or_default().into_iter().map(number).collect();
            }
            Err(error) => {
                tracing::info!(account = %id, %error, "the voicemails cannot be asked for");
                mailbox.problem = Some(problem_of(&error));
                mailbox.failures = mailbox.failures.saturating_add(1);
            }
        }
        let ended = mailbox.session.status().borrow().expired;
        if std::mem::take(&mut mailbox.again) && mailbox.failures == 0 {
            self.ask(id);
        } else if !ended {
            let due = PortalInput::Mail(MailInput::Due(id.clone()));
            mailbox.alarm = Some(later(&self.outlet, wait(mailbox.failures, told), due));
        }
        self.tell();
    }

    fn mark(&mut self, id: VoicemailId, heard: bool) -> Result<(), Problem> {
        let (session, remote) = self.at_pbx(id)?;
        let outlet = self.outlet.clone();
        tokio::spawn(async move {
            let ask = |client: Client, access: SecretString| {
                let remote = remote.clone();
                async move { client.mark_voicemail(&access, &remote, heard).await }
            };
            let done = session.authorized(ask).await;
            put(&outlet, PortalInput::Mail(MailInput::Marked(id, heard, done)));
        });
        Ok(())
    }

    /// Deletes a message, unless the user regrets it soon.
    fn delete(&mut self, id: VoicemailId) -> Result<(), Problem> {
        self.at_pbx(id)?;
        let alarm = later(&self.outlet, REGRET, PortalInput::Mail(MailInput::DeleteDue(id)));
        if let Some(before) = self.going.insert(id, alarm) {
            before.abort();
        }
        self.tell();
        Ok(())
    }

    fn destroy(&mut self, id: VoicemailId) {
        if !self.going.contains_key(&id) {
            return;
        }
        match self.at_pbx(id) {
            Ok((session, remote)) => {
                let outlet = self.outlet.clone();
                tokio::spawn(async move {
                    let done = destroyed(&session, remote).await;
                    put(&outlet, PortalInput::Mail(MailInput::Deleted(id, done)));
                });
            }
            Err(_) => drop(self.going.remove(&id)),
        }
    }

    /// Something could not be done: it is told, and the PBX asked what it has.
    fn failed(&mut self, id: VoicemailId, error: &SignInError) {
        self.outlet.tell(Event::Notice { problem: problem_of(error), call: None });
        if let Some(account) = self.find(id).map(|(account, _)| account.clone()) {
            self.ask(&account);
        }
        self.tell();
    }

    fn change(&mut self, id: VoicemailId, change: impl FnOnce(&mut Voicemail)) {
        let mut all = self.boxes.values_mut().flat_map(|mailbox| &mut mailbox.messages);
        if let Some((_, one)) = all.find(|(number, _)| *number == id) {
            change(one);
        }
        self.tell();
    }

    fn forget(&mut self, id: VoicemailId) {
        self.boxes.values_mut().for_each(|mailbox| mailbox.messages.retain(|(number, _)| *number != id));
        self.tell();
    }

    fn find(&self, id: VoicemailId) -> Option<(&AccountId, &Voicemail)> {
        self.boxes.iter().find_map(|(account, mailbox)| {
            let (_, one) = mailbox.messages.iter().find(|(number, _)| *number == id)?;
            Some((account, one))
        })
    }

    /// A message with what it takes to change it at the PBX.
    fn at_pbx(&self, id: VoicemailId) -> Result<(Session, String), Problem> {
        let (account, one) = self.find(id).ok_or(Code::GoneAtPbx)?;
        let mailbox = self.boxes.get(account).ok_or(Code::SessionExpired)?;
        Ok((mailbox.session.clone(), one.id.clone()))
    }

    /// Tells them, where they are others than before.
    fn tell(&mut self) {
        let mut messages: Vec<VoicemailView> = Vec::new();
        for (account, mailbox) in &self.boxes {
            let here = mailbox.messages.iter().filter(|(id, _)| !self.going.contains_key(id));
            messages.extend(here.map(|(id, one)| self.view_of(account, *id, one)));
        }
        messages.sort_by_key(|one| std::cmp::Reverse((one.at, one.id)));
        let view = VoicemailsView { messages, state: self.state() };
        if self.told != view {
            self.told = view;
            self.outlet.tell(Event::Voicemails { view: self.view() });
        }
    }

    fn view_of(&self, account: &AccountId, id: VoicemailId, one: &Voicemail) -> VoicemailView {
        let mut from = peer(one.sender.as_deref(), one.sender_name.as_deref());
        self.directory.name(account, &mut from);
        VoicemailView {
            id,
            account: account.clone(),
            from,
            at: one.created_at.and_then(unix_ms),
            length_s: one.duration.and_then(|length| u32::try_from(length.as_secs()).ok()),
            heard: one.read,
        }
    }

    fn state(&self) -> Standing {
        let offering = || self.boxes.values().filter(|mailbox| mailbox.offers != Some(false));
        let at = offering().filter_map(|mailbox| mailbox.asked).min();
        match (offering().find_map(|mailbox| mailbox.problem.clone()), at) {
            (Some(problem), at) => Standing::Stale { at, problem },
            (None, Some(at)) => Standing::Fresh { at },
            (None, None) if offering().next().is_none() => Standing::None,
            (None, None) => Standing::Loading,
        }
    }
}

/// All messages, the first [`MOST`] of them.
async fn list(session: &Session) -> Result<Vec<Voicemail>, SignInError> {
    let (mut all, mut skip) = (Vec::new(), 0);
    while skip < MOST {
        let ask = move |client: Client, access: SecretString| async move {
            client.voicemails(&access, skip, PART).await
        };
        let page = session.authorized(ask).await?;
        skip += page.sent as u64;
        all.extend(page.voicemails);
        let done = page.count.map_or(page.sent < usize::from(PART), |count| skip >= count);
        if done || page.sent == 0 {
            break;
        }
    }
    Ok(all)
}

async fn destroyed(session: &Session, remote: String) -> Result<(), SignInError> {
    let ask = |client: Client, access: SecretString| {
        let remote = remote.clone();
        async move { client.delete_voicemail(&access, &remote).await }
    };
    session.authorized(ask).await
}

fn unix_ms(at: SystemTime) -> Option<UnixMs> {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok().map(UnixMs)
}
