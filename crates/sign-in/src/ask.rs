use std::fmt;

use pbx_api::{
    ApiError, AuthUser, Blob, Client, Dialect, Info, PasswordPolicy, SignInAnswer, SipDomain, Tokens, User,
};
use secrecy::SecretString;
use url::Url;

/// Where a browser shall come back to. It holds a nonce, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct CallbackUrl(Url);

impl From<Url> for CallbackUrl {
    fn from(url: Url) -> Self {
        Self(url)
    }
}

impl fmt::Debug for CallbackUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallbackUrl({}:..)", self.0.scheme())
    }
}

/// What the wizard wants to know of a server. Each is one request, the older [`Dialect::Cookie`] apart, which
/// needs two to sign in.
#[derive(Debug, Clone)]
pub enum Question {
    /// Who is behind this domain?
    Info {
        /// SIP domain of the tenant.
        domain: SipDomain,
    },
    /// Are these the right credentials?
    SignIn {
        /// In which dialect to ask.
        dialect: Dialect,
        /// SIP domain of the tenant.
        domain: SipDomain,
        /// User name.
        username: String,
        /// The account's password.
        password: SecretString,
    },
    /// Send a code by e-mail.
    SendCode {
        /// Token of the half-done sign-in.
        token: SecretString,
    },
    /// Is this the right code?
    VerifyCode {
        /// Token of the half-done sign-in.
        token: SecretString,
        /// The code.
        code: SecretString,
    },
    /// Where does one sign in with Microsoft 365?
    Microsoft {
        /// Ask as PBXs before 22.2 understand it.
        older: bool,
        /// SIP domain of the tenant.
        domain: SipDomain,
        /// Where the browser shall come back to.
        callback: CallbackUrl,
    },
    /// Which tokens does the browser's code stand for?
    ExchangeCode {
        /// The code.
        code: SecretString,
        /// Where the browser came back to.
        callback: CallbackUrl,
    },
    /// Send a link to a new password by e-mail.
    ForgetPassword {
        /// SIP domain of the tenant.
        domain: SipDomain,
        /// Whose password.
        username: String,
        /// Where the link shall come back to.
        callback: CallbackUrl,
    },
    /// Set a new password with the link's token.
    ResetPassword {
        /// Token out of the link.
        token: SecretString,
        /// The new password.
        new: SecretString,
    },
    /// Set a new password with the old one.
    ChangePassword {
        /// Access token.
        access: SecretString,
        /// The old password.
        old: SecretString,
        /// The new password.
        new: SecretString,
    },
    /// What must a password be like?
    PasswordPolicy {
        /// Access token, where there is one.
        access: Option<SecretString>,
    },
    /// Must the user change the password first?
    AuthUser {
        /// Access token.
        access: SecretString,
    },
    /// Which extension is the user's?
    User {
        /// Access token.
        access: SecretString,
    },
    /// The user's profile file.
    Profile {
        /// Its reference.
        reference: String,
        /// Access token; a QR code's file is given out without one.
        access: Option<SecretString>,
    },
    /// The tenant's picture.
    Picture {
        /// Its reference.
        reference: String,
    },
}

/// What came back: the variant of the [`Question`] asked.
#[derive(Debug)]
pub enum Answer {
    /// To [`Question::Info`].
    Info(Result<Info, ApiError>),
    /// To [`Question::SignIn`].
    SignIn(Result<SignInAnswer, ApiError>),
    /// To [`Question::SendCode`].
    SendCode(Result<(), ApiError>),
    /// To [`Question::VerifyCode`]; `None` where the PBX agreed and sent no tokens.
    VerifyCode(Result<Option<Tokens>, ApiError>),
    /// To [`Question::Microsoft`]: the address for the browser.
    Microsoft(Result<Url, ApiError>),
    /// To [`Question::ExchangeCode`].
    ExchangeCode(Result<Tokens, ApiError>),
    /// To [`Question::ForgetPassword`].
    ForgetPassword(Result<(), ApiError>),
    /// To [`Question::ResetPassword`].
    ResetPassword(Result<(), ApiError>),
    /// To [`Question::ChangePassword`].
    ChangePassword(Result<(), ApiError>),
    /// To [`Question::PasswordPolicy`].
    PasswordPolicy(Result<PasswordPolicy, ApiError>),
    /// To [`Question::AuthUser`].
    AuthUser(Result<AuthUser, ApiError>),
    /// To [`Question::User`].
    User(Result<Box<User>, ApiError>),
    /// To [`Question::Profile`].
    Profile(Result<Blob, ApiError>),
    /// To [`Question::Picture`].
    Picture(Result<Blob, ApiError>),
}

