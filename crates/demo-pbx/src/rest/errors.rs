//! Errors as the vendor's documentation gives them: `{"errors":[{code,message,detail?}]}`.

use axum::Json;
use axum::extract::rejection::{FormRejection, JsonRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// One documented error: an HTTP status and a code in capitals.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
    detail: Option<String>,
}

impl Refusal {
    /// Wrong user name or password: documented as 400.
    pub fn sign_in() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "UNAUTHORIZED", "Login failed, authentication error")
    }

    /// No access token, or one no longer in force.
    pub fn bearer() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "Unauthorized")
    }

    /// A refresh token that is not in force: documented as 400 UNKNOWN.
    pub fn refresh() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "UNKNOWN", "unknown error")
    }

    /// A token of a flow that is not, or no longer, good.
    pub fn token() -> Self {
        Self::refresh()
    }

    /// The password has to be changed before anything else.
    pub fn change_password() -> Self {
        let base = Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", "forbidden");
        Self { detail: Some("the password has to be changed first".into()), ..base }
    }

    /// What the tenant has not switched on.
    pub fn not_enabled(what: &str) -> Self {
        let base = Self::new(StatusCode::BAD_REQUEST, "UNKNOWN", "unknown error");
        Self { detail: Some(format!("{what} is not enabled")), ..base }
    }

    /// A sync token that is not known any more: documented as 403.
    pub fn forgotten() -> Self {
        let base = Self::new(StatusCode::FORBIDDEN, "UNKNOWN", "unknown error");
        Self { detail: Some("sync token".into()), ..base }
    }

    /// Nothing of that name.
    pub fn not_found(what: &str) -> Self {
        Self { detail: Some(what.into()), ..Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", "not found") }
    }

    /// A field is missing or has a value it must not have.
    pub fn field(detail: impl Into<String>) -> Self {
        let base = Self::new(StatusCode::BAD_REQUEST, "VALIDATE_FAILED", "field validation failed");
        Self { detail: Some(detail.into()), ..base }
    }

    /// What exactly, where that is told.
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// A fault put in on purpose.
    pub fn on_purpose(status: StatusCode) -> Self {
        Self::new(status, "UNKNOWN", "unknown error")
    }

    fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message, detail: None }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let (Some(detail), Some(error)) = (self.detail, error.as_object_mut()) {
            error.insert("detail".into(), detail.into());
        }
        (self.status, Json(json!({ "errors": [error] }))).into_response()
    }
}

impl From<JsonRejection> for Refusal {
    fn from(rejection: JsonRejection) -> Self {
        Self::field(rejection.body_text())
    }
}

impl From<FormRejection> for Refusal {
    fn from(rejection: FormRejection) -> Self {
        Self::field(rejection.body_text())
    }
}

pub(super) async fn no_such_path() -> Refusal {
    Refusal::not_found("path")
}

pub(super) async fn no_such_method() -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "method not allowed")
}
