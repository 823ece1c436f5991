use std::net::SocketAddr;
use std::time::Duration;

use pbx_api::Trust;
use secrecy::SecretString;

use crate::Instance;
use crate::target::user_part;

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

    /// Whether messages are encrypted and the proxy shows a certificate.
    pub fn is_secure(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }

    /// Name as the `transport` parameter of a SIP URI; the secure WebSocket has none of its own (RFC 7118,
    /// section 5.3).
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

/// How the phone chooses the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransportChoice {
    /// This one and no other.
    Fixed(Transport),
    /// The first that works, in the order the proxy's domain prefers (NAPTR), else TLS, TCP, UDP, WSS.
    Automatic {
        /// What worked the last time on this network ([`Event::Reached`](crate::Event::Reached)): tried ahead of the
        /// rest.
        first: Option<Transport>,
    },
}

impl TransportChoice {
    /// Whether this transport may come to be used.
    pub(crate) fn allows(self, transport: Transport) -> bool {
        match self {
            Self::Fixed(fixed) => fixed == transport,
            Self::Automatic { .. } => true,
        }
    }
}

impl From<Transport> for TransportChoice {
    fn from(transport: Transport) -> Self {
        Self::Fixed(transport)
    }
}

/// The outbound proxy: every request outside a dialog goes there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Host name, IPv4 or IPv6 address (without brackets).
    pub host: String,
    /// Port. Without one a name is looked up as RFC 3263 says (NAPTR, SRV), and where nothing comes of that it is
    /// [`Transport::default_port`].
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
    pub transport: TransportChoice,
    /// What is trusted besides the operating system's own roots, over TLS and WSS. The certificate must be for the
    /// proxy's host or for the domain (RFC 5922).
    pub trust: Trust,
    /// Path of the WebSocket; [`WEBSOCKET_PATH`](Self::WEBSOCKET_PATH) unless there is a reason for another.
    pub websocket_path: String,
    /// Name servers to ask; those of the operating system without any.
    pub name_servers: Option<Vec<SocketAddr>>,
    /// SIP password.
    pub password: SecretString,
    /// Lifetime of the registration to ask for. The registrar may grant another.
    pub expires: Duration,
    /// Value of the `User-Agent` header.
    pub user_agent: String,
    /// Identity of this phone, which the PBX knows it by wherever it registers from; kept by whoever keeps the account.
    pub instance: Option<Instance>,
    /// Local UDP port to bind, for IPv4 and IPv6; any free one without. The other transports do not listen.
    pub local_port: Option<u16>,
}

impl Account {
    /// Lifetime asked for unless there is a reason for another: one hour.
    pub const EXPIRES: Duration = Duration::from_secs(3600);
    /// Path of the WebSocket as most servers have it.
    pub const WEBSOCKET_PATH: &str = "/ws";

    /// The address of record as a SIP URI.
    pub(crate) fn address(&self) -> String {
        format!("sip:{}@{}", user_part(&self.user).unwrap_or_default(), self.domain)
    }
}
