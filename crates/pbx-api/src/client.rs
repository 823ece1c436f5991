use std::error::Error;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::error::Cause;
use crate::json::Object;
use crate::tls::{self, Distrust};
use crate::{ApiError, ErrorCode, ServerAddress, Trust};

/// Largest JSON answer read, bytes.
pub(crate) const JSON_LIMIT: usize = 1024 * 1024;

/// Largest error answer looked into, bytes.
const ERROR_LIMIT: usize = 64 * 1024;

/// A request body larger than this grows by copying, which leaves an unwiped copy behind.
const BODY_ROOM: usize = 16 * 1024;

/// How long an idle connection is kept: long enough for the requests of one sign-in, short enough that a
/// server seldom closes it under a request.
const IDLE: Duration = Duration::from_secs(10);

/// Time limits of a request.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the first look-up of the name to the end of the TLS handshake.
    pub connect: Duration,
    /// From start to the last byte of the answer.
    pub request: Duration,
}

impl Default for Limits {
    /// 5 seconds to connect, 15 for the whole.
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), request: Duration::from_secs(15) }
    }
}

/// Client of one PBX's REST API (`https://HOST:8887/api`). Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    server: ServerAddress,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.server.authority())
    }
}

/// A successful answer.
pub(crate) struct Answer {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    pub(crate) media_type: Option<String>,
}

impl Client {
    /// A client for one server with the usual [`Limits`]. `user_agent` is sent with each request.
    ///
    /// # Errors
    /// [`ApiError::Setup`] where TLS or the user agent cannot be used.
    pub fn new(server: ServerAddress, trust: &Trust, user_agent: &str) -> Result<Self, ApiError> {
        Self::with_limits(server, trust, user_agent, Limits::default())
    }

