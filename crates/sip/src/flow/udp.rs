use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use rsipstack::platform::net::UdpSocket as StackSocket;
use rsipstack::transport::udp::UdpConnection;
use tokio::net::UdpSocket;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::{Flow, KEEP_ALIVE, Net, PING, cause_of, udp_address};
use crate::Cause;
use crate::wire::{self, Reading};

/// Between questions whether the proxy's port is still open.
const WATCH: Duration = Duration::from_secs(10);

/// The bound UDP socket, as the transaction layer reads it.
pub(crate) struct Port(UdpSocket);

impl Port {
    /// Binds `port` (0: any) on all addresses of the family that `v6` says.
    pub(crate) fn bind(v6: bool, port: u16) -> io::Result<Self> {
        let any: IpAddr = if v6 { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
        let socket = std::net::UdpSocket::bind((any, port))?;
        socket.set_nonblocking(true)?;
        UdpSocket::from_std(socket).map(Self)
    }

    pub(crate) fn number(&self) -> io::Result<u16> {
        self.0.local_addr().map(|bound| bound.port())
    }
}

#[async_trait::async_trait]
impl StackSocket for Port {
    async fn recv_from(&self, buffer: &mut [u8]) -> rsipstack::Result<(usize, SocketAddr)> {
        loop {
            let (length, from) = match self.0.recv_from(buffer).await {
                Ok(received) => received,
                Err(_) => {
                    // Windows reports the refusal of an earlier datagram here. The pause keeps a socket that is
                    // broken for good from spinning.
                    sleep(Duration::from_millis(20)).await;
                    continue;
                }
            };
            let datagram = buffer.get(..length).unwrap_or_default();
            // A sign of life.
            if datagram.iter().all(u8::is_ascii_whitespace) {
                return Ok((length, from));
            }
            match wire::read(datagram, from) {
                Reading::Message(message) => {
                    if let Some(room) = buffer.get_mut(..message.len()) {
                        room.copy_from_slice(&message);
                        return Ok((message.len(), from));
                    }
                    tracing::debug!(%from, length, "a message too large ignored");
                }
                Reading::Refusal(refusal) => {
                    let _ = self.0.send_to(&refusal, from).await;
                }
                Reading::Dropped(why) => tracing::debug!(%from, length, why, "message ignored"),
            }
        }
    }

    async fn send_to(&self, bytes: &[u8], to: SocketAddr) -> rsipstack::Result<usize> {
        Ok(self.0.send_to(bytes, to).await?)
    }

    fn local_addr(&self) -> rsipstack::Result<SocketAddr> {
        Ok(self.0.local_addr()?)
    }
}

/// Opens the flow to `peer`. A second, connected socket finds the local address, and hears when nothing listens
/// at the proxy any more: errors about single datagrams are not told to the unconnected one.
pub(super) async fn open(
    net: &Net,
    socket: &UdpConnection,
    port: u16,
    peer: SocketAddr,
) -> Result<Flow, Cause> {
    let any: IpAddr =
        if peer.is_ipv6() { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    let ear = UdpSocket::bind((any, 0)).await.map_err(|e| cause_of(&e))?;
    ear.connect(peer).await.map_err(|e| cause_of(&e))?;
    let ip = ear.local_addr().map_err(|e| cause_of(&e))?.ip();
    let flow = net.new_flow(socket.clone().into(), SocketAddr::new(ip, port), peer);
    let watch = net.tasks.spawn(watch(flow.clone(), socket.clone(), ear));
    let _ = flow.loss.watch.set(watch.abort_handle());
    Ok(flow)
}

async fn watch(flow: Flow, socket: UdpConnection, ear: UdpSocket) {
    let to = udp_address(flow.peer);
    let mut keep_alive = interval(KEEP_ALIVE);
    let mut question = interval(WATCH);
    keep_alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    question.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut buffer = [0; 64];
    loop {
        let outcome = tokio::select! {
            _ = flow.lost() => return,
            _ = keep_alive.tick() => {
                let _ = socket.send_raw(PING, &to).await;
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
