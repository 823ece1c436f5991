use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use pbx_api::Trust;
use rsipstack::transaction::endpoint::EndpointInnerRef;
use rsipstack::transport::SipConnection;
use rsipstack::transport::udp::UdpConnection;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::secure::Secure;
use super::{Failure, Flow, Hops, Loss, Port, plain, stream, udp, websocket};
use crate::registration::Input as Fact;
use crate::service_route::ServiceRoute;
use crate::target::user_part;
use crate::{Account, Cause, Event, Transport, TransportChoice};

/// Longest that resolving the proxy's name may take, and connecting to it.
const REACH: Duration = Duration::from_secs(3);

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
    port: Option<(UdpConnection, Arc<Port>)>,
    secure: Secure,
    current: tokio::sync::Mutex<Option<Flow>>,
    /// The peer of the current flow, without waiting for one that is being opened.
    peer: Mutex<Option<(Transport, SocketAddr)>>,
    local_ip: watch::Sender<IpAddr>,
    losses: mpsc::UnboundedSender<Fact>,
    events: mpsc::UnboundedSender<Event>,
}

/// What a [`Net`] tells of itself.
pub(crate) struct Outlets {
    /// Follows the local address that reaches the proxy.
    pub local_ip: watch::Sender<IpAddr>,
    /// Hears of lost flows.
    pub losses: mpsc::UnboundedSender<Fact>,
    pub events: mpsc::UnboundedSender<Event>,
}

impl Net {
    /// `port` is the bound UDP port, for an account that may use UDP.
    pub(crate) fn new(
        account: Account,
        endpoint: EndpointInnerRef,
        hops: Arc<Hops>,
        port: Option<(UdpConnection, Arc<Port>)>,
        outlets: Outlets,
        closing: CancellationToken,
    ) -> Self {
        let tasks = TaskTracker::new();
        if let Some((connection, port)) = &port {
            let connection = connection.clone().into();
            tasks.spawn(udp::listen(port.clone(), endpoint.clone(), connection, closing.clone()));
        }
        Self {
            secure: Secure::new(&account),
            account,
            endpoint,
            hops,
            service_route: ServiceRoute::default(),
            tasks,
            closing,
            port,
            current: tokio::sync::Mutex::new(None),
            peer: Mutex::new(None),
            local_ip: outlets.local_ip,
            losses: outlets.losses,
            events: outlets.events,
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
        self.local_ip.send_if_modified(|known| std::mem::replace(known, flow.local.ip()) != flow.local.ip());
        tracing::debug!(local = %flow.local, peer = %flow.peer, transport = ?flow.transport, "flow opened");
        if let Ok(mut peer) = self.peer.lock()
            && peer.replace((flow.transport, flow.peer)) != Some((flow.transport, flow.peer))
        {
            let _ = self.events.send(Event::Reached { transport: flow.transport, peer: flow.peer });
        }
        *current = Some(flow.clone());
        Ok(flow)
    }

    /// Makes the next request resolve the proxy and find the local address anew. A connection is kept: it either
    /// still works or will be found dead by the next request.
    pub(crate) async fn refresh(&self) {
        let mut current = self.current.lock().await;
        if let Some(replaced) = current.take_if(|flow| flow.transport == Transport::Udp)
            && let Some(watch) = replaced.loss.watch.get()
        {
            watch.abort();
        }
    }

    /// Replaces what is trusted besides the operating system's own roots.
    pub(crate) async fn trust(&self, trust: Trust) {
        let peer = self.peer.lock().ok().and_then(|peer| *peer);
        let port = peer.map_or(0, |(_, peer)| peer.port());
        if self.secure.replace(trust, port)
            && let Some(flow) = self.current.lock().await.as_ref()
            && flow.transport.is_secure()
        {
            flow.lose(Cause::ConnectionLost);
        }
    }

    async fn open(&self) -> Result<Flow, Cause> {
        let transport = match self.account.transport {
            TransportChoice::Fixed(transport) => transport,
            TransportChoice::Automatic { .. } => Transport::Tls,
        };
        let port = self.account.proxy.port.unwrap_or(transport.default_port());
        let named = self.resolve(&self.account.proxy.host, port);
        // A name service that does not answer leaves the name as unknown as one that denies it.
        let peers = timeout(REACH, named).await.unwrap_or(Err(Cause::NameNotFound))?;
        let opened = timeout(REACH, self.connect(transport, peers)).await;
        opened.unwrap_or_else(|_| Err(Cause::Silence.into())).map_err(|failure| {
            if let Some(distrust) = failure.distrust {
                let certificate = Box::new(distrust.certificate);
                let problem = distrust.problem;
                let _ = self.events.send(Event::CertificateNotTrusted { problem, certificate });
            }
            failure.cause
        })
    }

    async fn connect(&self, transport: Transport, peers: Vec<SocketAddr>) -> Result<Flow, Failure> {
        let mut failure = Failure::from(Cause::NameNotFound);
        for peer in peers {
            match self.reach(transport, peer).await {
                Ok(flow) => return Ok(flow),
                Err(e) => failure = e,
            }
        }
        Err(failure)
    }

    /// Opens a flow to one address.
    async fn reach(&self, transport: Transport, peer: SocketAddr) -> Result<Flow, Failure> {
        if transport == Transport::Udp {
            let (connection, port) = self.port.as_ref().ok_or(Cause::NetworkUnreachable)?;
            return udp::open(self, connection.clone().into(), port, peer).await;
        }
        let connected = stream::connect(peer).await?;
        let endpoint = self.endpoint.clone();
        let port = peer.port();
        if transport == Transport::Tcp {
            let (flow, to_send) = stream::flow(self, transport, &connected, peer).await?;
            self.tasks.spawn(stream::carry(flow.clone(), endpoint, connected, to_send));
            return Ok(flow);
        }
        let secured = self.secure.handshake(connected, port).await?;
        if transport == Transport::Tls {
            let (flow, to_send) = stream::flow(self, transport, secured.get_ref().0, peer).await?;
            self.tasks.spawn(stream::carry(flow.clone(), endpoint, secured, to_send));
            return Ok(flow);
        }
        let socket = websocket::handshake(&self.account, port, secured).await?;
        let (flow, to_send) = stream::flow(self, transport, socket.get_ref().get_ref().0, peer).await?;
        self.tasks.spawn(websocket::carry(flow.clone(), endpoint, socket, to_send));
        Ok(flow)
    }

    async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Cause> {
        let found = tokio::net::lookup_host((host, port)).await.map_err(|_| Cause::NameNotFound)?;
        let found: Vec<SocketAddr> = found.collect();
        if found.is_empty() { Err(Cause::NameNotFound) } else { Ok(found) }
    }

    pub(super) fn new_flow(
        &self,
        connection: SipConnection,
        transport: Transport,
        local: SocketAddr,
        peer: SocketAddr,
    ) -> Flow {
        Flow {
            connection,
            transport,
            local: plain(local),
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
