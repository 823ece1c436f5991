use pbx_api::WebProxy;
use serde::{Deserialize, Serialize};
use specta::Type;

use crate::{Code, Problem};

/// How servers on the web are reached: the PBX's REST interface, SIP over WSS, newer versions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase", default)]
pub struct WebProxyPreference {
    /// Which way.
    pub way: WebProxyWay,
    /// The proxy, `http://HOST:PORT` or `socks5://HOST:PORT`, for [`WebProxyWay::Address`]. Never a password: the
    /// settings are a plain file.
    pub address: String,
}

/// Which way servers on the web are reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum WebProxyWay {
    /// As the system says.
    #[default]
    System,
    /// Straight.
    None,
    /// Through the proxy that is named.
    Address,
}

impl WebProxyPreference {
    /// What the user has chosen; none where that is left to the system, or to the policy.
    ///
    /// # Errors
    /// [`Code::WebProxyInvalid`] where the address is no proxy's, or holds a password.
    pub(crate) fn chosen(&self) -> Result<Option<WebProxy>, Problem> {
        match self.way {
            WebProxyWay::System => Ok(None),
            WebProxyWay::None => Ok(Some(WebProxy::Direct)),
            WebProxyWay::Address => match self.address.parse::<pbx_api::ProxyAddress>() {
                Ok(proxy) if !proxy.has_login() => Ok(Some(WebProxy::Through(proxy))),
                _ => Err(Code::WebProxyInvalid.into()),
            },
        }
    }

    /// The system's way.
    pub(crate) fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// A way as it is shown, without the password it may come with.
    pub(crate) fn of(way: &WebProxy) -> Self {
        match way {
            WebProxy::System => Self::default(),
            WebProxy::Direct => Self { way: WebProxyWay::None, address: String::new() },
            WebProxy::Through(proxy) => Self { way: WebProxyWay::Address, address: proxy.to_string() },
        }
    }
}
