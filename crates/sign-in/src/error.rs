use pbx_api::{ApiError, Cause};

/// What can stop a sign-in, a session or its vault.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SignInError {
    /// The PBX, the way to it, or what was typed ([`ApiError::ServerInvalid`], [`ApiError::DomainInvalid`]).
    #[error(transparent)]
    Api(#[from] ApiError),
    /// There is no such domain on this server.
    #[error("there is no such domain on this server")]
    DomainUnknown,
    /// The server has no PortSIP sign-in: it is no PBX, or one older than 22.2.
    #[error("this server has no PortSIP sign-in")]
    SignInUnsupported,
    /// The PBX asks for a code.
    #[error("the PBX asks for a code")]
    SecondFactorNeeded,
    /// The user must choose a new password first.
    #[error("the PBX asks for a new password")]
    PasswordChangeNeeded,
    /// The user has no extension.
    #[error("the user has no extension")]
    NoExtension,
    /// None of the PBX's SIP transports is one this phone speaks.
    #[error("the PBX offers only {offered}; this phone speaks UDP and TCP")]
    TransportUnsupported {
        /// What it offers, in words.
        offered: String,
    },
    /// The session has ended and cannot be renewed.
    #[error("the session has ended")]
    SessionExpired,
    /// The input does not fit the page the wizard shows.
    #[error("not now")]
    NotNow,
    /// There is no keychain on this machine.
    #[error("there is no keychain: {cause}")]
    KeychainAbsent {
        /// What the system said.
        cause: Cause,
    },
    /// The keychain is locked, or its owner did not let us in.
    #[error("the keychain is locked: {cause}")]
    KeychainLocked {
        /// What the system said.
        cause: Cause,
    },
    /// The keychain did not answer within the time limit; it may be waiting for its owner.
    #[error("the keychain did not answer in time")]
    KeychainSilent,
    /// The keychain failed in another way, or holds something of ours that cannot be read.
    #[error("the keychain failed: {cause}")]
    KeychainFailed {
        /// What the system said.
        cause: Cause,
    },
}
