use serde::{Deserialize, Serialize};
use specta::Type;

use super::{AccountId, CallEnd, CallId, Direction, PeerView, UnixMs};
use crate::{CallSummary, Problem};

/// Number of a call in the call list; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct PastId(#[specta(type = u32)] pub i64);

/// A call that is over, as the call list keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct PastCallView {
    /// Its number in the list.
    pub id: PastId,
    /// Its number while it lasted, where it was in this run of the phone.
    pub call: Option<CallId>,
    /// Account it belonged to.
    pub account: AccountId,
    /// Who began it.
    pub direction: Direction,
    /// The other end.
    pub peer: PeerView,
    /// Who forwarded it here.
    pub diverted_by: Option<PeerView>,
    /// When it began.
    pub began: UnixMs,
    /// How it ended.
    pub end: CallEnd,
    /// The file it was recorded into last.
    pub recorded: Option<String>,
    /// The PBX knows that another phone of the user's made it, or took it.
    pub elsewhere: bool,
    /// The user has seen that it was there.
    pub seen: bool,
    /// What it was like, where it was answered.
    pub summary: Option<Box<CallSummary>>,
}

/// The call list, as far as a shell is told of it by itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct HistoryView {
    /// Calls that are over, newest first.
    pub calls: Vec<PastCallView>,
    /// There are earlier ones (`EarlierCalls`).
    pub earlier: bool,
    /// Why calls are not kept, or what became of those that were.
    pub problem: Option<Problem>,
}