    /// A client with other limits.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn with_limits(
        server: ServerAddress,
        trust: &Trust,
        user_agent: &str,
        limits: Limits,
    ) -> Result<Self, ApiError> {
        let base = Url::parse(&format!("https://{}/", server.authority())).map_err(setup)?;
        // Straight to the server: SIP takes the same way, and a proxy would hide the true cause of a failure.
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(&server, trust)?)
            .dns_resolver(Arc::new(SystemResolver))
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .http1_only()
            .https_only(true)
            .pool_idle_timeout(IDLE)
            .connect_timeout(limits.connect)
            .timeout(limits.request)
            .user_agent(user_agent)
            .build()
            .map_err(setup)?;
        Ok(Self { http, base, server })
    }

    /// The server it speaks to.
    pub fn server(&self) -> &ServerAddress {
        &self.server
    }

    pub(crate) fn url(&self, resource: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("/api/{resource}"));
        url
    }

    pub(crate) async fn get(
        &self,
        url: Url,
        access: Option<&SecretString>,
        limit: usize,
    ) -> Result<Answer, ApiError> {
        self.send(self.http.request(Method::GET, url), access, limit).await
    }

    pub(crate) async fn post(
        &self,
        url: Url,
        access: Option<&SecretString>,
        body: Option<&impl Serialize>,
    ) -> Result<Answer, ApiError> {
        let mut request = self.http.request(Method::POST, url);
        if let Some(body) = body {
            let mut json = Zeroizing::new(Vec::with_capacity(BODY_ROOM));
            serde_json::to_writer(&mut *json, body).map_err(setup)?;
            request = request.header(CONTENT_TYPE, "application/json").body(bytes::Bytes::from_owner(json));
        }
        self.send(request, access, JSON_LIMIT).await
    }

    async fn send(
        &self,
        mut request: RequestBuilder,
        access: Option<&SecretString>,
        limit: usize,
    ) -> Result<Answer, ApiError> {
        if let Some(access) = access {
            request = request.header(AUTHORIZATION, bearer(access)?);
        }
        let mut response = request.send().await.map_err(|error| self.failed(error))?;
        let status = response.status();
        if status.is_redirection() {
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).and_then(readable);
            return Err(ApiError::Redirect { status: status.as_u16(), to });
        }
        if !status.is_success() {
            let bytes = match self.read(&mut response, ERROR_LIMIT).await {
                Err(ApiError::TooLarge { .. }) => Zeroizing::default(),
                read => read?,
            };
            return Err(refusal(status, response.headers(), &bytes, SystemTime::now()));
        }
        let bytes = self.read(&mut response, limit).await?;
        Ok(Answer { bytes, media_type: media_type(response.headers()) })
    }

    /// Reads a body up to a limit, whatever its length claims to be.
    async fn read(&self, response: &mut Response, limit: usize) -> Result<Zeroizing<Vec<u8>>, ApiError> {
        let too_large = || ApiError::TooLarge { limit };
        let told =
            response.content_length().map_or(Ok(BODY_ROOM), usize::try_from).map_err(|_| too_large())?;
        if response.content_length().is_some() && told > limit {
            return Err(too_large());
        }
        let mut bytes = Zeroizing::new(Vec::with_capacity(told));
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failed(error))? {
            if bytes.len().saturating_add(chunk.len()) > limit {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// What a request that got no whole answer failed of.
    fn failed(&self, error: reqwest::Error) -> ApiError {
        let server = self.server.clone();
        let error = error.without_url();
        let (timeout, connecting) = (error.is_timeout(), error.is_connect());
        if let Some(distrust) = find(&error, distrusted) {
            let Distrust { problem, certificate } = distrust.clone();
            return ApiError::Certificate { problem, certificate: Box::new(certificate) };
        }
        let tls = find(&error, |cause| cause.downcast_ref::<rustls::Error>()).is_some();
        let unresolved = find(&error, |cause| cause.downcast_ref::<Unresolved>()).is_some();
        let parse =
            find(&error, |cause| cause.downcast_ref::<hyper::Error>()).is_some_and(hyper::Error::is_parse);
        let kind = find(&error, |cause| cause.downcast_ref::<io::Error>().map(io::Error::kind));
        let cause = Cause::new(error);
        match kind {
            _ if tls => ApiError::Tls { server, cause },
            _ if unresolved && !has_route() => ApiError::NetworkUnreachable { server, cause },
            _ if unresolved => ApiError::ServerNotFound { server, cause },
            _ if timeout => ApiError::Timeout { server, cause },
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
}

fn setup(error: impl Into<Box<dyn Error + Send + Sync>>) -> ApiError {
    ApiError::Setup { cause: Cause::new(error) }
}

fn bearer(access: &SecretString) -> Result<HeaderValue, ApiError> {
    let text = Zeroizing::new(format!("Bearer {}", access.expose_secret()));
    let mut value = HeaderValue::from_str(&text).map_err(|_| ApiError::NotUnderstood {
        what: "the access token does not fit into a header".into(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// First thing of interest in an error and the causes behind it, those inside an [`io::Error`] included.
fn find<'a, T>(
    error: &'a reqwest::Error,
    pick: impl Fn(&'a (dyn Error + 'static)) -> Option<T>,
) -> Option<T> {
    let mut next: Option<&'a (dyn Error + 'static)> = Some(error);
    while let Some(cause) = next {
        // The error inside an `io::Error` is not its source; its source is that of the error inside.
        let inside = cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .map(|inside| inside as &(dyn Error + 'static));
        if let Some(found) = inside.and_then(&pick).or_else(|| pick(cause)) {
            return Some(found);
        }
        next = match inside {
            Some(inside) => inside.source(),
            None => cause.source(),
        };
    }
    None
}

fn distrusted<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a Distrust> {
    match cause.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other)) => other.0.downcast_ref(),
        _ => None,
    }
}

/// The operating system's name resolution, with an error that can be told from others.
struct SystemResolver;

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

/// What an answer outside 200 to 399 means.
fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8], now: SystemTime) -> ApiError {
    let retry_after = headers.get(RETRY_AFTER).and_then(|value| retry_after(value, now));
    let told = complaint(body);
    let code = told.as_ref().map(|told| told.code);
    let message = told.as_ref().and_then(|told| told.message.clone());
    match status.as_u16() {
        401 => ApiError::Unauthorized,
        404 | 405 => ApiError::NotFound { status: status.as_u16(), code },
        423 => ApiError::Blocked { retry_after },
        403 if retry_after.is_some() || told.is_some_and(|told| told.blocked) => {
            ApiError::Blocked { retry_after }
        }
        429 => ApiError::Throttled { retry_after },
        status @ 500.. => ApiError::ServerFailed { status, retry_after },
        status => ApiError::Refused { status, code, message },
    }
}

/// First entry of an error answer in the documented shape.
struct Complaint {
    code: ErrorCode,
    blocked: bool,
    message: Option<String>,
}

/// `{"errors":[{"code","message","detail"?}]}`; nothing for any other body.
fn complaint(body: &[u8]) -> Option<Complaint> {
    let mut errors = Object::parse("errors", body).ok()?.objects("errors").ok()?;
    let first = errors.first_mut()?;
    let code = first.text("code").ok()??;
    Some(Complaint {
        code: match code.as_str() {
            "UNAUTHORIZED" => ErrorCode::Unauthorized,
            "VALIDATE_FAILED" => ErrorCode::ValidateFailed,
            _ => ErrorCode::Unknown,
        },
        // No code for a blocked address is documented; these are the words one would use.
        blocked: ["BLOCK", "LOCKED", "BLACKLIST"].iter().any(|word| code.contains(word)),
        message: first.text("message").ok().flatten().and_then(|text| readable(&text)),
    })
}

/// Somebody else's text, fit to be shown: no control characters, at most 300 characters.
pub(crate) fn readable(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|letter| !letter.is_control()).take(300).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// `Retry-After` in either of its forms, seconds or a date (RFC 9110, section 10.2.3); at most a day.
fn retry_after(value: &HeaderValue, now: SystemTime) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(wait.min(Duration::from_secs(24 * 3600)))
}

fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(|bare| bare.trim().to_ascii_lowercase()).filter(|bare| !bare.is_empty())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use proptest::prelude::{any, prop_assert, proptest};
    use reqwest::StatusCode;
    use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};

    use super::{complaint, refusal};
    use crate::{ApiError, ErrorCode};

    fn refused(status: u16, retry_after: Option<&str>, body: &str) -> ApiError {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from_str(value).unwrap());
        }
        // Sun, 06 Nov 1994 08:49:37 GMT
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        refusal(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes(), now)
    }

    #[test]
    fn waits() {
        for (value, seconds) in [
            ("120", Some(120)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("99999999999", Some(86_400)),
            ("-1", None),
            ("soon", None),
        ] {
            for status in [429, 503, 403] {
                let waited = refused(status, Some(value), "").retry_after();
                assert_eq!(waited, seconds.map(Duration::from_secs), "{status} {value}");
            }
        }
    }

    #[test]
    fn codes() {
        let body = |code: &str| {
            format!(r#"{{"errors":[{{"code":"{code}","message":"no\u0007t so","detail":{{}}}}]}}"#)
        };
        for (code, expected) in [
            ("UNAUTHORIZED", ErrorCode::Unauthorized),
            ("VALIDATE_FAILED", ErrorCode::ValidateFailed),
            ("UNKNOWN", ErrorCode::Unknown),
            ("BRAND_NEW", ErrorCode::Unknown),
        ] {
            let error = refused(400, None, &body(code));
            let ApiError::Refused { status: 400, code, message } = error else { panic!("{error:?}") };
            assert_eq!((code, message.as_deref()), (Some(expected), Some("not so")));
        }
        assert!(matches!(refused(403, None, &body("IP_BLOCKED")), ApiError::Blocked { retry_after: None }));
        assert!(matches!(refused(403, None, &body("UNKNOWN")), ApiError::Refused { status: 403, .. }));
        assert!(matches!(refused(404, None, "<html>"), ApiError::NotFound { status: 404, code: None }));
        assert!(matches!(
            refused(418, None, ""),
            ApiError::Refused { status: 418, code: None, message: None }
        ));
        assert!(matches!(
            refused(502, None, "<html>"),
            ApiError::ServerFailed { status: 502, retry_after: None }
        ));
    }

    #[test]
    fn other_shapes_are_no_complaint() {
        for body in
            ["", "null", "{}", r#"{"errors":{}}"#, r#"{"errors":[]}"#, r#"{"errors":[{"code":7}]}"#, "<html>"]
        {
            assert!(complaint(body.as_bytes()).is_none(), "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_error_body(status in 400..=599_u16, body in any::<Vec<u8>>(), text in "\\PC*", code in "[A-Z_]{0,12}") {
            let json = serde_json::json!({"errors": [{"code": code, "message": text}]}).to_string();
            for body in [body.as_slice(), json.as_bytes()] {
                let error = refusal(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body, SystemTime::now());
                prop_assert!(error.to_string().chars().count() < 400);
            }
        }
    }
}
