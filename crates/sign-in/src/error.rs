use pbx_api::{ApiError, Cause};

use crate::ProfileInvalid;

/// What can stop a sign-in, a session or its vault.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SignInError {
    /// The PBX, the way to it, or what was typed ([`ApiError::ServerInvalid`], [`ApiError::DomainInvalid`]).
    #[error(transparent)]
    Api(#[from] ApiError),
    /// There is no such domain on this server.
    #[error("there is no such domain on this server")]
    DomainUnknown,
    /// The server has no PortSIP sign-in: it is no PBX, or one older than 22.0.
    #[error("this server has no PortSIP sign-in")]
    SignInUnsupported,
    /// The code out of the e-mail is not accepted.
    #[error("the code is not accepted")]
    SecondFactorWrong,
    /// The PBX agreed, but sent no session.
    #[error("the PBX agreed, but sent no session")]
    SessionMissing,
    /// The old password is wrong.
    #[error("the old password is wrong")]
    OldPasswordWrong,
    /// The PBX does not accept the new password.
    #[error("the new password is not accepted{}", message.as_deref().map(|text| format!(": {text}")).unwrap_or_default())]
    NewPasswordRefused {
        /// The PBX's own words.
        message: Option<String>,
    },
    /// The link to a new password holds no token, or one that the PBX does not accept (any more).
    #[error("the link to a new password is not valid")]
    ResetLinkInvalid,
    /// No browser could be opened.
    #[error("no browser could be opened")]
    NoBrowser,
    /// Microsoft 365 or its user said no.
    #[error("the sign-in in the browser was denied")]
    ConsentDenied,
    /// The sign-in in the browser failed in another way.
    #[error("the sign-in in the browser failed: {what}")]
    BrowserSignInFailed {
        /// What the browser or the PBX said.
        what: String,
    },
    /// The browser did not come back in time.
    #[error("the browser did not come back in time")]
    BrowserTimedOut,
    /// None of the ways to the PBX that a QR code names leads there.
    #[error("no way of the code leads to the PBX{}", last.as_ref().map(|last| format!(": {last}")).unwrap_or_default())]
    CodeUnreachable {
        /// Why the last of them does not.
        last: Option<ApiError>,
    },
    /// The PBX does not know the QR code any more.
    #[error("the PBX does not know this code any more")]
    CodeOutdated,
    /// The profile file that a QR code points to cannot be used.
    #[error(transparent)]
    ProfileInvalid(#[from] ProfileInvalid),
    /// The user has no extension.
    #[error("the user has no extension")]
    NoExtension,
    /// None of the PBX's SIP transports is one this phone speaks.
    #[error("the PBX offers only {offered}; this phone speaks UDP, TCP and TLS")]
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
