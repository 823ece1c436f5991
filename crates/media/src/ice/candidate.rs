use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// How an address was found (RFC 8445, section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An address of the machine itself.
    Host,
    /// As a server beyond the NAT sees it.
    ServerReflexive,
    /// As the other phone sees it.
    PeerReflexive,
    /// A TURN server's.
    Relayed,
}

impl Kind {
    /// Its name in descriptions (RFC 8839, section 5.1).
    pub fn name(self) -> &'static str {
        match self {
            Kind::Host => "host",
            Kind::ServerReflexive => "srflx",
            Kind::PeerReflexive => "prflx",
            Kind::Relayed => "relay",
        }
    }

    /// The recommended type preference (RFC 8445, section 5.1.2.2).
    fn preference(self) -> u32 {
        match self {
            Kind::Host => 126,
            Kind::PeerReflexive => 110,
            Kind::ServerReflexive => 100,
            Kind::Relayed => 0,
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        [Kind::Host, Kind::ServerReflexive, Kind::PeerReflexive, Kind::Relayed]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// The priority of the `nth` address of its kind for RTP (RFC 8445, section 5.1.2.1).
pub(crate) fn priority(kind: Kind, nth: usize) -> u32 {
    let local = u32::from(u16::MAX).saturating_sub(u32::try_from(nth).unwrap_or(u32::MAX));
    kind.preference() << 24 | local << 8 | 255
}

/// An address under which a phone may be reached, over UDP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The same for candidates found alike (RFC 8445, section 5.1.1.3).
    pub foundation: String,
    /// 1 for RTP, 2 for RTCP.
    pub component: u16,
    /// The higher the better.
    pub priority: u32,
    /// Where to send.
    pub address: SocketAddr,
    /// How it was found.
    pub kind: Kind,
    /// The address it was found from, for those who look for faults.
    pub related: Option<SocketAddr>,
}

impl Candidate {
    /// Reads what follows `a=candidate:` (RFC 8839, section 5.1). `None`: it is broken, is for another transport than
    /// UDP, is a name instead of an address (RFC 8839, section 4.1, and mDNS), or no phone can be there.
    pub fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let foundation = words.next().filter(|text| text.len() <= 32)?.to_owned();
        let component = words.next()?.parse().ok().filter(|number| (1..=256).contains(number))?;
        words.next().filter(|transport| transport.eq_ignore_ascii_case("udp"))?;
        let priority = words.next()?.parse().ok()?;
        let ip = words.next()?.parse().ok().filter(is_somewhere)?;
        let port = words.next()?.parse().ok().filter(|port| *port != 0)?;
        words.next().filter(|word| *word == "typ")?;
        let kind = Kind::of_name(words.next()?)?;
        Some(Self {
            foundation,
            component,
            priority,
            address: SocketAddr::new(ip, port),
            kind,
            related: None,
        })
    }
}

/// As it follows `a=candidate:`.
impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { foundation, component, priority, address, kind, related } = self;
        write!(
            f,
            "{foundation} {component} UDP {priority} {} {} typ {}",
            address.ip(),
            address.port(),
            kind.name()
        )?;
        match related {
            Some(related) => write!(f, " raddr {} rport {}", related.ip(), related.port()),
            None => Ok(()),
        }
    }
}

/// Whether a phone may be at an address. Link-local addresses mean another place on each link.
fn is_somewhere(ip: &IpAddr) -> bool {
    let local = match ip {
        IpAddr::V4(ip) => ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unicast_link_local() || ip.to_ipv4_mapped().is_some(),
    };
    !(local || ip.is_unspecified() || ip.is_multicast())
}
