//! The way to the outbound proxy and back: sockets, name resolution, keep-alive, noticing loss.

mod framing;
mod tcp;
mod udp;
mod unknown;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rsipstack::sip::{
    Header, Host, HostWithPort, Method, Response, SipMessage, Transport as SipTransport, Uri,
};
use rsipstack::transaction::endpoint::{EndpointInnerRef, MessageInspector, TargetLocator};
use rsipstack::transport::udp::UdpConnection;
use rsipstack::transport::{SipAddr, SipConnection};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::header::parameters;
use crate::message::token;
use crate::registration::Input as Fact;
use crate::service_route::ServiceRoute;
use crate::target::{unescape_user, user_part};
use crate::{Account, Cause, Transport};

pub(crate) use udp::Port;
#[cfg(test)]
pub(crate) use unknown::refusal;

/// Longest that resolving the proxy's name may take, and connecting to it.
const REACH: Duration = Duration::from_secs(3);
/// Between signs of life that keep NAT bindings open (RFC 5626, section 4.4.1: 24 to 29 s over UDP).
const KEEP_ALIVE: Duration = Duration::from_secs(25);
/// A double CRLF asks for a sign of life and means nothing else (RFC 5626, section 3.5.1).
const PING: &[u8] = b"\r\n\r\n";

/// One path to the proxy: a connection, or over UDP the socket and the proxy's address. Replaced when lost.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    pub connection: SipConnection,
    pub transport: Transport,
    pub local: SocketAddr,
    pub peer: SocketAddr,
    user: String,
    /// Our address as the proxy sees it, where it says.
    reflexive: Arc<Mutex<Option<SocketAddr>>>,
    loss: Arc<Loss>,
}

#[derive(Debug)]
struct Loss {
    token: CancellationToken,
    cause: OnceLock<Cause>,
    report: mpsc::UnboundedSender<Fact>,
    /// The task that watches over the flow, where one can be replaced while it still works.
    watch: OnceLock<AbortHandle>,
}

impl Flow {
    /// A Via header with a new branch.
    pub(crate) fn via(&self) -> String {
        let alias = if self.transport == Transport::Udp { "" } else { ";alias" };
        format!("SIP/2.0/{} {};branch=z9hG4bK{};rport{alias}", self.transport.via(), self.local, token())
    }

    /// The Contact under which this flow is reached.
    pub(crate) fn contact(&self) -> String {
        let user = &self.user;
        let address = self.reflexive.lock().ok().and_then(|known| *known).unwrap_or(self.local);
        match self.transport {
            Transport::Udp => format!("<sip:{user}@{address}>"),
            other => format!("<sip:{user}@{address};transport={}>", other.parameter()),
        }
    }

    /// Learns from a response over this flow which address of ours the proxy sees (`received` and `rport`,
    /// RFC 3581). Whether that changed what is known.
    pub(crate) fn observe(&self, response: &Response) -> bool {
        let via = response.headers.iter().find_map(|header| match header {
            Header::Via(via) => Some(via.value()),
            _ => None,
        });
        let list = via.map(|via| parameters(via, ';')).unwrap_or_default();
        let get = |name: &str| list.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        let ip = get("received").and_then(|ip| ip.parse().ok()).unwrap_or(self.local.ip());
        let port = get("rport").and_then(|port| port.parse().ok()).unwrap_or(self.local.port());
        let seen = SocketAddr::new(ip, port);
        let Ok(mut known) = self.reflexive.lock() else { return false };
        known.replace(seen).unwrap_or(self.local) != seen
    }

    /// Waits until the flow is lost.
    pub(crate) async fn lost(&self) -> Cause {
        self.loss.token.cancelled().await;
        self.loss.cause.get().copied().unwrap_or(Cause::ConnectionLost)
    }

    /// Gives the flow up: whoever uses it learns the cause, the next request opens another.
    pub(crate) fn lose(&self, cause: Cause) {
        if self.loss.cause.set(cause).is_ok() {
            self.loss.token.cancel();
            let _ = self.loss.report.send(Fact::FlowLost(cause));
        }
    }

    /// Whether the flow is lost.
    pub(crate) fn is_lost(&self) -> bool {
        self.loss.token.is_cancelled()
    }
}

/// Opens flows and keeps the current one.
pub(crate) struct Net {
    pub account: Account,
    pub endpoint: EndpointInnerRef,
    pub hops: Arc<Hops>,
    pub service_route: ServiceRoute,
    /// Every task of the user agent.
    pub tasks: TaskTracker,
    /// Cancelled when the user agent closes.
    pub closing: CancellationToken,
    port: Option<(UdpConnection, u16)>,
    current: tokio::sync::Mutex<Option<Flow>>,
    local_ip: watch::Sender<IpAddr>,
    losses: mpsc::UnboundedSender<Fact>,
}

impl Net {
    /// `port` is the bound UDP socket and its number, for an account on UDP. Lost flows are reported to `losses`.
    pub(crate) fn new(
        account: Account,
        endpoint: EndpointInnerRef,
        hops: Arc<Hops>,
        port: Option<(UdpConnection, u16)>,
        local_ip: watch::Sender<IpAddr>,
        losses: mpsc::UnboundedSender<Fact>,
        closing: CancellationToken,
    ) -> Self {
        Self {
            account,
            endpoint,
            hops,
            service_route: ServiceRoute::default(),
            tasks: TaskTracker::new(),
            closing,
            port,
            current: tokio::sync::Mutex::new(None),
            local_ip,
            losses,
        }
    }

