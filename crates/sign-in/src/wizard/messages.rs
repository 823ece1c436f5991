use std::time::Duration;

use pbx_api::{Dialect, Fingerprint, Pin, ServerAddress};
use secrecy::SecretString;
use url::Url;

use super::{PlainAccount, SignedIn};
use crate::callback::{Callback, Purpose};
use crate::{Answer, CallbackUrl, Question, SignInCode};

/// Number of a question or a listener, so that a late answer can be told from the one waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId(pub(super) u64);

/// What can happen to the wizard.
#[derive(Debug)]
pub enum Input {
    /// *Next* on the first page; on any other page the wizard starts anew with it.
    FindServer {
        /// SIP domain, as typed.
        domain: String,
        /// Server, as typed.
        server: String,
    },
    /// An account's session has ended: starts anew, with what is known of the account.
    SignInAgain {
        /// Its SIP domain.
        domain: String,
        /// Its server.
        server: String,
        /// Its user name.
        username: String,
    },
    /// The certificate shown is trusted on purpose.
    TrustCertificate {
        /// Its fingerprint.
        fingerprint: Fingerprint,
    },
    /// Away from a certificate, or one page back. Gives up what is under way.
    Back,
    /// Away from the wizard altogether. Gives up what is under way.
    Leave,
    /// *Sign in* on the second page.
    SignIn {
        /// User name.
        username: String,
        /// The account's password.
        password: SecretString,
    },
    /// *Sign in with Microsoft* on the second page.
    SignInWithMicrosoft,
    /// Open the browser once more.
    OpenBrowserAgain,
    /// No browser could be opened.
    BrowserFailed,
    /// The code out of the e-mail.
    GiveCode {
        /// As typed or pasted; white space in it is nothing.
        code: SecretString,
    },
    /// Send another code.
    SendCodeAgain,
    /// The password is forgotten.
    ForgotPassword,
    /// Let the PBX send its e-mail.
    AskForReset {
        /// Whose password.
        username: String,
    },
    /// The link out of the e-mail, pasted.
    GiveResetLink {
        /// The link, or the token alone.
        link: SecretString,
    },
    /// A new password.
    ChoosePassword {
        /// The old one, where it is asked for.
        old: Option<SecretString>,
        /// The new one.
        new: SecretString,
    },
    /// Look for a QR code; on any page, the wizard starts anew with it.
    Scan,
    /// A code was found.
    Scanned(SignInCode),
    /// Ask for a plain SIP account; on any page, the wizard starts anew with it.
    EnterSipAccount,
    /// A listener waits for the browser, as [`Action::Listen`] wanted it.
    Listening {
        /// Number of the listener.
        request: RequestId,
        /// Address on this machine's loopback; `None` where none could be bound.
        loopback: Option<CallbackUrl>,
        /// Address in the application's own scheme, where it has one.
        scheme: Option<CallbackUrl>,
    },
    /// The browser came back.
    Returned {
        /// Number of the listener.
        request: RequestId,
        /// What it brought.
        callback: Callback,
    },
    /// [`Wizard::next_deadline`](super::Wizard::next_deadline) has come.
    TimedOut,
    /// An answer from the server.
    Answer {
        /// Number of the question.
        request: RequestId,
        /// The answer.
        answer: Answer,
    },
}

/// What the wizard wants done.
#[derive(Debug)]
pub enum Action {
    /// Ask a server, once, and give the answer back as [`Input::Answer`]. Where no client can be made, use
    /// [`Question::failed`].
    Ask {
        /// Number to give back.
        request: RequestId,
        /// Whom to ask.
        server: ServerAddress,
        /// What to ask.
        question: Question,
    },
    /// Trust this certificate from now on. Comes before the question that it stopped.
    Trust(Pin),
    /// Sign out of a session that will not be used.
    EndSession {
        /// Where.
        server: ServerAddress,
        /// How it began.
        dialect: Dialect,
        /// Access token of the session.
        access: SecretString,
        /// Its refresh token, where it has one.
        refresh: Option<SecretString>,
    },
    /// Listen for the browser's way back, and say where with [`Input::Listening`].
    Listen {
        /// Number to give back.
        request: RequestId,
        /// What the browser is to bring.
        purpose: Purpose,
        /// For how long.
        limit: Duration,
    },
    /// The browser is no longer waited for.
    StopListening {
        /// Number of the listener.
        request: RequestId,
    },
    /// Open the system's browser; where there is none, say so with [`Input::BrowserFailed`].
    OpenBrowser {
        /// At this address.
        url: Url,
    },
    /// Signed in: begin a [`Session`](crate::Session) and register.
    Finish(Box<SignedIn>),
    /// A code brought an account that registers without a session.
    FinishPlain(Box<PlainAccount>),
}
