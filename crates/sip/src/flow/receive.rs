//! What arrives: read, marked with where it came from, and handed to the transaction layer.

use std::net::{IpAddr, SocketAddr};

use rsipstack::sip::{Header, HostWithPort, Request, SipMessage, Transport as SipTransport};
use rsipstack::transaction::endpoint::EndpointInnerRef;
use rsipstack::transport::{SipAddr, SipConnection};

use crate::header::{elements, parameters};
use crate::wire::{self, Reading};
use crate::{Transport, trace};

/// Hands one message over. What comes back is to be sent to where the message came from.
pub(super) async fn deliver(
    endpoint: &EndpointInnerRef,
    connection: &SipConnection,
    transport: Transport,
    from: SocketAddr,
    bytes: &[u8],
) -> Option<Vec<u8>> {
    let tidied = match wire::read(bytes, from) {
        Reading::Message(tidied) => tidied,
        Reading::Refusal(refusal) => return Some(refusal),
        Reading::Dropped(why) => {
            tracing::debug!(%from, length = bytes.len(), why, "message ignored");
            return None;
        }
    };
    let mut message = match SipMessage::try_from(tidied.as_slice()) {
        Ok(message) => message,
        Err(e) => {
            tracing::debug!(%from, error = %e, "unreadable message ignored");
            return None;
        }
    };
    trace::received(bytes, from);
    if let SipMessage::Request(request) = &mut message {
        mark(request, from);
    }
    let address = address(transport, from);
    if let Err(e) = endpoint.on_received_message(message, connection.clone(), &address).await {
        tracing::debug!(%from, error = %e, "message not taken");
    }
    None
}

/// An address as the transaction layer writes it.
pub(super) fn address(transport: Transport, address: SocketAddr) -> SipAddr {
    let transport = match transport {
        Transport::Udp => SipTransport::Udp,
        Transport::Tcp => SipTransport::Tcp,
        Transport::Tls => SipTransport::Tls,
        Transport::Wss => SipTransport::Wss,
    };
    SipAddr::new(transport, HostWithPort::from(address))
}

/// Notes in the topmost Via where a request came from (RFC 3261, section 18.2.1; RFC 3581, section 4). `received`
/// comes first of the parameters, where nothing that the sender wrote can hide it.
pub(crate) fn mark(request: &mut Request, from: SocketAddr) {
    let via = request.headers.iter_mut().find_map(|header| match header {
        Header::Via(via) => Some(via),
        _ => None,
    });
    if let Some(via) = via {
        let marked = marked(via.value(), from);
        via.replace(marked);
    }
}

/// The value of a Via header, its first element marked so.
pub(crate) fn marked(via: &str, from: SocketAddr) -> String {
    let ip = from.ip().to_canonical();
    let mut vias = elements(via);
    let Some(first) = vias.first_mut() else { return via.to_owned() };
    let (head, rest) = first.split_once(';').unwrap_or((first, ""));
    let mut others = String::new();
    let mut wants_port = false;
    for parameter in rest.split(';').map(str::trim).filter(|parameter| !parameter.is_empty()) {
        let name = parameter.split('=').next().unwrap_or_default().trim().to_ascii_lowercase();
        match name.as_str() {
            "rport" => wants_port = true,
            "received" => {}
            _ => others.extend([";", parameter]),
        }
    }
    let sent_by = head.split_ascii_whitespace().next_back().unwrap_or_default();
    let host = match sent_by.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((v6, _)) => v6,
        None => sent_by.split(':').next().unwrap_or_default(),
    };
    let mut marked = head.trim().to_owned();
    // With a port asked for the address must be there, too, even where it is the same. A quote may hide from others
    // where a parameter or the whole element ends.
    if wants_port || via.contains(['"', '<', '>']) || host.parse::<IpAddr>().ok() != Some(ip) {
        marked.push_str(&format!(";received={ip}"));
    }
    if wants_port {
        marked.push_str(&format!(";rport={}", from.port()));
    }
    *first = marked + &others;
    vias.join(", ")
}

/// Where the next hop saw our request come from, as the topmost Via of its answer says (RFC 3581, section 4).
pub(super) fn reflexive(via: &str, local: SocketAddr) -> Option<SocketAddr> {
    let first = elements(via).into_iter().next()?;
    let mut ip = local.ip();
    let mut port = None;
    for (name, value) in parameters(&first, ';') {
        match name.as_str() {
            "received" => ip = value.trim_matches(['[', ']']).parse::<IpAddr>().ok()?.to_canonical(),
            "rport" => port = value.parse::<u16>().ok().filter(|port| *port != 0),
            _ => {}
        }
    }
    (!ip.is_unspecified()).then_some(SocketAddr::new(ip, port?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn requests_are_marked_with_where_they_came_from() {
        let v4: SocketAddr = "192.0.2.7:5070".parse().unwrap();
        let v6: SocketAddr = "[2001:db8::9]:5070".parse().unwrap();
        for (via, from, want) in [
            ("SIP/2.0/UDP 192.0.2.7:5070;branch=z", v4, "SIP/2.0/UDP 192.0.2.7:5070;branch=z"),
            (
                "SIP/2.0/UDP 192.0.2.7;rport;branch=z",
                v4,
                "SIP/2.0/UDP 192.0.2.7;received=192.0.2.7;rport=5070;branch=z",
            ),
            (
                "SIP / 2.0 / UDP first.test:4000 ; received=192.0.2.1 ;branch=z, SIP/2.0/TCP b",
                v4,
                "SIP / 2.0 / UDP first.test:4000;received=192.0.2.7;branch=z, SIP/2.0/TCP b",
            ),
            ("SIP/2.0/TCP [2001:db8::9]:5060;x=y", v6, "SIP/2.0/TCP [2001:db8::9]:5060;x=y"),
            (
                "SIP/2.0/UDP [2001:db8::1];rport",
                v6,
                "SIP/2.0/UDP [2001:db8::1];received=2001:db8::9;rport=5070",
            ),
        ] {
            assert_eq!(marked(via, from), want);
        }
    }

    #[test]
    fn answers_say_where_we_were_seen() {
        let local: SocketAddr = "10.0.0.2:5060".parse().unwrap();
        for (via, want) in [
            (
                "SIP/2.0/UDP 10.0.0.2:5060;rport=40001;received=203.0.113.7;branch=z",
                Some("203.0.113.7:40001"),
            ),
            ("SIP/2.0/UDP 10.0.0.2:5060;rport=40001;branch=z", Some("10.0.0.2:40001")),
            ("SIP/2.0/UDP [::1]:5060;received=[2001:db8::9];rport=1", Some("[2001:db8::9]:1")),
            ("SIP/2.0/UDP [::1]:5060;received=2001:db8::9;rport=1", Some("[2001:db8::9]:1")),
            ("SIP/2.0/UDP 10.0.0.2:5060;rport;received=203.0.113.7", None),
            ("SIP/2.0/UDP 10.0.0.2:5060;rport=0;received=203.0.113.7", None),
            ("SIP/2.0/UDP 10.0.0.2:5060;rport=5;received=nonsense", None),
            ("SIP/2.0/UDP 10.0.0.2:5060;rport=5;received=0.0.0.0", None),
        ] {
            assert_eq!(reflexive(via, local), want.map(|want| want.parse().unwrap()), "{via}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(via in "[SIP/2.0UDP a-c:;=,<>\"\\[\\]\\\\0-9é]{0,60}") {
            let from = ([192, 0, 2, 7], 5070).into();
            let _ = (marked(&via, from), reflexive(&via, from));
        }
    }
}
