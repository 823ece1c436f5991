//! From nothing to a session: wizard, password, token refresh, vault.
//!
//! The [`Wizard`] is a pure state machine: it says what to [`ask`] of which server, and ends in a
//! [`SignedIn`]. A [`Session`] then keeps the tokens fresh, and a [`Keeper`] keeps them in the vault.
#![deny(clippy::indexing_slicing, clippy::string_slice)]

mod ask;
pub mod callback;
mod code;
mod error;
mod extension;
mod keeper;
mod keychain;
mod picture;
mod profile;
pub mod qr;
mod schedule;
mod secrets;
mod session;
mod vault;
mod wizard;

pub use ask::{Answer, CallbackUrl, Question, ask};
pub use code::{LegacyCode, LegacyTransport, NotASignInCode, Seems, SignInCode, UserCode, Way, WayKind};
pub use error::SignInError;
pub use extension::{Extension, Listener, Transport};
pub use keeper::{Keeper, VAULT_LIMIT};
pub use keychain::{Keychain, SERVICE};
pub use picture::Picture;
pub use profile::{Enforced, Profile, ProfileInvalid, Theme};
pub use schedule::Schedule;
pub use secrets::{Secrets, SessionSecrets};
pub use session::{SIGN_OUT_LIMIT, Session, SessionStatus, SignedOut};
pub use vault::{MemoryVault, Vault};
pub use wizard::{
    Action, BrowserPage, CodePage, ForgotPage, Input, Method, NewPasswordPage, News, Page, PlainAccount,
    RequestId, SignedIn, Wizard,
};
