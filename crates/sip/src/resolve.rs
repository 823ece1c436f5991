//! From the account's proxy to the places where it may be reached (RFC 3263), in the order they are to be tried.

mod names;
mod plan;
mod targets;

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use pbx_api::{ProxyAddress, ProxyProblem};

use crate::{Account, Cause, Transport};
pub(crate) use names::Names;

pub(crate) use plan::{Order, may_have_services, order};
pub(crate) use targets::{LEFT_ALONE, MOST_TURNS, Targets};

/// Longest that the records a domain may do without, NAPTR and SRV, are waited for: there are networks that swallow
/// questions for them.
const PATIENCE: Duration = Duration::from_secs(2);
/// More places than these are not tried in one round.
const MOST: usize = 12;

/// One place where the proxy may be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    pub transport: Transport,
    pub address: SocketAddr,
    /// Places of a lower rank are preferred; among the same rank it does not matter.
    pub rank: usize,
    /// The address is that of a web proxy: the server's own port, to be asked for there.
    pub beyond: Option<u16>,
}

/// The web proxy that leads to the account's server over WSS, where there is one, and the server's port.
pub(crate) fn web_proxy(account: &Account) -> Option<(ProxyAddress, u16)> {
    let proxy = account.trust.web_proxy.toward(&account.proxy.host)?;
    Some((proxy, account.proxy.port.unwrap_or(Transport::Wss.default_port())))
}

/// Looks up where the account's proxy may be reached.
///
/// # Errors
/// [`Cause::NameNotFound`], or [`Cause::NetworkUnreachable`] where that is because there is no network.
pub(crate) async fn resolve(account: &Account, order: &Order) -> Result<Vec<Target>, Cause> {
    let Some((proxy, port)) = web_proxy(account).filter(|_| order.transports.contains(&Transport::Wss))
    else {
        return straight(account, order).await;
    };
    let goes_straight = |transport: &&Transport| **transport != Transport::Wss;
    let preferred = order.transports.iter().take(order.preferred);
    let rest = Order {
        transports: order.transports.iter().filter(goes_straight).copied().collect(),
        preferred: preferred.clone().filter(goes_straight).count(),
    };
    // The proxy may know names that are not known here, and need not wait for them.
    let others = async {
        match rest.transports.is_empty() {
            true => Vec::new(),
            false => timeout(PATIENCE, straight(account, &rest))
                .await
                .unwrap_or(Ok(Vec::new()))
                .unwrap_or_default(),
        }
    };
    let names = Names::new(account.name_servers.as_deref());
    let host = proxy.server().host().to_string();
    let (mut others, addresses) = tokio::join!(others, names.addresses(&host));
    let first = preferred.into_iter().next() == Some(&Transport::Wss);
    let rank = if first { 0 } else { others.iter().map(|target| target.rank).max().unwrap_or(0) + 1 };
    let tunnels = addresses.into_iter().map(|ip| {
        let address = SocketAddr::new(ip, proxy.server().port());
        Target { transport: Transport::Wss, address, rank, beyond: Some(port) }
    });
    match first {
        true => {
            others.iter_mut().for_each(|target| target.rank += 1);
            others = tunnels.chain(others).collect();
        }
        false => others.extend(tunnels),
    }
    match others.is_empty() {
        true if has_route() => Err(Cause::Proxy(ProxyProblem::Unreachable)),
        true => Err(Cause::NetworkUnreachable),
        false => Ok(others),
    }
}

/// Without a web proxy.
async fn straight(account: &Account, order: &Order) -> Result<Vec<Target>, Cause> {
    let host = account.proxy.host.as_str();
    let mut found = Found::default();
    if let Ok(ip) = host.parse::<IpAddr>() {
        for transport in &order.transports {
            found.at_ports(*transport, account.proxy.port, &[ip]);
        }
        return Ok(found.targets);
    }
    let names = Names::new(account.name_servers.as_deref());
    if account.proxy.port.is_some() || !plan::may_have_services(host) {
        let addresses = names.addresses(host).await;
        for transport in &order.transports {
            found.at_ports(*transport, account.proxy.port, &addresses);
        }
    } else {
        services(&names, host, order, &mut found).await;
    }
    match found.targets.is_empty() {
        true if has_route() => Err(Cause::NameNotFound),
        true => Err(Cause::NetworkUnreachable),
        false => Ok(found.targets),
    }
}

