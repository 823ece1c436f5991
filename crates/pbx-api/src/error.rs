use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{CertificateFacts, ProxyAddress, ProxyProblem, ServerAddress};

/// What a call of the PBX's REST API can end in besides success.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// The text is no server address.
    #[error("not a server address")]
    ServerInvalid,
    /// The text is no SIP domain.
    #[error("not a SIP domain")]
    DomainInvalid,
    /// The contact cannot be kept by the PBX: a field is too long, the name is missing, or there are too many numbers.
    #[error("not a contact the PBX can keep")]
    ContactInvalid,
    /// No certificate could be read from the extra roots given.
    #[error("the certificate file holds no certificate: {cause}")]
    RootsInvalid {
        /// Why.
        cause: Cause,
    },
    /// The client could not be set up on this machine.
    #[error("the HTTPS client could not be set up: {cause}")]
    Setup {
        /// Why.
        cause: Cause,
    },
    /// No host of this name.
    #[error("{server} was not found: {cause}")]
    ServerNotFound {
        /// Where we meant to go.
        server: ServerAddress,
        /// What name resolution said.
        cause: Cause,
    },
    /// The machine answers, but nothing listens on this port.
    #[error("{server} refused the connection")]
    ConnectionRefused {
        /// Where we meant to go.
        server: ServerAddress,
        /// What the system said.
        cause: Cause,
    },
    /// No way there: this machine has no network, or none that leads to the server.
    #[error("no network leads to {server}: {cause}")]
    NetworkUnreachable {
        /// Where we meant to go.
        server: ServerAddress,
        /// What the system said.
        cause: Cause,
    },
    /// Nothing, or not everything, came back within the time limit.
    #[error("{server} did not answer in time")]
    Timeout {
        /// Where we meant to go.
        server: ServerAddress,
        /// What ran out of time.
        cause: Cause,
    },
    /// The connection broke before the answer was complete.
    #[error("the connection to {server} was lost: {cause}")]
    ConnectionLost {
        /// Where we meant to go.
        server: ServerAddress,
        /// What the system said.
        cause: Cause,
    },
    /// The proxy on the way does not lead there.
    #[error("the proxy {proxy} on the way to {server}: {problem}")]
    Proxy {
        /// Where we meant to go.
        server: ServerAddress,
        /// The proxy.
        proxy: Box<ProxyAddress>,
        /// What is wrong with it.
        problem: ProxyProblem,
    },
    /// The server's certificate is not trusted.
    #[error("the certificate of {server} is not trusted: {problem}", server = certificate.server)]
    Certificate {
        /// Why not.
        problem: CertificateProblem,
        /// The certificate it showed.
        certificate: Box<CertificateFacts>,
    },
    /// TLS could not be agreed on (another protocol on this port, no common version, a broken handshake).
    #[error("no TLS with {server}: {cause}")]
    Tls {
        /// Where we meant to go.
        server: ServerAddress,
        /// What TLS said.
        cause: Cause,
    },
    /// The server wants to send us elsewhere; redirects are never followed.
    #[error("the server redirects (HTTP {status}) to {}", to.as_deref().unwrap_or("nowhere"))]
    Redirect {
        /// HTTP status, 300 to 399.
        status: u16,
        /// The `Location` without its query and fragment, where it was readable text that quotes no secret of
        /// the request; at most 300 characters.
        to: Option<String>,
    },
    /// The answer is larger than any honest answer.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// Bytes that would have been read.
        limit: usize,
    },
    /// The answer is not in the PBX's language.
    #[error("the answer was not understood: {what}")]
    NotUnderstood {
        /// What was expected where; never a value out of the answer.
        what: String,
    },
    /// User name, password or code is wrong (documented as HTTP 400 `UNAUTHORIZED`).
    #[error("user name, password or code is wrong")]
    WrongCredentials,
    /// The access token is not, or no longer, accepted (401).
    #[error("the access token is not accepted")]
    Unauthorized,
    /// The server has blocked us for a while.
    #[error("the server has blocked this address")]
    Blocked {
        /// How long to wait, where the server said so.
        retry_after: Option<Duration>,
    },
    /// Too many requests (429).
    #[error("too many requests")]
    Throttled {
        /// How long to wait, where the server said so.
        retry_after: Option<Duration>,
    },
    /// There is no such thing on the server (404, or 405 for a resource it does not know).
    #[error("not found (HTTP {status})")]
    NotFound {
        /// HTTP status.
        status: u16,
        /// Code in the body; `None` where the body has not the PBX's error shape.
        code: Option<ErrorCode>,
    },
    /// The server refused the request (any other 4xx).
    #[error("refused (HTTP {status}){}", message.as_deref().map(|text| format!(": {text}")).unwrap_or_default())]
    Refused {
        /// HTTP status.
        status: u16,
        /// Code in the body; `None` where the body has not the PBX's error shape.
        code: Option<ErrorCode>,
        /// The server's own words where they quote no secret of the request, cut to 300 characters, control
        /// characters removed.
        message: Option<String>,
    },
    /// The server has a fault of its own (5xx).
    #[error("the server failed (HTTP {status})")]
    ServerFailed {
        /// HTTP status.
        status: u16,
        /// How long to wait, where the server said so.
        retry_after: Option<Duration>,
    },
}

impl ApiError {
    /// How long the server asks us to wait, where it does.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Blocked { retry_after }
            | Self::Throttled { retry_after }
            | Self::ServerFailed { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Why a certificate is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateProblem {
    /// It is not signed by anyone this machine trusts, or not fit for a server.
    #[error("unknown issuer")]
    Untrusted,
    /// It belongs to another name.
    #[error("wrong name")]
    Name,
    /// It is expired or not yet valid.
    #[error("not valid now")]
    Expired,
    /// It is another one than the one pinned for this server.
    #[error("changed")]
    Changed,
}

/// Code of an error answer. Only these three are documented; every other code means [`Self::Unknown`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// `UNKNOWN` and every code this client does not know.
    Unknown,
    /// `VALIDATE_FAILED`: a field of the request is not valid.
    ValidateFailed,
    /// `UNAUTHORIZED`: the credentials are wrong.
    Unauthorized,
}

/// The real cause of an error, kept whole; shown with all the causes behind it.
#[derive(Clone)]
pub struct Cause(Arc<dyn Error + Send + Sync>);

impl Cause {
    /// Keeps a cause.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Arc::from(cause.into()))
    }

    /// The error itself.
    pub fn inner(&self) -> &(dyn Error + Send + Sync + 'static) {
        self.0.as_ref()
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            // Many errors already repeat the words of their cause.
            if !said.ends_with(&text) {
                write!(f, ": {text}")?;
            }
            said = text;
            next = cause.source();
        }
        Ok(())
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
