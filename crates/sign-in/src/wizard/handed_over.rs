use pbx_api::{Dialect, ServerAddress, Tenant, Tokens};

use crate::{Enforced, Extension};

/// How a session was come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// User name and password, with or without a code.
    Password,
    /// Microsoft 365.
    Microsoft,
    /// A QR code.
    Qr,
}

/// What a finished wizard hands over.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The PBX.
    pub server: ServerAddress,
    /// The tenant.
    pub tenant: Tenant,
    /// User name: as typed, or as the PBX says where none was typed.
    pub username: String,
    /// Tokens of the session. A lifetime of [`Duration::MAX`](std::time::Duration::MAX) is one the PBX did not
    /// tell.
    pub tokens: Tokens,
    /// How the session is renewed and ended.
    pub dialect: Dialect,
    /// How it was come by.
    pub method: Method,
    /// What to register; its SIP password where the PBX handed it over.
    pub extension: Extension,
    /// What the PBX settles for its users.
    pub enforced: Enforced,
}

/// An account that registers without a session at the PBX.
#[derive(Debug, Clone)]
pub struct PlainAccount {
    /// What to register, with its SIP password.
    pub extension: Extension,
    /// What the PBX settles for its users.
    pub enforced: Enforced,
}
