use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};

use media::Path;
use media::sdp::Ice;
use rand::Rng;
use socket2::SockRef;

use super::VoiceError;
use super::stream::Stream;

/// The two sockets of a call: RTP on an even port, RTCP on the next (RFC 3550, section 11).
#[derive(Debug)]
pub(crate) struct Sockets {
    /// Local port of RTP.
    pub(crate) rtp_port: u16,
    /// Local port of RTCP.
    pub(crate) rtcp_port: u16,
    pub(super) rtp: UdpSocket,
    pub(super) rtcp: UdpSocket,
    /// Other addresses of this machine, for ICE.
    pub(super) others: Vec<UdpSocket>,
    /// The connection to a TURN server.
    pub(super) stream: Option<Stream>,
    /// What goes through them.
    pub(super) path: Box<Path>,
}

/// Even ports to choose from: below those which systems give to anybody who asks for any port.
const PORTS: std::ops::Range<u16> = 16_384 / 2..32_768 / 2;
const TRIES: usize = 200;
/// Addresses beside the one that signalling uses.
const MOST_OTHERS: usize = 4;

/// Differentiated services: expedited forwarding (RFC 3246), in the upper six bits.
const EXPEDITED: u32 = 46 << 2;

impl Sockets {
    /// Binds two sockets at a local address.
    ///
    /// # Errors
    /// [`VoiceError::PortInUse`] where no pair was found free, [`VoiceError::Socket`] where the address
    /// is not ours or no socket can be had.
    pub(crate) fn bind(ip: IpAddr) -> Result<Self, VoiceError> {
        let mut random = rand::rng();
        Self::bind_any(ip, (0..TRIES).map(|_| 2 * random.random_range(PORTS)))
    }

    fn bind_any(ip: IpAddr, mut ports: impl Iterator<Item = u16>) -> Result<Self, VoiceError> {
        let mut taken = io::Error::from(ErrorKind::AddrInUse);
        loop {
            let Some(port) = ports.next() else { return Err(VoiceError::PortInUse(taken)) };
            match Self::bind_pair(ip, port) {
                Ok(pair) => return Ok(pair),
                // Windows answers "forbidden" for ports it has set aside.
                Err(e) if matches!(e.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied) => taken = e,
                Err(e) => return Err(VoiceError::Socket(e)),
            }
        }
    }

    fn bind_pair(ip: IpAddr, rtp_port: u16) -> io::Result<Self> {
        let rtcp_port = rtp_port | 1;
        let (rtp, rtcp) = (bind(ip, rtp_port)?, bind(ip, rtcp_port)?);
        let (others, path) = (Vec::new(), Box::default());
        Ok(Self { rtp_port, rtcp_port, rtp, rtcp, others, stream: None, path })
    }

    /// Our side of ICE with what was found, where it was looked for.
    pub(crate) fn ice(&self) -> Option<Ice> {
        let candidates = self.path.candidates();
        (!candidates.is_empty()).then(|| Ice::new(candidates))
    }

    /// Binds a port at every other address of this machine that reaches beyond it.
    pub(super) fn open_others(&mut self, ip: IpAddr) {
        if ip.is_loopback() {
            return;
        }
        let addresses =
            if_addrs::get_if_addrs().unwrap_or_default().into_iter().map(|interface| interface.ip());
        for other in addresses.filter(|other| *other != ip && reaches_out(other)).take(MOST_OTHERS) {
            self.others.extend(bind(other, 0));
        }
    }
}

/// Whether packets from an address may come from beyond one link.
fn reaches_out(ip: &IpAddr) -> bool {
    let link = match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    !(link || ip.is_loopback())
}

fn bind(ip: IpAddr, port: u16) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(SocketAddr::new(ip, port))?;
    socket.set_nonblocking(true)?;
    if ip.is_ipv4() {
        // A wish: systems that do not grant it carry the voice all the same.
        SockRef::from(&socket).set_tos_v4(EXPEDITED).ok();
    }
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn rtp_is_even_and_rtcp_the_next() {
        let pair = Sockets::bind(LOOPBACK).unwrap();
        assert_eq!(pair.rtp_port % 2, 0);
        assert_eq!(pair.rtcp_port, pair.rtp_port + 1);
        assert_eq!(pair.rtp.local_addr().unwrap().port(), pair.rtp_port);
        assert_eq!(pair.rtcp.local_addr().unwrap().port(), pair.rtcp_port);
    }

    #[test]
    fn either_port_taken_refuses_the_pair() {
        let held = Sockets::bind(LOOPBACK).unwrap();
        let (port, rtp, rtcp) = (held.rtp_port, held.rtp, held.rtcp);
        let refused = |ports: &[u16]| match Sockets::bind_any(LOOPBACK, ports.iter().copied()) {
            Err(VoiceError::PortInUse(e)) => assert_eq!(e.kind(), ErrorKind::AddrInUse),
            other => panic!("{other:?}"),
        };
        refused(&[port, port]);
        drop(rtp);
        refused(&[port]);
        drop(rtcp);
        assert_eq!(Sockets::bind_any(LOOPBACK, [port].into_iter()).unwrap().rtp_port, port);
    }

    #[test]
    fn an_address_that_is_not_ours() {
        let foreign = "192.0.2.1".parse().unwrap();
        assert!(matches!(Sockets::bind(foreign), Err(VoiceError::Socket(_))));
    }
}
