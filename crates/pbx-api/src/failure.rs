//! What a request failed of that got no whole answer.

use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use crate::error::Cause;
use crate::tls::Distrust;
use crate::{ApiError, ProxyAddress, ProxyProblem, ServerAddress};

/// Largest head of an answer, bytes: hyper's own limit.
const HEAD_LIMIT: usize = 8192 + 100 * 4096;

/// What a request that got no whole answer failed of, where it may have gone through a proxy: who connects does not
/// say what the proxy said, so that it is asked once more.
pub(crate) async fn failed_through(
    server: ServerAddress,
    proxy: Option<&ProxyAddress>,
    error: reqwest::Error,
) -> ApiError {
    let connecting = error.is_connect();
    let failure = failed(server.clone(), error);
    let Some(proxy) = proxy.filter(|_| connecting && !matches!(failure, ApiError::Certificate { .. })) else {
        return failure;
    };
    let problem = match (proxy.examine(&server).await, &failure) {
        (Err(problem), _) => problem,
        // It said that we are through, and then something else than the server answered.
        (Ok(()), ApiError::Tls { .. }) => ProxyProblem::NotUnderstood,
        (Ok(()), _) => return failure,
    };
    ApiError::Proxy { server, proxy: Box::new(proxy.clone()), problem }
}

/// What a request that got no whole answer failed of.
fn failed(server: ServerAddress, error: reqwest::Error) -> ApiError {
    let error = error.without_url();
    let (timeout, connecting) = (error.is_timeout(), error.is_connect());
    if let Some(distrust) = find(&error, distrusted) {
        let Distrust { problem, certificate } = distrust.clone();
        return ApiError::Certificate { problem, certificate: Box::new(certificate) };
    }
    let tls = find(&error, |cause| cause.downcast_ref::<rustls::Error>()).is_some();
    let unresolved = find(&error, |cause| cause.downcast_ref::<Unresolved>()).is_some();
    let http = find(&error, |cause| cause.downcast_ref::<hyper::Error>());
    let parse = http.is_some_and(hyper::Error::is_parse);
    let endless_head = http.is_some_and(hyper::Error::is_parse_too_large);
    let kind = find(&error, |cause| {
        cause.downcast_ref::<io::Error>().map(io::Error::kind).filter(|kind| *kind != io::ErrorKind::Other)
    });
    let cause = Cause::new(error);
    match kind {
        _ if tls => ApiError::Tls { server, cause },
        _ if unresolved && !has_route() => ApiError::NetworkUnreachable { server, cause },
        _ if unresolved => ApiError::ServerNotFound { server, cause },
        _ if timeout => ApiError::Timeout { server, cause },
        _ if endless_head => ApiError::TooLarge { limit: HEAD_LIMIT },
        _ if parse => ApiError::NotUnderstood { what: format!("HTTP: {cause}") },
        Some(io::ErrorKind::TimedOut) => ApiError::Timeout { server, cause },
        Some(io::ErrorKind::ConnectionRefused) => ApiError::ConnectionRefused { server, cause },
        Some(
            io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::AddrNotAvailable,
        ) => ApiError::NetworkUnreachable { server, cause },
        Some(io::ErrorKind::UnexpectedEof) if connecting => ApiError::Tls { server, cause },
        _ => ApiError::ConnectionLost { server, cause },
    }
}

/// First thing of interest in an error and the causes behind it, those inside an [`io::Error`] included.
fn find<'a, T>(
    error: &'a reqwest::Error,
    pick: impl Fn(&'a (dyn Error + 'static)) -> Option<T>,
) -> Option<T> {
    let mut next: Option<&'a (dyn Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(found) = pick(cause) {
            return Some(found);
        }
        // The error inside an `io::Error` is not its source: its source is that of the error inside.
        let inside = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inside {
            Some(inside) => Some(inside),
            None => cause.source(),
        };
    }
    None
}

fn distrusted<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a Distrust> {
    Distrust::in_error(cause.downcast_ref()?)
}

/// The operating system's name resolution, with an error that can be told from others.
pub(crate) struct SystemResolver;

#[derive(Debug, thiserror::Error)]
#[error("name resolution: {0}")]
struct Unresolved(#[source] io::Error);

impl reqwest::dns::Resolve for SystemResolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(Unresolved)?;
            let found: Vec<SocketAddr> = found.collect();
            Ok(Box::new(found.into_iter()) as reqwest::dns::Addrs)
        })
    }
}

/// Whether any route leads out of this machine. Connecting a UDP socket sends nothing.
fn has_route() -> bool {
    let tries: [(SocketAddr, SocketAddr); 2] = [
        ((Ipv4Addr::UNSPECIFIED, 0).into(), (Ipv4Addr::new(192, 0, 2, 1), 9).into()),
        ((Ipv6Addr::UNSPECIFIED, 0).into(), (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 9).into()),
    ];
    tries.into_iter().any(|(from, to)| UdpSocket::bind(from).and_then(|socket| socket.connect(to)).is_ok())
}
