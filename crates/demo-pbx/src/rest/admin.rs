//! For this machine only: `POST /demo/faults` orders misbehaviour from outside the process,
//! `GET /demo/issued` lists every token handed out, and `GET /demo/qr/USER.png` shows a user's QR code.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, Path, Query, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use serde::Deserialize;

use super::errors::Refusal;
use crate::faults::{FaultOrder, Faults, Standing};
use crate::pbx::{Shared, Site};
use crate::requests::lock;
use crate::{blobs, picture};

/// Lets only this machine pass; for others there is nothing here.
pub(super) async fn only_here(
    State(site): State<Arc<Site>>,
    Extension(peer): Extension<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    if peer.ip().is_loopback() || peer.ip() == site.shared.config.bind {
        return next.run(request).await;
    }
    Refusal::not_found("path").into_response()
}

pub(super) async fn faults(
    State(site): State<Arc<Site>>,
    body: Result<Json<FaultOrder>, JsonRejection>,
) -> Result<Json<Standing>, Refusal> {
    let Json(order) = body?;
    let faults = Faults::new(site.shared.clone());
    faults.obey(&order);
    if order.restart {
        // On a task of its own: the restart ends the connection this answer goes out on.
        tokio::spawn(async move {
            if let Err(error) = site.restart().await {
                tracing::error!(%error, "the restart failed");
            }
        });
    }
    Ok(Json(faults.standing()))
}

pub(super) async fn issued(State(site): State<Arc<Site>>) -> Json<Vec<String>> {
    let Shared { sessions, cookies, resets, second_factor, microsoft, .. } = &*site.shared;
    let mut all: Vec<String> = lock(sessions).issued().all().collect();
    all.extend(lock(cookies).issued().all());
    all.extend(lock(resets).issued().all());
    all.extend(lock(second_factor).issued().all());
    let microsoft = lock(microsoft);
    all.extend(microsoft.codes.issued().all().chain(microsoft.exchanges.issued().all()));
    Json(all)
}

#[derive(Deserialize)]
pub(super) struct Kind {
    kind: Option<String>,
}

pub(super) async fn qr(
    State(site): State<Arc<Site>>,
    Path(file): Path<String>,
    Query(Kind { kind }): Query<Kind>,
) -> Result<Response, Refusal> {
    let shared = &site.shared;
    let user = file.strip_suffix(".png").and_then(|name| shared.tenant.by_username(name));
    let user = user.ok_or_else(|| Refusal::not_found("user"))?;
    let payload = match kind.as_deref() {
        None | Some("user") => blobs::qr_payload(shared, user),
        Some("legacy") => blobs::legacy_qr_payload(shared, user),
        Some(_) => return Err(Refusal::field("kind")),
    };
    let picture = picture::png(&payload).ok_or_else(|| Refusal::not_found("picture"))?;
    let headers = [(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, picture).into_response())
}
