use serde::{Deserialize, Serialize};
use specta::Type;

use super::{AccountId, UnixMs};
use crate::Problem;

/// Number of a contact, for as long as the phone keeps it; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type)]
#[serde(transparent)]
pub struct ContactId(#[specta(type = u32)] pub i64);

/// Whose contact it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ContactKind {
    /// Somebody with an extension at the same PBX.
    Extension,
    /// The company's.
    Business,
    /// The user's own: it may be written.
    Personal,
    /// Out of this computer's address book.
    Computer,
}

/// Which number of a contact it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum NumberKind {
    /// The extension.
    Extension,
    /// At work.
    Business,
    /// Mobile.
    Mobile,
    /// At home.
    Home,
    /// Another.
    Other,
    /// Fax at work.
    BusinessFax,
    /// Fax at home.
    HomeFax,
}

/// A number of a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ContactNumber {
    /// Which.
    pub kind: NumberKind,
    /// As it was written.
    pub number: String,
}

/// A contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ContactView {
    /// Its number.
    pub id: ContactId,
    /// Account it came with; [`AccountId::COMPUTER`] for one of this computer's.
    pub account: AccountId,
    /// Whose it is.
    pub kind: ContactKind,
    /// Its name.
    pub name: String,
    /// Its numbers, in the order in which one would try them.
    pub numbers: Vec<ContactNumber>,
    /// Mail address.
    pub email: Option<String>,
    /// Company.
    pub company: Option<String>,
    /// Title or position.
    pub title: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// Postal address.
    pub address: Option<String>,
    /// Notes, in lines.
    pub notes: Option<String>,
    /// Where the PBX has a picture of whom it is (`avatar_file_url`): the reference alone.
    pub picture: Option<String>,
    /// The user marked it.
    pub favorite: bool,
}

/// A contact of the user's own as it is to be written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ContactDraft {
    /// Its name.
    pub name: String,
    /// Its numbers.
    pub numbers: Vec<ContactNumber>,
    /// Mail address, or blank.
    pub email: String,
    /// Company, or blank.
    pub company: String,
    /// Title or position, or blank.
    pub title: String,
    /// Postal address, or blank.
    pub address: String,
    /// Notes, or blank.
    pub notes: String,
}

/// Which contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum ContactFilter {
    /// All.
    All,
    /// Those the user marked.
    Favorites,
    /// Those with an extension.
    Extension,
    /// The company's.
    Business,
    /// The user's own.
    Personal,
    /// Those out of this computer's address book.
    Computer,
}

/// The contacts as a whole. They themselves are asked for in parts (`FindContacts`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ContactsView {
    /// Another one with every change: what was found before may be outdated.
    pub version: u32,
    /// How many there are.
    pub count: u32,
    /// How it stands with the PBX's.
    pub state: ContactsState,
    /// How it stands with those of this computer.
    #[serde(default)]
    pub computer: ComputerState,
}

/// How it stands with the contacts of this computer's address book.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ComputerState {
    /// There is no address book that could be read.
    #[default]
    None,
    /// There is one, and the user does not want to see it here.
    Off,
    /// It is being read.
    Loading,
    /// They are here, and follow its changes.
    Fresh,
    /// It cannot be read. The phone tries again by itself.
    Failed {
        /// Why.
        problem: Problem,
    },
}

/// How it stands with the contacts of the PBX.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ContactsState {
    /// There is no account that has any, or its PBX tells none.
    #[default]
    None,
    /// They are asked for, and none is known yet.
    Loading,
    /// They are as the PBX had them then.
    Fresh {
        /// When.
        at: UnixMs,
    },
    /// They may be outdated: the PBX could not be asked. The phone tries again by itself.
    Stale {
        /// As of when they are; none where they never were asked for in vain.
        at: Option<UnixMs>,
        /// Why it could not.
        problem: Problem,
    },
}

/// A part of the contacts found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct ContactPage {
    /// Where the part begins.
    pub from: u32,
    /// How many were found in all.
    pub total: u32,
    /// How many of them, all in front, are favourites; none where they stand in the order of their likeness.
    pub favorites: u32,
    /// Those of this part.
    pub contacts: Vec<ContactView>,
}

/// Somebody to be called, found by name or number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct HitView {
    /// The contact; none for a number of the call list that belongs to none.
    pub contact: Option<ContactId>,
    /// Name.
    pub name: Option<String>,
    /// Number to be called.
    pub number: String,
    /// Which number of the contact it is.
    pub kind: Option<NumberKind>,
    /// Company or department of the contact.
    pub place: Option<String>,
    /// The user marked it.
    pub favorite: bool,
    /// When there last was a call with this number.
    pub called: Option<UnixMs>,
    /// The account whose contact it is, as in [`ContactView::account`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// Where the PBX of that account has a picture of the contact ([`ContactView::picture`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
}
