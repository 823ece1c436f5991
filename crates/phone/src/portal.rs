//! What the PBX keeps for its user beside the contacts, and what one would go to its web portal for.

mod caller_ids;
mod forwarding;
mod greeting;
mod mail;
mod presence;
mod queues;
mod records;
mod saving;
mod sender;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pbx_api::ApiError;
use sign_in::{Session, SignInError};
use tokio::task::AbortHandle;

use crate::actor::{Actor, Input};
use crate::contacts::Directory;
use crate::dictation::Said;
use crate::outlet::Outlet;
use crate::rounds::wait;
use crate::wav::Wav;
use crate::words::of_sign_in_error;
use crate::{
    AccountId, CallerIdsView, Code, Command, Event, ForwardingView, GreetingsView, OwnPresenceView, Problem,
    QueueView, SoundId, VoicemailsView,
};

use caller_ids::{CallerIds, CallerIdsInput};
use forwarding::{ForwardingInput, Forwardings};
use greeting::{GreetingInput, Greetings};
use mail::{Mail, MailInput};
use presence::{PresenceInput, Presences};
use queues::{Queues, QueuesInput};
use records::{Records, RecordsInput};

/// What happened to it, outside the actor.
pub(crate) enum PortalInput {
    /// The session of an account stands.
    Stands(AccountId, Session),
    /// An account was signed out.
    Gone(AccountId),
    /// Something of the voicemails.
    Mail(MailInput),
    /// Something of the greetings.
    Greeting(GreetingInput),
    /// Something of the user's presence.
    Presence(PresenceInput),
    /// Something of the numbers that calls can show.
    CallerIds(CallerIdsInput),
    /// Something of the queues.
    Queues(QueuesInput),
    /// Something of the forward rules.
    Forwarding(ForwardingInput),
    /// Something of the calls that the PBX remembers.
    Records(RecordsInput),
    /// A sound was fetched, or could not be.
    Fetched(SoundId, Result<Wav, Problem>),
    /// A sound was saved, or could not be.
    Saved(SoundId, Result<PathBuf, Problem>),
}

/// All of it.
pub(crate) struct Portal {
    /// Without a shell that shows it, nothing is asked for.
    shown: bool,
    mail: Mail,
    greetings: Greetings,
    presence: Presences,
    records: Records,
    forwarding: Forwardings,
    queues: Queues,
    caller_ids: CallerIds,
    outlet: Outlet,
}

impl Portal {
    /// Nothing is known.
    pub(crate) fn new(shown: bool, outlet: Outlet) -> Self {
        Self {
            shown,
            mail: Mail::new(outlet.clone()),
            greetings: Greetings::new(outlet.clone()),
            presence: Presences::new(outlet.clone()),
            records: Records::new(outlet.clone()),
            forwarding: Forwardings::new(outlet.clone()),
            queues: Queues::new(outlet.clone()),
            caller_ids: CallerIds::new(outlet.clone()),
            outlet,
        }
    }

    /// The voicemails as the shells know them.
    pub(crate) fn voicemails(&self) -> VoicemailsView {
        self.mail.view()
    }

    /// The greetings as the shells know them.
    pub(crate) fn greetings(&self) -> GreetingsView {
        self.greetings.view()
    }

    /// What the user tells others, as the shells know it.
    pub(crate) fn own_presence(&self) -> Vec<OwnPresenceView> {
        self.presence.views()
    }

    /// Where calls are sent, as the shells know it.
    pub(crate) fn forwarding(&self) -> Vec<ForwardingView> {
        self.forwarding.views()
    }

    /// The queues that the user serves, as the shells know them.
    pub(crate) fn queues(&self) -> Vec<QueueView> {
        self.queues.views()
    }

    /// The numbers that calls can show, as the shells know them.
    pub(crate) fn caller_ids(&self) -> Vec<CallerIdsView> {
        self.caller_ids.views()
    }

    /// The contacts are others now.
    pub(crate) fn know(&mut self, directory: Arc<Directory>) {
        self.mail.know(directory);
    }

    /// The PBX says that something of an account's mailbox has changed.
    pub(crate) fn mailbox_changed(&mut self, account: &AccountId) {
        self.mail.ask(account);
    }

    /// The phone stops: what was to be done a little later is done now.
    pub(crate) fn stop(&mut self) {
        self.mail.stop();
    }
}

impl Actor {
    /// Follows a command about what the PBX keeps; any other is handed back.
    ///
    /// # Errors
    /// There is no such thing, or no session to change it with.
    pub(crate) fn at_portal(&mut self, command: Command) -> Result<Result<(), Problem>, Box<Command>> {
        Ok(match command {
            Command::ShowAs { account, number } => {
                if !self.portal.caller_ids.choose(&account, number.clone()) {
                    return Ok(Err(Code::FeatureOff.into()));
                }
                self.signing_in.show_as(&account, number);
                self.show_as(&account);
                Ok(())
            }
            Command::Play { sound, from_ms } => {
                self.play(sound, from_ms);
                Ok(())
            }
            Command::PausePlaying => {
                self.calls.pause_playing();
                Ok(())
            }
            Command::ClosePlayer => {
                self.calls.close_player();
                Ok(())
            }
            Command::SaveSound { sound } => {
                self.portal.save(sound, self.signing_in.data_dir().to_owned());
                Ok(())
            }
            Command::RecordGreeting => {
                self.close_draft();
                if let Err(problem) = self.calls.dictate() {
                    self.portal.greetings.failed(problem);
                }
                Ok(())
            }
            Command::FinishGreeting => {
                self.calls.finish_dictation();
                Ok(())
            }
            other => {
                if matches!(other, Command::TakeGreeting { .. } | Command::DropDraft) {
                    self.close_draft();
                }
                let followed = self.portal.mail.follow(other);
                return followed
                    .or_else(|other| self.portal.greetings.follow(*other))
                    .or_else(|other| self.portal.presence.follow(*other))
                    .or_else(|other| self.portal.records.follow(*other))
                    .or_else(|other| self.portal.forwarding.follow(*other))
                    .or_else(|other| self.portal.queues.follow(*other));
            }
        })
    }

