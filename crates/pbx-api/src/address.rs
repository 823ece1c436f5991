use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::ApiError;

/// Port of the REST API where none is typed.
pub const DEFAULT_PORT: u16 = 8887;

/// Ports on which a PBX speaks unencrypted HTTP; a URL pasted with one of them means the PBX, not the port.
const PLAIN_HTTP_PORTS: [u16; 2] = [80, 8888];

/// Host of a server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Host {
    /// A name in DNS, lower case, internationalised labels in their ASCII form, without a final dot.
    Name(String),
    /// An IPv4 or IPv6 address.
    Ip(IpAddr),
}

/// Where a PBX is reached: host and port of its REST API.
///
/// Parses what people type: `host`, `host:port`, an IPv4 address, an IPv6 address bare or in brackets, or a
/// URL pasted by mistake. A URL with user information is refused. `Display` gives the shortest form that
/// parses back to the same address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerAddress {
    host: Host,
    port: u16,
}

impl ServerAddress {
    /// Address of a host and port; `None` for port 0.
    pub fn new(host: Host, port: u16) -> Option<Self> {
        (port != 0).then_some(Self { host, port })
    }

    /// Its host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The host as it stands in a SIP URI or a URL: IPv6 in brackets (RFC 3261, section 25.1 `host`).
    pub fn host_for_sip(&self) -> String {
        match &self.host {
            Host::Ip(IpAddr::V6(v6)) => format!("[{v6}]"),
            host => host.to_string(),
        }
    }

    /// `host:port`, with the port even where it is the default one.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host_for_sip(), self.port)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ip(ip) => ip.fmt(f),
        }
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.port == DEFAULT_PORT { self.host.fmt(f) } else { f.write_str(&self.authority()) }
    }
}

impl FromStr for Host {
    type Err = ApiError;

    /// Parses a name or an address without a port; IPv6 with or without brackets.
    fn from_str(text: &str) -> Result<Self, ApiError> {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Some(v6) = bare {
            return v6.parse::<Ipv6Addr>().map(|ip| Self::Ip(ip.into())).map_err(|_| invalid());
        }
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(Self::Ip(ip));
        }
        name(text).map(Self::Name).ok_or_else(invalid)
    }
}

impl FromStr for ServerAddress {
    type Err = ApiError;

    fn from_str(text: &str) -> Result<Self, ApiError> {
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, text),
        };
        if !matches!(scheme.as_deref(), None | Some("https" | "http")) {
            return Err(invalid());
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(invalid());
        }
        if let Ok(v6) = authority.parse::<Ipv6Addr>() {
            return Ok(Self { host: Host::Ip(v6.into()), port: DEFAULT_PORT });
        }
        let (host, port) = match authority.rsplit_once(':') {
            // A colon inside brackets belongs to the address.
            Some((_, tail)) if tail.contains(']') => (authority, None),
            Some((host, port)) => (host, Some(typed_port(port)?)),
            None => (authority, None),
        };
        let plain_http = scheme.as_deref() == Some("http");
        let port = match port {
            Some(port) if plain_http && PLAIN_HTTP_PORTS.contains(&port) => DEFAULT_PORT,
            Some(port) => port,
            None => DEFAULT_PORT,
        };
        let host = host.parse::<Host>()?;
        // `1:2` is neither a host and a port nor an address: an unbracketed IPv6 never has a port.
        if matches!(host, Host::Ip(IpAddr::V6(_))) && !authority.starts_with('[') {
            return Err(invalid());
        }
        Ok(Self { host, port })
    }
}

fn invalid() -> ApiError {
    ApiError::ServerInvalid
}

fn typed_port(text: &str) -> Result<u16, ApiError> {
    // `u16::from_str` takes a leading plus sign.
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid());
    }
    text.parse().ok().filter(|port| *port != 0).ok_or_else(invalid)
}

/// A host name in its ASCII form (RFC 1123 with the underscore, RFC 5891 for other letters), or nothing.
pub(crate) fn name(text: &str) -> Option<String> {
    let ascii = match url::Host::parse(text).ok()? {
        url::Host::Domain(domain) => domain,
        // `url` also reads `1`, `0x7f.1` and `127.1` as IPv4, which nobody means.
        url::Host::Ipv4(_) | url::Host::Ipv6(_) => return None,
    };
    let ascii = ascii.strip_suffix('.').unwrap_or(&ascii);
    let label_fits = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    ((1..=253).contains(&ascii.len()) && ascii.split('.').all(label_fits)).then(|| ascii.to_owned())
}

