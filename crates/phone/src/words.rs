//! What the rooms below say, in the words that cross the IPC.

use devices::{CameraError, DeviceError};
use media::sdp::SdpError;
use pbx_api::{ApiError, CertificateFacts, CertificateProblem, ProxyProblem};
use sign_in::SignInError;

use crate::voice::{Device, VoiceError};
use crate::{CertificateView, Code, EndReason, Problem, Transport, UnixMs};

impl From<Transport> for sip::Transport {
    fn from(transport: Transport) -> Self {
        match transport {
            Transport::Udp => Self::Udp,
            Transport::Tcp => Self::Tcp,
            Transport::Tls => Self::Tls,
            Transport::Wss => Self::Wss,
        }
    }
}

impl From<sip::Transport> for Transport {
    fn from(transport: sip::Transport) -> Self {
        match transport {
            sip::Transport::Udp => Self::Udp,
            sip::Transport::Tcp => Self::Tcp,
            sip::Transport::Tls => Self::Tls,
            sip::Transport::Wss => Self::Wss,
        }
    }
}

/// What is wrong with a certificate.
pub(crate) fn of_certificate_problem(problem: CertificateProblem) -> Code {
    match problem {
        CertificateProblem::Untrusted => Code::CertificateUntrusted,
        CertificateProblem::Name => Code::CertificateName,
        CertificateProblem::Expired => Code::CertificateExpired,
        CertificateProblem::Changed => Code::CertificateChanged,
    }
}

/// What is wrong with the way through a web proxy.
fn of_proxy_problem(problem: ProxyProblem) -> Code {
    match problem {
        ProxyProblem::Unreachable => Code::ProxyUnreachable,
        ProxyProblem::Credentials => Code::ProxyCredentials,
        ProxyProblem::Refused => Code::ProxyRefused,
        ProxyProblem::NoWay => Code::ProxyNoWay,
        ProxyProblem::NotUnderstood => Code::ProxyNotUnderstood,
    }
}

/// Why the phone is not registered.
pub(crate) fn of_cause(cause: sip::Cause, status: Option<u16>) -> Problem {
    use sip::Cause::{
        CertificateNotTrusted, ConnectionLost, ConnectionRefused, NameNotFound, NetworkUnreachable,
        NotUnderstood, Proxy, Refused, ServerFailed, Silence, TlsFailed, WrongPassword,
    };
    let code = match cause {
        NameNotFound => Code::ServerNotFound,
        ConnectionRefused => Code::ServerRefused,
        NetworkUnreachable => Code::NetworkDown,
        Silence | ConnectionLost => Code::ServerSilent,
        CertificateNotTrusted => Code::CertificateUntrusted,
        TlsFailed => Code::TlsFailed,
        WrongPassword => Code::SipPasswordWrong,
        Refused => Code::RegistrationRefused,
        ServerFailed => Code::ServerFailed,
        NotUnderstood => Code::NotUnderstood,
        Proxy(problem) => of_proxy_problem(problem),
    };
    match status {
        Some(status) => Problem::new(code, format!("SIP {status}")),
        None => code.into(),
    }
}

/// Why a user agent could not start.
pub(crate) fn of_sip_error(error: &sip::Error) -> Problem {
    let code = match error {
        sip::Error::AccountInvalid("proxy") => Code::ServerInvalid,
        sip::Error::AccountInvalid(_) => Code::DomainInvalid,
        sip::Error::PortInUse { .. } => Code::PortInUse,
        sip::Error::Socket(_) => Code::NetworkDown,
        _ => Code::Internal,
    };
    Problem::new(code, error.to_string())
}

/// Why a call ended.
pub(crate) fn of_end(cause: sip::EndCause) -> EndReason {
    use sip::{Cause, EndCause};
    match cause {
        EndCause::HungUpHere => EndReason::HungUpHere,
        EndCause::HungUpThere => EndReason::HungUpThere,
        EndCause::Replaced => EndReason::Transferred,
        EndCause::CancelledHere => EndReason::Cancelled,
        EndCause::CancelledThere => EndReason::Missed,
        EndCause::AnsweredElsewhere => EndReason::AnsweredElsewhere,
        EndCause::DeclinedHere => EndReason::DeclinedHere,
        EndCause::Declined => EndReason::Declined,
        EndCause::Busy => EndReason::Busy,
        EndCause::NoAnswer => EndReason::NoAnswer,
        EndCause::NotFound | EndCause::TargetInvalid => EndReason::NotFound,
        EndCause::Forbidden => EndReason::Forbidden,
        EndCause::NotAcceptable => EndReason::NoCommonCodec,
        EndCause::Refused => EndReason::Failed,
        // The PBX has answered: what it relies on is out of order.
        EndCause::Unreachable(Cause::ServerFailed) => EndReason::Failed,
        EndCause::Unreachable(_) => EndReason::Unreachable,
        EndCause::ConnectionLost => EndReason::ConnectionLost,
    }
}

/// Why nothing was agreed on.
pub(crate) fn of_sdp_error(error: &SdpError) -> EndReason {
    match error {
        SdpError::NotProtected => EndReason::NotEncrypted,
        _ => EndReason::NoCommonCodec,
    }
}

/// Why a voice path cannot start.
pub(crate) fn of_voice_error(error: &VoiceError) -> Problem {
    let code = match error {
        VoiceError::Microphone(error) => return of_device_error(Device::Microphone, error),
        VoiceError::Speaker(error) => return of_device_error(Device::Speaker, error),
        VoiceError::PortInUse(_) => Code::PortInUse,
        VoiceError::Socket(_) => Code::NetworkDown,
        VoiceError::Media(_) | VoiceError::Defect => Code::Internal,
    };
    Problem::new(code, error.to_string())
}

