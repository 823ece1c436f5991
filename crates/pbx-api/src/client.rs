use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, Url};

use crate::contact::is_opaque;
use crate::error::Cause;
use crate::failure::{SystemResolver, failed_through};
use crate::request::Request;
use crate::{ApiError, ProxyAddress, ServerAddress, Trust, tls};

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
    proxy: Option<ProxyAddress>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.server.authority())
    }
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
        let proxy = trust.web_proxy.toward(&server.host().to_string());
        let builder = match &proxy {
            Some(proxy) => {
                reqwest::Client::builder().proxy(reqwest::Proxy::all(proxy.usable(&server)?).map_err(setup)?)
            }
            None => reqwest::Client::builder().no_proxy(),
        };
        let http = builder
            .tls_backend_preconfigured(tls::client_config(&server, trust, None)?)
            .tls_info(true)
            .dns_resolver(Arc::new(SystemResolver))
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
        Ok(Self { http, base, server, proxy })
    }

    /// The server it speaks to.
    pub fn server(&self) -> &ServerAddress {
        &self.server
    }

    /// The proxy that leads to it, where there is one.
    pub fn proxy(&self) -> Option<&ProxyAddress> {
        self.proxy.as_ref()
    }

    /// What a request failed of that got no whole answer.
    pub(crate) async fn failed(&self, error: reqwest::Error) -> ApiError {
        failed_through(self.server.clone(), self.proxy.as_ref(), error).await
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    pub(crate) fn url(&self, resource: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("/api/{resource}"));
        url
    }

    /// A resource and what stands below it, each one segment, whatever is in it.
    ///
    /// # Errors
    /// [`ApiError::NotUnderstood`] for what can be no id.
    pub(crate) fn below(&self, resource: &str, segments: &[&str]) -> Result<Url, ApiError> {
        if !segments.iter().all(|segment| is_opaque(segment)) {
            return Err(ApiError::NotUnderstood { what: "the id can be none of the PBX's".into() });
        }
        let mut url = self.url(resource);
        let mut path = url.path_segments_mut().map_err(|()| setup("the server address has no path"))?;
        path.extend(segments);
        drop(path);
        Ok(url)
    }

    pub(crate) fn get(&self, url: Url) -> Request<'_> {
        Request::new(self, self.http.request(Method::GET, url))
    }

    pub(crate) fn post(&self, url: Url) -> Request<'_> {
        Request::new(self, self.http.request(Method::POST, url))
    }
}

pub(crate) fn setup(error: impl Into<Box<dyn Error + Send + Sync>>) -> ApiError {
    ApiError::Setup { cause: Cause::new(error) }
}
