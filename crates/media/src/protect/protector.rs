use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::context::{Inbound, Outbound};
use super::handshake::{Handshake, Outcome};
use super::{Keying, MasterKey, Protected, Protection, Suite};
use crate::rtp;

/// Whoever was not announced and shakes hands gets this long to come to an end with it.
const STRANGER: Duration = Duration::from_secs(3);

/// Protects the datagrams of a session as was agreed, and keeps its rollover counters as long as the keys stay.
#[derive(Default)]
pub(crate) struct Protector {
    agreed: Option<Protection>,
    keys: Option<Keys>,
    handshake: Option<Handshake>,
    /// Who shakes hands, where somebody has begun to, and since when.
    peer: Option<(SocketAddr, Instant)>,
    /// Something authentic has come.
    heard: bool,
    refused: u32,
}

struct Keys {
    suite: Suite,
    send: Outbound,
    receive: Inbound,
}

impl Keys {
    fn new(suite: Suite, send: &MasterKey, receive: &MasterKey) -> Option<Self> {
        Some(Self { suite, send: Outbound::new(suite, send)?, receive: Inbound::new(suite, receive)? })
    }
}

impl Protector {
    /// Protects as agreed; without an agreement everything passes as it is.
    pub(crate) fn new(agreed: Option<&Protection>, now: Instant) -> Self {
        let mut protector = Self::default();
        protector.renegotiate(agreed, now);
        protector
    }

    /// Goes on as agreed anew. A direction whose key stays goes on with its counters (RFC 4568, section 7.1.4), and
    /// so does an association whose ends and roles stay (RFC 8842, section 4).
    pub(crate) fn renegotiate(&mut self, agreed: Option<&Protection>, now: Instant) {
        if self.agreed.as_ref() == agreed {
            return;
        }
        let before = self.agreed.take();
        (self.agreed, self.handshake, self.peer) = (agreed.cloned(), None, None);
        match agreed {
            None => (self.keys, self.heard) = (None, false),
            Some(Protection::Dtls(association)) => {
                (self.keys, self.heard) = (None, false);
                self.handshake = Handshake::new(association, now);
            }
            Some(Protection::Sdes { suite, send, receive }) => {
                let mut keys = Keys::new(*suite, send, receive);
                if let (Some(Protection::Sdes { suite: old, send: s, receive: r }), Some(keys), Some(kept)) =
                    (before, &mut keys, self.keys.take())
                    && old == *suite
                {
                    if s == *send {
                        keys.send = kept.send;
                    }
                    if r == *receive {
                        keys.receive = kept.receive;
                    }
                }
                self.keys = keys;
            }
        }
    }

    /// Whether plain packets are neither sent nor taken.
    pub(crate) fn is_agreed(&self) -> bool {
        self.agreed.is_some()
    }

    /// Whether its keys come of a handshake.
    pub(crate) fn is_by_handshake(&self) -> bool {
        self.handshake.is_some()
    }

    /// How it stands.
    pub(crate) fn state(&self) -> Protected {
        let keying = match &self.agreed {
            None => return Protected::Off,
            Some(Protection::Sdes { .. }) => Keying::Sdes,
            Some(Protection::Dtls(_)) => Keying::Dtls,
        };
        match &self.keys {
            Some(keys) if self.heard => Protected::On(keying, keys.suite),
            None if self.handshake.as_ref().is_none_or(Handshake::has_failed) => Protected::Failed,
            _ => Protected::Pending(keying),
        }
    }

    /// Packets that came and were not authentic, or too early.
    pub(crate) fn refused(&self) -> u32 {
        self.refused
    }

    /// Protects an RTP or RTCP packet of ours. `None`: the keys are not known yet.
    pub(crate) fn protect(&mut self, packet: Vec<u8>) -> Option<Vec<u8>> {
        if self.agreed.is_none() {
            return Some(packet);
        }
        let keys = self.keys.as_mut()?;
        if rtp::is_rtcp(&packet) { keys.send.rtcp(&packet) } else { keys.send.rtp(&packet) }
    }

    /// Authenticates and decrypts what came where protection was agreed on.
    pub(crate) fn open(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let clear = self.keys.as_mut().and_then(|keys| match rtp::is_rtcp(packet) {
            true => keys.receive.rtcp(packet),
            false => keys.receive.rtp(packet),
        });
        match &clear {
            Some(_) => self.heard = true,
            None => self.refused = self.refused.saturating_add(1),
        }
        clear
    }

    /// Takes a datagram of a handshake. Who was announced goes before whoever else is there.
    pub(crate) fn shake(&mut self, now: Instant, from: SocketAddr, announced: SocketAddr, datagram: &[u8]) {
        let Some(handshake) = &mut self.handshake else { return };
        match self.peer {
            Some((peer, _)) if peer == from => {}
            Some(_) if handshake.is_done() => return,
            Some((_, since)) if from == announced || now > since + STRANGER => {
                handshake.again(now);
                self.peer = Some((from, now));
            }
            Some(_) => return,
            None => self.peer = Some((from, now)),
        }
        if let Some(Outcome { suite, send, receive }) = handshake.receive(now, datagram) {
            self.keys = Keys::new(suite, &send, &receive);
        }
    }

    /// The next datagram of a handshake, and to whom where that is another than was announced.
    pub(crate) fn poll_transmit(&mut self, now: Instant) -> Option<(Option<SocketAddr>, Vec<u8>)> {
        let handshake = self.handshake.as_mut()?;
        handshake.handle_timeout(now);
        let datagram = handshake.poll_transmit()?;
        Some((self.peer.map(|(peer, _)| peer), datagram))
    }

    /// When [`poll_transmit`](Self::poll_transmit) has something to send by itself.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.handshake.as_ref()?.next_deadline()
    }
}
