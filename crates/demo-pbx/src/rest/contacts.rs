//! `/contacts` and `/user/*contacts*`: lists, sync tokens and what changed since, favourites, and the user's own
//! written.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use super::auth::SignedIn;
use super::errors::Refusal;
use super::part::Part;
use crate::contacts::List;
use crate::pbx::Shared;
use crate::requests::lock;

type Fields = Result<Json<Map<String, Value>>, JsonRejection>;

/// Which contacts a route is about.
#[derive(Clone, Copy)]
enum Kind {
    Extensions,
    Company,
    Own,
}

impl Kind {
    fn list(self, signed_in: &SignedIn) -> List {
        match self {
            Self::Extensions => List::Extensions,
            Self::Company => List::Company,
            Self::Own => List::Own(signed_in.user.id.clone()),
        }
    }
}

/// Every route of the contacts.
pub(super) fn routes() -> Router<Arc<Shared>> {
    let mut routes = Router::new()
        .route("/contacts", get(company))
        .route("/user/contacts", get(own).post(create))
        .route("/user/contacts/{id}", post(update))
        .route("/user/contacts/{id}/destroy", post(destroy));
    for (name, kind) in [
        ("extension_contacts", Kind::Extensions),
        ("business_contacts", Kind::Company),
        ("contacts", Kind::Own),
    ] {
        let of_kind = Router::new()
            .route(&format!("/user/{name}/sync_tokens"), post(token))
            .route(&format!("/user/{name}/sync_tokens/{{token}}/diff"), post(diff))
            .route(&format!("/user/{name}/{{id}}/favorite"), post(favorite))
            .route(&format!("/user/{name}/{{id}}/unfavorite"), post(unfavorite));
        routes = routes.merge(of_kind.layer(Extension(kind)));
    }
    routes
}

async fn company(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    Query(part): Query<Part>,
) -> Result<Json<Value>, Refusal> {
    page(&shared, &signed_in, &List::Company, &part)
}

async fn own(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    Query(part): Query<Part>,
) -> Result<Json<Value>, Refusal> {
    page(&shared, &signed_in, &List::Own(signed_in.user.id.clone()), &part)
}

fn page(shared: &Shared, signed_in: &SignedIn, list: &List, part: &Part) -> Result<Json<Value>, Refusal> {
    let (skip, top) = part.range()?;
    let (count, mut all) = lock(&shared.contacts).list(&signed_in.user.id, list, skip, top);
    if *list == List::Company {
        // The company's list knows nothing of users.
        all.iter_mut().filter_map(Value::as_object_mut).for_each(|contact| drop(contact.remove("favorite")));
    }
    Ok(Json(json!({ "count": count, "items": all })))
}

async fn create(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let Json(fields) = fields?;
    let id = lock(&shared.contacts).create(&List::Own(signed_in.user.id), fields).map_err(Refusal::field)?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))))
}

async fn update(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<StatusCode, Refusal> {
    let Json(fields) = fields?;
    let known = lock(&shared.contacts).update(&List::Own(signed_in.user.id), &id, fields);
    found(known.map_err(Refusal::field)?, StatusCode::OK)
}

async fn destroy(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    found(lock(&shared.contacts).delete(&List::Own(signed_in.user.id), &id), StatusCode::NO_CONTENT)
}

async fn token(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    Extension(kind): Extension<Kind>,
) -> (StatusCode, Json<Value>) {
    let token = lock(&shared.contacts).token(&signed_in.user.id, &kind.list(&signed_in));
    (StatusCode::CREATED, Json(json!({ "token": token })))
}

async fn diff(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    Extension(kind): Extension<Kind>,
    Path(token): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let told = lock(&shared.contacts).diff(&signed_in.user.id, &kind.list(&signed_in), &token);
    let (token, items) = told.ok_or_else(Refusal::forgotten)?;
    Ok(Json(json!({ "token": token, "items": items })))
}

async fn favorite(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    Extension(kind): Extension<Kind>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    favor(&shared, &signed_in, kind, &id, true)
}

async fn unfavorite(
    State(shared): State<Arc<Shared>>,
    signed_in: SignedIn,
    Extension(kind): Extension<Kind>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    favor(&shared, &signed_in, kind, &id, false)
}

fn favor(
    shared: &Shared,
    signed_in: &SignedIn,
    kind: Kind,
    id: &str,
    favorite: bool,
) -> Result<StatusCode, Refusal> {
    let list = kind.list(signed_in);
    found(lock(&shared.contacts).favor(&signed_in.user.id, &list, id, favorite), StatusCode::OK)
}

fn found(known: bool, status: StatusCode) -> Result<StatusCode, Refusal> {
    if known { Ok(status) } else { Err(Refusal::not_found("contact")) }
}
