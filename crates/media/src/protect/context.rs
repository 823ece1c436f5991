//! The cryptographic contexts of one direction (RFC 3711, section 3.2), behind the guards that the library leaves to
//! whoever uses it: replay windows, no SRTCP without the E bit, bounded state for sources that prove nothing.

use std::collections::VecDeque;

use rtc_srtp::context::Context;
use rtc_srtp::crypto;
use rtc_srtp::option::{srtcp_replay_protection, srtp_replay_protection};

use super::{MasterKey, Suite};

/// Packets a late one may be behind, RTP: more than two seconds.
const WINDOW: usize = 128;
/// The same of RTCP.
const CONTROL_WINDOW: usize = 64;
/// Sources whose rollover counter and replay window are kept.
const MOST_SOURCES: usize = 32;
/// Packets of unknown sources that may fail before what the library keeps of them is thrown away: it believes the first
/// number that it sees, authentic or not.
const MOST_STRANGERS: u32 = 1;

/// What is sent.
pub(super) struct Outbound(Context);

impl Outbound {
    /// `None`: the key is not one of this suite.
    pub(super) fn new(suite: Suite, key: &MasterKey) -> Option<Self> {
        context(suite, key).map(Self)
    }

    /// Protects an RTP packet of ours.
    pub(super) fn rtp(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        self.0.encrypt_rtp(packet).ok().map(Vec::from)
    }

    /// Protects an RTCP packet of ours.
    pub(super) fn rtcp(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        self.0.encrypt_rtcp(packet).ok().map(Vec::from)
    }
}

/// What comes.
pub(super) struct Inbound {
    suite: Suite,
    key: MasterKey,
    /// Sources that have proved to have the key, the latest heard last. Each has a context of its own.
    known: VecDeque<(u32, Context)>,
    /// Takes whoever is not known: the library keeps state of a source before it has proved anything.
    stranger: Context,
    failed: u32,
}

impl Inbound {
    /// `None`: the key is not one of this suite.
    pub(super) fn new(suite: Suite, key: &MasterKey) -> Option<Self> {
        let stranger = context(suite, key)?;
        Some(Self { suite, key: key.clone(), known: VecDeque::new(), stranger, failed: 0 })
    }

    /// Authenticates and decrypts an RTP packet. `None`: it is forged, replayed or broken.
    pub(super) fn rtp(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let [_, _, _, _, _, _, _, _, a, b, c, d] = *packet.first_chunk::<12>()?;
        self.open(u32::from_be_bytes([a, b, c, d]), |context| context.decrypt_rtp(packet).ok().map(Vec::from))
    }

    /// Authenticates and decrypts an RTCP packet. `None`: it is forged, replayed or broken.
    pub(super) fn rtcp(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let [_, _, _, _, a, b, c, d] = *packet.first_chunk::<8>()?;
        // Without the E bit the library returns a packet before it looks at the tag. None that was not agreed to be
        // unencrypted may come so (RFC 3711, section 3.4).
        let trailer = self.suite.profile().rtcp_auth_tag_len() + 4;
        let flags = packet.get(packet.len().checked_sub(trailer)?)?;
        if flags & 0x80 == 0 {
            return None;
        }
        self.open(u32::from_be_bytes([a, b, c, d]), |context| {
            context.decrypt_rtcp(packet).ok().map(Vec::from)
        })
    }

    fn open(&mut self, ssrc: u32, open: impl Fn(&mut Context) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
        if let Some(place) = self.known.iter().position(|(known, _)| *known == ssrc) {
            let clear = open(&mut self.known.get_mut(place)?.1)?;
            if place + 1 < self.known.len()
                && let Some(latest) = self.known.remove(place)
            {
                self.known.push_back(latest);
            }
            return Some(clear);
        }
        let Some(clear) = open(&mut self.stranger) else {
            self.failed += 1;
            if self.failed >= MOST_STRANGERS {
                self.renew_stranger();
            }
            return None;
        };
        if self.known.len() == MOST_SOURCES {
            self.known.pop_front();
        }
        if let Some(proved) = self.renew_stranger() {
            self.known.push_back((ssrc, proved));
        }
        Some(clear)
    }

    fn renew_stranger(&mut self) -> Option<Context> {
        self.failed = 0;
        // The key has made a context before.
        let fresh = context(self.suite, &self.key)?;
        Some(std::mem::replace(&mut self.stranger, fresh))
    }
}

fn context(suite: Suite, key: &MasterKey) -> Option<Context> {
    let (key, salt) = key.split(suite)?;
    let provider = crypto::default_provider().ok()?;
    Context::new(
        key,
        salt,
        suite.profile(),
        Some(srtp_replay_protection(WINDOW)),
        Some(srtcp_replay_protection(CONTROL_WINDOW)),
        provider.crypto(),
    )
    .ok()
}

#[cfg(test)]
mod foreign;
#[cfg(test)]
mod tests;
