//! `/user/cdrs`: the calls of all of the user's phones.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde_json::{Value, json};

use super::auth::SignedIn;
use super::errors::Refusal;
use super::part::Part;
use crate::pbx::Shared;
use crate::requests::lock;

pub(super) async fn list(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    Query(part): Query<Part>,
) -> Result<Json<Value>, Refusal> {
    let (skip, top) = part.range()?;
    let (count, items) = lock(&shared.records).list(&signed_in.user.extension, skip, top);
    Ok(Json(json!({ "count": count, "items": items })))
}

pub(super) async fn one(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let found = lock(&shared.records).get(&signed_in.user.extension, &id);
    found.map(|record| Json(json!({ "items": record }))).ok_or_else(|| Refusal::not_found("call record"))
}
