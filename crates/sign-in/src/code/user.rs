use std::fmt;
use std::net::IpAddr;

use pbx_api::{Host, ServerAddress};
use serde_json::{Map, Value};

use super::{NotASignInCode, broken, field, folded, text};

/// Names of the reference to the profile file.
pub(super) const PATH: [&str; 3] = ["path", "url", "profile"];

/// Most ways looked at.
const MOST: usize = 16;

/// User code of a v22 PBX: `{"v":220,"path":"/api/blobs/...","info":[{"pbx_domain":"...","prefer":true},...]}`.
#[derive(Clone)]
pub struct UserCode {
    /// Version of the PBX that made it, 220 for 22.0; 0 where it does not say.
    pub version: u32,
    /// Reference to the profile file at whichever server answers, fit for [`pbx_api::Client::blob`]: a digest, or
    /// a path that begins with `/api/`. A secret: whoever knows it can fetch the file.
    pub path: String,
    /// Ways to the PBX, the one to try first coming first; never empty.
    pub ways: Vec<Way>,
}

impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserCode").field("version", &self.version).field("ways", &self.ways.len()).finish()
    }
}

/// A way to the PBX.
#[derive(Clone, PartialEq, Eq)]
pub struct Way {
    /// Where its REST API is.
    pub server: ServerAddress,
    /// Which of its addresses that is.
    pub kind: WayKind,
    /// The PBX's administrator chose it.
    pub preferred: bool,
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Way({:?})", self.kind)
    }
}

/// Kind of a way, in the order they are tried where none is preferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WayKind {
    /// Its name in DNS.
    Domain,
    /// Its public IPv4 address.
    PublicIpv4,
    /// Its public IPv6 address.
    PublicIpv6,
    /// Its IPv4 address in the local network.
    PrivateIpv4,
    /// Its IPv6 address in the local network.
    PrivateIpv6,
    /// Its session border controller.
    SbcDomain,
}

impl WayKind {
    fn named(folded_name: &str) -> Option<Self> {
        Some(match folded_name {
            "pbxdomain" | "domain" | "webdomain" | "host" | "server" | "address" => Self::Domain,
            "pub4" | "pubipv4" | "publicipv4" | "publicip" => Self::PublicIpv4,
            "pub6" | "pubipv6" | "publicipv6" => Self::PublicIpv6,
            "pri4" | "priipv4" | "privateipv4" | "privateip" => Self::PrivateIpv4,
            "pri6" | "priipv6" | "privateipv6" => Self::PrivateIpv6,
            "sbcdomain" | "sbc" => Self::SbcDomain,
            _ => return None,
        })
    }

    fn of(host: &Host) -> Self {
        match host {
            Host::Name(_) => Self::Domain,
            Host::Ip(IpAddr::V4(ip)) if ip.is_private() || ip.is_loopback() || ip.is_link_local() => {
                Self::PrivateIpv4
            }
            Host::Ip(IpAddr::V4(_)) => Self::PublicIpv4,
            Host::Ip(IpAddr::V6(ip)) if ip.is_unique_local() || ip.is_loopback() => Self::PrivateIpv6,
            Host::Ip(IpAddr::V6(_)) => Self::PublicIpv6,
        }
    }
}

