//! Answering requests of others.

use rsipstack::sip::{Header, Method, StatusCode};
use rsipstack::transaction::transaction::Transaction;

use crate::extensions::{abilities, unsupported};
use crate::flow::Flow;
use crate::header::elements;
use crate::message::{ALLOW, SDP, recorded_routes, to_of, token};
use crate::party::tag;

/// Answers without a body.
pub(crate) async fn respond(transaction: &mut Transaction, status: u16) {
    respond_with(transaction, status, Vec::new(), None).await;
}

/// Answers with further headers and a session description. A missing To tag is made up.
pub(crate) async fn respond_with(
    transaction: &mut Transaction,
    status: u16,
    mut headers: Vec<Header>,
    sdp: Option<String>,
) {
    if status > 100 && tag(&to_of(&transaction.original)).is_none() {
        set_to_tag(transaction, &token());
    }
    if transaction.original.method == Method::Invite && status > 100 && status < 300 {
        let routes = recorded_routes(&transaction.original);
        headers.extend(routes.into_iter().map(|route| Header::RecordRoute(route.into())));
    }
    if sdp.is_some() {
        headers.push(Header::ContentType(SDP.into()));
    }
    let status = StatusCode::from(status);
    let body = sdp.map(String::into_bytes);
    let mut response = transaction.endpoint_inner.make_response(&transaction.original, status, body);
    response.headers.extend(headers);
    if let Err(e) = transaction.respond(response).await {
        tracing::debug!(error = %e, "response not sent");
    }
}

/// Headers of an answer that makes or refreshes a dialog in which our side is called `local`.
pub(crate) fn dialog_headers(flow: &Flow, local: &str) -> Vec<Header> {
    std::iter::once(Header::Contact(flow.contact_as(local).into())).chain(abilities(true)).collect()
}

/// Gives the To header of a received request our tag, so that every answer to it carries the same.
pub(crate) fn set_to_tag(transaction: &mut Transaction, tag: &str) {
    for header in transaction.original.headers.iter_mut() {
        if let Header::To(to) = header {
            let tagged = format!("{};tag={tag}", to.value());
            to.replace(tagged);
        }
    }
}

/// Sees a server INVITE through to its ACK after a refusal, so that lost refusals are sent again.
pub(crate) async fn drain(mut transaction: Transaction) {
    while transaction.receive().await.is_some() {}
}

/// Answers a request that belongs to no call of ours (RFC 3261, section 8.2).
pub(crate) async fn outside_of_calls(transaction: &mut Transaction) {
    let within_dialog = tag(&to_of(&transaction.original)).is_some();
    let is_ack = transaction.original.method == Method::Ack;
    if let Some(extensions) = unsupported(&transaction.original).filter(|_| !is_ack) {
        let headers = vec![Header::Unsupported(extensions.into())];
        return respond_with(transaction, 420, headers, None).await;
    }
    match transaction.original.method {
        Method::Ack => {}
        Method::Options if !within_dialog => {
            let headers = vec![Header::Allow(ALLOW.into()), Header::Accept(SDP.into())];
            respond_with(transaction, 200, headers, None).await;
        }
        Method::Message | Method::Publish | Method::Refer | Method::Register | Method::Subscribe
            if !within_dialog =>
        {
            respond_with(transaction, 405, vec![Header::Allow(ALLOW.into())], None).await;
        }
        _ => respond(transaction, 481).await,
    }
}

/// Whether the answer may hold a session description (RFC 3261, section 20.1).
pub(crate) fn takes_sdp(transaction: &Transaction) -> bool {
    let mut accepted = transaction.original.headers.iter().filter_map(|header| match header {
        Header::Accept(accepted) => Some(accepted.value()),
        _ => None,
    });
    let fits = |accepted: &str| {
        elements(accepted).iter().any(|kind| {
            let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
            [SDP, "application/*", "*/*"].contains(&kind.as_str())
        })
    };
    accepted.next().is_none_or(|first| fits(first) || accepted.any(fits))
}
