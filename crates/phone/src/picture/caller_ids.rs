use serde::Serialize;
use specta::Type;

use super::AccountId;

/// A number that can be shown to whom the user calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CallerIdView {
    /// The number.
    pub number: String,
    /// What it is for; blank where nobody says.
    pub label: String,
}

/// Which number is shown to whom the user calls through an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct CallerIdsView {
    /// Which account.
    pub account: AccountId,
    /// Those the PBX lets the user show.
    pub numbers: Vec<CallerIdView>,
    /// The one that is shown; none where that is for the PBX to say.
    pub chosen: Option<String>,
}
