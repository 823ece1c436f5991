//! `GET /user`: the signed-in user's profile, with blanks as explicit nulls.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::auth::SignedIn;
use super::errors::Refusal;
use crate::pbx::Shared;
use crate::portraits;
use crate::requests::lock;

/// Fields of the contract that are blank for every user here.
const BLANK: [&str; 13] = [
    "mobile_phone",
    "work_phone",
    "home_phone",
    "address",
    "department",
    "custom_options",
    "office_hours",
    "voicemail_prompt",
    "voicemail_pin",
    "avatar_file_name",
    "avatar_file_size",
    "avatar_file_url",
    "sync_type",
];

pub(super) async fn user(State(shared): State<Arc<Shared>>, signed_in: SignedIn) -> Json<Value> {
    let user = &signed_in.user;
    let ports = shared.ports();
    let own = json!({
        "id": user.id,
        "name": user.username,
        "email": user.email,
        "display_name": user.display_name,
        "role": "StandardUser",
        "enabled": true,
        "extension_number": user.extension,
        "enable_audio_recording": false,
        "enable_video_recording": false,
        "enable_dnd": false,
        "enable_acb": false,
        "enable_hot_desking": false,
        "anonymous_outbound_calls": false,
        "delivery_outbound_cid": true,
        "sms": "DISABLE",
        "outbound_caller_ids": [],
        "custom_forward_rules": [],
        "enable_voicemail_pin": true,
        "enable_voicemail_notify": false,
        "voicemail_play_datetime": "DISABLE",
        "interface": if shared.config.bind.is_ipv4() { "PRIVATE_IPV4" } else { "PRIVATE_IPV6" },
        "preferred_transport": shared.config.preferred_transport,
        "blfs": [],
        "created_at": "2026-01-05T09:00:00Z",
        "transports": [
            { "protocol": "UDP", "port": ports.sip_udp, "verification": "DISABLE" },
            { "protocol": "TCP", "port": ports.sip_tcp, "verification": "DISABLE" },
        ],
        "profile": lock(&shared.accounts).profile(user),
    });
    let mut all: Map<String, Value> = BLANK.iter().map(|name| ((*name).into(), Value::Null)).collect();
    let rules = lock(&shared.rules).get(&user.extension).cloned().unwrap_or_default();
    all.extend(rules.told());
    if let Value::Object(own) = own {
        all.extend(own);
    }
    if let Some((url, size)) = portraits::told(&user.extension) {
        let told = [
            ("avatar_file_name", json!(portraits::NAME)),
            ("avatar_file_size", json!(size)),
            ("avatar_file_url", json!(url)),
        ];
        all.extend(told.map(|(name, value)| (name.to_owned(), value)));
    }
    Json(Value::Object(all))
}

/// `POST /user`: of what it may change, the forward rules; what is not named stays as it is.
pub(super) async fn change(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    body: Result<Json<Map<String, Value>>, JsonRejection>,
) -> Result<StatusCode, Refusal> {
    let Json(body) = body?;
    let mut rules = lock(&shared.rules);
    rules.entry(signed_in.user.extension.clone()).or_default().take(&body).map_err(Refusal::field)?;
    drop(rules);
    shared.tell_wishes(&signed_in.user);
    Ok(StatusCode::OK)
}

/// `POST /user/profile`: a new profile file, and with it a new QR code; the old ones are void.
pub(super) async fn renew_profile(State(shared): State<Arc<Shared>>, signed_in: SignedIn) -> StatusCode {
    lock(&shared.accounts).renew_profile(&signed_in.user);
    StatusCode::OK
}
