//! HTTP over TLS, one task a connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::rest::Hangup;

/// Serves the router until `stop`; then every connection is dropped as it stands.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Arc<rustls::ServerConfig>,
    router: Router,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let acceptor = TlsAcceptor::from(tls);
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of sockets, say: the next one would fail as fast.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let hangup = stop.child_token();
        let router = router.clone().layer(Extension(Hangup(hangup.clone()))).layer(Extension(peer));
        let acceptor = acceptor.clone();
        tasks.spawn(async move {
            tokio::select! {
                () = hangup.cancelled() => {}
                () = converse(stream, peer, acceptor, router) => {}
            }
        });
    }
}

async fn converse(stream: TcpStream, peer: SocketAddr, acceptor: TlsAcceptor, router: Router) {
    let stream = match acceptor.accept(stream).await {
        Ok(stream) => stream,
        Err(error) => {
            tracing::debug!(%error, %peer, "no TLS");
            return;
        }
    };
    let service = TowerToHyperService::new(router);
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, %peer, "connection ended");
    }
}
