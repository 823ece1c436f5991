use pbx_api::{ApiError, AuthUser, Blob, Client, Info, SignInAnswer, SipDomain, User};
use secrecy::SecretString;

/// What the wizard wants to know of a server. Each is one request.
#[derive(Debug, Clone)]
pub enum Question {
    /// Who is behind this domain?
    Info {
        /// SIP domain of the tenant.
        domain: SipDomain,
    },
    /// Are these the right credentials?
    SignIn {
        /// SIP domain of the tenant.
        domain: SipDomain,
        /// User name.
        username: String,
        /// The account's password.
        password: SecretString,
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
        /// Access token.
        access: SecretString,
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
        Question::SignIn { domain, username, password } => {
            Answer::SignIn(client.sign_in(&domain, &username, &password).await)
        }
        Question::AuthUser { access } => Answer::AuthUser(client.auth_user(&access).await),
        Question::User { access } => Answer::User(client.user(&access).await.map(Box::new)),
        Question::Profile { reference, access } => {
            Answer::Profile(client.blob(&reference, Some(&access)).await)
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
            Self::AuthUser { .. } => Answer::AuthUser(Err(error)),
            Self::User { .. } => Answer::User(Err(error)),
            Self::Profile { .. } => Answer::Profile(Err(error)),
            Self::Picture { .. } => Answer::Picture(Err(error)),
        }
    }
}
