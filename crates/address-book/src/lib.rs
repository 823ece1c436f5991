//! The contacts that the desktop keeps for all its programs. On Linux they are those of Evolution Data Server, which GNOME's
//! and other desktops' programs share; elsewhere there is none that a program outside the system's store may read.

mod card;
#[cfg(target_os = "linux")]
mod server;

/// Somebody in an address book.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contact {
    /// Opaque id, one among all of them.
    pub id: String,
    /// Its name; where it has none its company, first number or mail address.
    pub name: String,
    /// Its numbers, in the order in which one would try them.
    pub numbers: Vec<Number>,
    /// Mail address.
    pub email: Option<String>,
    /// Company.
    pub company: Option<String>,
    /// Title or role.
    pub title: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// Postal address, in one line.
    pub address: Option<String>,
    /// Notes, in lines.
    pub notes: Option<String>,
}

/// A number of somebody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// Which.
    pub kind: Kind,
    /// As it was written; a SIP address with its scheme.
    pub number: String,
}

/// Which number it is, in the order in which one would try them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Of the one who uses it, wherever that is.
    Mobile,
    /// At work.
    Work,
    /// At home.
    Home,
    /// Another.
    Other,
    /// Fax at work.
    WorkFax,
    /// Fax at home.
    HomeFax,
}

/// The address book could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The service that keeps it cannot be spoken to.
    #[error("the address book does not answer: {0}")]
    Unreachable(String),
    /// There is none here.
    #[error("this computer has no address book that can be read")]
    None,
}

/// Whether this computer has an address book that can be read. Nothing is read for that, and no service started.
#[cfg(target_os = "linux")]
pub async fn is_there() -> bool {
    server::is_there().await
}

/// Whether this computer has an address book that can be read.
#[cfg(not(target_os = "linux"))]
pub async fn is_there() -> bool {
    false
}

/// Tells all contacts, and tells them anew after each change, until it is dropped.
///
/// # Errors
/// The address book cannot be read, or no longer.
#[cfg(target_os = "linux")]
pub async fn follow(tell: impl FnMut(Vec<Contact>)) -> Result<(), Error> {
    server::follow(tell).await
}

/// Tells all contacts.
///
/// # Errors
/// There is no address book.
#[cfg(not(target_os = "linux"))]
pub async fn follow(_tell: impl FnMut(Vec<Contact>)) -> Result<(), Error> {
    Err(Error::None)
}

/// Reads one contact out of a vCard (RFC 6350, RFC 2426). Nothing where it is a list of others, has no `UID`, or names
/// nobody; what it holds beside is left out.
pub fn of_card(text: &str) -> Option<Contact> {
    card::read(text)
}
