use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use rsipstack::platform::net::UdpSocket as StackSocket;
use rsipstack::transaction::endpoint::EndpointInnerRef;
use rsipstack::transport::SipConnection;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::sync::broadcast;
use tokio::time::{MissedTickBehavior, interval, sleep, sleep_until};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::pulse::Beat;
use super::receive::deliver;
use super::stream::{now, pulse};
use super::stun::{self, TransactionId};
use super::{Failure, Flow, Net, cause_of, plain};
use crate::{Cause, Transport};

/// Keeps the bindings of NATs on the way open, where the proxy does not speak STUN.
const PING: &[u8] = b"\r\n\r\n";
/// Between questions whether the proxy's port is still open.
const WATCH: Duration = Duration::from_secs(10);
/// After this long a new flow is asked for its first sign of life; sooner it would only cross the REGISTER.
const FIRST: Duration = Duration::from_secs(4);
/// Pause before an unanswered STUN request is sent again (RFC 8489, section 6.2.1).
const RETRY: Duration = Duration::from_millis(500);
/// STUN requests without an answer after which the proxy is taken not to speak STUN.
const UNANSWERED: u32 = 2;
/// Largest datagram.
const LARGEST: usize = 65_535;

/// The bound UDP port: a socket for each family of addresses this machine has.
pub(crate) struct Port {
    v4: Option<UdpSocket>,
    v6: Option<UdpSocket>,
    number: u16,
    /// Where answers to STUN requests go: each flow knows its own.
    stun: broadcast::Sender<stun::Answer>,
    /// Tells that the sockets are closed. Fields are dropped in order, so this one goes last.
    _closed: DropGuard,
}

impl Port {
    /// Binds `port`, or without one any that is free, on all addresses. `closed` is cancelled once it is closed.
    pub(crate) fn bind(port: Option<u16>, closed: &CancellationToken) -> io::Result<Self> {
        // A port that is free in one family may be taken in the other: then another one will do.
        let mut tries = if port.is_some() { 1 } else { 8 };
        loop {
            tries -= 1;
            match Self::bind_both(port.unwrap_or(0), closed) {
                Err(e) if e.kind() == io::ErrorKind::AddrInUse && tries > 0 => {}
                outcome => return outcome,
            }
        }
    }

    fn bind_both(port: u16, closed: &CancellationToken) -> io::Result<Self> {
        let v4 = present(bind(Ipv4Addr::UNSPECIFIED.into(), port))?;
        let number = v4.as_ref().map_or(Ok(port), |socket| socket.local_addr().map(|bound| bound.port()))?;
        let v6 = present(bind(Ipv6Addr::UNSPECIFIED.into(), number))?;
        if v4.is_none() && v6.is_none() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let number =
            v6.as_ref().map_or(Ok(number), |socket| socket.local_addr().map(|bound| bound.port()))?;
        let stun = broadcast::Sender::new(16);
        Ok(Self { v4, v6, number, stun, _closed: closed.clone().drop_guard() })
    }

    /// The socket that reaches addresses like this one.
    fn socket(&self, peer: SocketAddr) -> io::Result<&UdpSocket> {
        let socket = if peer.is_ipv6() { &self.v6 } else { &self.v4 };
        socket.as_ref().ok_or_else(|| io::ErrorKind::NetworkUnreachable.into())
    }

    async fn send(&self, bytes: &[u8], to: SocketAddr) -> io::Result<usize> {
        self.socket(to)?.send_to(bytes, to).await
    }

    /// Reads one of the sockets until the user agent closes.
    async fn listen(&self, socket: &UdpSocket, endpoint: &EndpointInnerRef, connection: &SipConnection) {
        let mut buffer = vec![0; LARGEST];
        loop {
            let (length, from) = match socket.recv_from(&mut buffer).await {
                Ok(received) => received,
                Err(_) => {
                    // Windows reports the refusal of an earlier datagram here. The pause keeps a socket that is
                    // broken for good from spinning.
                    sleep(Duration::from_millis(20)).await;
                    continue;
                }
            };
            let bytes = buffer.get(..length).unwrap_or_default();
            let reply = match bytes {
                PING => Some(b"\r\n".to_vec()),
                _ if bytes.trim_ascii().is_empty() => None,
                _ if stun::is_stun(bytes) => {
                    if let Some(answer) = stun::answer(bytes) {
                        // Without a flow nobody asked.
                        let _ = self.stun.send(answer);
                    }
                    None
                }
                _ => deliver(endpoint, connection, Transport::Udp, plain(from), bytes).await,
            };
            if let Some(reply) = reply {
                let _ = socket.send_to(&reply, from).await;
            }
        }
    }
}

