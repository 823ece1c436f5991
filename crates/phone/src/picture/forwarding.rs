use serde::{Deserialize, Serialize};
use specta::Type;

use super::{AccountId, Problem};

/// When a rule of the PBX is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ForwardWhen {
    /// The user can be reached.
    Available,
    /// The user is in a call.
    Busy,
    /// The user wants no calls.
    DoNotDisturb,
    /// Away.
    Away,
    /// At lunch.
    Lunch,
    /// On a business trip.
    BusinessTrip,
    /// No phone of the user's is connected.
    Offline,
    /// It rang, and nobody answered.
    NoAnswer,
    /// It rang beside another call, and nobody answered.
    NoAnswerBusy,
}

/// What the PBX does with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ForwardDoes {
    /// It rings.
    Ring,
    /// The caller may leave a message.
    Voicemail,
    /// It goes to a number.
    Number,
    /// The caller is turned away.
    HangUp,
}

/// A rule of the PBX.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ForwardRuleView {
    /// When it is followed.
    pub when: ForwardWhen,
    /// Outside office hours instead of within them; of no meaning where nobody answered.
    pub outside_office: bool,
    /// What is done; none where the user has set nothing.
    pub does: Option<ForwardDoes>,
    /// The number calls go to; blank without.
    pub number: String,
    /// Seconds that it rings before.
    pub after_s: Option<u32>,
}

/// Where the PBX of an account sends calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ForwardingView {
    /// Which account.
    pub account: AccountId,
    /// All rules there are.
    pub rules: Vec<ForwardRuleView>,
    /// The rule that was changed last, as long as the PBX has not agreed.
    pub saving: bool,
    /// Why the last change was not taken; the rules are as they were before it.
    pub problem: Option<Problem>,
}
