//! Flows over a secure WebSocket (RFC 7118): one SIP message in each message of the socket.

use std::io;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rsipstack::transaction::endpoint::EndpointInnerRef;
use rsipstack::transport::TransportEvent;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{sleep_until, timeout};
use tokio_tungstenite::tungstenite::client::ClientRequestBuilder;
use tokio_tungstenite::tungstenite::http::Uri;
use tokio_tungstenite::tungstenite::http::uri::PathAndQuery;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::pulse::Beat;
use super::receive::deliver;
use super::stream::{Outgoing, ended, now, pulse};
use super::{Failure, Flow, cause_of};
use crate::{Account, Cause};

/// Largest message taken.
const LARGEST: usize = 65_535;
/// How long the other end may leave a message unread before the connection counts as broken.
const UNREAD: Duration = Duration::from_secs(10);

/// Whether this can be the path of a URL.
pub(crate) fn is_path(path: &str) -> bool {
    PathAndQuery::try_from(format!("/{}", path.trim_start_matches('/'))).is_ok()
}

/// Address of the WebSocket at `port`; `None` where the account makes no URL.
fn url(account: &Account, port: u16) -> Option<Uri> {
    let host = &account.proxy.host;
    let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    format!("wss://{host}:{port}/{}", account.websocket_path.trim_start_matches('/')).parse().ok()
}

/// Shakes hands over an encrypted stream.
pub(super) async fn handshake<S>(
    account: &Account,
    port: u16,
    stream: S,
) -> Result<WebSocketStream<S>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = ClientRequestBuilder::new(url(account, port).ok_or(Cause::NotUnderstood)?);
    let config = WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST));
    match client_async_with_config(request.with_sub_protocol("sip"), stream, Some(config)).await {
        Ok((socket, _)) => Ok(socket),
        Err(error) => {
            tracing::debug!(%error, "no WebSocket");
            Err(match error {
                tungstenite::Error::Io(e) => cause_of(&e),
                tungstenite::Error::Http(answer) if answer.status().is_server_error() => Cause::ServerFailed,
                _ => Cause::NotUnderstood,
            }
            .into())
        }
    }
}

/// Carries messages until the flow is lost.
pub(super) async fn carry<S>(
    flow: Flow,
    endpoint: EndpointInnerRef,
    mut socket: WebSocketStream<S>,
    mut to_send: Outgoing,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut pulse = pulse(None, Duration::MAX);
    let end: io::Result<()> = loop {
        let message = tokio::select! {
            _ = flow.lost() => break Ok(()),
            () = sleep_until(pulse.deadline().into()) => match pulse.beat(now()) {
                Beat::Rest => continue,
                Beat::Ask => Message::Ping(Default::default()),
                Beat::Dead => break Err(io::ErrorKind::TimedOut.into()),
            },
            Some(event) = to_send.recv() => match event {
                TransportEvent::Incoming(message, ..) => framed(message.to_bytes()),
                _ => continue,
            },
            read = socket.next() => {
                pulse.heard();
                let bytes = match read {
                    Some(Ok(Message::Text(text))) => text.as_bytes().to_vec(),
                    Some(Ok(Message::Binary(bytes))) => bytes.to_vec(),
                    Some(Ok(Message::Pong(_))) => {
                        pulse.answered(now());
                        continue;
                    }
                    // The socket answers a ping by itself, with the next flush.
                    Some(Ok(Message::Ping(_))) => Vec::new(),
                    Some(Ok(_)) => continue,
                    Some(Err(e)) => break Err(io::Error::other(e)),
                    None => break Err(io::ErrorKind::UnexpectedEof.into()),
                };
                match answer(&flow, &endpoint, &bytes).await {
                    Some(reply) => framed(reply),
                    None => continue,
                }
            }
        };
        tokio::select! {
            _ = flow.lost() => break Ok(()),
            written = timeout(UNREAD, socket.send(message)) => match written {
                Ok(Ok(())) => {}
                Ok(Err(e)) => break Err(io::Error::other(e)),
                Err(_) => break Err(io::ErrorKind::TimedOut.into()),
            },
        }
    };
    ended(&flow, end);
    let _ = timeout(Duration::from_secs(1), socket.close(None)).await;
}

/// Hands a message over; the reply the transport itself owes comes back.
async fn answer(flow: &Flow, endpoint: &EndpointInnerRef, bytes: &[u8]) -> Option<Vec<u8>> {
    match bytes {
        b"\r\n\r\n" => Some(b"\r\n".to_vec()),
        _ if bytes.trim_ascii().is_empty() => None,
        _ => deliver(endpoint, &flow.connection, flow.transport, flow.peer, bytes).await,
    }
}

fn framed(bytes: Vec<u8>) -> Message {
    match String::from_utf8(bytes) {
        Ok(text) => Message::text(text),
        Err(binary) => Message::binary(binary.into_bytes()),
    }
}
