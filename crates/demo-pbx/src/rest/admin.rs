//! `POST /demo/faults`: orders misbehaviour from outside the process, for this machine only.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, State};

use super::errors::Refusal;
use crate::faults::{FaultOrder, Faults, Standing};
use crate::pbx::Site;

pub(super) async fn faults(
    State(site): State<Arc<Site>>,
    Extension(peer): Extension<SocketAddr>,
    body: Result<Json<FaultOrder>, JsonRejection>,
) -> Result<Json<Standing>, Refusal> {
    let here = peer.ip().is_loopback() || peer.ip() == site.shared.config.bind;
    if !here {
        return Err(Refusal::not_found("path"));
    }
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
