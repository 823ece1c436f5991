//! Counts requests and puts the faults in that were ordered.

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio_util::sync::CancellationToken;

use super::errors::Refusal;
use crate::faults::{Faults, RestFault};
use crate::pbx::Shared;

/// Ends the connection a request came in on.
#[derive(Clone)]
pub(crate) struct Hangup(pub CancellationToken);

pub(super) async fn misbehave(
    State(shared): State<Arc<Shared>>,
    Extension(hangup): Extension<Hangup>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_string();
    let name = if path.starts_with("/blobs/") { "/blobs" } else { &path };
    shared.requests.count(format!("{} {name}", request.method()));
    let (fault, delay) = Faults::new(shared).for_request(&path);
    tokio::time::sleep(delay).await;
    match fault {
        None => next.run(request).await,
        Some(RestFault::Drop) => {
            hangup.0.cancel();
            std::future::pending().await
        }
        Some(RestFault::Status { status, retry_after_s }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = Refusal::on_purpose(status).into_response();
            if let Some(seconds) = retry_after_s {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            response
        }
        Some(RestFault::Garbage) => json_body("{\"name\": <<< this is not JSON".into()),
        Some(RestFault::Huge) => json_body(format!("{{\"name\":\"{}\"}}", "x".repeat(10_000_000))),
        Some(RestFault::Redirect { to }) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
    }
}

fn json_body(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
