//! SRTP (RFC 3711): what was agreed on, its keys, and the state machine that protects a session's datagrams.

mod context;
mod handshake;
mod identity;
mod key;
mod protector;
mod suite;

use std::sync::Arc;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use handshake::Handshake;
pub use identity::{Fingerprint, Identity};
pub use key::MasterKey;
pub(crate) use protector::Protector;
pub use suite::Suite;

/// What an offer and its answer settled about protection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protection {
    /// Keys were exchanged in the session descriptions (SDES, RFC 4568).
    Sdes {
        /// Of both directions.
        suite: Suite,
        /// What we protect with.
        send: MasterKey,
        /// What the other side protects with.
        receive: MasterKey,
    },
    /// Keys come of a DTLS handshake on the media's own way (RFC 5763, RFC 5764).
    Dtls(Association),
}

/// A DTLS association as it was described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Association {
    /// Ours in it.
    pub role: Role,
    /// Whom we show ourselves to be.
    pub identity: Arc<Identity>,
    /// Whose certificate it must be there: any of these.
    pub theirs: Vec<Fingerprint>,
}

/// Who begins a DTLS association (RFC 5763, section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// We do: `a=setup:active`.
    Client,
    /// The other side does: `a=setup:passive`.
    Server,
}

/// How keys come to both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keying {
    /// In the session descriptions (RFC 4568): whoever reads the signalling has them.
    Sdes,
    /// By DTLS: whoever changes fingerprints in the signalling could be in between, nobody else.
    Dtls,
}

/// How it stands with the protection of a running session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protected {
    /// Plain RTP was agreed on.
    #[default]
    Off,
    /// Protection was agreed on, and nothing authentic has come yet. Nothing plain is sent or played meanwhile.
    Pending(Keying),
    /// What is sent is protected, and what comes is authentic.
    On(Keying, Suite),
    /// The other side is not who it was announced to be, or cannot do what was agreed on.
    Failed,
}
