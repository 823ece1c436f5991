//! Counts requests and puts the faults in that were ordered.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

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
    let faults = Faults::new(shared);
    let (fault, delay) = faults.for_request(&path);
    tokio::time::sleep(delay).await;
    match fault {
        None => dated(next.run(request).await, faults.standing().clock_ahead_s),
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

/// An answer of a PBX whose clock is so many seconds ahead.
fn dated(mut response: Response, ahead_s: i64) -> Response {
    if ahead_s != 0 {
        let apart = Duration::from_secs(ahead_s.unsigned_abs());
        let now = SystemTime::now();
        let then = if ahead_s > 0 { now + apart } else { now - apart };
        if let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(then)) {
            response.headers_mut().insert(header::DATE, date);
        }
    }
    response
}

fn json_body(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
