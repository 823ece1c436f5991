//! `GET /feature_access_codes`: the star codes, of which this PBX follows those that are enabled.

use axum::Json;
use serde_json::{Value, json};

use super::auth::SignedIn;
use crate::sip::{HIDE, INTERCOM, PARK, RETRIEVE, VOICEMAIL};

pub(super) async fn codes(_: SignedIn) -> Json<Value> {
    let codes = [
        (PARK, "CALL_PARK", true),
        (RETRIEVE, "CALL_RETRIEVE", true),
        (VOICEMAIL, "ACCESSING_VOICEMAIL", true),
        (INTERCOM, "PAGE_INTERCOM_ACTIVATION_PER_CALL", true),
        (HIDE, "CALLER_ID_DELIVERY_BLOCKING_PER_CALL", true),
        ("*58", "GROUP_CALL_PARK", false),
        ("*97", "DIRECTED_CALL_PICKUP", false),
        ("*98", "GROUP_CALL_PICKUP", false),
        ("*55", "DIRECT_VOICEMAIL_TRANSFER", false),
        ("*11", "CALL_FLIP", false),
    ];
    let items =
        codes.map(|(code, feature, enabled)| json!({ "code": code, "feature": feature, "enabled": enabled }));
    Json(json!({ "items": items }))
}
