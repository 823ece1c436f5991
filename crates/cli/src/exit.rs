//! Exit statuses, as scripts rely on them.

use std::process::ExitCode;

use phone::{Code, EndReason};

/// How the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The command line is wrong, or names something that is not there.
    Usage = 2,
    /// The server refuses, or asks for something the command did not bring.
    Refused = 3,
    /// Not reachable, or not understood.
    Unreachable = 4,
    /// No answer, or rejected.
    NotAnswered = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

impl From<Code> for Exit {
    fn from(code: Code) -> Self {
        use Code::{
            AudioFile, Blocked, CodeOutdated, ContactInvalid, DomainInvalid, DomainUnknown,
            NewPasswordRefused, NoAccount, NoCodeFound, NoExtension, NoSuchCall, NoSuchContact,
            NotASignInCode, NotAllowed, NotNow, OldPasswordWrong, PasswordChangeNeeded, PictureUnreadable,
            RegistrationRefused, ResetLinkInvalid, SecondFactorNeeded, SecondFactorWrong, ServerInvalid,
            SessionExpired, SignInUnsupported, SipPasswordNeeded, SipPasswordWrong, TargetInvalid,
            TooManyRequests, TransportUnsupported, WrongCredentials,
        };
        match code {
            ServerInvalid | DomainInvalid | TargetInvalid | TransportUnsupported | AudioFile | NoAccount
            | NoSuchCall | NoSuchContact | ContactInvalid | NotNow | PictureUnreadable | NoCodeFound
            | NotASignInCode => Self::Usage,
            DomainUnknown | WrongCredentials | Blocked | TooManyRequests | SecondFactorNeeded
            | PasswordChangeNeeded | SessionExpired | SignInUnsupported | NoExtension | SipPasswordNeeded
            | SipPasswordWrong | RegistrationRefused | SecondFactorWrong | OldPasswordWrong
            | NewPasswordRefused | NotAllowed | ResetLinkInvalid | CodeOutdated => Self::Refused,
            _ => Self::Unreachable,
        }
    }
}

/// Exit status of a call that ended, whether or not it was ever answered.
pub fn of_call(reason: EndReason, answered: bool) -> Exit {
    match reason {
        EndReason::ConnectionLost | EndReason::Unreachable | EndReason::AudioFailed => Exit::Unreachable,
        EndReason::Forbidden => Exit::Refused,
        _ if answered => Exit::Done,
        _ => Exit::NotAnswered,
    }
}
