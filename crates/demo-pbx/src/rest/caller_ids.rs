//! `GET /user/outbound_caller_ids`: the numbers that the first user may show, and nobody else.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::auth::SignedIn;
use crate::pbx::Shared;
use crate::sip::CALLER_IDS;

pub(super) async fn list(State(shared): State<Arc<Shared>>, signed_in: SignedIn) -> Json<Value> {
    let first = shared.tenant.users.first().is_some_and(|user| user.id == signed_in.user.id);
    let each = CALLER_IDS.iter().filter(|_| first);
    let items: Vec<Value> = each
        .map(|(number, description)| json!({ "provider_id": "1", "caller_id": number, "description": description }))
        .collect();
    Json(json!({ "items": items }))
}