/// A socket of a family this machine may not have. `None` then.
fn present(bound: io::Result<UdpSocket>) -> io::Result<Option<UdpSocket>> {
    match bound {
        Ok(socket) => Ok(Some(socket)),
        Err(e) if matches!(e.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied) => Err(e),
        Err(error) => {
            tracing::debug!(%error, "a family of addresses is missing");
            Ok(None)
        }
    }
}

fn bind(ip: IpAddr, port: u16) -> io::Result<UdpSocket> {
    let domain = if ip.is_ipv6() { Domain::IPV6 } else { Domain::IPV4 };
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    if ip.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::new(ip, port).into())?;
    UdpSocket::from_std(socket.into())
}

/// The port as the transaction layer sees it: it sends there. What arrives is read by [`listen`] instead.
#[async_trait::async_trait]
impl StackSocket for Port {
    async fn recv_from(&self, _: &mut [u8]) -> rsipstack::Result<(usize, SocketAddr)> {
        std::future::pending().await
    }

    async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> rsipstack::Result<usize> {
        Ok(self.send(bytes, to).await?)
    }

    fn local_addr(&self) -> rsipstack::Result<SocketAddr> {
        Ok(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), self.number))
    }
}

/// Reads the port until the user agent closes.
pub(super) async fn listen(
    port: Arc<Port>,
    endpoint: EndpointInnerRef,
    connection: SipConnection,
    closing: CancellationToken,
) {
    let read = async |socket: &Option<UdpSocket>| match socket {
        Some(socket) => port.listen(socket, &endpoint, &connection).await,
        None => std::future::pending().await,
    };
    tokio::select! {
        () = closing.cancelled() => {}
        () = async { tokio::join!(read(&port.v4), read(&port.v6)); } => {}
    }
}

/// Opens the flow to `peer`. A second, connected socket finds the local address, and hears when nothing listens
/// at the proxy any more: errors about single datagrams are not told to the unconnected one.
pub(super) async fn open(
    net: &Net,
    connection: SipConnection,
    port: &Arc<Port>,
    peer: SocketAddr,
) -> Result<Flow, Failure> {
    port.socket(peer)?;
    let any: IpAddr =
        if peer.is_ipv6() { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    let ear = UdpSocket::bind((any, 0)).await?;
    ear.connect(peer).await?;
    let local = SocketAddr::new(plain(ear.local_addr()?).ip(), port.number);
    let flow = net.new_flow(connection, Transport::Udp, local, peer);
    let watch = net.tasks.spawn(watch(flow.clone(), port.clone(), ear));
    let _ = flow.loss.watch.set(watch.abort_handle());
    Ok(flow)
}

/// Keeps the way open and notices when it is gone or has moved: with STUN where the proxy speaks it, else blindly.
async fn watch(flow: Flow, port: Arc<Port>, ear: UdpSocket) {
    let mut answers = port.stun.subscribe();
    let mut question = interval(WATCH);
    question.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut pulse = pulse(Some(RETRY), FIRST);
    let mut asked = 0_u32;
    let mut id = TransactionId::default();
    let mut buffer = [0; 64];
    loop {
        let outcome = tokio::select! {
            _ = flow.lost() => return,
            () = sleep_until(pulse.deadline().into()) => match pulse.beat(now()) {
                Beat::Rest => Ok(0),
                Beat::Dead => Err(io::ErrorKind::TimedOut.into()),
                Beat::Ask if pulse.answers() || asked < UNANSWERED => {
                    asked = asked.saturating_add(1);
                    id = rand::rng().random();
                    // What cannot be sent now is missed by nobody: the answer stays out.
                    let _ = port.send(&stun::request(id), flow.peer).await;
                    Ok(0)
                }
                Beat::Ask => {
                    let _ = port.send(PING, flow.peer).await;
                    Ok(0)
                }
            },
            Ok(answer) = answers.recv() => {
                if answer.id == id {
                    pulse.answered(now());
                    if flow.learn(plain(answer.mapped)) {
                        tracing::debug!(mapped = %answer.mapped, "the way to the proxy has moved");
                    }
                }
                Ok(0)
            }
            _ = question.tick() => ear.send(PING).await,
            heard = ear.recv(&mut buffer) => heard,
        };
        if let Err(e) = outcome {
            // A reset on a UDP socket is the Windows word for a refusal.
            let refused =
                matches!(e.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset);
            flow.lose(if refused { Cause::ConnectionRefused } else { cause_of(&e) });
            return;
        }
    }
}
