use std::io::{self, ErrorKind};
use std::time::Instant;

use media::sdp::Negotiated;
use media::{Channel, FRAME, Gate, Session};
use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};

use super::{Attention, Recorder, Sockets, VoiceError};
use crate::CallId;

/// Datagrams taken in one turn: a flood must not keep the voices waiting.
pub(super) const TURN: usize = 64;
/// Largest datagram looked at; RTP and RTCP of a phone stay within an Ethernet frame.
pub(super) const DATAGRAM: usize = 2048;

/// One call in the voice path.
pub(super) struct Leg {
    pub(super) call: CallId,
    pub(super) session: Session,
    pub(super) attention: Attention,
    pub(super) muted: bool,
    pub(super) recorder: Option<Box<Recorder>>,
    gate: Gate,
    rtp: UdpSocket,
    rtcp: UdpSocket,
    tokens: [Token; 2],
    /// There may be more to be read from RTP and RTCP.
    more: [bool; 2],
}

impl Leg {
    /// A call with its sockets registered under `token` and the one after it.
    pub(super) fn new(
        call: CallId,
        sockets: Sockets,
        negotiated: &Negotiated,
        registry: &Registry,
        token: usize,
    ) -> Result<Self, VoiceError> {
        let session = Session::new(negotiated, rand::random(), Instant::now())?;
        let tokens = [Token(token), Token(token + 1)];
        let (rtp, rtcp) = register(sockets, registry, tokens).map_err(VoiceError::Socket)?;
        Ok(Self {
            call,
            session,
            attention: Attention::Asleep,
            muted: false,
            recorder: None,
            gate: Gate::default(),
            rtp,
            rtcp,
            tokens,
            // Datagrams may have come before the sockets were registered.
            more: [true; 2],
        })
    }

    /// Goes on with other sockets.
    pub(super) fn move_to(&mut self, sockets: Sockets, registry: &Registry) -> Result<(), VoiceError> {
        let (rtp, rtcp) = register(sockets, registry, self.tokens).map_err(VoiceError::Socket)?;
        (self.rtp, self.rtcp, self.more) = (rtp, rtcp, [true; 2]);
        Ok(())
    }

    /// Our voice, as far as this call may hear it.
    pub(super) fn own(&mut self, microphone: &[i16; FRAME]) -> [i16; FRAME] {
        self.gate.pass(microphone, self.attention == Attention::Talking && !self.muted)
    }

    /// Sends 10 ms of what is said to them; it is recorded as it is sent.
    pub(super) fn say(&mut self, mut said: [i16; FRAME]) {
        if let Some(recorder) = &mut self.recorder {
            recorder.say(&mut said);
        }
        self.session.capture(Instant::now(), &said);
    }

    /// 10 ms of what they say. It is recorded unless nobody here listens.
    pub(super) fn hear(&mut self, now: Instant, frame: &mut [i16; FRAME]) {
        self.session.play(now, frame);
        if let Some(recorder) = self.recorder.as_mut().filter(|_| self.attention != Attention::Asleep) {
            recorder.hear(frame);
        }
    }

    /// Takes note that a socket has something.
    pub(super) fn ready(&mut self, token: Token) {
        let [rtp, rtcp] = self.tokens;
        self.more = [self.more[0] || token == rtp, self.more[1] || token == rtcp];
    }

    /// Whether something waits to be read.
    pub(super) fn has_more(&self) -> bool {
        self.more != [false; 2]
    }

    /// Sends what is due.
    pub(super) fn transmit(&mut self) {
        while let Some(datagram) = self.session.poll_transmit(Instant::now()) {
            let socket = match datagram.from_port {
                Channel::Rtp => &self.rtp,
                Channel::Rtcp => &self.rtcp,
            };
            // A network that is away or full loses packets; the call outlives that.
            if let Err(error) = socket.send_to(&datagram.bytes, datagram.to) {
                tracing::trace!(%error, "a packet was not sent");
            }
        }
    }

    /// Takes a turn of what has arrived on both ports.
    pub(super) fn receive(&mut self, buffer: &mut [u8; DATAGRAM]) {
        let [rtp, rtcp] = self.more;
        self.more = [
            rtp && receive(&mut self.session, &self.rtp, buffer),
            rtcp && receive(&mut self.session, &self.rtcp, buffer),
        ];
    }
}

fn register(sockets: Sockets, registry: &Registry, tokens: [Token; 2]) -> io::Result<(UdpSocket, UdpSocket)> {
    let [rtp_token, rtcp_token] = tokens;
    let mut rtp = UdpSocket::from_std(sockets.rtp);
    let mut rtcp = UdpSocket::from_std(sockets.rtcp);
    registry.register(&mut rtp, rtp_token, Interest::READABLE)?;
    registry.register(&mut rtcp, rtcp_token, Interest::READABLE)?;
    Ok((rtp, rtcp))
}

/// Takes what has arrived on a port; whether there may be more.
fn receive(session: &mut Session, socket: &UdpSocket, buffer: &mut [u8; DATAGRAM]) -> bool {
    for _ in 0..TURN {
        match socket.recv_from(buffer.as_mut_slice()) {
            Ok((length, from)) => {
                if let Some(bytes) = buffer.get(..length) {
                    session.receive(Instant::now(), from, bytes);
                }
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => return false,
            // An earlier packet met a closed port, or this one is too long (Windows tells so here), or a
            // signal came. Only after "would block" is the next arrival told on every system.
            Err(error) => tracing::trace!(%error, "a packet was not received"),
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use media::Codec;
    use media::sdp::LocalMedia;
    use mio::Poll;

    use super::*;

    #[test]
    fn a_flood_is_taken_turn_by_turn() {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let sockets = Sockets::bind(address).unwrap();
        let to = (address, sockets.rtp_port);
        let peer = std::net::UdpSocket::bind((address, 0)).unwrap();
        let port = peer.local_addr().unwrap().port();
        let local = |port, id| LocalMedia::new(address, port, port, vec![Codec::Pcmu], id);
        let negotiated = local(to.1, 1).answer(&local(port, 2).offer()).unwrap().1;
        let poll = Poll::new().unwrap();
        let mut leg = Leg::new(CallId(1), sockets, &negotiated, poll.registry(), 1).unwrap();
        for seq in 0..100 {
            let mut packet = [0xff; 172];
            packet[..12].copy_from_slice(&[0x80, 0, 0, seq, 0, 0, seq / 2, 160, 0, 0, 0, 9]);
            peer.send_to(&packet, to).unwrap();
        }
        let mut buffer = [0; DATAGRAM];
        leg.receive(&mut buffer);
        assert!(leg.has_more());
        assert_eq!(leg.session.report(Instant::now()).rx_packets, TURN as u32);
        leg.receive(&mut buffer);
        assert!(!leg.has_more());
        assert_eq!(leg.session.report(Instant::now()).rx_packets, 100);
    }
}
