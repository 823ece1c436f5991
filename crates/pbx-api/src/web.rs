//! Files on the web: what is not the PBX's, fetched with the same trust and told of with the same errors.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Response;
use url::{Host as UrlHost, Url};

use crate::client::setup;
use crate::failure::{SystemResolver, failed_through};
use crate::{ApiError, ProxyAddress, ServerAddress, Trust, tls};

/// From the first look-up of the name to the end of the TLS handshake.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest silence while it comes.
const SILENCE: Duration = Duration::from_secs(30);
/// Redirects followed, as hosts of files like to give.
const REDIRECTS: usize = 5;

/// A file on its way in.
#[derive(Debug)]
pub struct WebFile {
    response: Response,
    server: ServerAddress,
    proxy: Option<ProxyAddress>,
}

impl WebFile {
    /// Asks for the file at an `https` address.
    ///
    /// # Errors
    /// It is not to be had; [`ApiError::NotUnderstood`] where the server answers with another status than 200.
    pub async fn open(url: &Url, trust: &Trust, user_agent: &str) -> Result<Self, ApiError> {
        let server = server(url).ok_or(ApiError::ServerInvalid)?;
        let proxy = trust.web_proxy.toward(&server.host().to_string());
        if let Some(proxy) = &proxy {
            proxy.usable(&server)?;
        }
        // Redirects may lead elsewhere, and there another way may lead.
        let ways = trust.web_proxy.clone();
        let way = move |url: &Url| ways.toward(url.host_str()?)?.url();
        let http = reqwest::Client::builder()
            .no_proxy()
            .proxy(reqwest::Proxy::custom(way))
            .tls_backend_preconfigured(tls::client_config(&server, trust, None)?)
            .dns_resolver(Arc::new(SystemResolver))
            .redirect(reqwest::redirect::Policy::limited(REDIRECTS))
            .http1_only()
            .https_only(true)
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .user_agent(user_agent)
            .build()
            .map_err(setup)?;
        let response = match http.get(url.clone()).send().await {
            Ok(response) => response,
            Err(error) => return Err(failed_through(server, proxy.as_ref(), error).await),
        };
        if response.status() != reqwest::StatusCode::OK {
            return Err(ApiError::NotUnderstood { what: format!("HTTP status {}", response.status()) });
        }
        Ok(Self { response, server, proxy })
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// The rest does not come.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ApiError> {
        match self.response.chunk().await {
            Ok(piece) => Ok(piece.map(|piece| piece.to_vec())),
            Err(error) => Err(failed_through(self.server.clone(), self.proxy.as_ref(), error).await),
        }
    }

    /// All of it, where it is not longer than `limit` bytes.
    ///
    /// # Errors
    /// It is, or does not come.
    pub async fn all(mut self, limit: usize) -> Result<Vec<u8>, ApiError> {
        let mut all = Vec::new();
        while let Some(piece) = self.next().await? {
            if all.len().saturating_add(piece.len()) > limit {
                return Err(ApiError::TooLarge { limit });
            }
            all.extend_from_slice(&piece);
        }
        Ok(all)
    }
}

fn server(url: &Url) -> Option<ServerAddress> {
    let host = match url.host()? {
        UrlHost::Domain(name) => name.to_owned(),
        UrlHost::Ipv4(ip) => ip.to_string(),
        UrlHost::Ipv6(ip) => format!("[{ip}]"),
    };
    format!("{host}:{}", url.port_or_known_default()?).parse().ok()
}
