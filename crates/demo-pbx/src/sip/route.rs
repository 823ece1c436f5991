//! Where messages come from and go to, and the PBX's own addresses in Via, Record-Route and Contact.

use std::net::SocketAddr;

use super::uri::{Address, Uri, Via};
use crate::config::Transport;

/// The way to one peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Flow {
    /// Datagrams to and from this address.
    Udp(SocketAddr),
    /// A connection the peer opened. The PBX never dials: a phone is reached over its own connection.
    Tcp { connection: u64, peer: SocketAddr },
}

impl Flow {
    pub fn transport(self) -> Transport {
        match self {
            Self::Udp(_) => Transport::Udp,
            Self::Tcp { .. } => Transport::Tcp,
        }
    }

    pub fn peer(self) -> SocketAddr {
        match self {
            Self::Udp(peer) | Self::Tcp { peer, .. } => peer,
        }
    }

    /// Delivery is the transport's business, not the transaction's.
    pub fn is_reliable(self) -> bool {
        self.transport() == Transport::Tcp
    }

    /// Does it run over this connection?
    pub fn is_over(self, wanted: u64) -> bool {
        matches!(self, Self::Tcp { connection, .. } if connection == wanted)
    }
}

/// The addresses this PBX listens on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Own {
    pub udp: SocketAddr,
    pub tcp: SocketAddr,
}

impl Own {
    fn address(&self, transport: Transport) -> SocketAddr {
        match transport {
            Transport::Udp => self.udp,
            Transport::Tcp => self.tcp,
        }
    }

    /// A Via value for a request that leaves over this transport.
    pub fn via(&self, transport: Transport, branch: &str) -> String {
        format!("SIP/2.0/{} {};rport;branch={branch}", transport.name(), self.address(transport))
    }

    /// A SIP URI that leads here.
    pub fn uri(&self, user: &str, transport: Transport) -> String {
        let at = if user.is_empty() { "" } else { "@" };
        let parameter = if transport == Transport::Tcp { ";transport=tcp" } else { "" };
        format!("sip:{user}{at}{}{parameter}", self.address(transport))
    }

    /// A Record-Route value (RFC 3261 section 16.6, item 4).
    pub fn record_route(&self, transport: Transport) -> String {
        format!("<{};lr>", self.uri("", transport))
    }

    /// Does a Route value lead here?
    pub fn is_own_route(&self, route: &str) -> bool {
        Address::parse(route).and_then(|a| Uri::parse(a.uri)).is_some_and(|uri| self.is_own_host(&uri))
    }

    /// Does a URI name one of the addresses listened on?
    pub fn is_own_host(&self, uri: &Uri<'_>) -> bool {
        let host = uri.host.trim_start_matches('[').trim_end_matches(']');
        [self.udp, self.tcp]
            .iter()
            .any(|own| host == own.ip().to_string() && uri.port.is_none_or(|port| port == own.port()))
    }
}

/// Fills `received` and `rport` into the topmost Via of a request (RFC 3261 section 18.2.1, RFC 3581).
pub(crate) fn amend_via(via: &str, source: SocketAddr) -> Option<String> {
    let parsed = Via::parse(via)?;
    let asked = parsed.param("rport").is_some();
    if parsed.host == source.ip().to_string() && !asked {
        return Some(via.into());
    }
    let kept = via.split(';').filter(|part| {
        let name = part.split('=').next().unwrap_or_default().trim();
        !name.eq_ignore_ascii_case("rport") && !name.eq_ignore_ascii_case("received")
    });
    let mut amended = kept.collect::<Vec<_>>().join(";");
    amended.push_str(&format!(";received={}", source.ip()));
    if asked {
        amended.push_str(&format!(";rport={}", source.port()));
    }
    Some(amended)
}

/// Where responses to a request go (RFC 3261 section 18.2.2): back over the connection; over UDP to the
/// source port with `rport`, else to the port in the Via.
pub(crate) fn reply_flow(via: &Via<'_>, source: Flow) -> Flow {
    match source {
        Flow::Udp(peer) if via.param("rport").is_none() => {
            Flow::Udp(SocketAddr::new(peer.ip(), via.port.unwrap_or(5060)))
        }
        _ => source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn via_is_amended_and_steers_the_reply() {
        let source: SocketAddr = "127.0.0.1:4444".parse().unwrap();
        let with = amend_via("SIP/2.0/UDP pc.local:5062;branch=z9hG4bKa;rport", source).unwrap();
        assert_eq!(with, "SIP/2.0/UDP pc.local:5062;branch=z9hG4bKa;received=127.0.0.1;rport=4444");
        assert_eq!(reply_flow(&Via::parse(&with).unwrap(), Flow::Udp(source)), Flow::Udp(source));
        let without = amend_via("SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bKa", source).unwrap();
        assert_eq!(without, "SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bKa");
        let expected = Flow::Udp("127.0.0.1:5062".parse().unwrap());
        assert_eq!(reply_flow(&Via::parse(&without).unwrap(), Flow::Udp(source)), expected);
    }

    #[test]
    fn own_routes_are_known() {
        let own = Own { udp: "127.0.0.1:5060".parse().unwrap(), tcp: "127.0.0.1:5063".parse().unwrap() };
        assert!(own.is_own_route(&own.record_route(Transport::Udp)));
        assert!(own.is_own_route(&own.record_route(Transport::Tcp)));
        assert!(!own.is_own_route("<sip:127.0.0.1:6060;lr>"));
        assert!(!own.is_own_route("<sip:10.0.0.1:5060;lr>"));
    }
}
