//! What is looked at, and what may be found.

use pbx_api::ProxyProblem;
use serde::{Deserialize, Serialize};
use specta::Type;

/// What is looked at, from the network to this machine, in the order in which it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Check {
    /// Addresses and routes of this machine.
    Network,
    /// Tunnels.
    Vpn,
    /// A and AAAA records of the server.
    Names,
    /// NAPTR and SRV records of the SIP proxy (RFC 3263).
    Services,
    /// The port of the PBX's REST interface.
    Port,
    /// The certificate there.
    Certificate,
    /// This machine's clock beside the server's.
    Clock,
    /// What the PBX says of itself and of the domain (`GET /info`).
    Info,
    /// User name and password.
    SignIn,
    /// Whether SIP is answered, over each transport.
    Transport,
    /// The SIP registration, over each transport that answers.
    Registration,
    /// How addresses are translated on the way.
    Nat,
    /// A call to the echo line: whether it is answered, and heard both ways.
    Echo,
    /// Loss, jitter and delay in that call.
    Sound,
    /// What the rest says of packet filters on the way.
    Firewall,
    /// The system's keychain.
    Keychain,
    /// The microphone.
    Microphone,
    /// The speaker.
    Speaker,
    /// The camera.
    Camera,
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// All is well.
    Good,
    /// Worth knowing.
    Note,
    /// The phone cannot do its work.
    Bad,
    /// It was not looked at: what was found before makes it meaningless, or what it takes was not given.
    Skipped,
}

/// What may be wrong. The shell owns the words: what it means and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Diagnosis {
    /// This machine has no network.
    NoNetwork,
    /// A VPN is there: what leads to the server may go through it.
    Vpn,
    /// The name service knows no server of this name, or does not answer.
    NameNotFound,
    /// SRV records lead to hosts that are not there.
    ServiceLeadsNowhere,
    /// One of several addresses does not answer.
    AddressDead,
    /// The PBX's machine answers, but nobody listens at the port of its REST interface.
    PortClosed,
    /// Nothing comes back from that port.
    PortSilent,
    /// Nothing at all comes back from the server.
    ServerSilent,
    /// The web proxy on the way cannot be reached, or does not answer.
    ProxyUnreachable,
    /// The web proxy wants a name and a password, or others.
    ProxyCredentials,
    /// The web proxy does not let the phone through to the server.
    ProxyRefused,
    /// The web proxy does not reach the server.
    ProxyNoWay,
    /// What answers is no web proxy, or it answers in the server's place.
    ProxyNotUnderstood,
    /// The port does not speak TLS, or none that we do.
    NoTls,
    /// The certificate is not signed by anybody this machine trusts.
    CertificateUntrusted,
    /// The server signed its certificate itself.
    CertificateSelfSigned,
    /// The certificate is for another name.
    CertificateName,
    /// The certificate has run out.
    CertificateExpired,
    /// The certificate is not valid yet.
    CertificateNotYetValid,
    /// It is another certificate than the one trusted on purpose.
    CertificateChanged,
    /// The certificate runs out within two weeks.
    CertificateEndsSoon,
    /// This machine's clock and the server's are far apart.
    ClockWrong,
    /// What answers is no PBX.
    NotAPbx,
    /// The server sends us elsewhere.
    Redirected,
    /// The PBX has a fault of its own (5xx).
    PbxFailing,
    /// There is no such domain on this server.
    DomainUnknown,
    /// User name or password is wrong.
    WrongPassword,
    /// The PBX has blocked this address for a while.
    Blocked,
    /// The PBX has no sign-in that this phone knows.
    SignInUnsupported,
    /// Nobody listens where SIP is to go over the transport chosen; others may work.
    TransportClosed,
    /// What is sent over UDP gets no answer, while another transport works.
    UdpBlocked,
    /// Nothing comes back over the transport chosen.
    TransportBlocked,
    /// The machine takes SIP and answers nothing.
    RegistrarSilent,
    /// What listens there does not speak SIP.
    NotSip,
    /// The registrar refuses number or password.
    SipPasswordWrong,
    /// The registrar refuses the registration for another reason.
    RegistrationRefused,
    /// The registrar has a fault of its own (5xx).
    RegistrarFailing,
    /// The NAT shows every other end another address.
    SymmetricNat,
    /// The STUN server does not answer.
    StunSilent,
    /// The echo line's number is not known, refuses, or nobody answers.
    EchoNotAnswered,
    /// The call to the echo line failed in another way.
    CallFailed,
    /// Our voice does not get out, or nothing comes back of it.
    VoiceNotSent,
    /// Our voice is heard there, and theirs does not come in.
    VoiceNotReceived,
    /// Neither voice arrives, or which of them is not known.
    VoiceBlocked,
    /// Packets come, and hold silence.
    EchoOfSilence,
    /// Much of the voice is lost on the way.
    Loss,
    /// The voice arrives too unevenly.
    Jitter,
    /// The way there and back is long.
    Delay,
    /// Some ports of the server are silent while others answer: a packet filter is on the way.
    PortsFiltered,
    /// There is no keychain: passwords are forgotten when the phone closes.
    KeychainAbsent,
    /// The keychain is locked, and nobody unlocks it.
    KeychainLocked,
    /// The keychain failed.
    KeychainFailed,
    /// There is no sound system, or it does not answer.
    NoSound,
    /// There is no microphone.
    NoMicrophone,
    /// The microphone cannot be opened.
    MicrophoneFailed,
    /// The microphone gives nothing but silence.
    MicrophoneSilent,
    /// There is no speaker.
    NoSpeaker,
    /// The speaker cannot be opened.
    SpeakerFailed,
    /// There is no camera; it is needed for QR codes only.
    NoCamera,
    /// The camera cannot be used.
    CameraFailed,
}

