//! This machine's place in the network, and what all answers together say of filters on the way.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

use super::judge::SILENT;
use super::{Check, Diagnosis, Finding, Notes, Outcome, Patient};

/// What interfaces of tunnels are called by those who make them.
const TUNNELS: [&str; 12] = [
    "tun",
    "tap",
    "wg",
    "utun",
    "ppp",
    "ipsec",
    "vpn",
    "wireguard",
    "tailscale",
    "nordlynx",
    "cscotun",
    "zt",
];

/// What addresses this machine has.
///
/// # Errors
/// None but its own.
pub(super) fn here(patient: &Patient, notes: &Notes) -> Result<(), Diagnosis> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let outward: Vec<_> = interfaces.iter().filter(|interface| is_outward(interface)).collect();
    let seen: Vec<String> =
        outward.iter().map(|interface| format!("{} {}", interface.name, interface.ip())).collect();
    if outward.is_empty() && !stays_here(patient) {
        notes.put(Finding::bad(Check::Network, Diagnosis::NoNetwork, "", SILENT));
        notes.skip(&[Check::Vpn], Some(Diagnosis::NoNetwork));
        return Err(Diagnosis::NoNetwork);
    }
    notes.put(Finding::good(Check::Network, "", seen.join(", ")));
    let mut tunnels: Vec<&str> =
        outward.iter().map(|interface| interface.name.as_str()).filter(|name| is_tunnel(name)).collect();
    tunnels.dedup();
    notes.put(match tunnels.is_empty() {
        true => Finding::good(Check::Vpn, "", ""),
        false => Finding::note(Check::Vpn, Diagnosis::Vpn, "", tunnels.join(", ")),
    });
    Ok(())
}

/// What filters on the way are to be seen: only such as swallow some of the packets to a server that answers others.
pub(super) fn firewall(findings: &[Finding]) -> Finding {
    let far = findings
        .iter()
        .filter(|finding| matches!(finding.check, Check::Port | Check::Transport))
        .filter(|finding| finding.outcome != Outcome::Skipped);
    let (silent, others): (Vec<&Finding>, Vec<&Finding>) = far.partition(|finding| finding.seen == SILENT);
    if others.is_empty() && silent.is_empty() {
        return Finding::skipped(Check::Firewall, None);
    }
    let tried: Vec<&str> = silent.iter().map(|finding| finding.tried.as_str()).collect();
    match silent.is_empty() || others.is_empty() {
        true => Finding::good(Check::Firewall, "", ""),
        false => Finding::note(Check::Firewall, Diagnosis::PortsFiltered, tried.join(", "), SILENT),
    }
}

/// Whether the server is this machine itself.
fn stays_here(patient: &Patient) -> bool {
    let server = patient.server.as_ref().map(|server| server.host().to_string());
    let proxy = patient.line.as_ref().map(|line| line.proxy.host.clone());
    server.into_iter().chain(proxy).all(|host| match host.parse::<IpAddr>() {
        Ok(ip) => ip.is_loopback(),
        Err(_) => host == "localhost",
    })
}

/// Whether anything beyond this machine is reached from this interface: something far, or its neighbours. Connecting a
/// UDP socket sends nothing.
fn is_outward(interface: &if_addrs::Interface) -> bool {
    let (any, far, next): (IpAddr, IpAddr, IpAddr) = match interface.ip() {
        IpAddr::V4(v4) => (
            Ipv4Addr::UNSPECIFIED.into(),
            Ipv4Addr::new(192, 0, 2, 1).into(),
            Ipv4Addr::from_bits(v4.to_bits() ^ 1).into(),
        ),
        IpAddr::V6(v6) => (
            Ipv6Addr::UNSPECIFIED.into(),
            Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
            Ipv6Addr::from_bits(v6.to_bits() ^ 1).into(),
        ),
    };
    let leads = |to: IpAddr| UdpSocket::bind((any, 0)).and_then(|socket| socket.connect((to, 9))).is_ok();
    !interface.is_loopback() && !is_local(interface.ip()) && (leads(far) || leads(next))
}

fn is_tunnel(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TUNNELS.iter().any(|tunnel| name.starts_with(tunnel)) || name.contains("vpn")
}

/// An address that leads no farther than the next cable.
fn is_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tunnels_are_known_by_their_names() {
        for name in ["tun0", "wg1", "utun4", "WireGuard Tunnel", "OpenVPN TAP-Windows6", "Contoso VPN"] {
            assert!(is_tunnel(name), "{name}");
        }
        for name in ["eth0", "enp3s0", "wlan0", "Wi-Fi", "Ethernet", "lo"] {
            assert!(!is_tunnel(name), "{name}");
        }
    }

    #[test]
    fn a_filter_shows_by_what_it_swallows_among_other_answers() {
        let silent = Finding::bad(Check::Port, Diagnosis::PortSilent, "TCP 192.0.2.1:8887", SILENT);
        let answers = Finding::good(Check::Transport, "UDP 192.0.2.1:5060", "401");
        let seen = firewall(&[silent.clone(), answers]);
        assert_eq!(
            (seen.diagnosis, seen.tried.as_str()),
            (Some(Diagnosis::PortsFiltered), "TCP 192.0.2.1:8887")
        );
        assert_eq!(firewall(&[silent]).diagnosis, None);
        assert_eq!(firewall(&[]).outcome, Outcome::Skipped);
    }
}
