//! Connections through a web proxy.

use std::net::SocketAddr;
use std::time::Duration;

use pbx_api::ProxyProblem;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Failure, stream};
use crate::resolve::web_proxy;
use crate::{Account, Cause};

/// Longest that a proxy may take to reach the server.
const PATIENCE: Duration = Duration::from_secs(3);

/// Connects to the account's server through its web proxy, which is at `proxy`.
pub(super) async fn connect(account: &Account, proxy: SocketAddr) -> Result<TcpStream, Failure> {
    let (way, port) = web_proxy(account).ok_or(Cause::ConnectionLost)?;
    let connecting = async {
        let mut stream = stream::connect(proxy).await.map_err(|_| ProxyProblem::Unreachable)?;
        way.tunnel(&mut stream, &account.proxy.host, port).await?;
        Ok(stream)
    };
    let connected = timeout(PATIENCE, connecting).await.unwrap_or(Err(ProxyProblem::Unreachable));
    connected.map_err(|problem| {
        tracing::debug!(proxy = %way, %problem, "no way through the web proxy");
        Cause::Proxy(problem).into()
    })
}

/// What a failed handshake means behind a proxy that said that we are through: unless it was a certificate, something
/// else answers than the server.
pub(super) fn blamed(failure: Failure) -> Failure {
    match failure.cause {
        Cause::TlsFailed => Cause::Proxy(ProxyProblem::NotUnderstood).into(),
        _ => failure,
    }
}
