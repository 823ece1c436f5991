//! `GET /demo/outbox`: the e-mails that would have been sent, as a page or, asked for, as JSON.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::page::{escape, page};
use crate::mail::Mail;
use crate::pbx::Site;
use crate::requests::lock;

pub(super) async fn outbox(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let mails = lock(&site.shared.outbox).all();
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("application/json") {
        return Json(mails).into_response();
    }
    let shown: String = mails.iter().rev().map(article).collect();
    let none =
        "<p>Nothing yet. Codes and links that the PBX would send by e-mail turn up here by themselves.</p>";
    let body = format!(
        "<main class=\"wide\"><span class=\"label\">Demo PBX</span><h1>Outbox</h1>{}</main>",
        if mails.is_empty() { none } else { &shown }
    );
    page(StatusCode::OK, "Outbox", "<meta http-equiv=\"refresh\" content=\"3\">", &body)
}

fn article(mail: &Mail) -> String {
    let link = |name: &str, words: &str, address: &Option<String>| {
        let Some(address) = address.as_deref().map(escape) else { return String::new() };
        format!("<p>{words}: <a data-testid=\"{name}\" href=\"{address}\">{address}</a></p>")
    };
    let inside = match &mail.code {
        Some(code) => format!(
            "<p>Good once, for ten minutes.</p><p class=\"code\" data-testid=\"mail-code\">{}</p>",
            escape(code)
        ),
        None => {
            link("mail-link", "Back to the phone", &mail.link)
                + &link("mail-portal-link", "On the PBX's own page", &mail.portal_link)
        }
    };
    format!(
        "<article data-testid=\"mail\"><time>{}</time><h2>{}</h2><p>To {}</p>{inside}</article>",
        escape(&mail.sent_at),
        escape(&mail.subject),
        escape(&mail.to)
    )
}
