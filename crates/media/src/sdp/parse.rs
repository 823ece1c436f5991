use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};

use super::network::Network;
use super::security::{self, Crypto, Setup};
use super::{Direction, MAX_SDP, SdpError};
use crate::protect::Fingerprint;

/// A session description, as far as a voice call needs it (RFC 8866).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Description {
    /// Attributes at session level, in order.
    pub attributes: Vec<Attribute>,
    /// Media descriptions, in order.
    pub media: Vec<Media>,
}

/// `a=name` or `a=name:value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    pub name: String,
    pub value: Option<String>,
}

impl Attribute {
    fn new(text: &str) -> Self {
        match text.split_once(':') {
            Some((name, value)) => Self { name: name.to_owned(), value: Some(value.trim().to_owned()) },
            None => Self { name: text.to_owned(), value: None },
        }
    }
}

impl Description {
    /// Whether the stream that goes by this name is in a bundle with others or alone (RFC 9143).
    pub fn bundles(&self, mid: &str) -> bool {
        self.attributes.iter().filter(|attribute| attribute.name == "group").any(|group| {
            let mut words = group.value.as_deref().unwrap_or_default().split_ascii_whitespace();
            words.next() == Some("BUNDLE") && words.any(|word| word == mid)
        })
    }
}

/// A media description, with what it inherits from the session level filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Media {
    /// `audio`, `video`...
    pub kind: String,
    /// Port; 0 is a stream refused.
    pub port: u16,
    /// Transport protocol, `RTP/AVP` and like.
    pub proto: String,
    /// Formats as written, in order.
    pub formats: Vec<String>,
    /// Address of the stream.
    pub address: Option<IpAddr>,
    /// `a=rtcp:` (RFC 3605).
    pub rtcp: Option<(u16, Option<IpAddr>)>,
    /// `a=rtcp-mux` (RFC 5761).
    pub rtcp_mux: bool,
    /// `a=rtcp-xr:` asks for VoIP metrics.
    pub voip_metrics: bool,
    /// `a=rtpmap:`, with the static types of RFC 3551 that this phone speaks.
    pub encodings: Vec<Encoding>,
    /// `a=fmtp:` by payload type.
    pub parameters: Vec<(u8, String)>,
    /// `a=ptime:`, milliseconds.
    pub ptime: Option<u32>,
    /// `a=maxptime:`, milliseconds.
    pub maxptime: Option<u32>,
    /// Direction, seen from the writer.
    pub direction: Direction,
    /// ICE (RFC 8839).
    pub network: Network,
    /// `a=crypto:` (RFC 4568), as far as it can be used.
    pub crypto: Vec<Crypto>,
    /// Attributes as written, in order; those above are among them, but for keys.
    pub attributes: Vec<Attribute>,
    /// `a=fingerprint:` (RFC 8122).
    pub fingerprints: Vec<Fingerprint>,
    /// `a=setup:` (RFC 4145).
    pub setup: Option<Setup>,
}

/// What a payload type stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Encoding {
    pub pt: u8,
    pub name: String,
    pub rate: u32,
}

impl Media {
    /// The address and port of RTP.
    pub fn rtp(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.address?, self.port))
    }

    /// The same; the first candidate where the address is left to those, and nobody's where it is left to the checks.
    pub fn rtp_or_candidate(&self) -> Option<SocketAddr> {
        let said = self.rtp()?;
        if !said.ip().is_unspecified() {
            return Some(said);
        }
        Some(self.network.first().or_else(|| self.network.left_to_checks(said)).unwrap_or(said))
    }

    /// The address and port of RTCP: said, or the port above that of RTP (RFC 3550, section 11).
    pub fn rtcp(&self) -> Option<SocketAddr> {
        let address = self.address?;
        if self.rtcp_mux && self.rtcp.is_none() {
            return self.rtp();
        }
        Some(match self.rtcp {
            Some((port, other)) => SocketAddr::new(other.unwrap_or(address), port),
            None => SocketAddr::new(address, self.port.checked_add(1).unwrap_or(self.port)),
        })
    }

    /// What is said of a payload type in `a=fmtp:`.
    pub fn parameters(&self, pt: u8) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| *known == pt).map(|(_, said)| said.as_str())
    }

    /// `a=mid:` (RFC 5888).
    pub fn mid(&self) -> Option<&str> {
        self.attributes.iter().find(|attribute| attribute.name == "mid")?.value.as_deref()
    }

    /// The encodings in the order of the formats.
    pub fn in_order(&self) -> impl Iterator<Item = &Encoding> {
        self.formats
            .iter()
            .filter_map(|format| format.parse::<u8>().ok())
            .filter_map(|pt| self.encodings.iter().find(|encoding| encoding.pt == pt))
    }
}

