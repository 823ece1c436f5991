//! What comes from the desktop around the window: links that dial, and how the phone is to live there.

use std::time::Instant;

use crate::actor::Actor;
use crate::target::Target;
use crate::{AccountId, AccountState, Code, Command, Event, Problem};

impl Actor {
    /// Follows a command of this kind; any other is handed back.
    ///
    /// # Errors
    /// The link holds nothing that can be dialled, or it cannot be dialled now.
    pub(crate) fn desk(&mut self, command: Command) -> Result<Result<(), Problem>, Box<Command>> {
        let now = Instant::now();
        Ok(match command {
            Command::PreferDesktop { preferences } => {
                self.prefer_desktop(preferences);
                Ok(())
            }
            Command::DialLink { link } => {
                let always = self.signing_in.desktop_preferences().dial_links;
                let connected = self.connected().is_some();
                match self.asked.take(&link, always, connected, now) {
                    Ok(target) => self.dial_asked(target),
                    Err(_) => Err(Code::TargetInvalid.into()),
                }
            }
            Command::DialAsked { always } => {
                if always {
                    let preferences = self.signing_in.desktop_preferences();
                    self.prefer_desktop(crate::DesktopPreferences { dial_links: true, ..preferences });
                }
                let target = self.asked.agree(self.connected().is_some(), now);
                self.dial_asked(target)
            }
            Command::DropAsked => {
                self.asked.forget();
                self.dial_asked(None)
            }
            other => return Err(Box::new(other)),
        })
    }

    /// An account is registered: what waited for that is dialled.
    pub(crate) fn dial_waiting(&mut self) {
        if self.asked.view().is_none_or(|view| !view.waits) {
            return;
        }
        let target = self.asked.connected(Instant::now());
        if let Err(problem) = self.dial_asked(target) {
            self.tell(Event::Notice { problem, call: None });
        }
    }

    fn prefer_desktop(&mut self, preferences: crate::DesktopPreferences) {
        self.signing_in.prefer_desktop(&preferences);
        let preferences = self.signing_in.desktop_preferences();
        self.contacts.want_computer(preferences.computer_contacts);
        self.tell(Event::Desktop { preferences });
    }

    /// Dials what the user has agreed to, and tells what is still asked about.
    fn dial_asked(&mut self, target: Option<Target>) -> Result<(), Problem> {
        let view = self.asked.view();
        self.tell(Event::Asked { view });
        let Some(target) = target else { return Ok(()) };
        let account = self.connected();
        self.dial(account.as_ref(), &target.to_string())
    }

    /// The first account that is registered.
    fn connected(&self) -> Option<AccountId> {
        let views = self.accounts.views();
        let registered = |view: &crate::AccountView| matches!(view.state, AccountState::Registered { .. });
        views.into_iter().find(registered).map(|view| view.id)
    }
}
