use std::time::Duration;

use secrecy::SecretString;

use crate::ApiError;
use crate::json::Object;

/// Longest lifetime believed, so that no sum with it can overflow.
const LONGEST_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Access and refresh token of a session (`POST /auth/sign_in`, `/auth/refresh_token`, `/login/oauth/token`).
/// Both are opaque, and both are replaced at each refresh.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Sent as bearer with each request.
    pub access: SecretString,
    /// Swapped for a new pair. Older servers have none; a refresh whose answer holds none leaves the old one in
    /// use.
    pub refresh: Option<SecretString>,
    /// How long the access token lives from now; [`Duration::MAX`] where the server does not say.
    pub expires_in: Duration,
    /// `Bearer`, as far as documented.
    pub token_type: Option<String>,
}

impl Tokens {
    pub(crate) fn read(answer: &mut Object) -> Result<Self, ApiError> {
        let lifetime =
            answer.number("expires_in")?.map(|seconds| Duration::from_secs(seconds).min(LONGEST_LIFETIME));
        Ok(Self {
            access: answer.need_secret("access_token")?,
            refresh: answer.secret("refresh_token")?,
            expires_in: lifetime.unwrap_or(Duration::MAX),
            token_type: answer.text("token_type")?,
        })
    }

    /// Gives the access token another lifetime.
    pub(crate) fn limit(&mut self, lifetime: Duration) {
        self.expires_in = lifetime.min(LONGEST_LIFETIME);
    }
}
