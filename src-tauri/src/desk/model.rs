//! What the desktop is to show of the phone: pure, out of the phone's events and how the main window stands.

use std::collections::{BTreeMap, BTreeSet};

use phone::{
    AccountId, AccountState, AccountView, CallId, CallPreferences, CallState, CallView, DesktopPreferences,
    Event, Language, PeerView, Picture,
};

/// How the main window stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MainWindow {
    /// The user works in it.
    Front,
    /// It is open, perhaps behind others.
    #[default]
    Open,
    /// It is hidden, minimised or closed.
    Away,
}

/// All that the desktop needs to know of the phone.
#[derive(Debug, Default)]
pub struct Model {
    accounts: Vec<AccountView>,
    calls: BTreeMap<CallId, CallView>,
    calling: CallPreferences,
    preferences: DesktopPreferences,
    dismissed: BTreeSet<CallId>,
    /// How the main window stands.
    pub main: MainWindow,
    /// The phone ends once its last call is over.
    pub leaving: bool,
    /// A notification does what the small window of a call that rings would do, and better.
    pub notices_suffice: bool,
}

/// What the desktop is to show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// A small window for the call that rings.
    pub incoming: bool,
    /// A small window for the call in progress.
    pub compact: bool,
    /// Notifications, one for each call that rings.
    pub notices: Vec<Ringing>,
    /// What the tray shows.
    pub face: Face,
    /// The computer does not fall asleep.
    pub awake: bool,
}

/// A call that rings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ringing {
    /// Which.
    pub call: CallId,
    /// Who calls; none where that is not to be said.
    pub who: Option<Caller>,
    /// What is called: the name of the account.
    pub account: String,
    /// Who forwarded it.
    pub diverted_by: Option<String>,
    /// In which language it is told.
    pub language: Language,
}

/// Who calls, by name where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Name, where one was sent.
    pub name: Option<String>,
    /// Number, empty where it is withheld.
    pub number: String,
}

/// What the tray shows and offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Face {
    /// Its shape.
    pub shape: Shape,
    /// Who calls, or who is talked to.
    pub peer: Option<Caller>,
    /// The call that can be answered.
    pub answer: Option<CallId>,
    /// The call that can be hung up or declined.
    pub hang_up: Option<CallId>,
    /// Callers are told that they disturb.
    pub do_not_disturb: bool,
    /// In which language it is said.
    pub language: Language,
}

/// Shapes of the tray's picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Shape {
    /// No account is registered.
    #[default]
    Offline,
    /// Calls come and go.
    Registered,
    /// Somebody calls.
    Ringing,
    /// A call is in progress.
    InCall,
    /// Nobody hears us, or nobody is let through.
    Muted,
}

impl Model {
    /// Takes a whole picture.
    pub fn show(&mut self, picture: Picture) {
        self.accounts = picture.accounts;
        self.calls = picture.calls.into_iter().map(|call| (call.id, call)).collect();
        self.calling = picture.call_preferences;
        self.preferences = picture.desktop;
    }

    /// Takes one change. Gives whether it may change what is shown.
    pub fn fold(&mut self, event: &Event) -> bool {
        match event {
            Event::Account { view } => match self.accounts.iter_mut().find(|known| known.id == view.id) {
                Some(known) => known.clone_from(view),
                None => self.accounts.push(view.clone()),
            },
            Event::AccountGone { account } => {
                self.accounts.retain(|known| known.id != *account);
                self.calls.retain(|_, call| call.account != *account);
            }
            Event::Call { view } if matches!(view.state, CallState::Ended { .. }) => {
                self.calls.remove(&view.id);
                self.dismissed.remove(&view.id);
            }
            Event::Call { view } => {
                self.calls.insert(view.id, view.clone());
            }
            Event::CallPreferences { preferences } => self.calling.clone_from(preferences),
            Event::Desktop { preferences } => self.preferences.clone_from(preferences),
            _ => return false,
        }
        true
    }

    /// The user wants to see nothing more of the calls that ring.
    pub fn dismiss(&mut self) {
        self.dismissed.extend(self.ringing().map(|call| call.id).collect::<Vec<_>>());
    }

    /// How the phone lives in the desktop.
    pub fn preferences(&self) -> &DesktopPreferences {
        &self.preferences
    }

    /// What the user prefers in calls.
    pub fn calling(&self) -> &CallPreferences {
        &self.calling
    }

