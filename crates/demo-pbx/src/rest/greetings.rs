//! `/blobs/uploads` and `/user/greetings`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::auth::SignedIn;
use super::errors::Refusal;
use crate::pbx::Shared;
use crate::requests::lock;

const UPLOAD_ID: &str = "PortSIP-Upload-ID";
const UPLOAD_TOKEN: &str = "PortSIP-Upload-Token";
/// Largest piece of a file, bytes.
const PIECE: usize = 16 * 1024 * 1024;

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    filename: String,
}

#[derive(Deserialize)]
struct FileOf {
    file_id: String,
}

/// Every route of uploads and greetings.
pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/blobs/uploads", post(open))
        .route("/blobs/uploads/{id}/append", post(append))
        .route("/blobs/uploads/{id}/complete", post(complete))
        .layer(DefaultBodyLimit::max(PIECE))
        .route("/user/greetings", get(list).post(add))
        .route("/user/greetings/{id}/enable", post(enable))
        .route("/user/greetings/{id}/disable", post(disable))
        .route("/user/greetings/{id}/destroy", post(destroy))
}

type Step = (StatusCode, [(&'static str, String); 2]);

async fn open(State(shared): State<Arc<Shared>>, signed_in: SignedIn, Query(named): Query<Named>) -> Step {
    let (id, token) = lock(&shared.greetings).open(&signed_in.user.id, &named.filename);
    (StatusCode::ACCEPTED, [(UPLOAD_ID, id), (UPLOAD_TOKEN, token)])
}

fn token(headers: &HeaderMap) -> Result<&str, Refusal> {
    let token = headers.get(UPLOAD_TOKEN).and_then(|token| token.to_str().ok());
    token.ok_or_else(|| Refusal::field(UPLOAD_TOKEN))
}

async fn append(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    headers: HeaderMap,
    piece: Bytes,
) -> Result<Step, Refusal> {
    let next = lock(&shared.greetings).append(&signed_in.user.id, &id, token(&headers)?, &piece);
    let next = next.ok_or_else(|| Refusal::not_found("upload"))?;
    Ok((StatusCode::NON_AUTHORITATIVE_INFORMATION, [(UPLOAD_ID, id), (UPLOAD_TOKEN, next)]))
}

async fn complete(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    headers: HeaderMap,
    piece: Bytes,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let file = lock(&shared.greetings).complete(&signed_in.user.id, &id, token(&headers)?, &piece);
    let file = file.ok_or_else(|| Refusal::not_found("upload"))?;
    Ok((StatusCode::CREATED, Json(json!({ "id": file }))))
}

async fn list(State(shared): State<Arc<Shared>>, signed_in: SignedIn) -> Json<Value> {
    Json(json!({ "items": lock(&shared.greetings).list(&signed_in.user.id) }))
}

async fn add(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    Json(FileOf { file_id }): Json<FileOf>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let id = lock(&shared.greetings).add(&signed_in.user.id, &file_id);
    let id = id.ok_or_else(|| Refusal::field("file_id"))?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))))
}

async fn enable(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    found(lock(&shared.greetings).enable(&signed_in.user.id, &id, true), StatusCode::OK)
}

async fn disable(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    found(lock(&shared.greetings).enable(&signed_in.user.id, &id, false), StatusCode::OK)
}

async fn destroy(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    found(lock(&shared.greetings).delete(&signed_in.user.id, &id), StatusCode::NO_CONTENT)
}

fn found(known: bool, status: StatusCode) -> Result<StatusCode, Refusal> {
    if known { Ok(status) } else { Err(Refusal::not_found("greeting")) }
}
