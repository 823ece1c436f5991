//! Operations of later versions are not there.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::errors::Refusal;
use crate::pbx::Shared;

pub(super) async fn only_its_own(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    if shared.manner().generation.knows(request.uri().path()) {
        return next.run(request).await;
    }
    Refusal::not_found("path").into_response()
}
