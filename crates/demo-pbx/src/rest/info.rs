//! `GET /info`: the system, and with `?domain=` the tenant. Needs no sign-in.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::Refusal;
use crate::blobs::AVATAR;
use crate::manner::Generation;
use crate::pbx::Shared;

#[derive(Deserialize)]
pub(super) struct Asked {
    domain: Option<String>,
}

pub(super) async fn info(
    State(shared): State<Arc<Shared>>,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    let bind = shared.config.bind;
    let mut info = json!({
        "web_domain": null,
        "private_ipv4": bind.is_ipv4().then(|| bind.to_string()),
        "public_ipv4": null,
        "enable_ipv6": bind.is_ipv6(),
        "private_ipv6": bind.is_ipv6().then(|| bind.to_string()),
        "public_ipv6": null,
        "primary_dns_server": null,
        "secondary_dns_server": null,
    });
    let Some(domain) = asked.domain else {
        return Ok(Json(info));
    };
    if !shared.tenant.is_domain(&domain) {
        return Err(Refusal::not_found("domain"));
    }
    let manner = shared.manner();
    let older = manner.microsoft && manner.generation != Generation::V22_2;
    let endpoint = older.then(|| format!("{}/demo/microsoft", shared.origin()));
    let tenant = json!({
        "name": shared.tenant.name,
        "domain": shared.tenant.domain,
        "website": null,
        "avatar_url": format!("/api/blobs/{AVATAR}"),
        "enable_ms365_integration": manner.microsoft,
        "ms365_authorization_endpoint": endpoint,
    });
    if let (Some(info), Value::Object(tenant)) = (info.as_object_mut(), tenant) {
        info.extend(tenant);
    }
    Ok(Json(info))
}
