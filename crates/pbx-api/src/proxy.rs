//! The way to servers on the web: straight, or through a proxy, by HTTP's CONNECT (RFC 9110, section 9.3.6) or by
//! SOCKS 5 (RFC 1928). Scripts that choose a proxy (PAC, WPAD) are not read.

mod tunnel;
#[cfg(any(windows, test))]
mod windows;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

use crate::address::Host;
use crate::{ApiError, ServerAddress};

/// Longest that a proxy is asked what is wrong with it.
const PATIENCE: Duration = Duration::from_secs(3);

/// How servers on the web are reached. This machine itself is always reached straight, and so is whatever `NO_PROXY`
/// names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum WebProxy {
    /// As `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say, else as the system's settings do (Windows, macOS).
    #[default]
    System,
    /// Straight.
    Direct,
    /// Through this one.
    Through(ProxyAddress),
}

/// A proxy, and who we are to it.
#[derive(Clone)]
pub struct ProxyAddress {
    speaks: Speaks,
    server: ServerAddress,
    login: Option<Login>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaks {
    Http,
    Socks5,
    /// Something that we do not.
    Other,
}

#[derive(Clone)]
struct Login {
    user: String,
    password: SecretString,
}

/// What is wrong with the way through a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ProxyProblem {
    /// It is not there, or does not answer.
    #[error("it does not answer")]
    Unreachable,
    /// It wants a name and a password, or others (407).
    #[error("it wants a name and password, or others")]
    Credentials,
    /// It does not let us through to this server (403 and other 4xx).
    #[error("it refuses to connect to this server")]
    Refused,
    /// It does not reach the server itself (5xx).
    #[error("it does not reach the server")]
    NoWay,
    /// What answers is no proxy of the kind, or something else than the server answers behind it.
    #[error("what it says is not understood")]
    NotUnderstood,
}

impl WebProxy {
    /// The proxy that leads to a host, where there is one.
    pub fn toward(&self, host: &str) -> Option<ProxyAddress> {
        let host = host.trim_matches(['[', ']']);
        if is_here(host) {
            return None;
        }
        let bracketed = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let target: Uri = format!("https://{bracketed}/").parse().ok()?;
        match self {
            Self::Direct => None,
            Self::System => of_the_system(&target, host),
            Self::Through(proxy) => (!excepted(&target)).then(|| proxy.clone()),
        }
    }
}

impl ProxyAddress {
    /// Where it is.
    pub fn server(&self) -> &ServerAddress {
        &self.server
    }

    /// Whether it came with a name and a password.
    pub fn has_login(&self) -> bool {
        self.login.is_some()
    }

    /// Asks for a way to `host` and `port` over a connection to the proxy, which is that way from then on.
    ///
    /// # Errors
    /// What the proxy says instead, or that it says nothing.
    pub async fn tunnel(&self, stream: &mut TcpStream, host: &str, port: u16) -> Result<(), ProxyProblem> {
        let login = self.login.as_ref().map(|login| (login.user.as_str(), &login.password));
        match self.speaks {
            Speaks::Http => tunnel::connect(stream, host, port, login).await,
            Speaks::Socks5 => tunnel::socks(stream, host, port, login).await,
            Speaks::Other => Err(ProxyProblem::NotUnderstood),
        }
    }

    /// Tries the way to a server: what is wrong with it, if anything.
    pub(crate) async fn examine(&self, to: &ServerAddress) -> Result<(), ProxyProblem> {
        let host = self.server.host().to_string();
        let trial = async {
            let connected = TcpStream::connect((host.as_str(), self.server.port())).await;
            let mut stream = connected.map_err(|_| ProxyProblem::Unreachable)?;
            self.tunnel(&mut stream, &to.host().to_string(), to.port()).await
        };
        timeout(PATIENCE, trial).await.unwrap_or(Err(ProxyProblem::Unreachable))
    }

    /// The same as [`url`](Self::url), on the way to a server.
    ///
    /// # Errors
    /// [`ApiError::Proxy`] where it speaks something that we do not.
    pub(crate) fn usable(&self, server: &ServerAddress) -> Result<Url, ApiError> {
        let (server, proxy) = (server.clone(), Box::new(self.clone()));
        self.url().ok_or(ApiError::Proxy { server, proxy, problem: ProxyProblem::NotUnderstood })
    }

    /// As the HTTP client wants it, credentials and all.
    pub(crate) fn url(&self) -> Option<Url> {
        let scheme = match self.speaks {
            Speaks::Http => "http",
            // The proxy looks the server's name up: it may know more than this machine does.
            Speaks::Socks5 => "socks5h",
            Speaks::Other => return None,
        };
        let mut url = Url::parse(&format!("{scheme}://{}", self.server.authority())).ok()?;
        if let Some(Login { user, password }) = &self.login {
            url.set_username(user).ok()?;
            url.set_password(Some(password.expose_secret())).ok()?;
        }
        Some(url)
    }