    /// Whether there is a call.
    pub fn has_calls(&self) -> bool {
        !self.calls.is_empty()
    }

    /// What the desktop is to show.
    pub fn wanted(&self) -> Wanted {
        let behind = self.main != MainWindow::Front;
        let shown = |call: &&CallView| behind && !self.dismissed.contains(&call.id);
        let told = self.preferences.notifications;
        let window = self.preferences.incoming_window && !(told && self.notices_suffice);
        let compact = (self.preferences.compact_window || self.leaving) && self.main == MainWindow::Away;
        Wanted {
            incoming: window && self.ringing().any(|call| shown(&call)),
            compact: compact && self.going().next().is_some(),
            notices: self
                .ringing()
                .filter(|call| told && shown(call))
                .map(|call| self.notice(call))
                .collect(),
            face: self.face(),
            awake: self.preferences.stay_awake && self.going().next().is_some(),
        }
    }

    /// The call that a key or the tray answers: the one that has rung longest.
    pub fn answers(&self) -> Option<CallId> {
        self.ringing().next().map(|call| call.id)
    }

    /// The call that a key or the tray hangs up: the one that talks, else one that is held, else one that rings.
    pub fn hangs_up(&self) -> Option<CallId> {
        let held = |call: &&CallView| matches!(call.state, CallState::Held { .. });
        let talking = self.going().filter(|call| !held(call)).last();
        talking.or_else(|| self.going().last()).or_else(|| self.ringing().next()).map(|call| call.id)
    }

    /// The calls that a key mutes, and whether it does or undoes that.
    pub fn mutes(&self) -> (Vec<CallId>, bool) {
        let talking = || self.calls.values().filter(|call| matches!(call.state, CallState::Active { .. }));
        (talking().map(|call| call.id).collect(), talking().any(|call| !call.muted))
    }

    fn ringing(&self) -> impl Iterator<Item = &CallView> {
        self.calls.values().filter(|call| call.state == CallState::Incoming)
    }

    fn going(&self) -> impl Iterator<Item = &CallView> {
        self.calls.values().filter(|call| call.state != CallState::Incoming)
    }

    fn notice(&self, call: &CallView) -> Ringing {
        let said = self.preferences.notify_names;
        Ringing {
            call: call.id,
            who: said.then(|| caller(&call.peer)),
            account: self.name(&call.account),
            diverted_by: call.diverted_by.as_ref().filter(|_| said).map(|peer| {
                let Caller { name, number } = caller(peer);
                name.unwrap_or(number)
            }),
            language: self.language(),
        }
    }

    /// The language of the windows: what a PBX settles, else what the user chose, else the system's.
    fn language(&self) -> Language {
        let settled = self.accounts.iter().filter_map(|account| account.enforced.language.as_deref());
        Language::first_of(settled.chain(self.preferences.appearance.language.as_deref()))
    }

    /// What an account is called, as the user knows it.
    pub fn name(&self, account: &AccountId) -> String {
        let named = self.accounts.iter().find(|known| known.id == *account);
        match named {
            Some(known) if known.extension.is_empty() => known.id.to_string(),
            Some(known) => known.extension.clone(),
            None => account.to_string(),
        }
    }

    fn face(&self) -> Face {
        let (mutable, unmuted) = self.mutes();
        let registered = |account: &AccountView| matches!(account.state, AccountState::Registered { .. });
        let do_not_disturb = self.calling.do_not_disturb;
        let (hang_up, answer) = (self.hangs_up(), self.answers());
        let shape = if answer.is_some() {
            Shape::Ringing
        } else if hang_up.is_some() {
            if mutable.is_empty() || unmuted { Shape::InCall } else { Shape::Muted }
        } else if !self.accounts.iter().any(registered) {
            Shape::Offline
        } else if do_not_disturb {
            Shape::Muted
        } else {
            Shape::Registered
        };
        let peer = answer.or(hang_up).and_then(|id| self.calls.get(&id)).map(|call| caller(&call.peer));
        Face { shape, peer, answer, hang_up, do_not_disturb, language: self.language() }
    }
}

fn caller(peer: &PeerView) -> Caller {
    let name = peer.name.clone().filter(|name| !name.is_empty());
    Caller { name, number: peer.number.clone() }
}

#[cfg(test)]
mod tests;