/// Where another hop than the proxy is reached over UDP.
pub(crate) async fn resolve_hop(
    name_servers: Option<&[SocketAddr]>,
    host: &str,
    port: Option<u16>,
) -> Option<SocketAddr> {
    let names = Names::new(name_servers);
    if let Some(service) = plan::usual_service(Transport::Udp, host)
        && port.is_none()
        && plan::may_have_services(host)
    {
        let records = timeout(PATIENCE, names.srv(&service)).await.unwrap_or_default();
        let ordered = plan::ordered(records, &mut rand::rng());
        for record in ordered {
            if let Some(ip) = names.addresses(&record.target).await.first() {
                return Some(SocketAddr::new(*ip, record.port));
            }
        }
    }
    let ip = *names.addresses(host).await.first()?;
    Some(SocketAddr::new(ip, port.unwrap_or(Transport::Udp.default_port())))
}

/// Names under which a domain announces its servers, whatever NAPTR records it has.
pub(crate) fn usual_services(domain: &str) -> Vec<String> {
    let transports = [Transport::Tls, Transport::Tcp, Transport::Udp];
    transports.into_iter().filter_map(|transport| plan::usual_service(transport, domain)).collect()
}

/// Records in the order to try them, no more than one round takes.
pub(crate) fn in_round(records: Vec<plan::Srv>) -> Vec<plan::Srv> {
    let mut ordered = plan::ordered(records, &mut rand::rng());
    ordered.truncate(MOST);
    ordered
}

/// What a domain says of its SIP servers (RFC 3263, section 4): NAPTR, then SRV, then its own address.
async fn services(names: &Names, domain: &str, order: &Order, found: &mut Found) {
    let usual = order.transports.iter().filter_map(|transport| plan::usual_service(*transport, domain));
    let usual: Vec<String> = usual.collect();
    // Asked at once: most domains have no NAPTR, and the usual names of their services are known.
    let records = |name: String| async move {
        let records = timeout(PATIENCE, names.srv(&name)).await.unwrap_or_default();
        (name, records)
    };
    let (naptr, known, own) = tokio::join!(
        async { timeout(PATIENCE, names.naptr(domain)).await.unwrap_or_default() },
        join_all(usual.into_iter().map(records)),
        names.addresses(domain),
    );
    let offered = plan::services(naptr, &order.transports);
    for (transport, service) in plan::in_order(&offered, order, domain) {
        let asked = service.as_ref().and_then(|service| known.iter().find(|(name, _)| name == service));
        let records = match (asked, service) {
            (Some((_, records)), _) => records.clone(),
            (None, Some(service)) => records(service).await.1,
            (None, None) => Vec::new(),
        };
        if records.is_empty() {
            found.at_ports(transport, None, &own);
            continue;
        }
        let mut ordered = plan::ordered(records, &mut rand::rng());
        ordered.truncate(MOST);
        let addresses = join_all(ordered.iter().map(|record| names.addresses(&record.target))).await;
        let mut priority = None;
        for (record, addresses) in ordered.iter().zip(addresses) {
            if priority.replace(record.priority) != Some(record.priority) {
                found.next_rank();
            }
            found.at(transport, record.port, &addresses);
        }
    }
}

#[derive(Default)]
struct Found {
    targets: Vec<Target>,
    rank: usize,
}

impl Found {
    fn next_rank(&mut self) {
        self.rank += 1;
    }

    fn at(&mut self, transport: Transport, port: u16, addresses: &[IpAddr]) {
        for ip in addresses {
            let address = SocketAddr::new(*ip, port);
            let target = Target { transport, address, rank: self.rank, beyond: None };
            let known = self.targets.iter().any(|t| (t.transport, t.address) == (transport, target.address));
            if !known && self.targets.len() < MOST {
                self.targets.push(target);
            }
        }
    }

    /// At the port given, or where none is at those where such servers are by custom.
    fn at_ports(&mut self, transport: Transport, port: Option<u16>, addresses: &[IpAddr]) {
        let usual = plan::usual_ports(transport);
        for port in port.as_ref().map_or(usual, std::slice::from_ref) {
            self.next_rank();
            self.at(transport, *port, addresses);
        }
    }
}

/// Whether any route leads out of this machine. Connecting a UDP socket sends nothing.
fn has_route() -> bool {
    let far: [(&str, &str); 2] = [("0.0.0.0:0", "192.0.2.1:9"), ("[::]:0", "[2001:db8::1]:9")];
    far.into_iter().any(|(from, to)| UdpSocket::bind(from).and_then(|socket| socket.connect(to)).is_ok())
}
