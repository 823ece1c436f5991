use std::time::Duration;

use secrecy::SecretString;

use crate::Instance;

/// Transport of SIP messages between the phone and its outbound proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// UDP (RFC 3261, section 18).
    Udp,
    /// TCP (RFC 3261, section 18).
    Tcp,
    /// TLS over TCP (RFC 3261, section 26).
    Tls,
    /// Secure WebSocket (RFC 7118).
    Wss,
}

impl Transport {
    /// Port of a PortSIP PBX for this transport, used where none is given.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Udp => 5060,
            Self::Tcp => 5063,
            Self::Tls => 5061,
            Self::Wss => 5065,
        }
    }

    /// Name as the `transport` parameter of a SIP URI.
    pub(crate) fn parameter(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Wss => "ws",
        }
    }

    /// Name in a Via header.
    pub(crate) fn via(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Wss => "WSS",
        }
    }
}

/// The outbound proxy: every request outside a dialog goes there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Host name, IPv4 or IPv6 address (without brackets).
    pub host: String,
    /// Port; [`Transport::default_port`] without one.
    pub port: Option<u16>,
}

/// What it takes to register and call.
#[derive(Debug, Clone)]
pub struct Account {
    /// User part of the address of record: the extension number.
    pub user: String,
    /// Name to authenticate with, where it differs from `user`.
    pub auth_user: Option<String>,
    /// SIP domain of the address of record.
    pub domain: String,
    /// Name shown to those who are called.
    pub display_name: Option<String>,
    /// Where requests are sent.
    pub proxy: Proxy,
    /// How they get there.
    pub transport: Transport,
    /// SIP password.
    pub password: SecretString,
    /// Lifetime of the registration to ask for. The registrar may grant another.
    pub expires: Duration,
    /// Value of the `User-Agent` header.
    pub user_agent: String,
    /// Identity of this phone, which the PBX knows it by wherever it registers from; kept by whoever keeps the account.
    pub instance: Option<Instance>,
    /// Local UDP port to bind; any free one without. The other transports do not listen.
    pub local_port: Option<u16>,
}

impl Account {
    /// Lifetime asked for unless there is a reason for another: one hour.
    pub const EXPIRES: Duration = Duration::from_secs(3600);

    /// Port of the outbound proxy.
    pub(crate) fn proxy_port(&self) -> u16 {
        self.proxy.port.unwrap_or_else(|| self.transport.default_port())
    }
}
