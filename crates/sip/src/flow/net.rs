use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use pbx_api::Trust;
use rsipstack::transaction::endpoint::EndpointInnerRef;
use rsipstack::transport::SipConnection;
use rsipstack::transport::udp::UdpConnection;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::detour::Detours;
use super::dial::{Tentative, dial};
use super::secure::Secure;
use super::{Failure, Flow, Hops, Loss, Port, plain, probe, stream, through, udp, websocket};
use crate::network::source_toward;
use crate::registration::Told;
use crate::resolve::{LEFT_ALONE, Target, Targets, order, resolve, web_proxy};
use crate::service_route::ServiceRoute;
use crate::target::user_part;
use crate::{Account, Cause, Event, Proxy, Transport, TransportChoice};

/// Longest that resolving the proxy's name may take, and reaching it.
const REACH: Duration = Duration::from_secs(3);
/// Where it was found before, nobody is asked for it longer than this.
const KNOWN: Duration = Duration::from_secs(1);
/// Reaching it gets this long, however long resolving took.
const LEAST: Duration = Duration::from_millis(1500);
/// A transport that worked is not replaced by another for this long after it was lost: a PBX that starts again does
/// not open all its ports at once.
const LOYALTY: Duration = Duration::from_secs(15);

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
    pub(super) detours: tokio::sync::Mutex<Detours>,
    targets: Arc<Mutex<Targets>>,
    /// Where the proxy was found last, for times when nobody knows its name.
    found: Mutex<Vec<Target>>,
    /// Where the registrar has sent us instead of the account's proxy.
    elsewhere: Mutex<Option<Proxy>>,
    current: tokio::sync::Mutex<Option<Flow>>,
    /// How the proxy was reached last, and when that came to an end.
    worked: Mutex<Option<Worked>>,
    local_ip: watch::Sender<IpAddr>,
    losses: mpsc::UnboundedSender<Told>,
    events: mpsc::UnboundedSender<Event>,
}

#[derive(Debug, Clone, Copy)]
struct Worked {
    transport: Transport,
    peer: SocketAddr,
    lost: Option<Instant>,
}

