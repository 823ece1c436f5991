//! SRTP (RFC 3711): what was agreed on, its keys, and the state machine that protects a session's datagrams.

mod context;
mod key;
mod protector;
mod suite;

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
}

/// How keys come to both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keying {
    /// In the session descriptions (RFC 4568): whoever reads the signalling has them.
    Sdes,
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
}
