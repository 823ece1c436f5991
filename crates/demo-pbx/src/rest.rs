//! The REST API below `/api`, in the shapes of the vendor's OpenAPI file: one file per resource.

mod admin;
mod auth;
mod blobs;
mod errors;
mod info;
mod misbehave;
mod user;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::pbx::Site;

pub(crate) use misbehave::Hangup;

/// Every route of the demo PBX.
pub(crate) fn router(site: Arc<Site>) -> Router {
    let shared = site.shared.clone();
    let api = Router::new()
        .route("/info", get(info::info))
        .route("/auth/sign_in", post(auth::sign_in))
        .route("/auth/refresh_token", post(auth::refresh_token))
        .route("/auth/sign_out", post(auth::sign_out))
        .route("/auth/user", get(auth::user))
        .route("/user", get(user::user))
        .route("/blobs/{digest}", get(blobs::download))
        .fallback(errors::no_such_path)
        .method_not_allowed_fallback(errors::no_such_method)
        .layer(from_fn_with_state(shared.clone(), misbehave::misbehave))
        .with_state(shared);
    let admin = Router::new().route("/demo/faults", post(admin::faults)).with_state(site);
    Router::new().nest("/api", api).merge(admin).fallback(errors::no_such_path)
}