impl From<ProxyProblem> for Diagnosis {
    fn from(problem: ProxyProblem) -> Self {
        match problem {
            ProxyProblem::Unreachable => Self::ProxyUnreachable,
            ProxyProblem::Credentials => Self::ProxyCredentials,
            ProxyProblem::Refused => Self::ProxyRefused,
            ProxyProblem::NoWay => Self::ProxyNoWay,
            ProxyProblem::NotUnderstood => Self::ProxyNotUnderstood,
        }
    }
}

impl Diagnosis {
    /// It explains other things at best, and is never the one cause.
    pub(crate) fn explains_only(self) -> bool {
        matches!(self, Self::Vpn | Self::NoCamera | Self::PortsFiltered | Self::AddressDead)
    }
}

/// What one check found. `tried` and `seen` are technical and in no language: names, addresses, figures, statuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What was looked at.
    pub check: Check,
    /// What was tried; empty where there is nothing to be said of it.
    pub tried: String,
    /// What was seen.
    pub seen: String,
    /// What came of it.
    pub outcome: Outcome,
    /// What is wrong, or what made it meaningless to look.
    pub diagnosis: Option<Diagnosis>,
}

impl Finding {
    /// All is well.
    pub(crate) fn good(check: Check, tried: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::new(check, Outcome::Good, None, tried, seen)
    }

    /// Worth knowing.
    pub(crate) fn note(
        check: Check,
        diagnosis: impl Into<Option<Diagnosis>>,
        tried: impl Into<String>,
        seen: impl Into<String>,
    ) -> Self {
        Self::new(check, Outcome::Note, diagnosis.into(), tried, seen)
    }

    /// The phone cannot do its work.
    pub(crate) fn bad(
        check: Check,
        diagnosis: Diagnosis,
        tried: impl Into<String>,
        seen: impl Into<String>,
    ) -> Self {
        Self::new(check, Outcome::Bad, Some(diagnosis), tried, seen)
    }

    /// Not looked at: because of something found before, or because what it takes was not given.
    pub(crate) fn skipped(check: Check, because: Option<Diagnosis>) -> Self {
        Self::new(check, Outcome::Skipped, because, "", "")
    }

    fn new(
        check: Check,
        outcome: Outcome,
        diagnosis: Option<Diagnosis>,
        tried: impl Into<String>,
        seen: impl Into<String>,
    ) -> Self {
        Self { check, tried: tried.into(), seen: seen.into(), outcome, diagnosis }
    }
}
