//! Protection in descriptions: SDES (RFC 4568), offered within plain RTP too (RFC 8643), and DTLS (RFC 5763).

use std::fmt::Write;
use std::sync::Arc;

use super::SdpError;
use super::parse::Media;
use crate::protect::{Association, Fingerprint, Identity, Keying, MasterKey, Protection, Role, Suite};

/// Crypto attributes of a stream that are looked at.
const MOST_CRYPTO: usize = 32;
/// Fingerprints that are looked at.
const MOST_FINGERPRINTS: usize = 8;
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

/// Who begins a DTLS association, as a description says it (RFC 4145, RFC 5763).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Setup {
    Active,
    Passive,
    Actpass,
    Holdconn,
}

impl Setup {
    /// Reads what follows `a=setup:`.
    pub fn parse(value: &str) -> Option<Self> {
        match value.trim() {
            "active" => Some(Setup::Active),
            "passive" => Some(Setup::Passive),
            "actpass" => Some(Setup::Actpass),
            "holdconn" => Some(Setup::Holdconn),
            _ => None,
        }
    }
}

/// Adds what follows `a=fingerprint:` where it is one that is good enough.
pub(super) fn read_fingerprint(fingerprints: &mut Vec<Fingerprint>, value: &str) {
    if fingerprints.len() < MOST_FINGERPRINTS {
        fingerprints.extend(Fingerprint::parse(value));
    }
}

/// What protects a stream that was offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Terms {
    Plain,
    Sdes(Crypto),
    Dtls(Role, Vec<Fingerprint>),
}

/// Our side of the protection of one call.
#[derive(Debug, Clone)]
pub struct Security {
    /// Whether it is protected.
    pub srtp: Srtp,
    /// How our offers want to come to keys. Offers of the other side decide for themselves.
    pub keying: Keying,
    /// Whom we show ourselves to be; without it there is no DTLS.
    pub identity: Option<Arc<Identity>>,
    /// What we send with, one key a suite, for the whole of the call.
    own: Vec<(Suite, MasterKey)>,
    /// Tags of our last offer.
    offered: Vec<(u32, Suite)>,
    settled: Option<Settled>,
}

impl Default for Security {
    fn default() -> Self {
        Self {
            srtp: Srtp::Off,
            keying: Keying::Sdes,
            identity: None,
            own: Vec::new(),
            offered: Vec::new(),
            settled: None,
        }
    }
}

/// What the last answer settled: later offers ask for no more.
#[derive(Debug, Clone)]
struct Settled {
    proto: String,
    by: Option<By>,
}

#[derive(Debug, Clone, Copy)]
enum By {
    Sdes(Suite),
    Dtls(Role),
}

/// The transport and the attributes of a stream of ours.
pub(super) struct Lines {
    pub proto: String,
    pub attributes: String,
    /// RTCP must share the port of RTP: it has no association of its own.
    pub muxed: bool,
}

impl Security {
    /// For an offer of ours. `anew` asks for all that we would like, whatever was settled before.
    pub(super) fn offer(&mut self, anew: bool) -> Lines {
        let settled = self.settled.clone().filter(|_| !anew);
        let fresh = match (self.srtp, self.keying) {
            (Srtp::Off, _) => ("RTP/AVP", Vec::new(), false),
            (_, Keying::Dtls) if self.identity.is_some() => ("UDP/TLS/RTP/SAVPF", Vec::new(), true),
            (Srtp::Prefer, _) => ("RTP/AVP", OFFERED.to_vec(), false),
            (Srtp::Require, _) => ("RTP/SAVP", OFFERED.to_vec(), false),
        };
        let mut setup = "actpass";
        let (proto, suites, muxed) = match settled {
            Some(Settled { proto, by: Some(By::Sdes(suite)) }) => (proto, vec![suite], false),
            Some(Settled { proto, by: Some(By::Dtls(role)) }) => {
                setup = setup_of(role);
                (proto, Vec::new(), true)
            }
            Some(_) if self.srtp == Srtp::Prefer => ("RTP/AVP".to_owned(), Vec::new(), false),
            _ => (fresh.0.to_owned(), fresh.1, fresh.2),
        };
        self.offered = (1..).zip(suites).collect();
        let mut attributes = String::new();
        for (tag, suite) in self.offered.clone() {
            self.write_crypto(&mut attributes, tag, suite);
        }
        if muxed {
            self.write_fingerprint(&mut attributes, setup);
        }
        Lines { proto, attributes, muxed }
    }

    /// What would protect a stream that is offered to us, `ice` being ours to use. `None`: it cannot be taken.
    pub(super) fn terms(&self, media: &Media, ice: bool) -> Option<Terms> {
        let profile = Profile::of(media)?;
        let plain = Some(Terms::Plain).filter(|_| profile == Profile::Plain && self.srtp != Srtp::Require);
        if self.srtp == Srtp::Off {
            return plain;
        }
        // Whoever sends our own key back sends our own packets back.
        let foreign = |crypto: &&Crypto| self.own.iter().all(|(_, own)| *own != crypto.key);
        let crypto = media.crypto.iter().find(foreign).filter(|_| profile != Profile::Dtls);
        crypto.map(|crypto| Terms::Sdes(crypto.clone())).or_else(|| self.association(media, ice)).or(plain)
    }

