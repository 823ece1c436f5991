use std::io::{self, ErrorKind};
use std::time::Instant;

use media::sdp::{Negotiated, Trickle};
use media::{FRAME, Gate, MediaError, Outgoing, Path, Port, Report, Session};
use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};

use super::gather::NOWHERE;
use super::stream::Stream;
use super::{Attention, Recorder, Sockets, VoiceError};
use crate::CallId;

/// Datagrams taken in one turn: a flood must not keep the voices waiting.
pub(super) const TURN: usize = 64;
/// Largest datagram looked at; RTP and RTCP of a phone stay within an Ethernet frame.
pub(super) const DATAGRAM: usize = 2048;

/// Tokens that a call takes up: RTP, RTCP, other addresses, the connection to a TURN server.
pub(super) const TOKENS: usize = 8;

/// One call in the voice path.
pub(super) struct Leg {
    pub(super) call: CallId,
    pub(super) session: Session,
    pub(super) attention: Attention,
    pub(super) muted: bool,
    pub(super) recorder: Option<Box<Recorder>>,
    gate: Gate,
    path: Box<Path>,
    ports: Vec<Socket>,
    stream: Option<Connection>,
    first_token: usize,
    agreed: Negotiated,
}

/// A UDP socket.
struct Socket {
    port: Port,
    udp: UdpSocket,
    token: Token,
    /// There may be more to be read.
    more: bool,
}

/// The connection to a TURN server.
struct Connection {
    stream: Stream,
    token: Token,
    more: bool,
}

impl Leg {
    /// A call with its sockets registered under `token` and those after it.
    pub(super) fn new(
        call: CallId,
        sockets: Sockets,
        negotiated: &Negotiated,
        registry: &Registry,
        token: usize,
    ) -> Result<Self, VoiceError> {
        let session = Session::new(negotiated, rand::random(), Instant::now())?;
        let mut leg = Self {
            call,
            session,
            attention: Attention::Asleep,
            muted: false,
            recorder: None,
            gate: Gate::default(),
            path: Box::default(),
            ports: Vec::new(),
            stream: None,
            first_token: token,
            agreed: negotiated.clone(),
        };
        leg.take(sockets, registry).map_err(VoiceError::Socket)?;
        leg.agree();
        Ok(leg)
    }

    /// Goes on with other sockets. What was agreed on was so for the ones before: until both ends agree anew, media
    /// goes where the description said.
    pub(super) fn move_to(&mut self, sockets: Sockets, registry: &Registry) -> Result<(), VoiceError> {
        self.take(sockets, registry).map_err(VoiceError::Socket)?;
        self.path.agree(Instant::now(), None, self.agreed.remote_rtp);
        Ok(())
    }

    /// Goes on with what was negotiated anew.
    pub(super) fn renegotiate(&mut self, negotiated: &Negotiated) -> Result<(), MediaError> {
        self.session.renegotiate(negotiated, Instant::now())?;
        self.agreed = negotiated.clone();
        self.agree();
        Ok(())
    }

    /// Tries more addresses of theirs.
    pub(super) fn trickle(&mut self, later: &Trickle) {
        if !self.path.trickle(Instant::now(), later) {
            tracing::debug!("candidates of another negotiation");
        }
    }

    fn agree(&mut self) {
        self.path.agree(Instant::now(), self.agreed.ice.as_ref(), self.agreed.remote_rtp);
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
        for socket in &mut self.ports {
            socket.more |= socket.token == token;
        }
        if let Some(connection) = &mut self.stream {
            connection.more |= connection.token == token;
        }
    }

    /// Whether something waits to be read.
    pub(super) fn has_more(&self) -> bool {
        self.ports.iter().any(|socket| socket.more) || self.stream.as_ref().is_some_and(|stream| stream.more)
    }

