use serde::{Deserialize, Serialize};
use specta::Type;

use super::{AccountId, PeerView, UnixMs};

/// Waiting messages of an account's mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct MailboxView {
    /// Anything waits.
    pub waiting: bool,
    /// Messages not heard yet, where the PBX counts.
    pub new: Option<u32>,
    /// Messages heard already, where the PBX counts.
    pub old: Option<u32>,
}

/// Another extension that is watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct WatchedView {
    /// Through which account.
    pub account: AccountId,
    /// Which extension.
    pub number: String,
    /// Whose it is, where the contacts tell.
    pub name: Option<String>,
    /// What its calls are doing; none until the PBX says so, or where it does not.
    pub lamp: Option<Lamp>,
    /// What its user is doing; none until the PBX says so, or where it does not.
    pub presence: Option<PresenceView>,
    /// The PBX refuses to tell.
    pub refused: bool,
}

/// A busy lamp (RFC 4235).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Lamp {
    /// Nothing goes on.
    Idle,
    /// Its phone rings; the call can be picked up.
    Ringing {
        /// Who calls, where it is told.
        by: Option<PeerView>,
    },
    /// It calls.
    Calling,
    /// It talks.
    Talking,
}

/// Presence of another user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PresenceView {
    /// Can be reached.
    pub open: bool,
    /// What they do.
    pub activity: Activity,
    /// In their own words.
    pub note: Option<String>,
}

/// What somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Activity {
    /// Nothing is said of it.
    Unknown,
    /// Away.
    Away,
    /// Busy.
    Busy,
    /// In a call.
    OnThePhone,
    /// Not to be disturbed.
    DoNotDisturb,
}

/// Number of a text message, counted up from 1 since the phone started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct MessageId(pub u32);

/// A text message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct MessageView {
    /// Its number.
    pub id: MessageId,
    /// Account it belongs to.
    pub account: AccountId,
    /// The other side.
    pub peer: PeerView,
    /// The text.
    pub text: String,
    /// When it was sent or came.
    pub at: UnixMs,
    /// What became of it.
    pub state: MessageState,
}

/// What became of a text message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum MessageState {
    /// They wrote it.
    Received,
    /// Ours is on its way.
    Sending,
    /// Ours was taken.
    Sent,
    /// Ours was not taken.
    Failed {
        /// SIP status, where there was one.
        status: Option<u16>,
    },
}
