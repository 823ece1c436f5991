//! Protection in descriptions: SDES (RFC 4568), offered within plain RTP too (RFC 8643).

use std::fmt::Write;

use super::SdpError;
use super::parse::Media;
use crate::protect::{MasterKey, Protection, Suite};

/// Crypto attributes of a stream that are looked at.
const MOST_CRYPTO: usize = 32;
/// What is offered, best first. Every phone has the second; more of them make an INVITE too large for UDP.
const OFFERED: [Suite; 2] = [Suite::AeadAes256Gcm, Suite::AesCm128HmacSha1_80];

/// Whether media is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Srtp {
    /// Never.
    #[default]
    Off,
    /// Where the other side can: offers are for plain RTP with keys for whoever understands them (RFC 8643).
    Prefer,
    /// Always: plain RTP is refused.
    Require,
}

/// A usable `a=crypto:` line (RFC 4568, section 9.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Crypto {
    pub tag: u32,
    pub suite: Suite,
    pub key: MasterKey,
}

impl Crypto {
    /// Reads what follows `a=crypto:`. `None`: it is broken, or asks for what this phone does not do: other suites,
    /// several keys, a master key identifier, key derivation rates, streams without encryption or authentication.
    pub fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next().filter(|tag| tag.len() <= 9)?.parse().ok()?;
        let suite = Suite::of_name(words.next()?)?;
        let (method, key) = words.next()?.split_once(':')?;
        if !method.eq_ignore_ascii_case("inline") {
            return None;
        }
        let mut parts = key.split('|');
        let key = MasterKey::from_base64(suite, parts.next()?)?;
        match (parts.next(), parts.next()) {
            (None, None) => {}
            (Some(lifetime), None) if is_lifetime(lifetime) => {}
            _ => return None,
        }
        words.all(is_harmless).then_some(Self { tag, suite, key })
    }
}

/// Packets for which the key may be used, `2^31` or a number. It is for who sends with it to change it in time.
fn is_lifetime(text: &str) -> bool {
    let packets = match text.strip_prefix("2^") {
        Some(power) => power.parse().ok().and_then(|power| 1u64.checked_shl(power)),
        None => text.parse().ok(),
    };
    packets.is_some_and(|packets| (1..=1 << 48).contains(&packets))
}

/// Session parameters that change nothing for us (RFC 4568, sections 6.3 and 9.1); those with a hyphen may be passed
/// over.
fn is_harmless(parameter: &str) -> bool {
    parameter == "KDR=0" || parameter.starts_with("WSH=") || parameter.starts_with('-')
}

/// Adds what follows `a=crypto:` where it can be used.
pub(super) fn read_crypto(media: &mut Media, value: &str) {
    if media.crypto.len() < MOST_CRYPTO {
        media.crypto.extend(Crypto::parse(value));
    }
}

/// What protects a stream that was offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Terms {
    Plain,
    Sdes(Crypto),
}

/// Our side of the protection of one call.
#[derive(Debug, Clone, Default)]
pub(super) struct Security {
    /// What we send with, one key a suite, for the whole of the call.
    own: Vec<(Suite, MasterKey)>,
    /// Tags of our last offer.
    offered: Vec<(u32, Suite)>,
    agreed: Option<Agreed>,
}

/// What the last answer settled: later offers ask for no more.
#[derive(Debug, Clone)]
struct Agreed {
    proto: String,
    suite: Option<Suite>,
}

/// The transport and the attributes of a stream of ours.
pub(super) struct Lines {
    pub proto: String,
    pub attributes: String,
}

