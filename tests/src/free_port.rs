//! Ports for the servers that tests start.

use std::io::{Error, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the ports that the system gives to connections, any of which might take one between its choice and its
/// binding, or while its server is down; and below those of the phone's own sound.
const FIRST: u16 = 5100;
const COUNT: u16 = 16_384 - FIRST;

/// A port that is free for UDP and TCP, and that was not given to anybody in this process before: who got one may not
/// have bound it yet.
pub fn free_port() -> u16 {
    free_ports(1)
}

/// The first of so many ports in a row, each of them free as [`free_port`] has it.
pub fn free_ports(count: u16) -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let starts = COUNT - count;
    // Test programs that run at the same time begin at different places.
    let start = u16::try_from(std::process::id() * 97 % u32::from(starts)).unwrap_or_default();
    for _ in 0..COUNT {
        let first = FIRST + (start + GIVEN.fetch_add(count, Ordering::Relaxed) % starts) % starts;
        if (first..first + count).all(is_free) {
            return first;
        }
    }
    panic!("no free port on this machine");
}

/// Whether nobody has it; an address family that this machine lacks has nobody.
fn is_free(port: u16) -> bool {
    let here: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let taken = |error: &Error| error.kind() == ErrorKind::AddrInUse;
    here.iter().all(|ip| {
        !UdpSocket::bind((*ip, port)).is_err_and(|error| taken(&error))
            && !TcpListener::bind((*ip, port)).is_err_and(|error| taken(&error))
    })
}