    fn association(&self, media: &Media, ice: bool) -> Option<Terms> {
        let usable = self.identity.is_some() && !media.fingerprints.is_empty();
        // Whoever has no address before ICE has found one cannot be reached without it.
        let address = if ice { media.rtp_or_candidate() } else { media.rtp() };
        let reachable = self.settled.is_some() || address.is_some_and(|a| !a.ip().is_unspecified());
        if !usable || !reachable {
            return None;
        }
        let role = match (media.setup, &self.settled) {
            (Some(Setup::Actpass), Some(Settled { by: Some(By::Dtls(role)), .. })) => *role,
            (Some(Setup::Actpass | Setup::Passive), _) => Role::Client,
            // Without a word the offerer begins (RFC 4145, section 4.1).
            (Some(Setup::Active) | None, _) => Role::Server,
            (Some(Setup::Holdconn), _) => return None,
        };
        Some(Terms::Dtls(role, media.fingerprints.clone()))
    }

    /// For an answer of ours.
    pub(super) fn answer(&mut self, terms: Terms, proto: &str) -> (Lines, Option<Protection>) {
        let mut lines = Lines { proto: proto.to_owned(), attributes: String::new(), muxed: false };
        let protection = match terms {
            Terms::Plain => None,
            Terms::Sdes(Crypto { tag, suite, key }) => {
                self.write_crypto(&mut lines.attributes, tag, suite);
                Some(Protection::Sdes { suite, send: self.own(suite), receive: key })
            }
            Terms::Dtls(role, theirs) => {
                lines.muxed = true;
                self.write_fingerprint(&mut lines.attributes, setup_of(role));
                self.identity.clone().map(|identity| Protection::Dtls(Association { role, identity, theirs }))
            }
        };
        self.settle(proto, &protection);
        (lines, protection)
    }

    /// Takes the answer to our last offer.
    ///
    /// # Errors
    /// [`SdpError::NotProtected`] where it leaves plain what must not be, or names no key that fits.
    pub(super) fn accept(&mut self, media: &Media) -> Result<Option<Protection>, SdpError> {
        let crypto = media.crypto.iter().find(|crypto| {
            self.offered.contains(&(crypto.tag, crypto.suite))
                && self.own.iter().all(|(_, own)| *own != crypto.key)
        });
        let profile = Profile::of(media);
        let plain = profile == Some(Profile::Plain) && self.srtp != Srtp::Require;
        let association = || {
            let identity = self.identity.clone().filter(|_| self.srtp != Srtp::Off)?;
            let theirs = Some(media.fingerprints.clone()).filter(|theirs| !theirs.is_empty())?;
            let role = match media.setup {
                Some(Setup::Passive | Setup::Actpass) => Role::Client,
                Some(Setup::Active) | None => Role::Server,
                Some(Setup::Holdconn) => return None,
            };
            Some(Protection::Dtls(Association { role, identity, theirs }))
        };
        let protection = match crypto {
            Some(Crypto { suite, key, .. }) => {
                let (suite, receive) = (*suite, key.clone());
                Some(Protection::Sdes { suite, send: self.own(suite), receive })
            }
            None if profile == Some(Profile::Dtls) => Some(association().ok_or(SdpError::NotProtected)?),
            None if plain => None,
            None => return Err(SdpError::NotProtected),
        };
        self.settle(&media.proto, &protection);
        Ok(protection)
    }

    fn settle(&mut self, proto: &str, protection: &Option<Protection>) {
        let by = protection.as_ref().map(|protection| match protection {
            Protection::Sdes { suite, .. } => By::Sdes(*suite),
            Protection::Dtls(association) => By::Dtls(association.role),
        });
        self.settled = Some(Settled { proto: proto.to_owned(), by });
    }

    fn own(&mut self, suite: Suite) -> MasterKey {
        if let Some((_, key)) = self.own.iter().find(|(own, _)| *own == suite) {
            return key.clone();
        }
        let key = MasterKey::random(suite);
        self.own.push((suite, key.clone()));
        key
    }

    fn write_crypto(&mut self, out: &mut String, tag: u32, suite: Suite) {
        let key = self.own(suite).to_base64();
        // Writing into a String cannot fail.
        let _ = write!(out, "a=crypto:{tag} {suite} inline:{}\r\n", key.as_str());
    }

    fn write_fingerprint(&self, out: &mut String, setup: &str) {
        if let Some(identity) = &self.identity {
            let _ = write!(out, "a=fingerprint:{}\r\na=setup:{setup}\r\n", identity.fingerprint());
        }
    }
}

fn setup_of(role: Role) -> &'static str {
    match role {
        Role::Client => "active",
        Role::Server => "passive",
    }
}

/// What the transport of a stream says of its protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Profile {
    Plain,
    Secure,
    Dtls,
}

impl Profile {
    fn of(media: &Media) -> Option<Self> {
        match media.proto.as_str() {
            "RTP/AVP" | "RTP/AVPF" => Some(Profile::Plain),
            "RTP/SAVP" | "RTP/SAVPF" => Some(Profile::Secure),
            "UDP/TLS/RTP/SAVP" | "UDP/TLS/RTP/SAVPF" => Some(Profile::Dtls),
            _ => None,
        }
    }
}

/// Whether a stream has one of the transports that this phone speaks.
pub(super) fn is_known(media: &Media) -> bool {
    Profile::of(media).is_some()
}

#[cfg(test)]
mod tests;
