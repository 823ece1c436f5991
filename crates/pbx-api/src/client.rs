use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, RequestBuilder, Response, Url};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::error::Cause;
use crate::failure::{SystemResolver, failed};
use crate::refusal::{readable, refusal};
use crate::{ApiError, ServerAddress, Trust, tls};

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
        let mut response = request.send().await.map_err(|error| failed(self.server.clone(), error))?;
        let status = response.status();
        if status.is_redirection() {
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).and_then(readable);
            return Err(ApiError::Redirect { status: status.as_u16(), to });
        }
        if !status.is_success() {
            // The status says enough where the body is too large, broken or late.
            let bytes = self.read(&mut response, ERROR_LIMIT).await.unwrap_or_default();
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
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(self.server.clone(), error))? {
            if bytes.len().saturating_add(chunk.len()) > limit {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
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

fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(|bare| bare.trim().to_ascii_lowercase()).filter(|bare| !bare.is_empty())
}
