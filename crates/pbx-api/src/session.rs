use secrecy::SecretString;

use crate::json::Object;
use crate::request::{Field, JSON_LIMIT};
use crate::{ApiError, Client, Tokens};

/// Which family of sign-in operations a server speaks. A session is renewed and ended the way it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `/auth/*`, since 22.2.
    Auth,
    /// `/login/oauth/*`, before it.
    OAuth,
    /// `POST /login` and `GET /login`, older still: nothing to renew the access token with.
    Cookie,
    /// An access token out of a profile file: nothing to renew it with, ended by `/auth/sign_out`.
    Token,
}

impl Client {
    /// `POST /auth/refresh_token` or `/login/oauth/token`: the refresh token for a new pair. The old pair is
    /// void afterwards; where the answer holds no refresh token, the old one stays good.
    ///
    /// # Errors
    /// [`ApiError::Refused`] (documented: 400 `UNKNOWN`) or [`ApiError::Unauthorized`] for a refresh token that
    /// is not accepted; [`ApiError::Unauthorized`] without asking where the dialect has none.
    pub async fn refresh(&self, dialect: Dialect, refresh: &SecretString) -> Result<Tokens, ApiError> {
        match dialect {
            Dialect::Auth => {
                let fields = [("refresh_token", Field::Secret(refresh))];
                let request = self.post(self.url("auth/refresh_token")).json(&fields)?;
                let answer = request.answer(JSON_LIMIT).await?;
                Tokens::read(&mut Object::parse("refresh_token", &answer.bytes)?)
            }
            Dialect::OAuth => self.refresh_oauth(refresh).await,
            Dialect::Cookie | Dialect::Token => Err(ApiError::Unauthorized),
        }
    }

    /// `POST /auth/sign_out`, `/login/oauth/revoke` or `/logout`: ends the session.
    ///
    /// # Errors
    /// [`ApiError::Unauthorized`] where it had ended already.
    pub async fn sign_out(
        &self,
        dialect: Dialect,
        access: &SecretString,
        refresh: Option<&SecretString>,
    ) -> Result<(), ApiError> {
        match dialect {
            Dialect::Auth | Dialect::Token => {
                self.post(self.url("auth/sign_out")).bearer(access)?.answer(JSON_LIMIT).await.map(drop)
            }
            Dialect::OAuth => self.revoke(access, refresh).await,
            Dialect::Cookie => {
                self.post(self.url("logout")).bearer(access)?.answer(JSON_LIMIT).await.map(drop)
            }
        }
    }
}
