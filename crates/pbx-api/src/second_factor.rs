use secrecy::SecretString;

use crate::json::Object;
use crate::request::{Field, JSON_LIMIT};
use crate::{ApiError, Client, Tokens};

impl Client {
    /// `POST /auth/send_otp`: has a code e-mailed for a half-done sign-in.
    ///
    /// # Errors
    /// [`ApiError::Refused`] or [`ApiError::Unauthorized`] where the token is not, or no longer, accepted.
    pub async fn send_code(&self, token: &SecretString) -> Result<(), ApiError> {
        let fields = [("token", Field::Secret(token))];
        self.post(self.url("auth/send_otp")).json(&fields)?.answer(JSON_LIMIT).await.map(drop)
    }

    /// `POST /auth/verify_otp`: the e-mailed code for tokens. What a right code is answered with is documented
    /// nowhere: token fields in the body are taken, and so is a cookie session as `POST /login` opens it;
    /// `None` where there is neither. The code is sent exactly once.
    ///
    /// # Errors
    /// [`ApiError::WrongCredentials`] for a code that is refused; [`ApiError::NotUnderstood`] where the body is of
    /// another kind and no cookie opens a session.
    pub async fn verify_code(
        &self,
        token: &SecretString,
        code: &SecretString,
    ) -> Result<Option<Tokens>, ApiError> {
        let fields = [("token", Field::Secret(token)), ("code", Field::Secret(code))];
        let answer = self.post(self.url("auth/verify_otp")).json(&fields)?.answer(JSON_LIMIT).await;
        let answer = answer.map_err(code_refused)?;
        let told = read(&answer.bytes);
        if let Ok(Some(_)) = &told {
            return told;
        }
        // Only a guess: whatever comes of it, the code was right.
        match self.cookie_session(&answer).await {
            Ok(Some(tokens)) => Ok(Some(tokens)),
            Ok(None) => told,
            Err(error) => {
                tracing::info!(%error, "the cookies after the second factor open no session");
                told
            }
        }
    }
}

/// Every plain refusal means the code: no status or error code of its own is documented for it.
fn code_refused(error: ApiError) -> ApiError {
    match error {
        ApiError::Unauthorized | ApiError::Refused { status: 400 | 403 | 422, .. } => {
            ApiError::WrongCredentials
        }
        other => other,
    }
}

/// The token fields, where the body has any.
pub(crate) fn read(bytes: &[u8]) -> Result<Option<Tokens>, ApiError> {
    if bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    let mut answer = Object::parse("verify_otp", bytes)?;
    if answer.has("access_token") { Tokens::read(&mut answer).map(Some) } else { Ok(None) }
}
