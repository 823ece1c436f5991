//! `/auth/*`: from a password to tokens, and back out.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::Refusal;
use crate::pbx::Shared;
use crate::requests::lock;
use crate::session::Tokens;
use crate::tenant::{User, Way};

#[derive(Deserialize)]
pub(super) struct SignIn {
    username: String,
    password: SecretString,
    domain: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Refresh {
    refresh_token: SecretString,
}

/// The user behind the request's access token, with that token.
pub(super) struct Bearer {
    pub user: User,
    pub access: String,
}

impl FromRequestParts<Arc<Shared>> for Bearer {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Refusal> {
        let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let (scheme, access) = header.and_then(|h| h.split_once(' ')).ok_or_else(Refusal::bearer)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Refusal::bearer());
        }
        let sessions = lock(&shared.sessions);
        let user = sessions.user(access, Instant::now()).and_then(|id| shared.tenant.by_id(id));
        let user = user.ok_or_else(Refusal::bearer)?.clone();
        Ok(Self { user, access: access.into() })
    }
}

/// The same, if nothing has to be done before.
pub(super) struct SignedIn {
    pub user: User,
}

impl FromRequestParts<Arc<Shared>> for SignedIn {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Refusal> {
        let Bearer { user, .. } = Bearer::from_request_parts(parts, shared).await?;
        if lock(&shared.accounts).must_change(&user) {
            return Err(Refusal::change_password());
        }
        Ok(Self { user })
    }
}

pub(super) async fn sign_in(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<SignIn>, JsonRejection>,
) -> Result<Json<Value>, Refusal> {
    let Json(asked) = body?;
    if !(1..=64).contains(&asked.username.chars().count()) {
        return Err(Refusal::field("username"));
    }
    let password = asked.password.expose_secret();
    let user = shared.authenticate(asked.domain.as_deref(), &asked.username, password);
    let user = user.ok_or_else(Refusal::sign_in)?;
    if user.way == Way::SecondFactor {
        let token = lock(&shared.second_factor).begin(&user.id, Instant::now());
        return Ok(Json(json!({ "two_factor_enabled": true, "token": token })));
    }
    Ok(Json(open(&shared, &user.id)))
}

pub(super) async fn refresh_token(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<Refresh>, JsonRejection>,
) -> Result<Json<Value>, Refusal> {
    let Json(asked) = body?;
    let tokens = lock(&shared.sessions).refresh(asked.refresh_token.expose_secret(), Instant::now());
    Ok(Json(picture(&tokens.ok_or_else(Refusal::refresh)?)))
}

pub(super) async fn sign_out(State(shared): State<Arc<Shared>>, bearer: Bearer) -> StatusCode {
    lock(&shared.sessions).close(&bearer.access, Instant::now());
    StatusCode::OK
}

pub(super) async fn user(State(shared): State<Arc<Shared>>, signed_in: Bearer) -> Json<Value> {
    let must_change = lock(&shared.accounts).must_change(&signed_in.user);
    Json(json!({ "role": "StandardUser", "password_verified": true, "password_force_reset": must_change }))
}

/// Opens a session and gives its four token fields.
pub(super) fn open(shared: &Shared, user: &str) -> Value {
    picture(&lock(&shared.sessions).open(user, Instant::now()))
}

/// The four token fields.
pub(super) fn picture(tokens: &Tokens) -> Value {
    json!({
        "token_type": "Bearer",
        "access_token": tokens.access,
        "refresh_token": tokens.refresh,
        "expires_in": tokens.expires_in.as_secs(),
    })
}