impl UserCode {
    pub(super) fn read(fields: &Map<String, Value>) -> Result<Self, NotASignInCode> {
        let version = match text(fields, &["v", "version", "ver"], "v")? {
            None => 0,
            Some(text) => version(&text).ok_or_else(|| broken("v is not a version"))?,
        };
        let mut ways = match field(fields, &["info"]) {
            // Nobody says that they must stand in `info`.
            None => ways_of(fields)?,
            Some(Value::Object(info)) => ways_of(info)?,
            Some(Value::Array(items)) => {
                let mut ways = Vec::new();
                for item in items.iter().take(MOST) {
                    match item {
                        Value::Object(info) => ways.extend(ways_of(info)?),
                        Value::String(text) => ways.extend(bare(text)),
                        Value::Null => {}
                        _ => return Err(broken("info holds something that is no way to a PBX")),
                    }
                }
                ways
            }
            Some(Value::String(text)) => bare(text).into_iter().collect(),
            Some(_) => return Err(broken("info is neither a list nor an object")),
        };
        ways.sort_by_key(|way| (!way.preferred, way.kind));
        let mut known = Vec::new();
        ways.retain(|way| {
            let new = !known.contains(&way.server);
            known.push(way.server.clone());
            new
        });
        ways.truncate(MOST);
        if ways.is_empty() {
            return Err(broken("info names no way to the PBX"));
        }
        let path = text(fields, &PATH, "path")?.ok_or_else(|| broken("path is missing"))?;
        let path =
            reference(&path, &ways).ok_or_else(|| broken("path does not lead to a file of the PBX"))?;
        Ok(Self { version, path, ways })
    }
}

/// `220`, `"220"` and `"22.0"` are the same version.
fn version(text: &str) -> Option<u32> {
    let digits: String = text.trim_start_matches(['v', 'V']).split('.').collect();
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// The ways an object names: usually one, with `prefer` beside it.
fn ways_of(info: &Map<String, Value>) -> Result<Vec<Way>, NotASignInCode> {
    let port = match text(info, &["port"], "info.port")? {
        None => None,
        Some(port) => Some(super::port(&port).ok_or_else(|| broken("info.port is not a port"))?),
    };
    let preferred = |name: &str| match field(info, &["prefer", "preferred"]) {
        Some(Value::Bool(preferred)) => *preferred,
        Some(Value::Number(number)) => number.as_u64() == Some(1),
        Some(Value::String(text)) => {
            let said = folded(text);
            ["true", "1", "yes"].contains(&said.as_str()) || said == name
        }
        _ => false,
    };
    let mut ways = Vec::new();
    for (name, value) in info {
        let name = folded(name);
        let (Some(kind), Value::String(typed)) = (WayKind::named(&name), value) else { continue };
        // One way that cannot be read leaves the others.
        let Ok(server) = typed.parse::<ServerAddress>() else { continue };
        let plain = server.port() == pbx_api::DEFAULT_PORT;
        let server = match port.filter(|_| plain) {
            Some(port) => ServerAddress::new(server.host().clone(), port).unwrap_or(server),
            None => server,
        };
        let kind = if ["host", "server", "address"].contains(&name.as_str()) {
            WayKind::of(server.host())
        } else {
            kind
        };
        ways.push(Way { server, kind, preferred: preferred(&name) });
    }
    Ok(ways)
}

/// A way without a name.
fn bare(text: &str) -> Option<Way> {
    let server: ServerAddress = text.parse().ok()?;
    let kind = WayKind::of(server.host());
    Some(Way { server, kind, preferred: false })
}

/// The reference as the client takes it. A whole address must be that of a server the code names.
fn reference(path: &str, ways: &[Way]) -> Option<String> {
    let path = match path.split_once("://") {
        None => path,
        Some((_, rest)) => {
            let server: ServerAddress = path.parse().ok()?;
            ways.iter().find(|way| way.server.host() == server.host())?;
            rest.get(rest.find('/')?..)?
        }
    };
    let below_api = path.trim_start_matches('/');
    let below_api = below_api.strip_prefix("api/").unwrap_or(below_api);
    // What leads to another host begins with two slashes.
    if path.starts_with("//") || !below_api.split('/').all(is_plain) || below_api.len() > 2048 {
        return None;
    }
    let is_digest = !below_api.contains('/') && !path.contains('/');
    Some(if is_digest { below_api.to_owned() } else { format!("/api/{below_api}") })
}

/// Nothing in it can climb out of its folder or change the host.
fn is_plain(segment: &str) -> bool {
    (1..=512).contains(&segment.len())
        && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
        && segment.bytes().any(|byte| byte != b'.')
}
