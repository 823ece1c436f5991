//! What a server looks like from here, asked without registering: for whoever has to find out why nothing works.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use pbx_api::{CertificateFacts, CertificateProblem, ProxyProblem};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::flow::{knock_at, mapped, seen_by};
use crate::resolve::{Names, Target, in_round, order, resolve, usual_services, web_proxy};
use crate::{Account, Cause, Transport, TransportChoice};

/// Longest that a question to the name service is waited for.
const PATIENCE: Duration = Duration::from_secs(4);

/// What the name service says of a SIP domain (RFC 3263).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records {
    /// NAPTR records, as text: order, preference, services, replacement.
    pub naptr: Vec<String>,
    /// SRV records.
    pub services: Vec<Service>,
}

/// An SRV record (RFC 2782) with the addresses of its target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Name it was asked for by, such as `_sip._udp.example.com`.
    pub name: String,
    /// Host it leads to.
    pub target: String,
    /// Port there.
    pub port: u16,
    /// Addresses of that host; none where there is no such host.
    pub addresses: Vec<IpAddr>,
}

/// What came of knocking at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Knock {
    /// A SIP server answered.
    Answered {
        /// SIP status.
        status: u16,
        /// From the question to the answer.
        rtt: Duration,
        /// Our address as the server sees it, where it says so.
        mapped: Option<SocketAddr>,
    },
    /// The machine is there, but nobody listens at this port.
    Refused,
    /// Nothing came back at all.
    Silent,
    /// A connection stands, but nothing is said over it.
    Mute,
    /// No way leads there.
    NoRoute,
    /// The certificate is not trusted.
    Certificate {
        /// Why not.
        problem: CertificateProblem,
        /// The certificate.
        certificate: Box<CertificateFacts>,
    },
    /// TLS cannot be agreed on, or it is no TLS.
    NoTls,
    /// Somebody answers who does not speak SIP.
    NotSip,
    /// The web proxy on the way does not lead there.
    Proxy(ProxyProblem),
}

/// Addresses of a host, IPv4 and IPv6; none where there is no such host or no name service.
pub async fn addresses(account: &Account, host: &str) -> Vec<IpAddr> {
    let names = Names::new(account.name_servers.as_deref());
    timeout(PATIENCE, names.addresses(host)).await.unwrap_or_default()
}

/// NAPTR and SRV records of the account's proxy; none where its name or port make them pointless.
pub async fn records(account: &Account) -> Records {
    let host = account.proxy.host.as_str();
    if account.proxy.port.is_some() || !crate::resolve::may_have_services(host) {
        return Records::default();
    }
    let names = Names::new(account.name_servers.as_deref());
    let naptr = timeout(PATIENCE, names.naptr(host)).await.unwrap_or_default();
    let mut services = Vec::new();
    for name in usual_services(host) {
        let found = timeout(PATIENCE, names.srv(&name)).await.unwrap_or_default();
        for record in in_round(found) {
            let addresses = timeout(PATIENCE, names.addresses(&record.target)).await.unwrap_or_default();
            services.push(Service {
                name: name.clone(),
                target: record.target,
                port: record.port,
                addresses,
            });
        }
    }
    Records { naptr: naptr.iter().map(ToString::to_string).collect(), services }
}

/// Where the account's proxy is reached by this transport: its first places.
///
/// # Errors
/// As for a user agent: [`Cause::NameNotFound`] or [`Cause::NetworkUnreachable`].
pub async fn places(account: &Account, transport: Transport) -> Result<Vec<SocketAddr>, Cause> {
    let order = order(TransportChoice::Fixed(transport), None, account.proxy.port);
    let found = timeout(PATIENCE, resolve(account, &order)).await.unwrap_or(Err(Cause::NameNotFound))?;
    Ok(found.into_iter().map(|target| target.address).collect())
}

/// Knocks at a place: a request for bindings without credentials, which nothing comes of but an answer.
pub async fn knock(account: &Account, transport: Transport, address: SocketAddr) -> Knock {
    let beyond = web_proxy(account).filter(|_| transport == Transport::Wss).map(|(_, port)| port);
    knock_at(account, Target { transport, address, rank: 0, beyond }).await
}

/// Our addresses as others see them, all over one socket: none of those who do not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mapped {
    /// The address the socket itself has.
    pub local: Option<SocketAddr>,
    /// As the STUN server sees it.
    pub by_stun: Option<SocketAddr>,
    /// As the SIP server sees it.
    pub by_sip: Option<SocketAddr>,
}

/// Asks a STUN server and a SIP server, where there are such, over one socket: a NAT that shows them different
/// addresses will show another one to everybody.
pub async fn mapping(account: &Account, stun: Option<SocketAddr>, sip: Option<SocketAddr>) -> Mapped {
    let Some(far) = stun.or(sip) else { return Mapped::default() };
    let any: IpAddr = if far.is_ipv6() { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    let Ok(socket) = UdpSocket::bind((any, 0)).await else { return Mapped::default() };
    let port = socket.local_addr().ok().map(|local| local.port());
    let local = crate::network::source_toward(far).zip(port).map(|(ip, port)| SocketAddr::new(ip, port));
    let alike = |server: &SocketAddr| server.is_ipv6() == far.is_ipv6();
    let by_stun = match stun {
        Some(server) => mapped(&socket, server).await,
        None => None,
    };
    let by_sip = match sip.filter(alike) {
        Some(server) => seen_by(account, &socket, server).await,
        None => None,
    };
    Mapped { local, by_stun, by_sip }
}
