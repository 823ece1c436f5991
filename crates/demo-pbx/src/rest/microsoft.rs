//! Sign-in with Microsoft 365: the PBX's operations, the make-believe page that stands for Microsoft's own, and the
//! way back to whoever asked.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::rejection::{FormRejection, JsonRejection};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;
use url::form_urlencoded::Serializer;

use super::errors::Refusal;
use super::login;
use super::page::{escape, go_to, page, say};
use crate::callback::callback;
use crate::manner::{Generation, MicrosoftAnswer};
use crate::microsoft::Exchange;
use crate::pbx::Shared;
use crate::requests::lock;

#[derive(Deserialize)]
pub(super) struct Begin {
    domain: String,
    callback_url: String,
}

#[derive(Deserialize)]
pub(super) struct BeginByForm {
    domain: String,
    callback_url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    state: String,
}

#[derive(Deserialize)]
pub(super) struct Filled {
    #[serde(default)]
    state: String,
    #[serde(default)]
    email: String,
    password: Option<SecretString>,
    #[serde(default)]
    action: String,
}

#[derive(Deserialize)]
pub(super) struct Back {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
}

/// `POST /auth/sign_in/{provider}`.
pub(super) async fn begin(
    State(shared): State<Arc<Shared>>,
    Path(provider): Path<String>,
    body: Result<Json<Begin>, JsonRejection>,
) -> Result<Json<Value>, Refusal> {
    if provider != "microsoft" {
        return Err(Refusal::not_found("provider"));
    }
    let Json(asked) = body?;
    Ok(Json(json!({ "url": address(&shared, &asked.domain, Some(&asked.callback_url))? })))
}

/// `POST /login/by_microsoft`: a browser's form. It has no documented field for the way back; one is taken where
/// it is there.
pub(super) async fn begin_by_form(
    State(shared): State<Arc<Shared>>,
    body: Result<Form<BeginByForm>, FormRejection>,
) -> Result<Response, Refusal> {
    let Form(asked) = body?;
    let address = address(&shared, &asked.domain, asked.callback_url.as_deref())?;
    Ok((StatusCode::FOUND, [(header::LOCATION, address)]).into_response())
}

/// The address to open, shaped like Microsoft's.
fn address(shared: &Shared, domain: &str, wanted: Option<&str>) -> Result<String, Refusal> {
    let manner = shared.manner();
    if !(1..=280).contains(&domain.chars().count()) || !shared.tenant.is_domain(domain) {
        return Err(Refusal::field("domain"));
    }
    if !manner.microsoft {
        return Err(Refusal::not_enabled("Microsoft 365"));
    }
    let accepted =
        |text| callback(text, manner.refuse_loopback).ok_or_else(|| Refusal::field("callback_url"));
    let wanted = wanted.map(accepted).transpose()?;
    let state = lock(&shared.microsoft).flows.issue(wanted, Instant::now());
    let origin = shared.origin();
    let query = Serializer::new(String::new())
        .append_pair("client_id", "demo-pbx")
        .append_pair("response_type", "code")
        .append_pair("redirect_uri", &format!("{origin}/ms365/callback"))
        .append_pair("scope", "openid profile email")
        .append_pair("state", &state)
        .finish();
    Ok(format!("{origin}/demo/microsoft?{query}"))
}

/// The make-believe page.
pub(super) async fn show(State(shared): State<Arc<Shared>>, Query(asked): Query<Asked>) -> Response {
    if lock(&shared.microsoft).flows.get(&asked.state, Instant::now()).is_none() {
        return over();
    }
    form(StatusCode::OK, &asked.state, "", None)
}

/// Its form, sent.
pub(super) async fn submit(
    State(shared): State<Arc<Shared>>,
    body: Result<Form<Filled>, FormRejection>,
) -> Response {
    let Ok(Form(filled)) = body else { return over() };
    let now = Instant::now();
    if lock(&shared.microsoft).flows.get(&filled.state, now).is_none() {
        return over();
    }
    if filled.action == "deny" {
        return go_to(&format!("/ms365/callback?error=access_denied&state={}", encoded(&filled.state)));
    }
    let password = filled.password.unwrap_or_default();
    let user = shared.tenant.by_email(&filled.email);
    let user = user.filter(|user| lock(&shared.accounts).is_password(user, password.expose_secret()));
    let Some(user) = user else {
        let bad = "That account and password do not go together.";
        return form(StatusCode::BAD_REQUEST, &filled.state, &filled.email, Some(bad));
    };
    let code = lock(&shared.microsoft).codes.issue(user.id.clone(), now);
    go_to(&format!("/ms365/callback?code={code}&state={}", encoded(&filled.state)))
}