/// Reads a description. Lines and attributes that a voice call does not need are passed over.
pub(super) fn parse(text: &str) -> Result<Description, SdpError> {
    if text.len() > MAX_SDP {
        return Err(SdpError::TooLarge);
    }
    let mut lines = text.split(['\r', '\n']).filter(|line| !line.is_empty());
    if lines.next() != Some("v=0") {
        return Err(SdpError::Malformed("v=0 expected".into()));
    }
    let mut address = None;
    let mut direction = Direction::default();
    let mut attributes = Vec::new();
    let (mut fingerprints, mut setup) = (Vec::new(), None);
    let mut network = Network::default();
    let mut media: Vec<Media> = Vec::new();
    for line in lines {
        let malformed = || SdpError::Malformed(line.chars().take(80).collect());
        let (kind, value) = line.split_once('=').ok_or_else(malformed)?;
        match kind {
            "m" => {
                let mut next = parse_media(value).ok_or_else(malformed)?;
                next.address = address;
                next.direction = direction;
                next.network = network.clone();
                media.push(next);
            }
            "c" => {
                let given = parse_connection(value).ok_or_else(malformed)?;
                match media.last_mut() {
                    Some(last) => last.address = Some(given),
                    None => address = Some(given),
                }
            }
            "a" => match media.last_mut() {
                Some(last) => {
                    last.network.read(value);
                    parse_attribute(last, value).ok_or_else(malformed)?;
                }
                None => {
                    network.read(value);
                    match value.split_once(':') {
                        Some(("fingerprint", value)) => security::read_fingerprint(&mut fingerprints, value),
                        Some(("setup", value)) => setup = Setup::parse(value),
                        _ => direction = parse_direction(value).unwrap_or(direction),
                    }
                    attributes.push(Attribute::new(value));
                }
            },
            _ if kind.len() == 1 => {}
            _ => return Err(malformed()),
        }
    }
    for stream in &mut media {
        // What a stream says itself goes before what is said of the whole.
        if stream.fingerprints.is_empty() {
            stream.fingerprints.clone_from(&fingerprints);
        }
        stream.setup = stream.setup.or(setup);
    }
    Ok(Description { attributes, media })
}

fn parse_media(value: &str) -> Option<Media> {
    let mut words = value.split_ascii_whitespace();
    let kind = words.next()?.to_owned();
    // "port/count" (RFC 8866, section 5.14): the count is for layered streams, the first port is ours.
    let port = words.next()?.split('/').next()?.parse().ok()?;
    let proto = words.next()?.to_owned();
    let mut known = HashSet::new();
    let formats: Vec<String> = words.filter(|word| known.insert(*word)).map(str::to_owned).collect();
    if formats.is_empty() {
        return None;
    }
    let encodings = [(0, "0", "PCMU"), (8, "8", "PCMA"), (9, "9", "G722"), (13, "13", "CN")]
        .into_iter()
        .filter(|(_, format, _)| formats.iter().any(|other| other == format))
        .map(|(pt, _, name)| Encoding { pt, name: name.into(), rate: 8000 })
        .collect();
    Some(Media {
        kind,
        port,
        proto,
        formats,
        address: None,
        rtcp: None,
        rtcp_mux: false,
        voip_metrics: false,
        encodings,
        parameters: Vec::new(),
        ptime: None,
        maxptime: None,
        direction: Direction::default(),
        network: Network::default(),
        crypto: Vec::new(),
        attributes: Vec::new(),
        fingerprints: Vec::new(),
        setup: None,
    })
}

/// `IN IP4 192.0.2.1`, with the TTL and count that only multicast has cut off.
fn parse_connection(value: &str) -> Option<IpAddr> {
    let mut words = value.split_ascii_whitespace();
    let (network, version, address) = (words.next()?, words.next()?, words.next()?);
    let address: IpAddr = address.split('/').next()?.parse().ok()?;
    let fits = network.eq_ignore_ascii_case("IN")
        && match address {
            IpAddr::V4(_) => version.eq_ignore_ascii_case("IP4"),
            IpAddr::V6(_) => version.eq_ignore_ascii_case("IP6"),
        };
    fits.then_some(address)
}

fn parse_direction(value: &str) -> Option<Direction> {
    [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive]
        .into_iter()
        .find(|direction| direction.name() == value)
}

/// An attribute at media level. `None`: it is one that matters, and it is broken.
fn parse_attribute(media: &mut Media, value: &str) -> Option<()> {
    // A key has a type of its own, and no other place.
    if !value.starts_with("crypto:") {
        media.attributes.push(Attribute::new(value));
    }
    if let Some(direction) = parse_direction(value) {
        media.direction = direction;
        return Some(());
    }
    if value == "rtcp-mux" {
        media.rtcp_mux = true;
        return Some(());
    }
    let Some((name, value)) = value.split_once(':') else { return Some(()) };
    match name {
        "rtpmap" => {
            let (pt, encoding) = value.trim_start().split_once(' ')?;
            let pt = pt.parse().ok().filter(|pt: &u8| *pt < 128)?;
            // The third part, channels, is ignored: mono and stereo Opus are one format (RFC 7587, section 7).
            let mut parts = encoding.trim().split('/');
            let name = parts.next()?.to_owned();
            let rate = parts.next()?.parse().ok()?;
            media.encodings.retain(|known| known.pt != pt);
            // Each payload type has one encoding; 128 of them is all there can be.
            media.encodings.push(Encoding { pt, name, rate });
        }
        "fmtp" => {
            // Of parameters that cannot be read the codec's defaults are taken.
            let Some((pt, said)) = value.trim_start().split_once(' ') else { return Some(()) };
            let Some(pt) = pt.parse().ok().filter(|pt: &u8| *pt < 128) else { return Some(()) };
            media.parameters.retain(|(known, _)| *known != pt);
            media.parameters.push((pt, said.to_owned()));
        }
        "maxptime" => media.maxptime = value.trim().split('.').next()?.parse().ok(),
        "rtcp-xr" => media.voip_metrics = value.split_ascii_whitespace().any(|block| block == "voip-metrics"),
        "ptime" => media.ptime = value.trim().split('.').next()?.parse().ok(),
        "rtcp" => {
            let mut words = value.splitn(2, ' ');
            let port = words.next()?.trim().parse().ok()?;
            let address = words.next().and_then(parse_connection);
            media.rtcp = Some((port, address));
        }
        "fingerprint" => security::read_fingerprint(&mut media.fingerprints, value),
        "setup" => media.setup = Setup::parse(value),
        "crypto" => security::read_crypto(media, value),
        _ => {}
    }
    Some(())
}
