//! `/user/status` and `/user/presence`: what the user tells others of being there.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::auth::SignedIn;
use super::errors::Refusal;
use crate::pbx::Shared;
use crate::requests::lock;

/// What a user can choose.
const CHOICES: [&str; 5] = ["DO_NOT_DISTURB", "AVAILABLE", "AWAY", "BUSINESS_TRIP", "LUNCH"];

#[derive(Deserialize)]
pub(super) struct Chosen {
    presence: String,
    #[serde(default)]
    presence_note: Option<String>,
}

pub(super) async fn status(State(shared): State<Arc<Shared>>, signed_in: SignedIn) -> Json<Value> {
    let known = lock(&shared.presence).get(&signed_in.user.id).cloned();
    let (presence, note) = known.unwrap_or_else(|| ("AVAILABLE".into(), String::new()));
    let registered =
        shared.snapshot.borrow().registrations.iter().any(|one| one.extension == signed_in.user.extension);
    Json(json!({
        "status": if registered { "ONLINE" } else { "OFFLINE" },
        "presence": presence,
        "presence_note": if note.is_empty() { Value::Null } else { note.into() },
        "registration": [],
        "enable_dnd": presence == "DO_NOT_DISTURB",
        "enable_acb": false,
    }))
}

pub(super) async fn choose(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    chosen: Result<Json<Chosen>, JsonRejection>,
) -> Result<StatusCode, Refusal> {
    let Json(Chosen { presence, presence_note }) = chosen?;
    if !CHOICES.contains(&presence.as_str()) {
        return Err(Refusal::field("presence"));
    }
    let note = presence_note.unwrap_or_default();
    if note.chars().count() > 128 {
        return Err(Refusal::field("presence_note"));
    }
    lock(&shared.presence).insert(signed_in.user.id.clone(), (presence, note));
    shared.tell_wishes(&signed_in.user);
    Ok(StatusCode::OK)
}
