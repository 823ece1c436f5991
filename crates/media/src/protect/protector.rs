use super::context::{Inbound, Outbound};
use super::{Keying, Protected, Protection};
use crate::rtp;

/// Protects the datagrams of a session as was agreed, and keeps its rollover counters as long as the keys stay.
#[derive(Default)]
pub(crate) struct Protector {
    agreed: Option<Protection>,
    keys: Option<Keys>,
    /// Something authentic has come.
    heard: bool,
    refused: u32,
}

struct Keys {
    send: Outbound,
    receive: Inbound,
}

impl Protector {
    /// Protects as agreed; without an agreement everything passes as it is.
    pub(crate) fn new(agreed: Option<&Protection>) -> Self {
        let mut protector = Self::default();
        protector.renegotiate(agreed);
        protector
    }

    /// Goes on as agreed anew. A direction whose key stays goes on with its counters (RFC 4568, section 7.1.4).
    pub(crate) fn renegotiate(&mut self, agreed: Option<&Protection>) {
        if self.agreed.as_ref() == agreed {
            return;
        }
        let before = (self.agreed.take(), self.keys.take());
        self.agreed = agreed.cloned();
        let Some(Protection::Sdes { suite, send, receive }) = agreed else {
            self.heard = false;
            return;
        };
        let (mut kept_send, mut kept_receive) = (None, None);
        if let (Some(Protection::Sdes { suite: old, send: s, receive: r }), Some(keys)) = before
            && old == *suite
        {
            kept_send = (s == *send).then_some(keys.send);
            kept_receive = (r == *receive).then_some(keys.receive);
        }
        let send = kept_send.or_else(|| Outbound::new(*suite, send));
        let receive = kept_receive.or_else(|| Inbound::new(*suite, receive));
        self.keys = send.zip(receive).map(|(send, receive)| Keys { send, receive });
    }

    /// Whether plain packets are neither sent nor taken.
    pub(crate) fn is_agreed(&self) -> bool {
        self.agreed.is_some()
    }

    /// How it stands.
    pub(crate) fn state(&self) -> Protected {
        match &self.agreed {
            None => Protected::Off,
            Some(Protection::Sdes { suite, .. }) if self.keys.is_some() && self.heard => {
                Protected::On(Keying::Sdes, *suite)
            }
            Some(Protection::Sdes { .. }) => Protected::Pending(Keying::Sdes),
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
}
