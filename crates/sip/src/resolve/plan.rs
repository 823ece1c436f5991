//! What the records of a domain mean (RFC 3263, section 4; RFC 2782; RFC 7118, section 7): pure.

use rand::Rng;

use crate::{Transport, TransportChoice};

/// A NAPTR record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Naptr {
    pub order: u16,
    pub preference: u16,
    pub flags: String,
    pub services: String,
    pub replacement: String,
}

impl std::fmt::Display for Naptr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {} {}", self.order, self.preference, self.services, self.replacement)
    }
}

/// An SRV record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Srv {
    pub priority: u16,
    pub weight: u16,
    pub port: u16,
    pub target: String,
}

/// Transports to try, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub transports: Vec<Transport>,
    /// This many of them stand first for a reason, so that the domain's own order does not matter to them.
    pub preferred: usize,
}

/// The order in which to try transports. `worked` is what worked before, `port` the one that the account names: one
/// that belongs to a transport by custom speaks for it.
pub(crate) fn order(choice: TransportChoice, worked: Option<Transport>, port: Option<u16>) -> Order {
    use Transport::{Tcp, Tls, Udp, Wss};
    let first = match choice {
        TransportChoice::Fixed(transport) => return Order { transports: vec![transport], preferred: 1 },
        TransportChoice::Automatic { first } => first,
    };
    let by_port = [Tls, Tcp, Wss].into_iter().find(|transport| port == Some(transport.default_port()));
    let mut transports = Vec::new();
    for transport in worked.into_iter().chain(first).chain(by_port) {
        if !transports.contains(&transport) {
            transports.push(transport);
        }
    }
    let preferred = transports.len();
    let rest = [Tls, Tcp, Udp, Wss].into_iter().filter(|transport| !transports.contains(transport));
    let rest: Vec<Transport> = rest.collect();
    transports.extend(rest);
    Order { transports, preferred }
}

/// Whether a name is one of a domain that may have NAPTR and SRV records, and not of a machine nearby.
pub(crate) fn may_have_services(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host.contains('.') && !host.ends_with(".local") && !host.ends_with(".localhost")
}

/// Name under which a domain announces servers of a transport, if it has no NAPTR records.
pub(super) fn usual_service(transport: Transport, domain: &str) -> Option<String> {
    match transport {
        Transport::Udp => Some(format!("_sip._udp.{domain}")),
        Transport::Tcp => Some(format!("_sip._tcp.{domain}")),
        Transport::Tls => Some(format!("_sips._tcp.{domain}")),
        Transport::Wss => None,
    }
}

/// Ports where servers of a transport are by custom: those of a PortSIP PBX, then that of RFC 3261.
pub(super) fn usual_ports(transport: Transport) -> &'static [u16] {
    match transport {
        Transport::Udp => &[5060],
        Transport::Tcp => &[5063, 5060],
        Transport::Tls => &[5061],
        Transport::Wss => &[5065],
    }
}

/// Services that NAPTR records lead to, of the transports wanted, the preferred first.
pub(super) fn services(mut records: Vec<Naptr>, wanted: &[Transport]) -> Vec<(Transport, String)> {
    records.sort_by_key(|record| (record.order, record.preference));
    let mut services: Vec<(Transport, String)> = Vec::new();
    for record in records {
        let transport = match record.services.to_ascii_uppercase().as_str() {
            "SIP+D2U" => Transport::Udp,
            "SIP+D2T" => Transport::Tcp,
            "SIPS+D2T" => Transport::Tls,
            "SIPS+D2W" => Transport::Wss,
            _ => continue,
        };
        let is_new = services.iter().all(|(known, _)| *known != transport);
        if record.flags.eq_ignore_ascii_case("s") && wanted.contains(&transport) && is_new {
            services.push((transport, record.replacement));
        }
    }
    services
}

/// Every transport wanted with the name of its service, in the order that the domain prefers
/// (RFC 3263, section 4.1).
pub(super) fn in_order(
    offered: &[(Transport, String)],
    wanted: &Order,
    domain: &str,
) -> Vec<(Transport, Option<String>)> {
    let service = |transport: Transport| {
        let named = offered.iter().find(|(of, _)| *of == transport).map(|(_, service)| service.clone());
        (transport, named.or_else(|| usual_service(transport, domain)))
    };
    let preferred = wanted.transports.iter().take(wanted.preferred);
    let offers = offered.iter().map(|(transport, _)| transport);
    let mut order: Vec<Transport> = Vec::new();
    for transport in preferred.chain(offers).chain(&wanted.transports) {
        if !order.contains(transport) {
            order.push(*transport);
        }
    }
    order.into_iter().map(service).collect()
}

/// SRV records in the order to try them: by priority, within one drawn by weight (RFC 2782). A record that says that
/// there is no such service leaves nothing but itself.
pub(super) fn ordered(mut records: Vec<Srv>, random: &mut impl Rng) -> Vec<Srv> {
    // Those without weight come first, so that they are drawn, if rarely.
    records.sort_by_key(|record| (record.priority, record.weight != 0));
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(priority) = records.first().map(|record| record.priority) {
        let rivals = records.iter().take_while(|record| record.priority == priority);
        let total: u32 = rivals.clone().map(|record| u32::from(record.weight)).sum();
        let drawn = random.random_range(0..=total);
        let mut sum = 0;
        let chosen = rivals.map(|record| u32::from(record.weight)).position(|weight| {
            sum += weight;
            sum >= drawn
        });
        ordered.push(records.remove(chosen.unwrap_or(0)));
    }
    ordered
}

#[cfg(test)]
mod tests;
