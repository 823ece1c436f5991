//! Requests that belong to no dialog: unasked-for message summaries, text messages, referrals.

use std::net::IpAddr;

use rsipstack::sip::{Header, Request};
use rsipstack::transaction::transaction::Transaction;
use tokio::sync::mpsc;

use crate::answer::{outside_of_calls, respond, respond_with};
use crate::caller::caller_of;
use crate::flow::Net;
use crate::header::elements;
use crate::message::{event_of, value};
use crate::packages::read_message_summary;
use crate::text::{TEXT, text_of};
use crate::{Event, News, Package};

/// Whether a request is about waiting messages.
pub(crate) fn is_message_summary(request: &Request) -> bool {
    let event = event_of(request).unwrap_or_default();
    let name = event.split(';').next().unwrap_or_default().trim();
    name.eq_ignore_ascii_case(Package::MessageSummary.event())
}

/// Takes a message summary that nobody subscribed to, as many a phone system sends it.
pub(crate) async fn message_summary(
    net: &Net,
    transaction: &mut Transaction,
    events: &mpsc::UnboundedSender<Event>,
) {
    if !is_from_own_proxy(net, transaction).await {
        return outside_of_calls(transaction).await;
    }
    let body = std::str::from_utf8(&transaction.original.body).ok();
    match body.and_then(read_message_summary) {
        Some(summary) => {
            respond(transaction, 200).await;
            let _ = events.send(Event::Notified { subscription: None, news: News::Messages(summary) });
        }
        None => respond(transaction, 400).await,
    }
}

/// Takes a text message; one that `is_new` is told.
pub(crate) async fn text_message(
    net: &Net,
    transaction: &mut Transaction,
    events: &mpsc::UnboundedSender<Event>,
    is_new: bool,
) {
    if !is_from_own_proxy(net, transaction).await {
        return respond(transaction, 403).await;
    }
    match text_of(&transaction.original) {
        Ok(text) => {
            let from = caller_of(&transaction.original);
            respond(transaction, 200).await;
            if is_new && !text.is_empty() {
                let _ = events.send(Event::Message { from, text });
            }
        }
        Err(status) => respond_with(transaction, status, vec![Header::Accept(TEXT.into())], None).await,
    }
}

/// Whether a request comes from the account's own phone system: from the address of the proxy. Others may call, but
/// have nothing to say to the user or to the phone, be it over a connection that was opened to them.
pub(crate) async fn is_from_own_proxy(net: &Net, transaction: &Transaction) -> bool {
    match net.flow().await {
        Ok(flow) => source_of(&transaction.original) == Some(flow.peer.ip().to_canonical()),
        Err(_) => false,
    }
}

/// The address a request came from, as [`mark`](crate::flow::mark) has noted it in the topmost Via: as its first
/// parameter, or, where there is none, as what the sender says of itself.
pub(crate) fn source_of(request: &Request) -> Option<IpAddr> {
    let via = value(request, |header| match header {
        Header::Via(via) => Some(via.value()),
        _ => None,
    })?;
    let first = elements(&via).into_iter().next()?;
    let (head, rest) = first.split_once(';').unwrap_or((&first, ""));
    let noted = rest.split(';').next().and_then(|parameter| parameter.split_once('='));
    let noted = noted.filter(|(name, _)| name.trim().eq_ignore_ascii_case("received"));
    let sent_by = head.split_ascii_whitespace().next_back()?;
    let host = noted.map(|(_, ip)| ip).unwrap_or(match sent_by.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => sent_by.split(':').next().unwrap_or_default(),
    });
    host.trim().parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::mark;

    fn via(via: &str, from: &str) -> Option<IpAddr> {
        let text =
            format!("NOTIFY sip:101@h SIP/2.0\r\nVia: {via}\r\nCSeq: 1 NOTIFY\r\nContent-Length: 0\r\n\r\n");
        let mut request = Request::try_from(text.as_str()).unwrap();
        mark(&mut request, from.parse().unwrap());
        source_of(&request)
    }

    #[test]
    fn nobody_passes_for_another() {
        for (header, from) in [
            ("SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx", "192.0.2.1:5060"),
            ("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx;rport", "192.0.2.9:5060"),
            ("SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx", "192.0.2.1:5060"),
            ("SIP/2.0/UDP pbx.test;branch=z9hG4bKx;rport", "192.0.2.1:40000"),
            ("SIP/2.0/UDP 192.0.2.66:5060;branch=z9hG4bKx;received=192.0.2.1", "192.0.2.66:5060"),
            ("SIP/2.0/UDP 192.0.2.66:5060;received=192.0.2.1;rport=5060", "192.0.2.66:5060"),
            ("SIP/2.0/UDP 192.0.2.66:5060;received=192.0.2.1;rport", "192.0.2.66:5060"),
            ("SIP/2.0/UDP 192.0.2.66;received=192.0.2.1;rport", "192.0.2.66:5060"),
            ("SIP/2.0/UDP 192.0.2.1:5060;rport, SIP/2.0/UDP 192.0.2.7", "192.0.2.66:5060"),
            ("SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bKx;rport", "[2001:db8::1]:5060"),
            ("SIP/2.0/UDP [2001:db8::1];branch=z9hG4bKx", "[2001:db8::2]:5060"),
            ("SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx", "192.0.2.66:5060"),
            ("SIP/2.0/UDP pbx.test;branch=z9hG4bKx", "192.0.2.1:5060"),
            ("SIP/2.0/UDP 192.0.2.1;branch=\"z9hG4bKx", "192.0.2.66:5060"),
            ("SIP/2.0/UDP 192.0.2.1;x=\"y;received=\"z, SIP/2.0/UDP h;received=192.0.2.1", "192.0.2.66:5060"),
        ] {
            let from_ip = from.parse::<std::net::SocketAddr>().unwrap().ip();
            assert_eq!(via(header, from), Some(from_ip), "{header}");
        }
        for hidden in [
            "SIP/2.0/UDP \" 192.0.2.66;received=\"x, SIP/2.0/UDP 192.0.2.1;received=192.0.2.1",
            "SIP/2.0/UDP < 192.0.2.66;received=>, SIP/2.0/UDP 192.0.2.1;received=192.0.2.1",
        ] {
            assert_ne!(via(hidden, "192.0.2.66:5060"), "192.0.2.1".parse().ok(), "{hidden}");
        }
    }
}