/// What a [`Net`] tells of itself.
pub(crate) struct Outlets {
    /// Follows the local address that reaches the proxy.
    pub local_ip: watch::Sender<IpAddr>,
    /// Hears of lost flows.
    pub losses: mpsc::UnboundedSender<Told>,
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
            detours: tokio::sync::Mutex::default(),
            targets: Arc::default(),
            found: Mutex::default(),
            elsewhere: Mutex::default(),
            current: tokio::sync::Mutex::new(None),
            worked: Mutex::new(None),
            local_ip: outlets.local_ip,
            losses: outlets.losses,
            events: outlets.events,
        }
    }

    /// The current flow, or a new one.
    ///
    /// # Errors
    /// Why the proxy cannot be reached, after three seconds at most; up to a second and a half more where already
    /// the name service is slow.
    pub(crate) async fn flow(&self) -> Result<Flow, Cause> {
        let mut current = self.current.lock().await;
        if let Some(flow) = current.as_ref().filter(|flow| !flow.is_lost()) {
            return Ok(flow.clone());
        }
        *current = None;
        let flow = self.open().await?;
        self.hops.reached(flow.peer, flow.transport);
        let ip = self.own_address(&flow);
        self.local_ip.send_if_modified(|known| std::mem::replace(known, ip) != ip);
        tracing::debug!(local = %flow.local, peer = %flow.peer, transport = ?flow.transport, "flow opened");
        if let Ok(mut targets) = self.targets.lock() {
            targets.works(flow.transport, flow.peer);
        }
        let (transport, peer) = (flow.transport, flow.peer);
        if let Ok(mut worked) = self.worked.lock() {
            *worked = Some(Worked { transport, peer, lost: None });
        }
        let _ = self.events.send(Event::Reached { transport, peer });
        *current = Some(flow.clone());
        Ok(flow)
    }

    /// Makes the next request resolve the proxy and find the local address anew, with nothing held against any
    /// target. A connection is kept: it either still works or will be found dead by the next request.
    pub(crate) async fn refresh(&self) {
        let mut current = self.current.lock().await;
        if let (Ok(mut elsewhere), Ok(mut found)) = (self.elsewhere.lock(), self.found.lock()) {
            *elsewhere = None;
            found.clear();
        }
        if let Ok(mut targets) = self.targets.lock() {
            targets.forget();
        }
        if let Some(replaced) = current.take_if(|flow| flow.transport == Transport::Udp)
            && let Some(watch) = replaced.loss.watch.get()
        {
            watch.abort();
        }
        // What worked in another network need not work in this one.
        if let Ok(mut worked) = self.worked.lock()
            && current.as_ref().is_none_or(Flow::is_lost)
        {
            *worked = None;
        }
    }

    /// Sends all requests to another server from now on, or with `None` to the account's proxy again. TLS goes on to
    /// insist on the name of the account's proxy.
    pub(crate) async fn turn_to(&self, server: Option<Proxy>) {
        let mut current = self.current.lock().await;
        let is_other = self.elsewhere.lock().is_ok_and(|mut elsewhere| {
            let is_other = *elsewhere != server;
            *elsewhere = server;
            is_other
        });
        if let Ok(mut found) = self.found.lock() {
            found.clear();
        }
        let Some(left) = current.take_if(|_| is_other) else { return };
        match left.loss.watch.get().filter(|_| left.transport == Transport::Udp) {
            Some(watch) => watch.abort(),
            None => left.lose(Cause::ConnectionLost),
        }
    }

    /// Replaces what is trusted besides the operating system's own roots.
    pub(crate) async fn trust(&self, trust: Trust) {
        let worked = self.worked.lock().ok().and_then(|worked| *worked);
        let through = web_proxy(&self.account_now());
        let port = match (&through, worked) {
            (Some((_, port)), Some(Worked { transport: Transport::Wss, .. })) => *port,
            (_, worked) => worked.map_or(0, |worked| worked.peer.port()),
        };
        let distrusted = self.secure.replace(trust, port);
        let is_other_way = web_proxy(&self.account_now()) != through;
        let current = self.current.lock().await;
        let Some(flow) = current.as_ref().filter(|flow| flow.transport.is_secure()) else { return };
        if distrusted {
            flow.lose(Cause::CertificateNotTrusted);
        } else if is_other_way && flow.transport == Transport::Wss {
            flow.lose(Cause::ConnectionLost);
        }
    }

    /// Takes note that the server at the other end wants to be left alone (503), as long as it says and at least as
    /// long as any that failed: it must not be taken for the other one to turn to. Whether there is another: then the
    /// flow is given up for it.
    pub(crate) fn give_way(&self, flow: &Flow, retry_after: Option<Duration>) -> bool {
        let now = Instant::now();
        let another = self.targets.lock().is_ok_and(|mut targets| {
            let pause = retry_after.unwrap_or_default().max(LEFT_ALONE);
            targets.fail(flow.transport, flow.peer, pause, now);
            targets.has_another(now)
        });
        if another {
            flow.lose(Cause::ServerFailed);
        }
        another
    }

    /// The account as the registrar and whoever settles what is trusted have it now.
    fn account_now(&self) -> Account {
        let elsewhere = self.elsewhere.lock().ok().and_then(|elsewhere| elsewhere.clone());
        let proxy = elsewhere.unwrap_or_else(|| self.account.proxy.clone());
        Account { proxy, trust: self.secure.trust(), ..self.account.clone() }
    }

    async fn open(&self) -> Result<Flow, Cause> {
        let began = Instant::now();
        let worked = self.worked.lock().ok().and_then(|mut worked| {
            worked.as_mut().map(|worked| (worked.transport, *worked.lost.get_or_insert(began)))
        });
        let loyal = worked.filter(|(_, lost)| began.duration_since(*lost) < LOYALTY).map(|(of, _)| of);
        let worked = worked.map(|(transport, _)| transport);
        let account = &self.account_now();
        let order = order(account.transport, worked, account.proxy.port);
        let is_known = self.found.lock().is_ok_and(|found| !found.is_empty());
        // A name service that does not answer leaves the name as unknown as one that denies it.
        let found = timeout(if is_known { KNOWN } else { REACH }, resolve(account, &order)).await;
        let (found, unknown) = match found.unwrap_or(Err(Cause::NameNotFound)) {
            Ok(found) => (found, None),
            // A phone that knows the way does not stay away because it cannot ask for it.
            Err(cause) => (self.found.lock().map(|found| found.clone()).unwrap_or_default(), Some(cause)),
        };
        if let (None, Ok(mut known)) = (unknown, self.found.lock()) {
            known.clone_from(&found);
        }
        if let Some(cause) = unknown.filter(|_| found.is_empty()) {
            return Err(cause);
        }
        let now = Instant::now();
        let targets = self.targets.lock().map(|mut targets| targets.choose(found, loyal, now));
        let limit = (began + REACH).max(now + LEAST);
        let known = match self.account.transport {
            TransportChoice::Fixed(transport) => Some(transport),
            TransportChoice::Automatic { first } => worked.or(first),
        };
        let opened = dial(self, targets.unwrap_or_default(), limit, known).await;
        opened.map_err(|failure| unknown.unwrap_or(failure.cause))
    }

    /// The address of ours that media is to come to. A web proxy on this machine hides it.
    fn own_address(&self, flow: &Flow) -> IpAddr {
        let ip = flow.local.ip();
        let far = SocketAddr::from(([192, 0, 2, 1], 9));
        match ip.is_loopback() && flow.transport == Transport::Wss && web_proxy(&self.account_now()).is_some()
        {
            true => source_toward(far).unwrap_or(ip),
            false => ip,
        }
    }

    /// A target was not reached.
    pub(super) fn failed(&self, target: &Target) {
        if let Ok(mut targets) = self.targets.lock() {
            targets.fail(target.transport, target.address, LEFT_ALONE, Instant::now());
        }
    }

    /// Shows the certificate that is not trusted, if that is what it failed for.
    pub(super) fn tell(&self, failure: &Failure) {
        if let Some(distrust) = &failure.distrust {
            let certificate = Box::new(distrust.certificate.clone());
            let _ = self.events.send(Event::CertificateNotTrusted { problem: distrust.problem, certificate });
        }
    }

    /// Opens a flow to one target. Over UDP it may have to `prove` that a SIP server is there.
    pub(super) async fn reach(&self, target: Target, prove: bool) -> Result<Flow, Failure> {
        if target.transport == Transport::Udp {
            let peer = target.address;
            let (connection, port) = self.port.as_ref().ok_or(Cause::NetworkUnreachable)?;
            let flow = udp::open(self, connection.clone().into(), port, peer).await?;
            let unproven = Tentative::new(flow.clone());
            if prove {
                probe::answers(self, &flow).await?;
            }
            return Ok(unproven.keep());
        }
        self.connect(target).await
    }

    /// Opens a flow over a connection: TCP, TLS or WSS.
    pub(super) async fn connect(&self, target: Target) -> Result<Flow, Failure> {
        let Target { transport, address: peer, beyond, .. } = target;
        let connected = match beyond {
            Some(_) => through::connect(&self.account_now(), peer).await?,
            None => stream::connect(peer).await?,
        };
        let endpoint = self.endpoint.clone();
        let port = beyond.unwrap_or(peer.port());
        if transport == Transport::Tcp {
            let (flow, to_send) = stream::flow(self, transport, &connected, peer).await?;
            self.tasks.spawn(stream::carry(flow.clone(), endpoint, connected, to_send));
            return Ok(flow);
        }
        let secured = self.secure.handshake(connected, port).await;
        let secured =
            secured.map_err(|failure| if beyond.is_some() { through::blamed(failure) } else { failure })?;
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
                aside: AtomicBool::new(false),
                targets: self.targets.clone(),
                watch: OnceLock::new(),
            }),
        }
    }
}
