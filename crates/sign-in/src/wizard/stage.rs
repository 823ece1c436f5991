//! Pages of the wizard, and what each of them holds. What a page holds is gone when the wizard leaves it, secrets
//! above all.

use std::collections::VecDeque;
use std::time::SystemTime;

use pbx_api::{ApiError, PasswordPolicy, ServerAddress};
use secrecy::SecretString;
use url::Url;

use super::{Method, Wizard};

/// Page the wizard shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Domain and server.
    Server,
    /// User name and password.
    User,
    /// The code out of the e-mail.
    Code,
    /// A new password.
    NewPassword,
    /// The password is forgotten.
    Forgot,
    /// The system's browser is at work.
    Browser,
    /// A QR code is looked for.
    Scan,
    /// A plain SIP account.
    Sip,
    /// Signed in, or left.
    Done,
}

/// Something good to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// The new password stands: sign in with it.
    PasswordChanged,
    /// Another code was sent.
    CodeSent,
    /// The session had ended: signing in again goes on with the same account.
    SignInAgain,
}

/// What page [`Page::Code`] shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodePage {
    /// The PBX has said that it sent a code.
    pub sent: bool,
    /// When another may be asked for.
    pub again_at: SystemTime,
}

/// What page [`Page::NewPassword`] shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPasswordPage {
    /// The PBX insists on it; otherwise a link out of an e-mail allows it.
    pub forced: bool,
    /// The old password must be given too: it was not typed in this sign-in.
    pub old_needed: bool,
    /// The PBX's rules, where they may be read.
    pub policy: Option<PasswordPolicy>,
}

/// What page [`Page::Forgot`] shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForgotPage {
    /// The PBX has been asked for the e-mail.
    pub asked: bool,
}

/// What page [`Page::Browser`] shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrowserPage {
    /// Address to be opened by hand, where no browser could be.
    pub address: Option<Url>,
    /// When the phone stops waiting.
    pub until: SystemTime,
}

/// A page and what it holds.
#[derive(Debug)]
pub(super) enum Stage {
    Server,
    User,
    Code(SecondFactor),
    NewPassword(NewPassword),
    Forgot(Forgot),
    Browser(Browser),
    Scan(Option<Following>),
    Sip,
    Done,
}

/// A sign-in that lacks its code.
#[derive(Debug)]
pub(super) struct SecondFactor {
    pub(super) method: Method,
    pub(super) token: SecretString,
    pub(super) sent: bool,
    pub(super) again_at: SystemTime,
}

#[derive(Debug)]
pub(super) struct NewPassword {
    pub(super) right: Right,
    pub(super) policy: Option<PasswordPolicy>,
}

/// By what right a new password is set.
#[derive(Debug)]
pub(super) enum Right {
    /// The PBX insists on it: by the old password, kept where it was typed in this sign-in.
    Forced { old: Option<SecretString> },
    /// By the token of a link.
    Link { token: SecretString },
}

#[derive(Debug, Default)]
pub(super) struct Forgot {
    pub(super) asked: bool,
}

#[derive(Debug)]
pub(super) struct Browser {
    pub(super) url: Url,
    pub(super) until: SystemTime,
    pub(super) failed: bool,
}

/// A QR code whose file is being fetched.
#[derive(Debug)]
pub(super) struct Following {
    /// Reference of the file.
    pub(super) path: String,
    /// Ways not yet tried.
    pub(super) ways: VecDeque<ServerAddress>,
    /// Why the last way led nowhere.
    pub(super) last: Option<ApiError>,
}

impl Stage {
    pub(super) fn page(&self) -> Page {
        match self {
            Self::Server => Page::Server,
            Self::User => Page::User,
            Self::Code(_) => Page::Code,
            Self::NewPassword(_) => Page::NewPassword,
            Self::Forgot(_) => Page::Forgot,
            Self::Browser(_) => Page::Browser,
            Self::Scan(_) => Page::Scan,
            Self::Sip => Page::Sip,
            Self::Done => Page::Done,
        }
    }
}

impl Wizard {
    /// Page to show.
    pub fn page(&self) -> Page {
        self.stage.page()
    }

    /// Page [`Page::Code`], where it is shown.
    pub fn code(&self) -> Option<CodePage> {
        match &self.stage {
            Stage::Code(SecondFactor { sent, again_at, .. }) => {
                Some(CodePage { sent: *sent, again_at: *again_at })
            }
            _ => None,
        }
    }

    /// Page [`Page::NewPassword`], where it is shown.
    pub fn new_password(&self) -> Option<NewPasswordPage> {
        let Stage::NewPassword(NewPassword { right, policy }) = &self.stage else { return None };
        Some(NewPasswordPage {
            forced: matches!(right, Right::Forced { .. }),
            old_needed: matches!(right, Right::Forced { old: None }),
            policy: *policy,
        })
    }

    /// Page [`Page::Forgot`], where it is shown.
    pub fn forgot(&self) -> Option<ForgotPage> {
        match &self.stage {
            Stage::Forgot(Forgot { asked }) => Some(ForgotPage { asked: *asked }),
            _ => None,
        }
    }

    /// Page [`Page::Browser`], where it is shown.
    pub fn browser(&self) -> Option<BrowserPage> {
        match &self.stage {
            Stage::Browser(Browser { url, until, failed }) => {
                Some(BrowserPage { address: failed.then(|| url.clone()), until: *until })
            }
            _ => None,
        }
    }

    /// When [`Input::TimedOut`](super::Input::TimedOut) is due, where anything is waited for.
    pub fn next_deadline(&self) -> Option<SystemTime> {
        match (&self.stage, &self.ear) {
            (Stage::Browser(_) | Stage::Forgot(_), Some(ear)) => ear.until(),
            _ => None,
        }
    }
}