/// Why a device cannot be used.
pub(crate) fn of_device_error(device: Device, error: &DeviceError) -> Problem {
    let code = match (error, device) {
        (DeviceError::File { .. }, _) => Code::AudioFile,
        (_, Device::Microphone) => Code::NoMicrophone,
        (_, Device::Speaker) => Code::NoSpeaker,
    };
    Problem::new(code, error.to_string())
}

/// Why a call cannot be recorded.
pub(crate) fn of_recording_error(error: &DeviceError) -> Problem {
    let code = if error.is_disk_full() { Code::DiskFull } else { Code::RecordingFailed };
    Problem::new(code, error.to_string())
}

/// Why a camera cannot be used.
pub(crate) fn of_camera_error(error: &CameraError) -> Problem {
    let code = match error {
        CameraError::None => return Code::NoCamera.into(),
        CameraError::Busy => Code::CameraBusy,
        CameraError::Forbidden => Code::CameraForbidden,
        CameraError::Unplugged | CameraError::Failed { .. } => Code::CameraFailed,
    };
    Problem::new(code, error.to_string())
}

/// What went wrong with a request to the PBX.
pub(crate) fn of_api_error(error: &ApiError) -> Problem {
    let code = match error {
        ApiError::ServerInvalid => Code::ServerInvalid,
        ApiError::DomainInvalid => Code::DomainInvalid,
        ApiError::ContactInvalid => Code::ContactInvalid,
        ApiError::RootsInvalid { .. } | ApiError::Setup { .. } => Code::Internal,
        ApiError::ServerNotFound { .. } => Code::ServerNotFound,
        ApiError::ConnectionRefused { .. } => Code::ServerRefused,
        ApiError::NetworkUnreachable { .. } => Code::NetworkDown,
        ApiError::Timeout { .. } | ApiError::ConnectionLost { .. } => Code::ServerSilent,
        ApiError::Certificate { problem, .. } => of_certificate_problem(*problem),
        ApiError::Proxy { problem, .. } => of_proxy_problem(*problem),
        ApiError::Tls { .. } => Code::TlsFailed,
        ApiError::Redirect { .. } => Code::RedirectRefused,
        ApiError::TooLarge { .. } => Code::AnswerTooLarge,
        ApiError::NotUnderstood { .. } | ApiError::NotFound { .. } | ApiError::Refused { .. } => {
            Code::NotUnderstood
        }
        ApiError::WrongCredentials => Code::WrongCredentials,
        ApiError::Unauthorized => Code::SessionExpired,
        ApiError::Blocked { .. } => Code::Blocked,
        ApiError::Throttled { .. } => Code::TooManyRequests,
        ApiError::ServerFailed { .. } => Code::ServerFailed,
    };
    Problem { retry_after_s: error.retry_after().map(seconds), ..Problem::new(code, error.to_string()) }
}

/// What stopped a sign-in, a session or its vault.
pub(crate) fn of_sign_in_error(error: &SignInError) -> Problem {
    let code = match error {
        SignInError::Api(error) => return of_api_error(error),
        SignInError::DomainUnknown => Code::DomainUnknown,
        SignInError::SignInUnsupported => Code::SignInUnsupported,
        SignInError::SecondFactorWrong => Code::SecondFactorWrong,
        SignInError::SessionMissing => Code::SessionMissing,
        SignInError::OldPasswordWrong => Code::OldPasswordWrong,
        SignInError::NewPasswordRefused { .. } => Code::NewPasswordRefused,
        SignInError::ResetLinkInvalid => Code::ResetLinkInvalid,
        SignInError::NoBrowser => Code::NoBrowser,
        SignInError::ConsentDenied => Code::ConsentDenied,
        SignInError::BrowserSignInFailed { .. } => Code::BrowserSignInFailed,
        SignInError::BrowserTimedOut => Code::BrowserTimedOut,
        SignInError::CodeUnreachable { .. } => Code::CodeUnreachable,
        SignInError::CodeOutdated => Code::CodeOutdated,
        SignInError::ProfileInvalid(_) => Code::ProfileInvalid,
        SignInError::NoExtension => Code::NoExtension,
        SignInError::TransportUnsupported { .. } => Code::TransportUnsupported,
        SignInError::SessionExpired => Code::SessionExpired,
        SignInError::NotNow => Code::NotNow,
        SignInError::KeychainAbsent { .. } => Code::KeychainAbsent,
        SignInError::KeychainLocked { .. } => Code::KeychainLocked,
        SignInError::KeychainSilent | SignInError::KeychainFailed { .. } => Code::KeychainFailed,
    };
    Problem::new(code, error.to_string())
}

/// A certificate for a person to look at.
pub(crate) fn of_certificate(facts: &CertificateFacts) -> CertificateView {
    CertificateView {
        server: facts.server.authority(),
        fingerprint: facts.fingerprint.to_string(),
        subject: facts.subject.clone(),
        issuer: facts.issuer.clone(),
        self_signed: facts.self_signed,
        not_before: unix_ms(facts.not_before),
        not_after: unix_ms(facts.not_after),
    }
}

fn seconds(duration: std::time::Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

fn unix_ms(seconds: i64) -> UnixMs {
    UnixMs(u64::try_from(seconds).unwrap_or_default().saturating_mul(1000))
}
