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
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    // Test programs that run at the same time begin at different places.
    let start = u16::try_from(std::process::id() * 97 % u32::from(COUNT)).unwrap_or_default();
    for _ in 0..COUNT {
        let port = FIRST + (start + GIVEN.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT;
        if is_free(port) {
            return port;
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