/// Asks one question of a server, once.
pub async fn ask(client: &Client, question: Question) -> Answer {
    match question {
        Question::Info { domain } => Answer::Info(client.info(Some(&domain)).await),
        Question::SignIn { dialect, domain, username, password } => Answer::SignIn(match dialect {
            Dialect::Auth | Dialect::Token => client.sign_in(&domain, &username, &password).await,
            Dialect::OAuth => {
                client.sign_in_oauth(&domain, &username, &password).await.map(SignInAnswer::Tokens)
            }
            Dialect::Cookie => {
                client.sign_in_cookie(&domain, &username, &password).await.map(SignInAnswer::Tokens)
            }
        }),
        Question::SendCode { token } => Answer::SendCode(client.send_code(&token).await),
        Question::VerifyCode { token, code } => Answer::VerifyCode(client.verify_code(&token, &code).await),
        Question::Microsoft { older, domain, callback } => Answer::Microsoft(match older {
            false => client.microsoft(&domain, &callback.0).await,
            true => client.microsoft_older(&domain, &callback.0).await,
        }),
        Question::ExchangeCode { code, callback } => {
            Answer::ExchangeCode(client.exchange_code(&code, &callback.0).await)
        }
        Question::ForgetPassword { domain, username, callback } => {
            Answer::ForgetPassword(client.forget_password(&domain, &username, &callback.0).await)
        }
        Question::ResetPassword { token, new } => {
            Answer::ResetPassword(client.reset_password(&token, &new).await)
        }
        Question::ChangePassword { access, old, new } => {
            Answer::ChangePassword(client.change_password(&access, &old, &new).await)
        }
        Question::PasswordPolicy { access } => {
            Answer::PasswordPolicy(client.password_policy(access.as_ref()).await)
        }
        Question::AuthUser { access } => Answer::AuthUser(client.auth_user(&access).await),
        Question::User { access } => Answer::User(client.user(&access).await.map(Box::new)),
        Question::Profile { reference, access } => {
            Answer::Profile(client.blob(&reference, access.as_ref()).await)
        }
        Question::Picture { reference } => Answer::Picture(client.blob(&reference, None).await),
    }
}

impl Question {
    /// The answer to this question where no client could be made for its server.
    pub fn failed(&self, error: ApiError) -> Answer {
        match self {
            Self::Info { .. } => Answer::Info(Err(error)),
            Self::SignIn { .. } => Answer::SignIn(Err(error)),
            Self::SendCode { .. } => Answer::SendCode(Err(error)),
            Self::VerifyCode { .. } => Answer::VerifyCode(Err(error)),
            Self::Microsoft { .. } => Answer::Microsoft(Err(error)),
            Self::ExchangeCode { .. } => Answer::ExchangeCode(Err(error)),
            Self::ForgetPassword { .. } => Answer::ForgetPassword(Err(error)),
            Self::ResetPassword { .. } => Answer::ResetPassword(Err(error)),
            Self::ChangePassword { .. } => Answer::ChangePassword(Err(error)),
            Self::PasswordPolicy { .. } => Answer::PasswordPolicy(Err(error)),
            Self::AuthUser { .. } => Answer::AuthUser(Err(error)),
            Self::User { .. } => Answer::User(Err(error)),
            Self::Profile { .. } => Answer::Profile(Err(error)),
            Self::Picture { .. } => Answer::Picture(Err(error)),
        }
    }

    /// The resource it asks for.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Info { .. } => "info",
            Self::SignIn { dialect: Dialect::OAuth, .. } => "login/oauth/token",
            Self::SignIn { dialect: Dialect::Cookie, .. } => "login",
            Self::SignIn { .. } => "sign_in",
            Self::SendCode { .. } => "send_otp",
            Self::VerifyCode { .. } => "verify_otp",
            Self::Microsoft { older: false, .. } => "sign_in/microsoft",
            Self::Microsoft { older: true, .. } => "login/by_microsoft",
            Self::ExchangeCode { .. } => "login/oauth/token with a code",
            Self::ForgetPassword { .. } => "forget_password",
            Self::ResetPassword { .. } => "reset_password",
            Self::ChangePassword { .. } => "user/password",
            Self::PasswordPolicy { .. } => "password_policy",
            Self::AuthUser { .. } => "auth/user",
            Self::User { .. } => "user",
            Self::Profile { .. } | Self::Picture { .. } => "blobs",
        }
    }

    /// The dialect of a session that the answer may bring.
    pub(crate) fn may_begin(&self) -> Option<Dialect> {
        match self {
            Self::SignIn { dialect, .. } => Some(*dialect),
            Self::VerifyCode { .. } => Some(Dialect::Auth),
            Self::ExchangeCode { .. } => Some(Dialect::OAuth),
            _ => None,
        }
    }
}

impl Answer {
    /// Why there is none.
    pub(crate) fn error(&self) -> Option<&ApiError> {
        match self {
            Self::Info(answer) => answer.as_ref().err(),
            Self::SignIn(answer) => answer.as_ref().err(),
            Self::VerifyCode(answer) => answer.as_ref().err(),
            Self::Microsoft(answer) => answer.as_ref().err(),
            Self::ExchangeCode(answer) => answer.as_ref().err(),
            Self::SendCode(answer)
            | Self::ForgetPassword(answer)
            | Self::ResetPassword(answer)
            | Self::ChangePassword(answer) => answer.as_ref().err(),
            Self::PasswordPolicy(answer) => answer.as_ref().err(),
            Self::AuthUser(answer) => answer.as_ref().err(),
            Self::User(answer) => answer.as_ref().err(),
            Self::Profile(answer) | Self::Picture(answer) => answer.as_ref().err(),
        }
    }

    /// The session it brings.
    pub(crate) fn into_tokens(self) -> Option<Tokens> {
        match self {
            Self::SignIn(Ok(SignInAnswer::Tokens(tokens)))
            | Self::VerifyCode(Ok(Some(tokens)))
            | Self::ExchangeCode(Ok(tokens)) => Some(tokens),
            _ => None,
        }
    }
}
