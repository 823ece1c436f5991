use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::client::JSON_LIMIT;
use crate::json::Object;
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

#[derive(Serialize)]
struct Credentials<'a> {
    username: &'a str,
    password: &'a str,
    domain: &'a str,
}

#[derive(Serialize)]
struct Refresh<'a> {
    refresh_token: &'a str,
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
        let password = password.expose_secret();
        let body = Credentials { username, password, domain: domain.as_str() };
        let answer = self.post(self.url("auth/sign_in"), None, Some(&body)).await;
        let answer = answer.map_err(|error| credentials_refused(error, password))?;
        read_sign_in(&answer.bytes)
    }

    /// `POST /auth/refresh_token`: the refresh token for a new pair. The old pair is void afterwards.
    ///
    /// # Errors
    /// [`ApiError::Refused`] (documented: 400 `UNKNOWN`) or [`ApiError::Unauthorized`] for a refresh token that
    /// is not accepted.
    pub async fn refresh(&self, refresh: &SecretString) -> Result<Tokens, ApiError> {
        let body = Refresh { refresh_token: refresh.expose_secret() };
        let answer = self.post(self.url("auth/refresh_token"), None, Some(&body)).await?;
        Tokens::read(&mut Object::parse("refresh_token", &answer.bytes)?)
    }

    /// `POST /auth/sign_out`: ends the session.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`] where it had ended already.
    pub async fn sign_out(&self, access: &SecretString) -> Result<(), ApiError> {
        self.post(self.url("auth/sign_out"), Some(access), None::<&()>).await.map(drop)
    }

    /// `GET /auth/user`: role and password state.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`] where the access token is not accepted.
    pub async fn auth_user(&self, access: &SecretString) -> Result<AuthUser, ApiError> {
        let answer = self.get(self.url("auth/user"), Some(access), JSON_LIMIT).await?;
        let mut answer = Object::parse("auth/user", &answer.bytes)?;
        Ok(AuthUser {
            role: answer.text("role")?,
            password_force_reset: answer.flag("password_force_reset")?.unwrap_or(false),
            domain: answer.text("domain")?.and_then(|domain| domain.parse().ok()),
        })
    }
}

fn read_sign_in(bytes: &[u8]) -> Result<SignInAnswer, ApiError> {
    let mut answer = Object::parse("sign_in", bytes)?;
    if answer.flag("two_factor_enabled")?.unwrap_or(false) {
        return Ok(SignInAnswer::SecondFactor { token: answer.need_secret("token")? });
    }
    Tokens::read(&mut answer).map(SignInAnswer::Tokens)
}

fn credentials_refused(error: ApiError, password: &str) -> ApiError {
    match error {
        ApiError::Unauthorized | ApiError::Refused { code: Some(ErrorCode::Unauthorized), .. } => {
            ApiError::WrongCredentials
        }
        // A server that quotes the password in its complaint must not get it into our logs.
        ApiError::Refused { status, code, message } if !password.is_empty() => {
            ApiError::Refused { status, code, message: message.filter(|text| !text.contains(password)) }
        }
        other => other,
    }
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
        assert_eq!(tokens.refresh.expose_secret(), "r");
        let body = br#"{"two_factor_enabled":true,"token":"t"}"#;
        assert!(matches!(read_sign_in(body).unwrap(), SignInAnswer::SecondFactor { .. }));
        let body = br#"{"two_factor_enabled":false,"access_token":"a","refresh_token":"r"}"#;
        assert!(matches!(read_sign_in(body).unwrap(), SignInAnswer::Tokens(_)));
    }

    #[test]
    fn half_an_answer_is_none() {
        for body in [
            r#"{"access_token":"sesame"}"#,
            r#"{"access_token":"sesame","refresh_token":null}"#,
            r#"{"access_token":"sesame","refresh_token":""}"#,
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
