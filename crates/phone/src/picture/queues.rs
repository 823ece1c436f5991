use serde::{Deserialize, Serialize};
use specta::Type;

use super::AccountId;

/// How the user stands in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum QueueStanding {
    /// Takes its calls.
    Ready,
    /// Logged in, and takes no calls for the moment.
    Paused,
    /// Writes up the last call.
    WrapUp,
    /// In a call.
    InCall,
    /// Takes no part.
    LoggedOut,
    /// The PBX does not say, or nobody knows what it says.
    Unknown,
}

/// What the user can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum QueueChoice {
    /// Take its calls.
    Ready,
    /// Take no calls for the moment.
    Paused,
    /// Take no part.
    LoggedOut,
}

/// A queue that the user serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct QueueView {
    /// Through which account.
    pub account: AccountId,
    /// Its id at the PBX.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its number; blank where the PBX does not tell.
    pub number: String,
    /// How the user stands in it.
    pub standing: QueueStanding,
    /// The PBX has not agreed to the last change yet.
    pub saving: bool,
}