impl Security {
    /// For an offer of ours. `anew` asks for all that we would like, whatever was settled before.
    pub fn offer(&mut self, srtp: Srtp, anew: bool) -> Lines {
        let settled = self.agreed.clone().filter(|_| !anew);
        let (proto, suites) = match (srtp, settled) {
            (_, Some(Agreed { proto, suite: Some(suite) })) => (proto, vec![suite]),
            (Srtp::Off, _) | (Srtp::Prefer, Some(_)) => ("RTP/AVP".to_owned(), Vec::new()),
            (Srtp::Prefer, None) => ("RTP/AVP".to_owned(), OFFERED.to_vec()),
            (Srtp::Require, _) => ("RTP/SAVP".to_owned(), OFFERED.to_vec()),
        };
        self.offered = (1..).zip(suites).collect();
        let mut attributes = String::new();
        for (tag, suite) in self.offered.clone() {
            self.write(&mut attributes, tag, suite);
        }
        Lines { proto, attributes }
    }

    /// What would protect a stream that is offered to us. `None`: it cannot be taken.
    pub fn terms(&self, srtp: Srtp, media: &Media) -> Option<Terms> {
        if !is_known(media) {
            return None;
        }
        let plain = is_plain(media);
        if srtp == Srtp::Off {
            return plain.then_some(Terms::Plain);
        }
        // Whoever sends our own key back sends our own packets back.
        let crypto = media.crypto.iter().find(|crypto| self.own.iter().all(|(_, own)| *own != crypto.key));
        match crypto {
            Some(crypto) => Some(Terms::Sdes(crypto.clone())),
            None => (plain && srtp == Srtp::Prefer).then_some(Terms::Plain),
        }
    }

    /// For an answer of ours.
    pub fn answer(&mut self, terms: Terms, proto: &str) -> (String, Option<Protection>) {
        let mut attributes = String::new();
        let protection = match terms {
            Terms::Plain => None,
            Terms::Sdes(Crypto { tag, suite, key }) => {
                self.write(&mut attributes, tag, suite);
                Some(Protection::Sdes { suite, send: self.own(suite), receive: key })
            }
        };
        self.settle(proto, &protection);
        (attributes, protection)
    }

    /// Takes the answer to our last offer.
    ///
    /// # Errors
    /// [`SdpError::NotProtected`] where it leaves plain what must not be, or names no key that fits.
    pub fn accept(&mut self, srtp: Srtp, media: &Media) -> Result<Option<Protection>, SdpError> {
        let crypto = media.crypto.iter().find(|crypto| {
            self.offered.contains(&(crypto.tag, crypto.suite))
                && self.own.iter().all(|(_, own)| *own != crypto.key)
        });
        let protection = match crypto {
            Some(Crypto { suite, key, .. }) => {
                Some(Protection::Sdes { suite: *suite, send: self.own(*suite), receive: key.clone() })
            }
            None if is_plain(media) && srtp != Srtp::Require => None,
            None => return Err(SdpError::NotProtected),
        };
        self.settle(&media.proto, &protection);
        Ok(protection)
    }

    fn settle(&mut self, proto: &str, protection: &Option<Protection>) {
        let suite = protection.as_ref().map(|Protection::Sdes { suite, .. }| *suite);
        self.agreed = Some(Agreed { proto: proto.to_owned(), suite });
    }

    fn own(&mut self, suite: Suite) -> MasterKey {
        if let Some((_, key)) = self.own.iter().find(|(own, _)| *own == suite) {
            return key.clone();
        }
        let key = MasterKey::random(suite);
        self.own.push((suite, key.clone()));
        key
    }

    fn write(&mut self, out: &mut String, tag: u32, suite: Suite) {
        let key = self.own(suite).to_base64();
        // Writing into a String cannot fail.
        let _ = write!(out, "a=crypto:{tag} {suite} inline:{}\r\n", key.as_str());
    }
}

/// Whether a stream has one of the transports that this phone speaks.
pub(super) fn is_known(media: &Media) -> bool {
    is_plain(media) || is_secure(media)
}

fn is_plain(media: &Media) -> bool {
    matches!(media.proto.as_str(), "RTP/AVP" | "RTP/AVPF")
}

fn is_secure(media: &Media) -> bool {
    matches!(media.proto.as_str(), "RTP/SAVP" | "RTP/SAVPF")
}

#[cfg(test)]
mod tests;