/// `GET /ms365/callback`: Microsoft sends the browser to the PBX, and the PBX to whoever asked.
pub(super) async fn come_back(State(shared): State<Arc<Shared>>, Query(back): Query<Back>) -> Response {
    let now = Instant::now();
    let (flow, user) = {
        let mut microsoft = lock(&shared.microsoft);
        let flow = microsoft.flows.take(&back.state, now);
        (flow, back.code.and_then(|code| microsoft.codes.take(&code, now)))
    };
    let Some(wanted) = flow else { return over() };
    match (wanted, user) {
        (Some(callback), Some(user)) => go_to(&with_answer(&shared, callback, &user)),
        (None, Some(user)) => {
            let cookie = [(header::SET_COOKIE, login::cookie(&shared, &user))];
            let said = say(StatusCode::OK, "You are signed in", "This PBX keeps the session in the browser.");
            (cookie, said).into_response()
        }
        (Some(callback), None) => {
            let error = if back.error.is_some() { DENIED } else { FAILED };
            go_to(&in_query(callback, &error.map(|(name, value)| (name, value.to_owned()))))
        }
        (None, None) => {
            say(StatusCode::FORBIDDEN, "You are not signed in", "Microsoft did not let you through.")
        }
    }
}

const DENIED: [(&str, &str); 2] =
    [("error", "access_denied"), ("error_description", "The user denied the request")];
const FAILED: [(&str, &str); 2] = [("error", "server_error"), ("error_description", "Sign-in did not work")];

/// The callback address with what it is to bring.
fn with_answer(shared: &Shared, callback: Url, user: &str) -> String {
    let now = Instant::now();
    let manner = shared.manner();
    let owned = |pairs: [(&'static str, &str); 2]| pairs.map(|(name, value)| (name, value.to_owned()));
    match manner.microsoft_answer {
        MicrosoftAnswer::Query => in_query(callback, &tokens(shared, user, manner.generation)),
        MicrosoftAnswer::Fragment => {
            let pairs = tokens(shared, user, manner.generation);
            let fragment = Serializer::new(String::new()).extend_pairs(pairs).finish();
            let mut callback = callback;
            callback.set_fragment(Some(&fragment));
            callback.into()
        }
        MicrosoftAnswer::SessionToken => {
            let token = lock(&shared.sessions).issue_access(user, now);
            in_query(callback, &[("token", token)])
        }
        MicrosoftAnswer::SecondFactor => {
            let token = lock(&shared.second_factor).begin(user, now);
            in_query(callback, &[("token", token), ("two_factor_enabled", "true".into())])
        }
        MicrosoftAnswer::Code => {
            let exchange = Exchange { user: user.into(), callback: callback.clone() };
            let code = lock(&shared.microsoft).exchanges.issue(exchange, now);
            in_query(callback, &[("code", code)])
        }
        MicrosoftAnswer::Denied => in_query(callback, &owned(DENIED)),
        MicrosoftAnswer::Error => in_query(callback, &owned(FAILED)),
    }
}

/// The token fields of a fresh session; the oldest servers have nothing to renew it by.
fn tokens(shared: &Shared, user: &str, generation: Generation) -> Vec<(&'static str, String)> {
    let tokens = lock(&shared.sessions).open(user, Instant::now());
    let mut fields = vec![
        ("access_token", tokens.access),
        ("token_type", "Bearer".into()),
        ("expires_in", tokens.expires_in.as_secs().to_string()),
    ];
    if generation != Generation::V21 {
        fields.push(("refresh_token", tokens.refresh));
    }
    fields
}

fn in_query(mut callback: Url, pairs: &[(&str, String)]) -> String {
    callback.query_pairs_mut().extend_pairs(pairs);
    callback.into()
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn over() -> Response {
    say(StatusCode::BAD_REQUEST, "This sign-in is over", "Begin it again in the phone.")
}

fn form(status: StatusCode, state: &str, email: &str, bad: Option<&str>) -> Response {
    let said = match bad {
        Some(bad) => format!("<p class=\"bad\" data-testid=\"ms-bad\">{}</p>", escape(bad)),
        None => "<p>Test Works asks for your name and e-mail address. Use any user of the demo PBX, \
                 for example erin@test.io.</p>"
            .into(),
    };
    let body = format!(
        "<main><span class=\"label\">Make-believe Microsoft</span><h1>Sign in</h1>{said}\
         <form method=\"post\" action=\"/demo/microsoft\"><input type=\"hidden\" name=\"state\" value=\"{}\">\
         <label for=\"email\">E-mail address</label><input id=\"email\" data-testid=\"ms-account\" name=\"email\" \
         type=\"email\" autocomplete=\"username\" value=\"{}\" required autofocus>\
         <label for=\"password\">Password</label><input id=\"password\" data-testid=\"ms-password\" \
         name=\"password\" type=\"password\" autocomplete=\"current-password\" required>\
         <div class=\"row\"><button class=\"primary\" id=\"sign-in\" data-testid=\"ms-accept\" name=\"action\" \
         value=\"sign_in\">Sign in</button><button id=\"deny\" data-testid=\"ms-deny\" name=\"action\" value=\"deny\" \
         formnovalidate>Deny</button></div></form></main>",
        escape(state),
        escape(email)
    );
    page(status, "Make-believe Microsoft", "", &body)
}
