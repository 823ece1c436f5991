use secrecy::SecretString;
use url::Url;

use crate::auth::wrong_credentials;
use crate::json::Object;
use crate::request::{Field, JSON_LIMIT};
use crate::{ApiError, Client, SipDomain, Tokens};

/// The one client the API page of `/login/oauth/token` names for everybody. It is no secret.
const CLIENT_ID: Field<'_> = Field::Plain("9d806019-75b2-4b3d-bb8b-f5a3a412cc0a");

impl Client {
    /// `POST /login/oauth/token`, `grant_type=password`: user name and password for tokens, at a PBX older than
    /// 22.2. Exactly one request is made: failed tries block the whole address.
    ///
    /// # Errors
    /// [`ApiError::WrongCredentials`] for HTTP 400 `UNAUTHORIZED` or `invalid_grant` and for 401;
    /// [`ApiError::NotFound`] from a PBX that does not know it.
    pub async fn sign_in_oauth(
        &self,
        domain: &SipDomain,
        username: &str,
        password: &SecretString,
    ) -> Result<Tokens, ApiError> {
        let fields = [
            ("grant_type", Field::Plain("password")),
            ("username", Field::Plain(username)),
            ("domain", Field::Plain(domain.as_str())),
            ("password", Field::Secret(password)),
            ("scope", Field::Plain("all")),
            ("client_id", CLIENT_ID),
        ];
        self.grant(&fields).await.map_err(wrong_credentials)
    }

    /// `POST /login/oauth/token`, `grant_type=authorization_code` (RFC 6749, section 4.1.3): the code a browser
    /// came back with for tokens. The API page speaks of this flow but does not describe it.
    ///
    /// # Errors
    /// [`ApiError::Refused`] or [`ApiError::Unauthorized`] for a code that is not accepted;
    /// [`ApiError::NotFound`] from a PBX that does not know the operation.
    pub async fn exchange_code(&self, code: &SecretString, callback: &Url) -> Result<Tokens, ApiError> {
        let fields = [
            ("grant_type", Field::Plain("authorization_code")),
            ("code", Field::Secret(code)),
            ("redirect_uri", Field::Plain(callback.as_str())),
            ("client_id", CLIENT_ID),
        ];
        self.grant(&fields).await
    }

    /// `POST /login/oauth/token`, `grant_type=refresh_token`.
    pub(crate) async fn refresh_oauth(&self, refresh: &SecretString) -> Result<Tokens, ApiError> {
        let fields = [
            ("grant_type", Field::Plain("refresh_token")),
            ("refresh_token", Field::Secret(refresh)),
            ("client_id", CLIENT_ID),
        ];
        self.grant(&fields).await
    }

    /// `POST /login/oauth/revoke`: with the bearer alone, as the API page has it; a server that wants the token
    /// named in the body (RFC 7009, section 2.1) is given it.
    pub(crate) async fn revoke(
        &self,
        access: &SecretString,
        refresh: Option<&SecretString>,
    ) -> Result<(), ApiError> {
        let request = || self.post(self.url("login/oauth/revoke")).bearer(access);
        match request()?.answer(JSON_LIMIT).await {
            Err(ApiError::Refused { .. }) => {
                let fields = [("token", Field::Secret(refresh.unwrap_or(access))), ("client_id", CLIENT_ID)];
                request()?.form(&fields).answer(JSON_LIMIT).await.map(drop)
            }
            other => other.map(drop),
        }
    }

    async fn grant(&self, fields: &[(&str, Field<'_>)]) -> Result<Tokens, ApiError> {
        let answer = self.post(self.url("login/oauth/token")).form(fields).answer(JSON_LIMIT).await?;
        Tokens::read(&mut Object::parse("oauth/token", &answer.bytes)?)
    }
}
