//! From nothing to a session: wizard, password, token refresh, vault.
//!
//! The [`Wizard`] is a pure state machine: it says what to [`ask`] of which server, and ends in a
//! [`SignedIn`]. A [`Session`] then keeps the tokens fresh, and a [`Keeper`] keeps them in the vault.
#![deny(clippy::indexing_slicing, clippy::string_slice)]

mod ask;
mod error;
mod extension;
mod keeper;
mod keychain;
mod picture;
mod profile;
mod schedule;
mod secrets;
mod session;
mod vault;
mod wizard;

pub use ask::{Answer, Question, ask};
pub use error::SignInError;
pub use extension::{Extension, Listener, Transport};
pub use keeper::{Keeper, VAULT_LIMIT};
pub use keychain::{Keychain, SERVICE};
pub use picture::Picture;
pub use schedule::Schedule;
pub use secrets::Secrets;
pub use session::{SIGN_OUT_LIMIT, Session, SessionStatus, SignedOut};
pub use vault::{MemoryVault, Vault};
pub use wizard::{Action, Input, Page, RequestId, SignedIn, Wizard};
