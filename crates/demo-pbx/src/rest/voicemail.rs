//! `/voicemails`: the user's messages; the mailbox's lamp follows them.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::auth::SignedIn;
use super::errors::Refusal;
use super::part::Part;
use crate::pbx::Shared;
use crate::requests::lock;

/// Every route of the voicemails.
pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/voicemails", get(list))
        .route("/voicemails/{id}", get(one))
        .route("/voicemails/{id}/set_read", post(set_read))
        .route("/voicemails/{id}/set_unread", post(set_unread))
        .route("/voicemails/{id}/destroy", post(destroy))
}

async fn list(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    Query(part): Query<Part>,
) -> Result<Json<Value>, Refusal> {
    let (skip, top) = part.range()?;
    let (count, items) = lock(&shared.voicemails).list(&signed_in.user.extension, skip, top);
    Ok(Json(json!({ "count": count, "items": items })))
}

async fn one(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let found = lock(&shared.voicemails).get(&signed_in.user.extension, &id);
    found.map(Json).ok_or_else(|| Refusal::not_found("voicemail"))
}

async fn set_read(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    mark(&shared, &signed_in, &id, true)
}

async fn set_unread(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    mark(&shared, &signed_in, &id, false)
}

fn mark(shared: &Shared, signed_in: &SignedIn, id: &str, read: bool) -> Result<StatusCode, Refusal> {
    let extension = &signed_in.user.extension;
    if !lock(&shared.voicemails).mark(extension, id, read) {
        return Err(Refusal::not_found("voicemail"));
    }
    shared.tell_mailbox(extension);
    Ok(StatusCode::OK)
}

async fn destroy(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let extension = &signed_in.user.extension;
    if !lock(&shared.voicemails).delete(extension, &id) {
        return Err(Refusal::not_found("voicemail"));
    }
    shared.tell_mailbox(extension);
    Ok(StatusCode::NO_CONTENT)
}
