//! Flows over a byte stream: TCP and TLS.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rand::Rng;
use rsipstack::transport::TransportEvent;
use rsipstack::transport::channel::ChannelConnection;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{sleep_until, timeout};

use super::framing::{Frame, next_frame};
use super::pulse::{Beat, Pulse};
use super::receive::{address, deliver};
use super::{Failure, Flow, Net, cause_of, plain};
use crate::{Cause, Transport};

/// A double CRLF asks for a sign of life and means nothing else (RFC 5626, section 3.5.1).
const PING: &[u8] = b"\r\n\r\n";
/// How long bytes may stay unacknowledged, or unread by the other end, before the connection counts as broken.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// What the transaction layer has to send over a flow.
pub(super) type Outgoing = mpsc::UnboundedReceiver<TransportEvent>;

/// Connects to `peer`, as far as TCP goes.
pub(super) async fn connect(peer: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(peer).await?;
    stream.set_nodelay(true)?;
    let socket = SockRef::from(&stream);
    socket.set_tcp_keepalive(
        &TcpKeepalive::new().with_time(Duration::from_secs(20)).with_interval(Duration::from_secs(5)),
    )?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    Ok(stream)
}

/// Makes a flow of a connection. Its messages are cut and read here and handed over: one that cannot be read must
/// not cost the connection. What is to be sent comes back beside the flow.
pub(super) async fn flow(
    net: &Net,
    transport: Transport,
    stream: &TcpStream,
    peer: SocketAddr,
) -> Result<(Flow, Outgoing), Failure> {
    let local = plain(stream.local_addr()?);
    // The stack's side of the channel is never fed: what arrives goes straight to its transactions.
    let (_, unused) = mpsc::unbounded_channel();
    let (outgoing, to_send) = mpsc::unbounded_channel();
    let channel = ChannelConnection::create_connection(unused, outgoing, address(transport, peer), None)
        .await
        .map_err(|_| Cause::ConnectionLost)?;
    Ok((net.new_flow(channel.into(), transport, local, peer), to_send))
}

/// The time, as the runtime keeps it.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// When to ask for signs of life: often enough to keep the bindings of any NAT on the way open, and not all phones
/// at once.
pub(super) fn pulse(retry: Option<Duration>, first: Duration) -> Pulse {
    let interval = Duration::from_secs_f64(rand::rng().random_range(24.0..28.0));
    Pulse::new(now() + first.min(interval), interval, retry)
}

/// Carries messages until the flow is lost.
pub(super) async fn carry<S>(
    flow: Flow,
    endpoint: rsipstack::transaction::endpoint::EndpointInnerRef,
    mut stream: S,
    mut to_send: Outgoing,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut pulse = pulse(None, Duration::MAX);
    let mut arrived = Vec::new();
    let mut chunk = vec![0; 16 * 1024];
    let end: io::Result<()> = loop {
        let bytes = tokio::select! {
            _ = flow.lost() => break Ok(()),
            () = sleep_until(pulse.deadline().into()) => match pulse.beat(now()) {
                Beat::Rest => continue,
                Beat::Ask => PING.to_vec(),
                Beat::Dead => break Err(io::ErrorKind::TimedOut.into()),
            },
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
                pulse.heard();
                match take(&flow, &endpoint, &mut arrived, &mut pulse).await {
                    Some(replies) if replies.is_empty() => continue,
                    Some(replies) => replies,
                    None => break Err(io::ErrorKind::InvalidData.into()),
                }
            }
        };
        // A peer that reads no more must not keep the flow from being given up.
        let written = async {
            stream.write_all(&bytes).await?;
            stream.flush().await
        };
        tokio::select! {
            _ = flow.lost() => break Ok(()),
            written = timeout(UNACKNOWLEDGED, written) => match written {
                Ok(Ok(())) => {}
                Ok(Err(e)) => break Err(e),
                Err(_) => break Err(io::ErrorKind::TimedOut.into()),
            },
        }
    };
    ended(&flow, end);
    let _ = timeout(Duration::from_secs(1), stream.shutdown()).await;
}

/// Tells everybody that the connection is gone, if it is.
pub(super) fn ended(flow: &Flow, end: io::Result<()>) {
    if let Err(e) = end {
        tracing::debug!(peer = %flow.peer, error = %e, "connection lost");
        let cause = cause_of(&e);
        flow.lose(if cause == Cause::Silence { cause } else { Cause::ConnectionLost });
    }
}

/// Hands over what has arrived whole; the replies the transport itself owes come back. `None` ends the stream.
async fn take(
    flow: &Flow,
    endpoint: &rsipstack::transaction::endpoint::EndpointInnerRef,
    arrived: &mut Vec<u8>,
    pulse: &mut Pulse,
) -> Option<Vec<u8>> {
    let mut replies = Vec::new();
    while let Some(frame) = next_frame(arrived).ok()? {
        match frame {
            Frame::Ping => replies.extend_from_slice(b"\r\n"),
            Frame::Pong => pulse.answered(now()),
            Frame::Message(bytes) => {
                let refusal = deliver(endpoint, &flow.connection, flow.transport, flow.peer, &bytes).await;
                replies.extend(refusal.unwrap_or_default());
            }
        }
    }
    Some(replies)
}

#[cfg(test)]
mod tests;