    /// When there is something to be sent by itself.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.session.next_deadline().into_iter().chain(self.path.next_deadline()).min()
    }

    /// The figures as they stand.
    pub(super) fn report(&mut self, now: Instant) -> Report {
        Report { way: self.path.way(now), ..self.session.report(now) }
    }

    /// Says goodbye; the last figures.
    pub(super) fn leave(&mut self) -> Report {
        let now = Instant::now();
        // It is whole before the call is said to have ended.
        self.recorder = None;
        self.session.close(now);
        self.transmit();
        let last = self.report(now);
        self.path.close(now);
        self.transmit();
        last
    }

    /// Sends what is due.
    pub(super) fn transmit(&mut self) {
        while let Some(datagram) = self.session.poll_transmit(Instant::now()) {
            self.path.send(Instant::now(), datagram);
        }
        while let Some(Outgoing { port, to, bytes }) = self.path.poll_transmit(Instant::now()) {
            let sent = match (port, &mut self.stream) {
                (Port::Stream, Some(connection)) => connection.stream.send(&bytes),
                _ => match self.ports.iter().find(|socket| socket.port == port) {
                    Some(socket) => socket.udp.send_to(&bytes, to).map(drop),
                    None => Ok(()),
                },
            };
            // A network that is away or full loses packets; the call outlives that.
            if let Err(error) = sent {
                tracing::trace!(%error, "a packet was not sent");
            }
        }
    }

    /// Takes a turn of what has arrived.
    pub(super) fn receive(&mut self, buffer: &mut [u8; DATAGRAM]) {
        for socket in self.ports.iter_mut().filter(|socket| socket.more) {
            socket.more = receive(&mut self.path, &mut self.session, socket, buffer);
        }
        if let Some(connection) = self.stream.as_mut().filter(|connection| connection.more) {
            match receive_stream(&mut self.path, &mut self.session, &mut connection.stream, buffer) {
                Ok(more) => connection.more = more,
                Err(error) => {
                    tracing::warn!(%error, "the connection to the TURN server has ended");
                    self.stream = None;
                    self.path.stream_lost();
                }
            }
        }
    }

    fn take(&mut self, sockets: Sockets, registry: &Registry) -> io::Result<()> {
        let Sockets { rtp, rtcp, others, stream, path, .. } = sockets;
        let media = std::iter::once(rtp).chain(others).enumerate().map(|(n, udp)| (Port::Media(n), udp));
        let all = media.chain(std::iter::once((Port::Rtcp, rtcp)));
        let mut ports = Vec::new();
        let mut tokens = (self.first_token..self.first_token + TOKENS).map(Token);
        for ((port, udp), token) in all.zip(&mut tokens) {
            let mut udp = UdpSocket::from_std(udp);
            registry.register(&mut udp, token, Interest::READABLE)?;
            // Datagrams may have come before it was registered.
            ports.push(Socket { port, udp, token, more: true });
        }
        let stream = stream.zip(tokens.next()).map(|(stream, token)| {
            stream.register(registry, token).map(|stream| Connection { stream, token, more: true })
        });
        self.stream = stream.transpose()?;
        (self.ports, self.path) = (ports, path);
        Ok(())
    }
}

/// Takes what has arrived on a port; whether there may be more.
fn receive(path: &mut Path, session: &mut Session, socket: &Socket, buffer: &mut [u8; DATAGRAM]) -> bool {
    for _ in 0..TURN {
        match socket.udp.recv_from(buffer.as_mut_slice()) {
            Ok((length, from)) => {
                if let Some(bytes) = buffer.get(..length) {
                    let now = Instant::now();
                    path.receive(now, socket.port, from, bytes, |from, bytes| {
                        session.receive(now, from, bytes)
                    });
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

/// Takes what has arrived over the connection to a TURN server; whether there may be more.
fn receive_stream(
    path: &mut Path,
    session: &mut Session,
    stream: &mut Stream,
    buffer: &mut [u8; DATAGRAM],
) -> io::Result<bool> {
    for _ in 0..TURN {
        let Some(length) = stream.receive(buffer.as_mut_slice())? else { return Ok(false) };
        if let Some(bytes) = buffer.get(..length) {
            let now = Instant::now();
            path.receive(now, Port::Stream, NOWHERE, bytes, |from, bytes| session.receive(now, from, bytes));
        }
    }
    Ok(true)
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
