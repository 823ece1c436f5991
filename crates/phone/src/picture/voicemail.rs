use serde::{Deserialize, Serialize};
use specta::Type;

use super::{AccountId, PeerView, UnixMs};
use crate::Problem;

/// Number of a voicemail, for as long as the phone runs; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct VoicemailId(pub u32);

/// A message that was left at the PBX.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct VoicemailView {
    /// Its number.
    pub id: VoicemailId,
    /// Account it was left for.
    pub account: AccountId,
    /// Who left it; a blank number where the PBX does not tell.
    pub from: PeerView,
    /// When, where the PBX tells.
    pub at: Option<UnixMs>,
    /// Seconds it lasts, where the PBX tells.
    pub length_s: Option<u32>,
    /// The user has heard it.
    pub heard: bool,
}

/// The voicemails of all accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct VoicemailsView {
    /// All of them, newest first.
    pub messages: Vec<VoicemailView>,
    /// How it stands with them.
    pub state: Standing,
}

/// How it stands with something that the PBX keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Standing {
    /// No PBX offers it, or there is none.
    #[default]
    None,
    /// It is asked for, and not known yet.
    Loading,
    /// It is as the PBX had it then.
    Fresh {
        /// When.
        at: UnixMs,
    },
    /// It may be outdated: the PBX could not be asked. The phone tries again by itself.
    Stale {
        /// As of when it is; none where it never was asked for in vain.
        at: Option<UnixMs>,
        /// Why it could not.
        problem: Problem,
    },
}

/// A sound that can be listened to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum SoundId {
    /// A voicemail.
    Voicemail {
        /// Which.
        id: VoicemailId,
    },
    /// A greeting.
    Greeting {
        /// Which.
        id: GreetingId,
    },
    /// The greeting that is made.
    Draft,
}

/// What is listened to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PlayerView {
    /// Which sound.
    pub sound: SoundId,
    /// What it does.
    pub state: PlayerState,
    /// Milliseconds heard of it.
    pub at_ms: u32,
    /// Milliseconds it lasts; 0 until it is there.
    pub length_ms: u32,
    /// How loud its parts are, each as long as the others, 0 to 100 of the loudest; none until it is there.
    pub peaks: Vec<u8>,
}

/// What a sound does that is listened to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum PlayerState {
    /// It is fetched from the PBX.
    Loading,
    /// It is heard.
    Playing,
    /// It waits where it was left, or at its end.
    Paused,
    /// It cannot be heard.
    Failed {
        /// Why.
        problem: Problem,
    },
}

/// Number of a greeting, for as long as the phone runs; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct GreetingId(pub u32);

/// A greeting that the PBX has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct GreetingView {
    /// Its number.
    pub id: GreetingId,
    /// Account it belongs to.
    pub account: AccountId,
    /// Name of its file, where the PBX tells.
    pub name: Option<String>,
    /// Callers hear it.
    pub on: bool,
}

/// The greetings of all accounts, and the one that is made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct GreetingsView {
    /// Accounts whose PBX takes greetings.
    pub accounts: Vec<AccountId>,
    /// Those there are; where none is on, callers hear the PBX's own.
    pub greetings: Vec<GreetingView>,
    /// The one that is made.
    pub draft: DraftView,
}

/// A greeting that is made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum DraftView {
    /// None.
    #[default]
    None,
    /// It is recorded, for a minute at most.
    Recording {
        /// Milliseconds recorded.
        ms: u32,
        /// Peak level since the last word, 0 to 100.
        level: u8,
    },
    /// It can be listened to and sent.
    Ready {
        /// Milliseconds it lasts.
        length_ms: u32,
    },
    /// It is sent to the PBX.
    Sending,
    /// It could not be made.
    Failed {
        /// Why.
        problem: Problem,
    },
}
