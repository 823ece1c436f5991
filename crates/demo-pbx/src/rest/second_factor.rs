//! `/auth/send_otp` and `/auth/verify_otp`: the e-mailed code.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::auth::open;
use super::errors::Refusal;
use crate::manner::VerifyAnswer;
use crate::pbx::Shared;
use crate::requests::lock;
use crate::second_factor::NotVerified;

#[derive(Deserialize)]
pub(super) struct Send {
    token: SecretString,
}

#[derive(Deserialize)]
pub(super) struct Verify {
    token: SecretString,
    code: SecretString,
}

pub(super) async fn send(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<Send>, JsonRejection>,
) -> Result<StatusCode, Refusal> {
    let Json(asked) = body?;
    let sent = lock(&shared.second_factor).send(asked.token.expose_secret(), Instant::now());
    let (user, code) = sent.ok_or_else(Refusal::token)?;
    let user = shared.tenant.by_id(&user).ok_or_else(Refusal::token)?;
    lock(&shared.outbox).code(&user.email, &code);
    Ok(StatusCode::OK)
}

pub(super) async fn verify(
    State(shared): State<Arc<Shared>>,
    body: Result<Json<Verify>, JsonRejection>,
) -> Result<Response, Refusal> {
    let Json(asked) = body?;
    let (token, code) = (asked.token.expose_secret(), asked.code.expose_secret());
    let user = lock(&shared.second_factor).verify(token, code, Instant::now()).map_err(|not| match not {
        NotVerified::NoSignIn => Refusal::token(),
        NotVerified::Code => Refusal::sign_in(),
    })?;
    Ok(match shared.manner().verify_otp {
        VerifyAnswer::Tokens => Json(open(&shared, &user)).into_response(),
        VerifyAnswer::NoTokens => StatusCode::OK.into_response(),
    })
}