    fn of(found: &Intercept) -> Option<Self> {
        let speaks = Speaks::scheme(found.uri().scheme_str()?);
        let authority = found.uri().authority()?;
        let port = match authority.as_str().strip_prefix(authority.host())? {
            "" => speaks.usual_port(),
            // One that is no number of 16 bits is not taken for none.
            _ => authority.port_u16()?,
        };
        let server = ServerAddress::new(found.uri().host()?.parse().ok()?, port)?;
        let basic = found.basic_auth().and_then(|value| value.to_str().ok()?.strip_prefix("Basic "));
        let login = match (basic, found.raw_auth()) {
            (Some(basic), _) => {
                let plain = String::from_utf8(STANDARD.decode(basic).ok()?).ok()?;
                let (user, password) = plain.split_once(':')?;
                Some(Login { user: user.to_owned(), password: password.to_owned().into() })
            }
            (None, Some((user, password))) => {
                Some(Login { user: user.to_owned(), password: password.to_owned().into() })
            }
            (None, None) => None,
        };
        Some(Self { speaks, server, login })
    }
}

impl Speaks {
    fn scheme(scheme: &str) -> Self {
        match scheme.to_ascii_lowercase().as_str() {
            "http" => Self::Http,
            "socks5" | "socks5h" => Self::Socks5,
            _ => Self::Other,
        }
    }

    fn usual_port(self) -> u16 {
        match self {
            Self::Http | Self::Other => 80,
            Self::Socks5 => 1080,
        }
    }
}

impl FromStr for ProxyAddress {
    type Err = ApiError;

    /// Reads `[http://|socks5://][USER:PASSWORD@]HOST[:PORT]`.
    fn from_str(text: &str) -> Result<Self, ApiError> {
        let text = text.trim();
        let known = ["http://", "socks5://", "socks5h://"]
            .iter()
            .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
        if text.is_empty() || (text.contains("://") && !known) {
            return Err(ApiError::ServerInvalid);
        }
        let found = Matcher::builder().all(text).build().intercept(&Uri::from_static("https://a.invalid/"));
        found.as_ref().and_then(Self::of).ok_or(ApiError::ServerInvalid)
    }
}

/// Without the password, and without the name as well.
impl fmt::Display for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.speaks {
            Speaks::Http => "http",
            Speaks::Socks5 => "socks5",
            Speaks::Other => "?",
        };
        write!(f, "{scheme}://{}", self.server.authority())
    }
}

impl fmt::Debug for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for ProxyAddress {
    fn eq(&self, other: &Self) -> bool {
        let login = |of: &Self| {
            of.login.as_ref().map(|login| (login.user.clone(), login.password.expose_secret().to_owned()))
        };
        (self.speaks, &self.server) == (other.speaks, &other.server) && login(self) == login(other)
    }
}

impl Eq for ProxyAddress {}

/// What the environment says, else the system's settings.
#[cfg(not(windows))]
fn of_the_system(target: &Uri, _: &str) -> Option<ProxyAddress> {
    ProxyAddress::of(&Matcher::from_system().intercept(target)?)
}

/// What the environment says, else the system's settings, whose forms we read ourselves: the library takes a list of
/// proxies for the name of one.
#[cfg(windows)]
fn of_the_system(target: &Uri, host: &str) -> Option<ProxyAddress> {
    let named = |name: &&str| std::env::var(name).is_ok_and(|value| !value.is_empty());
    if ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].iter().any(named) {
        return ProxyAddress::of(&Matcher::from_env().intercept(target)?);
    }
    windows::settings().toward(host).filter(|_| !excepted(target))
}

/// Whether the environment has it reached straight.
fn excepted(target: &Uri) -> bool {
    let exceptions = ["NO_PROXY", "no_proxy"].iter().find_map(|name| std::env::var(name).ok());
    let anyone = Matcher::builder().all("http://proxy.invalid").no(exceptions.unwrap_or_default());
    anyone.build().intercept(target).is_none()
}

/// Whether a host is this machine.
fn is_here(host: &str) -> bool {
    match host.parse::<Host>() {
        Ok(Host::Ip(IpAddr::V4(ip))) => ip.is_loopback(),
        Ok(Host::Ip(IpAddr::V6(ip))) => ip.to_canonical().is_loopback(),
        _ => host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost"),
    }
}

#[cfg(test)]
mod tests;
