//! `/user/call_queues`: the queues that the user serves.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::auth::SignedIn;
use super::errors::Refusal;
use crate::pbx::Shared;
use crate::requests::lock;

#[derive(Deserialize)]
pub(super) struct Chosen {
    status: String,
}

pub(super) async fn list(State(shared): State<Arc<Shared>>, signed_in: SignedIn) -> Json<Value> {
    Json(json!({ "items": lock(&shared.queues).list(&signed_in.user.extension) }))
}

pub(super) async fn agent(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let user = &signed_in.user;
    let status = lock(&shared.queues).standing(&id, &user.extension);
    let status = status.ok_or_else(|| Refusal::not_found("queue"))?;
    Ok(Json(json!({
        "extension_number": user.extension,
        "display_name": user.display_name,
        "skill_level": 1,
        "status": status,
    })))
}

pub(super) async fn choose(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    chosen: Result<Json<Chosen>, JsonRejection>,
) -> Result<StatusCode, Refusal> {
    let Json(Chosen { status }) = chosen?;
    let done = lock(&shared.queues).choose(&id, &signed_in.user.extension, &status);
    match done {
        None => return Err(Refusal::not_found("queue")),
        Some(false) => return Err(Refusal::field("status")),
        Some(true) => {}
    }
    shared.tell_queues();
    Ok(StatusCode::OK)
}