impl From<Ipv4Addr> for Host {
    fn from(ip: Ipv4Addr) -> Self {
        Self::Ip(ip.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};

    use super::{Host, ServerAddress};

    fn parsed(text: &str) -> String {
        match text.parse::<ServerAddress>() {
            Ok(address) => address.authority(),
            Err(_) => "refused".into(),
        }
    }

    #[test]
    fn what_people_type() {
        for (typed, expected) in [
            ("pbx.example.com", "pbx.example.com:8887"),
            ("  PBX.Example.com. ", "pbx.example.com:8887"),
            ("pbx", "pbx:8887"),
            ("my_pbx:9000", "my_pbx:9000"),
            ("192.168.1.72", "192.168.1.72:8887"),
            ("192.168.1.72:443", "192.168.1.72:443"),
            ("::1", "[::1]:8887"),
            ("[::1]", "[::1]:8887"),
            ("[2001:DB8::5]:444", "[2001:db8::5]:444"),
            ("2001:db8::5:8887", "[2001:db8::5:8887]:8887"),
            ("https://pbx.example.com:8887/portal/#/login", "pbx.example.com:8887"),
            ("HTTPS://pbx.example.com:443", "pbx.example.com:443"),
            ("https://pbx.example.com/?next=a@b", "pbx.example.com:8887"),
            ("http://pbx.example.com:8888/", "pbx.example.com:8887"),
            ("http://pbx.example.com:9000/", "pbx.example.com:9000"),
            ("https://[::1]:8887/api", "[::1]:8887"),
            ("telefon.bücher.example", "telefon.xn--bcher-kva.example:8887"),
            ("例え.テスト:1", "xn--r8jz45g.xn--zckzah:1"),
        ] {
            assert_eq!(parsed(typed), expected, "{typed}");
        }
    }

    #[test]
    fn what_is_refused() {
        for typed in [
            "",
            " ",
            ":8887",
            "pbx:",
            "pbx:0",
            "pbx:65536",
            "pbx:+80",
            "pbx:x",
            "https://",
            "https:///x",
            "a b",
            "alice@pbx",
            "https://alice:secret@pbx:8887/",
            "ftp://pbx",
            "1",
            "127.1",
            "0x7f.1",
            "256.1.1.1",
            "[::1",
            "::1]",
            "[]",
            "[pbx]",
            "fe80::1%eth0",
            "-pbx",
            "pbx-.example",
            "a..b",
            "pbx!",
            "p\u{0}x",
        ] {
            assert_eq!(parsed(typed), "refused", "{typed:?}");
        }
        assert_eq!(parsed(&"a.".repeat(200)), "refused");
    }

    #[test]
    fn shown_without_the_default_port() {
        for (typed, shown) in
            [("pbx:8887", "pbx"), ("[::1]:8887", "::1"), ("[::1]:9", "[::1]:9"), ("pbx:9", "pbx:9")]
        {
            assert_eq!(typed.parse::<ServerAddress>().unwrap().to_string(), shown);
        }
    }

    fn hosts() -> impl Strategy<Value = Host> {
        prop_oneof![
            any::<[u8; 4]>().prop_map(|ip| Host::Ip(ip.into())),
            any::<[u8; 16]>().prop_map(|ip| Host::Ip(ip.into())),
            "[a-z]([a-z0-9_]{0,20}[a-z0-9])?(\\.[a-z]{1,10}){0,4}".prop_map(Host::Name),
        ]
    }

    proptest! {
        #[test]
        fn display_parses_back(host in hosts(), port in prop_oneof![Just(8887), 1..=u16::MAX]) {
            let address = ServerAddress::new(host, port).unwrap();
            prop_assert_eq!(&address.to_string().parse::<ServerAddress>().unwrap(), &address);
            prop_assert_eq!(&address.authority().parse::<ServerAddress>().unwrap(), &address);
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in "\\PC{0,60}") {
            if let Ok(address) = text.parse::<ServerAddress>() {
                prop_assert_eq!(address.to_string().parse::<ServerAddress>().unwrap(), address);
            }
        }
    }
}
