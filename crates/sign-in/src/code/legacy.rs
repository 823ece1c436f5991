use std::fmt;

use pbx_api::{ServerAddress, SipDomain};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use serde_json::{Map, Value};

use super::{NotASignInCode, broken, field, port, text};
use crate::extension::is_sip_user;

pub(super) const NUMBER: [&str; 1] = ["extensionnumber"];
pub(super) const PASSWORD: [&str; 1] = ["extensionpassword"];

/// Names of the outbound proxy, in the order they are tried.
const PROXIES: [&str; 3] = ["pbxpublicip", "outboundproxy", "pbxprivateip"];

/// Most transports looked at.
const MOST: usize = 16;

/// Longest password and display name believed, bytes.
const LONGEST: usize = 1024;

/// Code of a PBX older than v22: a plain SIP account.
#[derive(Clone)]
pub struct LegacyCode {
    /// SIP user, and user name of its digest authentication.
    pub extension: String,
    /// SIP password.
    pub password: SecretString,
    /// SIP domain.
    pub domain: SipDomain,
    /// Name of the person.
    pub display_name: Option<String>,
    /// Outbound proxies, `host` or `host:port`, the one to try first coming first. None: the domain is it.
    pub proxies: Vec<String>,
    /// Transports with their ports at the outbound proxy, the one to try first coming first.
    pub transports: Vec<(LegacyTransport, u16)>,
}

impl fmt::Debug for LegacyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LegacyCode({} proxies, {:?})", self.proxies.len(), self.transports)
    }
}

/// A transport as a legacy code names it, in the order they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LegacyTransport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS.
    Tls,
    /// UDP by PortSIP's own way through firewalls.
    PersUdp,
    /// TCP by PortSIP's own way through firewalls.
    PersTcp,
}

impl LegacyTransport {
    fn named(name: &str) -> Option<Self> {
        Some(match super::folded(name).as_str() {
            "udp" => Self::Udp,
            "tcp" => Self::Tcp,
            "tls" => Self::Tls,
            "persudp" => Self::PersUdp,
            "perstcp" => Self::PersTcp,
            _ => return None,
        })
    }

    /// Its port on a PBX that names none.
    fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::PersUdp => 5060,
            Self::Tcp | Self::PersTcp => 5063,
            Self::Tls => 5061,
        }
    }
}

impl LegacyCode {
    pub(super) fn read(fields: &Map<String, Value>) -> Result<Self, NotASignInCode> {
        let missing = |name: &str| broken(format!("{name} is missing"));
        let extension =
            text(fields, &NUMBER, "extension_number")?.ok_or_else(|| missing("extension_number"))?;
        if !is_sip_user(&extension) {
            return Err(broken("extension_number is not a SIP user"));
        }
        let domain = text(fields, &["sipdomain"], "sip_domain")?.ok_or_else(|| missing("sip_domain"))?;
        let domain = domain.parse().map_err(|_| broken("sip_domain is not a domain"))?;
        let display_name = text(fields, &["displayname"], "display_name")?
            .filter(|name| name.len() <= LONGEST && !name.chars().any(char::is_control));
        let mut proxies = Vec::new();
        for name in PROXIES {
            let Some(typed) = text(fields, &[name], name)? else { continue };
            let proxy = proxy(&typed).ok_or_else(|| broken(format!("{name} is not a server")))?;
            if !proxies.contains(&proxy) {
                proxies.push(proxy);
            }
        }
        let transports = transports(field(fields, &["transports", "transport"]))?;
        Ok(Self { extension, password: password(fields)?, domain, display_name, proxies, transports })
    }
}

/// The password as it stands: what is a space elsewhere may belong to it.
fn password(fields: &Map<String, Value>) -> Result<SecretString, NotASignInCode> {
    let password = match field(fields, &PASSWORD) {
        Some(Value::String(password)) => Zeroizing::new(password.clone()),
        Some(Value::Number(number)) if number.is_u64() => Zeroizing::new(number.to_string()),
        None => return Err(broken("extension_password is missing")),
        Some(_) => return Err(broken("extension_password is not text")),
    };
    if password.is_empty() || password.len() > LONGEST || password.chars().any(char::is_control) {
        return Err(broken("extension_password is not a password"));
    }
    Ok(SecretString::from(password.as_str()))
}

/// `host`, `host:port`, or either as a SIP URI.
fn proxy(typed: &str) -> Option<String> {
    let bare = typed.strip_prefix("sips:").or_else(|| typed.strip_prefix("sip:")).unwrap_or(typed);
    let bare = bare.split(';').next().unwrap_or_default().trim();
    let server: ServerAddress = bare.parse().ok().filter(|_| !bare.contains("://"))?;
    // The port of the REST API is assumed where none is named; here it would be wrong.
    let named =
        bare.ends_with(&format!(":{}", server.port())) && server.authority().eq_ignore_ascii_case(bare);
    Some(if named { server.authority() } else { server.host_for_sip() })
}

fn transports(value: Option<&Value>) -> Result<Vec<(LegacyTransport, u16)>, NotASignInCode> {
    let items = match value {
        None => &[],
        Some(Value::Array(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    let mut transports = Vec::new();
    for item in items.iter().take(MOST) {
        let (name, number) = match item {
            Value::String(name) => (Some(name.clone()), None),
            Value::Object(fields) => (
                text(fields, &["protocol", "transport", "type"], "transports.protocol")?,
                text(fields, &["port"], "transports.port")?,
            ),
            Value::Null => continue,
            _ => return Err(broken("transports holds something that is no transport")),
        };
        // A transport of another name is one this phone cannot use anyway.
        let Some(transport) = name.as_deref().and_then(LegacyTransport::named) else { continue };
        let number = match number {
            None => transport.default_port(),
            Some(number) => port(&number).ok_or_else(|| broken("transports.port is not a port"))?,
        };
        transports.push((transport, number));
    }
    transports.sort_by_key(|(transport, _)| *transport);
    transports.dedup();
    Ok(transports)
}
