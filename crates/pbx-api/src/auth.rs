use secrecy::SecretString;

use crate::json::Object;
use crate::request::{Field, JSON_LIMIT};
use crate::{ApiError, Client, ErrorCode, SipDomain, Tokens};

/// What the PBX answers to a right password.
#[derive(Debug, Clone)]
pub enum SignInAnswer {
    /// Signed in.
    Tokens(Tokens),
    /// A code must be given first.
    SecondFactor {
        /// Token of this half-done sign-in.
        token: SecretString,
    },
}

/// State of the signed-in user's password (`GET /auth/user`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthUser {
    /// Role of the user.
    pub role: Option<String>,
    /// The user must choose a new password before anything else.
    pub password_force_reset: bool,
    /// SIP domain (since 22.3).
    pub domain: Option<SipDomain>,
}

impl Client {
    /// `POST /auth/sign_in`: user name and password for tokens. Exactly one request is made: failed tries
    /// block the whole address.
    ///
    /// # Errors
    /// [`ApiError::WrongCredentials`] for HTTP 400 `UNAUTHORIZED` and for 401;
    /// [`ApiError::NotFound`] from a PBX older than 22.2.
    pub async fn sign_in(
        &self,
        domain: &SipDomain,
        username: &str,
        password: &SecretString,
    ) -> Result<SignInAnswer, ApiError> {
        let fields = credentials(domain, username, password);
        let answer = self.post(self.url("auth/sign_in")).json(&fields)?.answer(JSON_LIMIT).await;
        read_sign_in(&answer.map_err(wrong_credentials)?.bytes)
    }

    /// `GET /auth/user`: role and password state.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`] where the access token is not accepted.
    pub async fn auth_user(&self, access: &SecretString) -> Result<AuthUser, ApiError> {
        let answer = self.get(self.url("auth/user")).bearer(access)?.answer(JSON_LIMIT).await?;
        read_user(&answer.bytes)
    }
}

/// The fields by which a user signs in.
pub(crate) fn credentials<'a>(
    domain: &'a SipDomain,
    username: &'a str,
    password: &'a SecretString,
) -> [(&'static str, Field<'a>); 3] {
    [
        ("username", Field::Plain(username)),
        ("password", Field::Secret(password)),
        ("domain", Field::Plain(domain.as_str())),
    ]
}

/// What the refusal of a request means whose only proof is a user name and a password.
pub(crate) fn wrong_credentials(error: ApiError) -> ApiError {
    match error {
        // A refusal in the PBX's own words is one, whatever its status: the same password must not be sent again.
        ApiError::Unauthorized
        | ApiError::Refused { code: Some(ErrorCode::Unauthorized), .. }
        | ApiError::NotFound { code: Some(ErrorCode::Unauthorized), .. } => ApiError::WrongCredentials,
        other => other,
    }
}

pub(crate) fn read_sign_in(bytes: &[u8]) -> Result<SignInAnswer, ApiError> {
    let mut answer = Object::parse("sign_in", bytes)?;
    if answer.flag("two_factor_enabled")?.unwrap_or(false) {
        return Ok(SignInAnswer::SecondFactor { token: answer.need_secret("token")? });
    }
    Tokens::read(&mut answer).map(SignInAnswer::Tokens)
}

pub(crate) fn read_user(bytes: &[u8]) -> Result<AuthUser, ApiError> {
    let mut answer = Object::parse("auth/user", bytes)?;
    Ok(AuthUser {
        role: answer.text("role")?,
        password_force_reset: answer.flag("password_force_reset")?.unwrap_or(false),
        domain: answer.text("domain")?.and_then(|domain| domain.parse().ok()),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use secrecy::ExposeSecret;

    use super::{SignInAnswer, read_sign_in};
    use crate::ApiError;

    #[test]
    fn tokens_or_second_factor() {
        let body = br#"{"token_type":"Bearer","access_token":"a","refresh_token":"r","expires_in":3600}"#;
        let SignInAnswer::Tokens(tokens) = read_sign_in(body).unwrap() else { panic!("no tokens") };
        assert_eq!(tokens.expires_in, Duration::from_secs(3600));
        assert_eq!(tokens.refresh.unwrap().expose_secret(), "r");
        let body = br#"{"two_factor_enabled":true,"token":"t"}"#;
        assert!(matches!(read_sign_in(body).unwrap(), SignInAnswer::SecondFactor { .. }));
        let body = br#"{"two_factor_enabled":false,"access_token":"a","refresh_token":""}"#;
        let SignInAnswer::Tokens(tokens) = read_sign_in(body).unwrap() else { panic!("no tokens") };
        assert!(tokens.refresh.is_none());
    }

    #[test]
    fn half_an_answer_is_none() {
        for body in [
            r#"{"refresh_token":"sesame"}"#,
            r#"{"access_token":"","refresh_token":"sesame"}"#,
            r#"{"access_token":"sesame","refresh_token":7}"#,
            r#"{"access_token":"sesame","refresh_token":"r","expires_in":-1}"#,
            r#"{"access_token":["sesame"],"refresh_token":"r"}"#,
            r#"{"two_factor_enabled":true}"#,
        ] {
            let error = read_sign_in(body.as_bytes()).unwrap_err();
            assert!(
                matches!(&error, ApiError::NotUnderstood { what } if !what.contains("sesame")),
                "{error:?}"
            );
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let body = br#"{"access_token":"sesame","refresh_token":"sesame"}"#;
        assert!(!format!("{:?}", read_sign_in(body).unwrap()).contains("sesame"));
    }
}
