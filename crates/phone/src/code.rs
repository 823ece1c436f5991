use serde::{Deserialize, Serialize};
use specta::Type;

/// What went wrong, as a stable name. The shell owns the words, in the user's language.
///
/// A code exists only where somebody acts on it: each has its own sentence and its own next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Code {
    /// The server typed is not a host name, an address, or either with a port.
    ServerInvalid,
    /// The domain typed cannot be a SIP domain.
    DomainInvalid,
    /// No server of this name (name resolution failed).
    ServerNotFound,
    /// The server's machine answers, but nothing listens on this port.
    ServerRefused,
    /// Nothing came back within the time limit.
    ServerSilent,
    /// No network at all.
    NetworkDown,
    /// The web proxy cannot be reached, or does not answer.
    ProxyUnreachable,
    /// The web proxy wants a name and a password, or others.
    ProxyCredentials,
    /// The web proxy does not let the phone through to the server.
    ProxyRefused,
    /// The web proxy does not reach the server.
    ProxyNoWay,
    /// What answers is no proxy, or it answers in the server's place.
    ProxyNotUnderstood,
    /// What was typed is no address of a web proxy, or holds a password.
    WebProxyInvalid,
    /// The certificate is not signed by anyone this machine trusts.
    CertificateUntrusted,
    /// The certificate belongs to another name.
    CertificateName,
    /// The certificate is expired or not yet valid.
    CertificateExpired,
    /// The certificate is another one than the one trusted on purpose.
    CertificateChanged,
    /// TLS could not be agreed on.
    TlsFailed,
    /// The server sent something that is not the PBX's language.
    NotUnderstood,
    /// The server's answer is larger than any honest answer.
    AnswerTooLarge,
    /// The server wants to send the phone to another host.
    RedirectRefused,
    /// There is no such domain on this server.
    DomainUnknown,
    /// User name or password is wrong.
    WrongCredentials,
    /// The PBX has blocked this address for a while.
    Blocked,
    /// Too many requests; wait before the next.
    TooManyRequests,
    /// The PBX has a fault of its own (5xx).
    ServerFailed,
    /// The PBX asks for an e-mailed code, which was not given.
    SecondFactorNeeded,
    /// The PBX asks for a new password first, which was not given.
    PasswordChangeNeeded,
    /// The e-mailed code is not accepted.
    SecondFactorWrong,
    /// The PBX agreed but sent no session.
    SessionMissing,
    /// The old password is wrong.
    OldPasswordWrong,
    /// The PBX does not accept the new password; its rules may say why.
    NewPasswordRefused,
    /// The link to a new password holds no token, or one that is used up.
    ResetLinkInvalid,
    /// No browser could be opened.
    NoBrowser,
    /// Microsoft 365 or its user said no.
    ConsentDenied,
    /// The sign-in in the browser failed in another way.
    BrowserSignInFailed,
    /// The browser did not come back in time.
    BrowserTimedOut,
    /// No camera was found.
    NoCamera,
    /// Another program uses the camera.
    CameraBusy,
    /// The system does not let the phone use the camera.
    CameraForbidden,
    /// The camera failed in another way, or was unplugged.
    CameraFailed,
    /// The file is no picture that can be read.
    PictureUnreadable,
    /// There is neither a picture nor text in the clipboard.
    ClipboardEmpty,
    /// The screen cannot be looked at.
    ScreenUnavailable,
    /// No QR code is in the picture.
    NoCodeFound,
    /// A QR code, but not for signing in; the detail says what it seems to be.
    NotASignInCode,
    /// None of the ways to the PBX that the code names leads there.
    CodeUnreachable,
    /// The PBX does not know the code any more: it was replaced.
    CodeOutdated,
    /// The profile file of the PBX is broken.
    ProfileInvalid,
    /// The session has ended and cannot be renewed: sign in again.
    SessionExpired,
    /// This server has no PortSIP sign-in.
    SignInUnsupported,
    /// The user has no extension, so there is nothing to register.
    NoExtension,
    /// The extension's SIP password is not known yet.
    SipPasswordNeeded,
    /// The SIP registrar refuses the extension's password.
    SipPasswordWrong,
    /// The SIP registrar refuses the registration for another reason.
    RegistrationRefused,
    /// This transport is not built yet.
    TransportUnsupported,
    /// There is no keychain on this machine; secrets stay in memory only.
    KeychainAbsent,
    /// The keychain is locked.
    KeychainLocked,
    /// The keychain did not answer or failed.
    KeychainFailed,
    /// No microphone was found or it could not be opened.
    NoMicrophone,
    /// No speaker was found or it could not be opened.
    NoSpeaker,
    /// An audio file could not be read or written.
    AudioFile,
    /// A call cannot be recorded, or no longer: its file or the notice cannot be used.
    RecordingFailed,
    /// A call is recorded no longer: there is no room for it.
    DiskFull,
    /// A local port is taken by another program.
    PortInUse,
    /// What was dialled cannot be a number or an address.
    TargetInvalid,
    /// There is no account to call with.
    NoAccount,
    /// The account is not registered.
    NotRegistered,
    /// No such call (it may just have ended).
    NoSuchCall,
    /// No such contact: it is gone.
    NoSuchContact,
    /// What was to be changed or heard is no longer at the PBX.
    GoneAtPbx,
    /// The sound is of a kind that is not known here; it can be saved.
    SoundUnknown,
    /// The PBX does not keep such a contact: the name is missing, a field is too long, or there are too many numbers.
    ContactInvalid,
    /// The address book of this computer cannot be read.
    AddressBookFailed,
    /// The command does not fit the state the phone is in.
    NotNow,
    /// The other side did not take up a held call again; it stays held.
    ResumeRefused,
    /// A call could not be handed on; it is as it was.
    TransferFailed,
    /// The PBX does not offer this: it has no star code for it.
    FeatureOff,
    /// A newer version is not what its maker signed, or not newer; nothing was installed.
    UpdateRefused,
    /// A newer version cannot be kept on the disk, or the system has nobody who installs it.
    UpdateFailed,
    /// The administrator of this machine does not allow it.
    NotAllowed,
    /// Settings could not be read or written.
    SettingsFailed,
    /// The call list cannot be read or written: calls are known until the phone stops.
    HistoryFailed,
    /// The call list was broken; it is kept aside, where the detail says, and a new one was begun.
    HistoryBroken,
    /// A fault of our own.
    Internal,
}

/// A [`Code`] with what is known beyond it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// What went wrong.
    pub code: Code,
    /// Technical detail for the curious and for support; never a secret, never translated.
    pub detail: Option<String>,
    /// Seconds to wait before trying again, where the server said so.
    pub retry_after_s: Option<u32>,
}

impl Problem {
    /// A problem with technical detail.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: Some(detail.into()), retry_after_s: None }
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self { code, detail: None, retry_after_s: None }
    }
}
