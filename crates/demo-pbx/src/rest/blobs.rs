//! `GET /blobs/{digest}`: files. The contract asks for no access token here.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::errors::Refusal;
use crate::blobs::blob;
use crate::pbx::Shared;

pub(super) async fn download(
    State(shared): State<Arc<Shared>>,
    Path(digest): Path<String>,
) -> Result<Response, Refusal> {
    let file = blob(&shared, &digest).ok_or_else(|| Refusal::not_found("blob"))?;
    let disposition = format!("attachment; filename=\"{}\"", file.name);
    Ok((
        [(header::CONTENT_TYPE, file.mime.to_string()), (header::CONTENT_DISPOSITION, disposition)],
        file.bytes,
    )
        .into_response())
}
