//! What the PBX keeps for its user beside the contacts, and what one would go to its web portal for.

mod greeting;
mod mail;
mod presence;
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
    AccountId, Code, Command, Event, GreetingsView, OwnPresenceView, Problem, SoundId, VoicemailsView,
};

use greeting::{GreetingInput, Greetings};
use mail::{Mail, MailInput};
use presence::{PresenceInput, Presences};

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
                    .or_else(|other| self.portal.presence.follow(*other));
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
                self.portal.presence.stands(account, session);
            }
            PortalInput::Gone(account) => {
                self.portal.mail.gone(&account);
                self.portal.greetings.gone(&account);
                self.portal.presence.gone(&account);
            }
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