    /// The current flow, or a new one.
    ///
    /// # Errors
    /// Why the proxy cannot be reached: its name is known, and it connects, within three seconds each.
    pub(crate) async fn flow(&self) -> Result<Flow, Cause> {
        let mut current = self.current.lock().await;
        if let Some(flow) = current.as_ref().filter(|flow| !flow.is_lost()) {
            return Ok(flow.clone());
        }
        *current = None;
        let flow = self.open().await?;
        self.hops.reached(flow.peer);
        self.local_ip.send_replace(flow.local.ip());
        tracing::debug!(local = %flow.local, peer = %flow.peer, transport = ?flow.transport, "flow opened");
        *current = Some(flow.clone());
        Ok(flow)
    }

    /// Makes the next request resolve the proxy and find the local address anew. A connection is kept: it either
    /// still works or will be found dead by the next request.
    pub(crate) async fn refresh(&self) {
        if self.account.transport == Transport::Udp
            && let Some(replaced) = self.current.lock().await.take()
            && let Some(watch) = replaced.loss.watch.get()
        {
            watch.abort();
        }
    }

    async fn open(&self) -> Result<Flow, Cause> {
        let named = self.resolve(&self.account.proxy.host, self.account.proxy_port());
        // A name service that does not answer leaves the name as unknown as one that denies it.
        let peers = timeout(REACH, named).await.unwrap_or(Err(Cause::NameNotFound))?;
        timeout(REACH, self.connect(peers)).await.unwrap_or(Err(Cause::Silence))
    }

    async fn connect(&self, peers: Vec<SocketAddr>) -> Result<Flow, Cause> {
        match &self.port {
            Some((socket, port)) => {
                let v6 = socket.get_addr().get_socketaddr().is_ok_and(|bound| bound.is_ipv6());
                let peer = peers.into_iter().find(|peer| peer.is_ipv6() == v6);
                udp::open(self, socket, *port, peer.ok_or(Cause::NetworkUnreachable)?).await
            }
            None => {
                let mut cause = Cause::NameNotFound;
                for peer in peers {
                    match tcp::open(self, peer).await {
                        Ok(flow) => return Ok(flow),
                        Err(e) => cause = cause_of(&e),
                    }
                }
                Err(cause)
            }
        }
    }

    async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Cause> {
        let found = tokio::net::lookup_host((host, port)).await.map_err(|_| Cause::NameNotFound)?;
        let found: Vec<SocketAddr> = found.collect();
        if found.is_empty() { Err(Cause::NameNotFound) } else { Ok(found) }
    }

    fn new_flow(&self, connection: SipConnection, local: SocketAddr, peer: SocketAddr) -> Flow {
        Flow {
            connection,
            transport: self.account.transport,
            local,
            peer,
            user: user_part(&self.account.user).unwrap_or_default(),
            reflexive: Arc::new(Mutex::new(None)),
            loss: Arc::new(Loss {
                token: self.closing.child_token(),
                cause: OnceLock::new(),
                report: self.losses.clone(),
                watch: OnceLock::new(),
            }),
        }
    }
}

/// Where requests within a dialog, and ACKs, go next over UDP.
pub(crate) struct Hops {
    domain: String,
    proxy: String,
    reached: Mutex<Option<SocketAddr>>,
}

impl Hops {
    pub(crate) fn new(account: &Account) -> Self {
        Self { domain: account.domain.clone(), proxy: account.proxy.host.clone(), reached: Mutex::new(None) }
    }

    fn reached(&self, peer: SocketAddr) {
        if let Ok(mut reached) = self.reached.lock() {
            *reached = Some(peer);
        }
    }

    /// Address of a route or remote target. Our own domain means the proxy, whatever the name service says.
    pub(crate) async fn address_of(&self, uri: &Uri) -> Option<SocketAddr> {
        let port = uri.host_with_port.port.map_or(Transport::Udp.default_port(), |port| port.0);
        match &uri.host_with_port.host {
            Host::IpAddr(ip) => Some(SocketAddr::new(*ip, port)),
            Host::Domain(name) => {
                let is_proxy =
                    name.0.eq_ignore_ascii_case(&self.domain) || name.0.eq_ignore_ascii_case(&self.proxy);
                let reached = self.reached.lock().ok().and_then(|reached| *reached);
                if let Some(peer) = reached.filter(|_| is_proxy) {
                    return Some(peer);
                }
                let found = tokio::net::lookup_host((name.0.as_str(), port));
                timeout(REACH, found).await.ok()?.ok()?.next()
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

/// Mends the ACK of a 2xx, whose Request-URI the transaction layer makes out of the Contact by itself.
pub(crate) struct AckMender;

impl MessageInspector for AckMender {
    fn before_send(&self, mut message: SipMessage, _: Option<&SipAddr>) -> SipMessage {
        if let SipMessage::Request(request) = &mut message
            && request.method == Method::Ack
        {
            unescape_user(&mut request.uri);
        }
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

fn cause_of(error: &io::Error) -> Cause {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Cause::ConnectionRefused,
        io::ErrorKind::TimedOut => Cause::Silence,
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => {
            Cause::ConnectionLost
        }
        _ => Cause::NetworkUnreachable,
    }
}
