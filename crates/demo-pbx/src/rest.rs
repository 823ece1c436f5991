//! The REST API below `/api`, in the shapes of the vendor's OpenAPI file: one file per resource. Beside it the pages
//! a browser is sent to, and what is for this machine only.

mod admin;
mod auth;
mod blobs;
mod caller_ids;
mod contacts;
mod errors;
mod features;
mod generation;
mod greetings;
mod info;
mod login;
mod microsoft;
mod misbehave;
mod outbox;
mod page;
mod part;
mod passwords;
mod presence;
mod queues;
mod records;
mod second_factor;
mod user;
mod voicemail;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::pbx::{Shared, Site};

pub(crate) use misbehave::Hangup;

/// Every route of the demo PBX.
pub(crate) fn router(site: Arc<Site>) -> Router {
    let shared = site.shared.clone();
    let api = authentication()
        .route("/info", get(info::info))
        .route("/tenant/password_policy", get(passwords::policy))
        .route("/user", get(user::user).post(user::change))
        .route("/user/password", post(passwords::change))
        .route("/user/profile", post(user::renew_profile))
        .route("/feature_access_codes", get(features::codes))
        .route("/blobs/{digest}", get(blobs::download))
        .merge(contacts::routes())
        .route("/user/status", get(presence::status))
        .route("/user/presence", post(presence::choose))
        .route("/user/outbound_caller_ids", get(caller_ids::list))
        .route("/user/call_queues", get(queues::list))
        .route("/user/call_queues/{id}/agent", get(queues::agent).post(queues::choose))
        .route("/user/cdrs", get(records::list))
        .route("/user/cdrs/{id}", get(records::one))
        .merge(voicemail::routes())
        .merge(greetings::routes())
        .fallback(errors::no_such_path)
        .method_not_allowed_fallback(errors::no_such_method)
        .layer(from_fn_with_state(shared.clone(), generation::only_its_own))
        .layer(from_fn_with_state(shared.clone(), misbehave::misbehave))
        .with_state(shared.clone());
    let pages = Router::new()
        .route("/demo/microsoft", get(microsoft::show).post(microsoft::submit))
        .route("/ms365/callback", get(microsoft::come_back))
        .route("/demo/reset", get(passwords::show_reset).post(passwords::submit_reset))
        .with_state(shared);
    let admin = Router::new()
        .route("/demo/faults", post(admin::faults))
        .route("/demo/issued", get(admin::issued))
        .route("/demo/outbox", get(outbox::outbox))
        .route("/demo/qr/{file}", get(admin::qr))
        .layer(from_fn_with_state(site.clone(), admin::only_here))
        .with_state(site);
    Router::new().nest("/api", api).merge(pages).merge(admin).fallback(errors::no_such_path)
}

fn authentication() -> Router<Arc<Shared>> {
    Router::new()
        .route("/auth/sign_in", post(auth::sign_in))
        .route("/auth/sign_in/{provider}", post(microsoft::begin))
        .route("/auth/send_otp", post(second_factor::send))
        .route("/auth/verify_otp", post(second_factor::verify))
        .route("/auth/forget_password", post(passwords::forget))
        .route("/auth/reset_password", post(passwords::reset))
        .route("/auth/refresh_token", post(auth::refresh_token))
        .route("/auth/sign_out", post(auth::sign_out))
        .route("/auth/user", get(auth::user))
        .route("/login", get(login::session).post(login::login))
        .route("/login/by_microsoft", post(microsoft::begin_by_form))
        .route("/login/oauth/token", post(login::grant))
        .route("/login/oauth/revoke", post(auth::sign_out))
        .route("/logout", post(login::logout))
}
