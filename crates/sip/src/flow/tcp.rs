use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rsipstack::sip::{HostWithPort, SipMessage, Transport as SipTransport};
use rsipstack::transport::channel::ChannelConnection;
use rsipstack::transport::{SipAddr, SipConnection, TransportEvent};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::framing::{Frame, next_frame};
use super::{Flow, KEEP_ALIVE, Net, PING, cause_of};
use crate::Cause;
use crate::wire::{self, Reading};

/// How long bytes may stay unacknowledged before the connection counts as broken.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// Connects to `peer`. The stream is cut into messages here and handed over parsed: one message that cannot be
/// read must not cost the connection.
pub(super) async fn open(net: &Net, peer: SocketAddr) -> io::Result<Flow> {
    let stream = TcpStream::connect(peer).await?;
    stream.set_nodelay(true)?;
    let socket = SockRef::from(&stream);
    socket.set_tcp_keepalive(
        &TcpKeepalive::new().with_time(Duration::from_secs(20)).with_interval(Duration::from_secs(5)),
    )?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    let local = stream.local_addr()?;
    let address = SipAddr::new(SipTransport::Tcp, HostWithPort::from(peer));
    // The stack's side of the channel is never fed: what arrives goes straight to its transactions.
    let (_, unused) = mpsc::unbounded_channel();
    let (outgoing, to_send) = mpsc::unbounded_channel();
    let channel = ChannelConnection::create_connection(unused, outgoing, address, None)
        .await
        .map_err(|e| io::Error::other(e.to_string()))?;
    let flow = net.new_flow(channel.into(), local, peer);
    net.tasks.spawn(carry(flow.clone(), net.endpoint.clone(), stream, to_send));
    Ok(flow)
}

async fn carry(
    flow: Flow,
    endpoint: rsipstack::transaction::endpoint::EndpointInnerRef,
    mut stream: TcpStream,
    mut to_send: mpsc::UnboundedReceiver<TransportEvent>,
) {
    let from = SipAddr::new(SipTransport::Tcp, HostWithPort::from(flow.peer));
    let mut keep_alive = interval(KEEP_ALIVE);
    keep_alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    keep_alive.reset();
    let mut arrived = Vec::new();
    let mut chunk = vec![0; 16 * 1024];
    let end: io::Result<()> = loop {
        let bytes = tokio::select! {
            _ = flow.lost() => break Ok(()),
            _ = keep_alive.tick() => PING.to_vec(),
            Some(event) = to_send.recv() => match event {
                TransportEvent::Incoming(message, ..) => message.to_bytes(),
                _ => continue,
            },
            read = stream.read(&mut chunk) => {
                match read {
                    Ok(0) => break Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(length) => arrived.extend_from_slice(chunk.get(..length).unwrap_or_default()),
                    Err(e) => break Err(e),
                }
                match deliver(&flow.connection, &endpoint, &from, flow.peer, &mut arrived).await {
                    Some(replies) => replies,
                    None => break Err(io::ErrorKind::InvalidData.into()),
                }
            }
        };
        // A peer that reads no more must not keep the flow from being given up.
        tokio::select! {
            _ = flow.lost() => break Ok(()),
            written = stream.write_all(&bytes) => if let Err(e) = written {
                break Err(e);
            },
        }
    };
    match end {
        Ok(()) => {
            let _ = stream.shutdown().await;
        }
        Err(e) => {
            tracing::debug!(peer = %flow.peer, error = %e, "connection lost");
            let cause = cause_of(&e);
            flow.lose(if cause == Cause::Silence { cause } else { Cause::ConnectionLost });
        }
    }
}

/// Hands over what has arrived whole; the replies the transport itself owes come back. `None` ends the stream.
async fn deliver(
    connection: &SipConnection,
    endpoint: &rsipstack::transaction::endpoint::EndpointInnerRef,
    from: &SipAddr,
    peer: SocketAddr,
    arrived: &mut Vec<u8>,
) -> Option<Vec<u8>> {
    let mut replies = Vec::new();
    while let Some(frame) = next_frame(arrived).ok()? {
        match frame {
            Frame::Ping => replies.extend_from_slice(b"\r\n"),
            Frame::Pong => {}
            Frame::Message(bytes) => match wire::read(&bytes, peer) {
                Reading::Message(bytes) => match SipMessage::try_from(bytes.as_slice()) {
                    Ok(message) => {
                        if let Err(e) = endpoint.on_received_message(message, connection.clone(), from).await
                        {
                            tracing::debug!(%from, error = %e, "message not taken");
                        }
                    }
                    Err(e) => tracing::debug!(%from, error = %e, "unreadable message ignored"),
                },
                Reading::Refusal(refusal) => replies.extend_from_slice(&refusal),
                Reading::Dropped(why) => tracing::debug!(%from, why, "message ignored"),
            },
        }
    }
    Some(replies)
}
