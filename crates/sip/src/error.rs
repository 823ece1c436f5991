use std::io;

use pbx_api::ProxyProblem;

/// Why a user agent could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// User, domain, proxy or WebSocket path of the account cannot be part of a URI.
    #[error("the account's {0} cannot be part of a URI")]
    AccountInvalid(&'static str),
    /// The local port asked for is taken by another program.
    #[error("local port {port} is in use")]
    PortInUse {
        /// The port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// A local socket could not be opened.
    #[error("a local socket could not be opened")]
    Socket(#[from] io::Error),
    /// The transaction layer did not start.
    #[error("the transaction layer did not start: {0}")]
    Stack(String),
}

/// Why the proxy could not be reached or would not register the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The proxy's name cannot be resolved.
    NameNotFound,
    /// The proxy's machine answers, but nothing listens on the port.
    ConnectionRefused,
    /// There is no way to the proxy: no network, no route.
    NetworkUnreachable,
    /// Nothing came back within the time limit.
    Silence,
    /// The connection broke.
    ConnectionLost,
    /// The proxy's certificate is not trusted; [`Event::CertificateNotTrusted`](crate::Event::CertificateNotTrusted)
    /// shows it.
    CertificateNotTrusted,
    /// TLS could not be set up for another reason: no common version, or the port does not speak TLS.
    TlsFailed,
    /// Credentials were sent and refused (401, 403 or 407). Never tried again by itself.
    WrongPassword,
    /// Refused for another reason (other 3xx, 4xx, 6xx).
    Refused,
    /// The server has a fault of its own or is overloaded (5xx, 408, 429, 480).
    ServerFailed,
    /// What came back is not understood.
    NotUnderstood,
    /// The web proxy on the way (over WSS) does not lead there.
    Proxy(ProxyProblem),
}

impl Cause {
    /// No SIP answer came: the server is merely out of reach.
    pub fn is_unreachable(self) -> bool {
        matches!(
            self,
            Self::NameNotFound
                | Self::ConnectionRefused
                | Self::NetworkUnreachable
                | Self::Silence
                | Self::ConnectionLost
                | Self::Proxy(_)
        )
    }
}
