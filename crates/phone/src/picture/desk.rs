use serde::{Deserialize, Serialize};
use specta::Type;

use super::Theme;

/// How the phone lives in the desktop around its window. It is the shell that acts on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase", default)]
pub struct DesktopPreferences {
    /// Closing the window leaves the phone in the tray, where there is one.
    pub close_to_tray: bool,
    /// What becomes of the window while it is hidden.
    pub hidden_window: HiddenWindow,
    /// A call that rings has a small window of its own, unless the main one is in front.
    pub incoming_window: bool,
    /// A call that rings is told by a notification of the desktop's, unless the main window is in front.
    pub notifications: bool,
    /// Notifications say who calls.
    pub notify_names: bool,
    /// A call has a small window above all others while the main one is hidden or minimised.
    pub compact_window: bool,
    /// The phone starts with the user's session, without a window.
    pub autostart: bool,
    /// The computer does not fall asleep during a call.
    pub stay_awake: bool,
    /// Links that dial are opened with this program.
    pub open_links: bool,
    /// Numbers out of links are dialled without asking.
    pub dial_links: bool,
    /// Keys that work whatever program is in front.
    pub keys: GlobalKeys,
    /// A page that is opened for calls from outside.
    pub screen_pop: ScreenPop,
    /// How the windows look, and in which language.
    pub appearance: Appearance,
    /// The contacts of this computer's address book are shown beside the PBX's.
    pub computer_contacts: bool,
}

impl Default for DesktopPreferences {
    fn default() -> Self {
        Self {
            close_to_tray: true,
            hidden_window: HiddenWindow::default(),
            incoming_window: true,
            notifications: true,
            notify_names: true,
            compact_window: true,
            autostart: false,
            stay_awake: true,
            open_links: false,
            dial_links: false,
            keys: GlobalKeys::default(),
            screen_pop: ScreenPop::default(),
            appearance: Appearance::default(),
            computer_contacts: false,
        }
    }
}

/// How the windows look, and in which language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase", default)]
pub struct Appearance {
    /// Light or dark; without one, as the system has it.
    pub theme: Option<Theme>,
    /// More rows in the same space.
    pub dense: bool,
    /// Language as a BCP 47 tag; without one, the system's.
    pub language: Option<String>,
}

/// What becomes of the window while it is hidden. Calls go on whatever it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum HiddenWindow {
    /// It is kept.
    Keep,
    /// It gives its memory back after five minutes.
    #[default]
    Later,
    /// It gives its memory back at once.
    AtOnce,
}

/// Keys that work whatever program is in front, as `Ctrl+Shift+F9`; an empty one is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase", default)]
pub struct GlobalKeys {
    /// Answers the call that rings.
    pub answer: String,
    /// Hangs up, or declines the call that rings where there is no other.
    pub hang_up: String,
    /// Mutes all calls that talk, or no longer.
    pub mute: String,
}

/// A page of another program's that is opened for calls from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase", default)]
pub struct ScreenPop {
    /// When.
    pub when: PopWhen,
    /// Its address, with `%CALLER%`, `%NAME%`, `%ACCOUNT%` and `%CALL%` in it.
    pub url: String,
}

/// When a page is opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum PopWhen {
    /// Never.
    #[default]
    Never,
    /// When it rings here.
    Ring,
    /// When it is answered here.
    Answer,
    /// When it is over.
    End,
}

/// A number out of a link, before it is dialled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AskedView {
    /// What would be dialled, as a person would dial it.
    pub target: String,
    /// The user has agreed, and it is dialled as soon as the phone is connected.
    pub waits: bool,
    /// It holds nothing but a number or an address, so that the user may allow such for good.
    pub plain: bool,
}