    /// Takes what happened.
    pub(crate) fn portal(&mut self, input: PortalInput) {
        match input {
            PortalInput::Stands(..) if !self.portal.shown => {}
            PortalInput::Stands(account, session) => {
                self.portal.mail.stands(account.clone(), session.clone());
                self.portal.greetings.stands(account.clone(), session.clone());
                self.portal.presence.stands(account.clone(), session.clone());
                self.portal.forwarding.stands(account.clone(), session.clone());
                self.portal.queues.stands(account.clone(), session.clone());
                let shown = self.signing_in.settings().shown_as.get(&account).cloned();
                self.portal.caller_ids.stands(account.clone(), shown, session.clone());
                if let Some(extension) = self.accounts.extension(&account) {
                    self.portal.records.stands(account, extension, session);
                }
            }
            PortalInput::Gone(account) => {
                self.portal.mail.gone(&account);
                self.portal.greetings.gone(&account);
                self.portal.presence.gone(&account);
                self.portal.records.gone(&account);
                self.portal.forwarding.gone(&account);
                self.portal.queues.gone(&account);
                self.portal.caller_ids.gone(&account);
                self.show_as(&account);
            }
            PortalInput::Records(RecordsInput::Read { account, records, done }) => {
                self.calls.history().merge(account, records, done);
            }
            PortalInput::Records(RecordsInput::Due(account)) => self.portal.records.ask(&account),
            PortalInput::Records(RecordsInput::Asked(account, asked)) => {
                if let Some(round) = self.portal.records.asked(&account, asked) {
                    self.calls.history().merged(account, round.changed, round.complete);
                }
            }
            PortalInput::CallerIds(input) => {
                let of = match &input {
                    CallerIdsInput::Due(account) | CallerIdsInput::Asked(account, _) => account.clone(),
                };
                self.portal.caller_ids.take(input);
                self.show_as(&of);
            }
            PortalInput::Queues(input) => self.portal.queues.take(input),
            PortalInput::Forwarding(input) => self.portal.forwarding.take(input),
            PortalInput::Presence(input) => self.portal.presence.take(input),
            PortalInput::Greeting(input) => self.portal.greetings.take(input),
            PortalInput::Mail(input) => self.portal.mail.take(input),
            PortalInput::Fetched(sound, wav) => {
                let heard = self.calls.opened(&sound, wav);
                if let (true, SoundId::Voicemail { id }) = (heard, sound) {
                    self.portal.mail.heard(id);
                }
            }
            PortalInput::Saved(sound, saved) => match saved {
                Ok(path) => self.tell(Event::SoundSaved { sound, path: path.display().to_string() }),
                Err(problem) => self.tell(Event::Notice { problem, call: None }),
            },
        }
    }

    /// Calls of an account show what was chosen, as far as the PBX offers it.
    fn show_as(&mut self, account: &AccountId) {
        let number = self.portal.caller_ids.chosen(account);
        self.calls.show_as(account, number);
    }

    /// A recording, by its number, says how it stands.
    pub(crate) fn dictated(&mut self, number: u32, said: Said) {
        if self.calls.is_dictation(number, &said) {
            self.portal.greetings.said(said);
        }
    }

    /// The greeting that is made becomes another one: nobody listens to this one any more.
    fn close_draft(&mut self) {
        if self.calls.has_open(&SoundId::Draft) {
            self.calls.close_player();
        }
    }

    fn play(&mut self, sound: SoundId, from_ms: Option<u32>) {
        if self.calls.has_open(&sound) {
            return self.calls.play(from_ms);
        }
        self.calls.opening(sound.clone(), from_ms.unwrap_or(0));
        self.portal.fetch(sound);
    }
}

/// Has an input come a while later, unless it is aborted.
fn later(outlet: &Outlet, wait: Duration, input: PortalInput) -> AbortHandle {
    let outlet = outlet.clone();
    let alarm = tokio::spawn(async move {
        tokio::time::sleep(wait).await;
        put(&outlet, input);
    });
    alarm.abort_handle()
}

/// Puts what happened into the actor's inbox.
fn put(outlet: &Outlet, input: PortalInput) {
    outlet.put(Input::Portal(Box::new(input)));
}

/// Whether the PBX does not have it, or not for this user.
fn is_not_offered(error: &SignInError) -> bool {
    matches!(error, SignInError::Api(ApiError::NotFound { .. } | ApiError::Refused { status: 403 | 405, .. }))
}

/// Why something could not be asked for or changed.
fn problem_of(error: &SignInError) -> Problem {
    let problem = of_sign_in_error(error);
    match error {
        SignInError::Api(ApiError::NotFound { .. }) => Problem { code: Code::GoneAtPbx, ..problem },
        _ => problem,
    }
}
