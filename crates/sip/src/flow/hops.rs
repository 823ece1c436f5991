use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rsipstack::sip::{Header, Host, HostWithPort, Method, SipMessage, Transport as SipTransport, Uri};
use rsipstack::transaction::endpoint::{MessageInspector, TargetLocator};
use rsipstack::transport::SipAddr;
use tokio::time::timeout;

use crate::resolve::resolve_hop;
use crate::target::unescape_user;
use crate::trace;
use crate::{Account, Transport};

/// Longest that finding the address of a hop may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where requests within a dialog, and ACKs, go next over UDP.
pub(crate) struct Hops {
    domain: String,
    proxy: String,
    name_servers: Option<Vec<SocketAddr>>,
    reached: Mutex<Option<(SocketAddr, Transport)>>,
}

impl Hops {
    pub(crate) fn new(account: &Account) -> Self {
        Self {
            domain: account.domain.clone(),
            proxy: account.proxy.host.clone(),
            name_servers: account.name_servers.clone(),
            reached: Mutex::new(None),
        }
    }

    /// Takes note of where the proxy was reached.
    pub(super) fn reached(&self, peer: SocketAddr, transport: Transport) {
        if let Ok(mut reached) = self.reached.lock() {
            *reached = Some((peer, transport));
        }
    }

    /// Whether this is the address where the proxy was reached last.
    pub(crate) fn is_proxy(&self, ip: IpAddr) -> bool {
        let reached = self.reached.lock().ok().and_then(|reached| *reached);
        reached.is_some_and(|(peer, _)| peer.ip().to_canonical() == ip)
    }

    /// Address of a route or remote target. Our own domain means the proxy, whatever the name service says.
    pub(crate) async fn address_of(&self, uri: &Uri) -> Option<SocketAddr> {
        let port = uri.host_with_port.port.map(|port| port.0);
        match &uri.host_with_port.host {
            Host::IpAddr(ip) => Some(SocketAddr::new(*ip, port.unwrap_or(Transport::Udp.default_port()))),
            Host::Domain(name) => {
                let is_proxy =
                    name.0.eq_ignore_ascii_case(&self.domain) || name.0.eq_ignore_ascii_case(&self.proxy);
                let reached = self.reached.lock().ok().and_then(|reached| *reached);
                if let Some((peer, transport)) = reached.filter(|_| is_proxy) {
                    // The port of another transport says nothing of where it listens for this one.
                    let port = port.filter(|_| transport == Transport::Udp);
                    return Some(SocketAddr::new(peer.ip(), port.unwrap_or(peer.port())));
                }
                let found = resolve_hop(self.name_servers.as_deref(), &name.0, port);
                timeout(PATIENCE, found).await.ok()?
            }
        }
    }
}

/// [`Hops`] as the transaction layer asks for it, when it acknowledges a 2xx.
pub(crate) struct Locator(pub Arc<Hops>);

#[async_trait::async_trait]
impl TargetLocator for Locator {
    async fn locate(&self, uri: &Uri) -> rsipstack::Result<SipAddr> {
        let found = self.0.address_of(uri).await;
        found.map(udp_address).ok_or_else(|| rsipstack::Error::DnsResolutionError(uri.to_string()))
    }
}

/// Mends the ACK of a 2xx, which the transaction layer makes by itself: its Request-URI out of the Contact, its
/// credentials out of the INVITE, whoever it goes to.
pub(crate) struct AckMender(pub Arc<Hops>);

impl MessageInspector for AckMender {
    fn before_send(&self, mut message: SipMessage, to: Option<&SipAddr>) -> SipMessage {
        if let SipMessage::Request(request) = &mut message
            && request.method == Method::Ack
        {
            unescape_user(&mut request.uri);
            if let Some(Host::IpAddr(ip)) = to.map(|to| &to.addr.host)
                && !self.0.is_proxy(ip.to_canonical())
            {
                let are_credentials = |header: &Header| {
                    matches!(header, Header::Authorization(_) | Header::ProxyAuthorization(_))
                };
                request.headers.retain(|header| !are_credentials(header));
            }
        }
        trace::sent(&message, to);
        message
    }

    fn after_received(&self, message: SipMessage, _: Option<&SipAddr>) -> SipMessage {
        message
    }
}

/// An address as the transaction layer writes it.
pub(crate) fn udp_address(address: SocketAddr) -> SipAddr {
    SipAddr::new(SipTransport::Udp, HostWithPort::from(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn our_own_domain_is_the_proxy() {
        let hops = Hops {
            domain: "bell.test".into(),
            proxy: "pbx.bell.test".into(),
            name_servers: None,
            reached: Mutex::new(None),
        };
        for (transport, uri, want) in [
            (Transport::Udp, "sip:101@BELL.test", "192.0.2.1:5070"),
            (Transport::Udp, "sip:pbx.bell.test:5090;lr", "192.0.2.1:5090"),
            (Transport::Tcp, "sip:pbx.bell.test:5090;lr", "192.0.2.1:5070"),
            (Transport::Udp, "sip:192.0.2.9", "192.0.2.9:5060"),
        ] {
            hops.reached(([192, 0, 2, 1], 5070).into(), transport);
            let found = hops.address_of(&crate::target::parse(uri).unwrap()).await;
            assert_eq!(found, want.parse().ok(), "{uri}");
        }
        assert!(hops.is_proxy([192, 0, 2, 1].into()) && !hops.is_proxy([192, 0, 2, 9].into()));
    }
}
