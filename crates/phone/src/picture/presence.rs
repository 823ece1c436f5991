use serde::{Deserialize, Serialize};
use specta::Type;

use super::AccountId;

/// What the user tells others of being there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum PresenceChoice {
    /// Can be reached.
    Available,
    /// Away.
    Away,
    /// Calls are kept off by the PBX, from all phones.
    DoNotDisturb,
    /// At lunch.
    Lunch,
    /// On a business trip.
    BusinessTrip,
}

/// What the user tells others of being there through an account, as its PBX keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct OwnPresenceView {
    /// Which account.
    pub account: AccountId,
    /// What was chosen; none where the PBX says what nobody chooses, such as that there is a call.
    pub presence: Option<PresenceChoice>,
    /// In the user's own words; blank without.
    pub note: String,
}
