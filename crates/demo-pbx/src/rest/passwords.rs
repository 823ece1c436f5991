//! Passwords of users: forgotten, reset, changed, and the rules for them.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::rejection::{FormRejection, JsonRejection};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Form, Json};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::auth::Bearer;
use super::errors::Refusal;
use super::page::{escape, page, say};
use crate::callback::callback;
use crate::pbx::Shared;
use crate::policy::PasswordPolicy;
use crate::requests::lock;

#[derive(Deserialize)]
pub(super) struct Forget {
    domain: String,
    username: String,
    callback_url: String,
}

#[derive(Deserialize)]
pub(super) struct Reset {
    token: SecretString,
    new_password: SecretString,
}

#[derive(Deserialize)]
pub(super) struct Change {
    old_password: SecretString,
    new_password: SecretString,
}

#[derive(Deserialize)]
pub(super) struct Link {
    #[serde(default)]
    token: String,
}

/// `GET /tenant/password_policy`, also for those who have to change theirs.
pub(super) async fn policy(State(shared): State<Arc<Shared>>, _: Bearer) -> Json<PasswordPolicy> {
    Json(shared.config.policy.clone())
}

/// `POST /auth/forget_password`. Whether there is such a user is not told.
pub(super) async fn forget(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<Forget>, JsonRejection>,
) -> Result<StatusCode, Refusal> {
    let Json(asked) = body?;
    if !(1..=280).contains(&asked.domain.chars().count()) {
        return Err(Refusal::field("domain"));
    }
    if !(1..=64).contains(&asked.username.chars().count()) {
        return Err(Refusal::field("username"));
    }
    let mut link = callback(&asked.callback_url, shared.manner().refuse_loopback)
        .ok_or_else(|| Refusal::field("callback_url"))?;
    let user = shared.tenant.by_username(&asked.username);
    if let Some(user) = user.filter(|_| shared.tenant.is_domain(&asked.domain)) {
        let token = lock(&shared.resets).issue(user.id.clone(), Instant::now());
        link.query_pairs_mut().append_pair("token", &token);
        let portal = format!("{}/demo/reset?token={token}", shared.origin());
        lock(&shared.outbox).reset(&user.email, link.as_str(), &portal);
    }
    Ok(StatusCode::OK)
}

/// `POST /auth/reset_password`.
pub(super) async fn reset(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<Reset>, JsonRejection>,
) -> Result<StatusCode, Refusal> {
    let Json(asked) = body?;
    set_by_token(&shared, asked)?;
    Ok(StatusCode::OK)
}

/// Sets the password; the token is used up by that, not by a password that breaks a rule.
fn set_by_token(shared: &Shared, asked: Reset) -> Result<(), Refusal> {
    let mut resets = lock(&shared.resets);
    let (token, now) = (asked.token.expose_secret(), Instant::now());
    let user = resets.get(token, now).and_then(|id| shared.tenant.by_id(id)).ok_or_else(Refusal::token)?;
    shared.config.policy.check(asked.new_password.expose_secret(), user).map_err(Refusal::field)?;
    resets.take(token, now);
    lock(&shared.accounts).set_password(user, asked.new_password);
    Ok(())
}

/// `POST /user/password`.
pub(super) async fn change(
    State(shared): State<Arc<Shared>>,
    bearer: Bearer,
    body: Result<Json<Change>, JsonRejection>,
) -> Result<StatusCode, Refusal> {
    let Json(asked) = body?;
    let (old, new) = (asked.old_password.expose_secret(), asked.new_password.expose_secret());
    let mut accounts = lock(&shared.accounts);
    if !accounts.is_password(&bearer.user, old) {
        return Err(Refusal::sign_in());
    }
    shared.config.policy.check(new, &bearer.user).map_err(Refusal::field)?;
    if old == new {
        return Err(Refusal::field("new_password"));
    }
    accounts.set_password(&bearer.user, asked.new_password);
    Ok(StatusCode::OK)
}

/// The link of the e-mail as a page of the PBX's own.
pub(super) async fn show_reset(State(shared): State<Arc<Shared>>, Query(link): Query<Link>) -> Response {
    if lock(&shared.resets).get(&link.token, Instant::now()).is_none() {
        return over();
    }
    form(&link.token, None)
}

/// Its form, sent.
pub(super) async fn submit_reset(
    State(shared): State<Arc<Shared>>,
    body: Result<Form<Reset>, FormRejection>,
) -> Response {
    let Ok(Form(asked)) = body else { return over() };
    let token = asked.token.clone();
    match set_by_token(&shared, asked) {
        Ok(()) => say(StatusCode::OK, "Your password is set", "Go back to the phone and sign in with it."),
        Err(refusal) => match refusal.detail() {
            Some(rule) => form(token.expose_secret(), Some(rule)),
            None => over(),
        },
    }
}

fn over() -> Response {
    say(StatusCode::BAD_REQUEST, "This link is no longer good", "Ask the phone for a new one.")
}

fn form(token: &str, broken: Option<&str>) -> Response {
    let said = match broken {
        Some(rule) => {
            format!("<p class=\"bad\" data-testid=\"bad\">It breaks the rule {}.</p>", escape(rule))
        }
        None => "<p>At least six characters: letters, digits and a sign.</p>".into(),
    };
    let body = format!(
        "<main><span class=\"label\">Demo PBX</span><h1>Set a new password</h1>{said}\
         <form method=\"post\" action=\"/demo/reset\"><input type=\"hidden\" name=\"token\" value=\"{}\">\
         <label for=\"password\">New password</label><input id=\"password\" data-testid=\"reset-password\" \
         name=\"new_password\" type=\"password\" autocomplete=\"new-password\" required autofocus>\
         <div class=\"row\"><button class=\"primary\" id=\"set\" data-testid=\"reset-set\">Set password</button></div>\
         </form></main>",
        escape(token)
    );
    let status = if broken.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    page(status, "Set a new password", "", &body)
}
