//! `/login` and `/logout`: the sign-in of servers before 22.2.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use axum::extract::State;
use axum::extract::rejection::{FormRejection, JsonRejection};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::auth::{open, picture};
use super::errors::Refusal;
use crate::pbx::Shared;
use crate::requests::lock;
use crate::tenant::{User, Way};
use crate::timestamp::rfc3339;

const COOKIE: &str = "pbx_session";

#[derive(Deserialize)]
pub(super) struct Login {
    username: String,
    password: SecretString,
    domain: Option<String>,
}

/// Fields of every grant; which of them are needed depends on the first.
#[derive(Deserialize)]
pub(super) struct Grant {
    grant_type: String,
    client_id: Option<String>,
    username: Option<String>,
    password: Option<SecretString>,
    domain: Option<String>,
    refresh_token: Option<SecretString>,
    code: Option<SecretString>,
    redirect_uri: Option<String>,
}

/// A user whose password is enough.
fn user<'a>(
    shared: &'a Shared,
    domain: Option<&str>,
    username: &str,
    password: &SecretString,
) -> Result<&'a User, Refusal> {
    if !(1..=64).contains(&username.chars().count()) {
        return Err(Refusal::field("username"));
    }
    let user =
        shared.authenticate(domain, username, password.expose_secret()).ok_or_else(Refusal::sign_in)?;
    // These operations have no place for a code.
    if user.way == Way::SecondFactor && shared.manner().generation.has_second_factor() {
        return Err(Refusal::sign_in());
    }
    Ok(user)
}

/// `POST /login`: opens a cookie session.
pub(super) async fn login(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<Login>, JsonRejection>,
) -> Result<Response, Refusal> {
    let Json(asked) = body?;
    let user = user(&shared, asked.domain.as_deref(), &asked.username, &asked.password)?;
    Ok((StatusCode::OK, [(header::SET_COOKIE, cookie(&shared, &user.id))]).into_response())
}

/// Opens a cookie session and gives the `Set-Cookie` for it.
pub(super) fn cookie(shared: &Shared, user: &str) -> String {
    let token = lock(&shared.cookies).issue(user.into(), Instant::now());
    format!("{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Lax")
}

fn given(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// `GET /login`: an access token of the cookie session.
pub(super) async fn session(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let now = Instant::now();
    let user = given(&headers).and_then(|token| lock(&shared.cookies).get(token, now).cloned());
    let user = user.ok_or_else(Refusal::bearer)?;
    let mut sessions = lock(&shared.sessions);
    let (access, lifetime) = (sessions.issue_access(&user, now), sessions.lifetime());
    let ends = SystemTime::now().checked_add(lifetime).unwrap_or_else(SystemTime::now);
    Ok(Json(json!({
        "access_token": access,
        "expires_at": rfc3339(ends),
        "expires_in": lifetime.as_secs(),
        "role": "StandardUser",
    })))
}

/// `POST /logout`: ends the cookie session, the bearer's session, or both.
pub(super) async fn logout(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let now = Instant::now();
    let by_cookie = given(&headers).is_some_and(|token| lock(&shared.cookies).take(token, now).is_some());
    let line = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let access = line.and_then(|line| line.split_once(' ')).filter(|(s, _)| s.eq_ignore_ascii_case("bearer"));
    let by_bearer = access.is_some_and(|(_, access)| lock(&shared.sessions).close(access, now));
    if !by_cookie && !by_bearer {
        return Err(Refusal::bearer());
    }
    let gone = format!("{COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly");
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response())
}

/// `POST /login/oauth/token`.
pub(super) async fn grant(
    State(shared): State<Arc<Shared>>,
    body: Result<Form<Grant>, FormRejection>,
) -> Result<Json<Value>, Refusal> {
    let Form(asked) = body?;
    if asked.client_id.as_deref().unwrap_or_default().is_empty() {
        return Err(Refusal::field("client_id"));
    }
    let now = Instant::now();
    match asked.grant_type.as_str() {
        "password" => {
            let username = asked.username.ok_or_else(|| Refusal::field("username"))?;
            let password = asked.password.ok_or_else(|| Refusal::field("password"))?;
            let user = user(&shared, asked.domain.as_deref(), &username, &password)?;
            Ok(Json(open(&shared, &user.id)))
        }
        "refresh_token" => {
            let token = asked.refresh_token.ok_or_else(|| Refusal::field("refresh_token"))?;
            let tokens = lock(&shared.sessions).refresh(token.expose_secret(), now);
            Ok(Json(picture(&tokens.ok_or_else(Refusal::refresh)?)))
        }
        "authorization_code" => {
            let code = asked.code.ok_or_else(|| Refusal::field("code"))?;
            let callback = asked.redirect_uri.as_deref();
            let user = lock(&shared.microsoft).exchange(code.expose_secret(), callback, now);
            Ok(Json(open(&shared, &user.ok_or_else(Refusal::token)?)))
        }
        _ => Err(Refusal::field("grant_type")),
    }
}
