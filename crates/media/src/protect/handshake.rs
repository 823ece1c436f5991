//! The DTLS handshake that brings SRTP its keys (RFC 5764). It takes datagrams with the time and gives datagrams;
//! which way they go is not its matter.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rtc_dtls::config::{ClientAuthType, ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig};
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;
use rtc_shared::error::Error;
use rtc_srtp::config::LABEL_EXTRACTOR_DTLS_SRTP;
use rtc_srtp::crypto;
use zeroize::Zeroizing;

use super::{Association, MasterKey, Role, Suite};

/// The library tells associations apart by address, and here is but one.
const THERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9);
/// Time to the first repetition of a flight; it doubles (RFC 6347, section 4.2.4.1, lets whoever knows its network
/// wait for less than a second).
const FLIGHT: Duration = Duration::from_millis(300);
/// Longest time between two repetitions.
const LONGEST: Duration = Duration::from_secs(3);
/// An association that is not there by then never will be.
const PATIENCE: Duration = Duration::from_secs(20);
/// Octets looked at in one attempt, and after it: the library keeps what it cannot read yet.
const MOST_OCTETS: usize = 64 * 1024;
/// Times that the library writes one flight anew before it gives the association up: one less.
const MOST_REWRITTEN: u8 = 6;
/// Longest message, a chain of certificates, octets.
const LARGEST_MESSAGE: usize = 16 * 1024;
/// Messages that one side has to say.
const MOST_MESSAGES: u16 = 32;
/// Attempts that somebody else may spoil.
const MOST_ATTEMPTS: u8 = 5;

const PROFILES: [(SrtpProtectionProfile, Suite); 3] = [
    (SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm, Suite::AeadAes256Gcm),
    (SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, Suite::AeadAes128Gcm),
    (SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80, Suite::AesCm128HmacSha1_80),
];

/// What came of a handshake.
pub(crate) struct Outcome {
    pub suite: Suite,
    pub send: MasterKey,
    pub receive: MasterKey,
}

/// One handshake, from its first flight on.
pub(crate) struct Handshake {
    association: Association,
    endpoint: Endpoint,
    /// Somebody with another certificate was there.
    stranger: Arc<AtomicBool>,
    /// What is to be sent.
    queue: VecDeque<Vec<u8>>,
    /// The last flight of ours.
    flight: Vec<Vec<u8>>,
    /// When it is sent once more, and how long after that again.
    repeat: (Instant, Duration),
    /// How often the library has written it anew.
    rewritten: u8,
    began: Instant,
    left: usize,
    attempts: u8,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Done,
    /// Done, and the other side has closed it: keys outlive that (RFC 5764, section 5.2).
    Closed,
    Failed,
}

impl Handshake {
    /// Begins one. A client's first flight is ready for [`poll_transmit`](Self::poll_transmit).
    pub(crate) fn new(association: &Association, now: Instant) -> Option<Self> {
        let stranger = Arc::default();
        let endpoint = endpoint(association, &stranger, now)?;
        let mut handshake = Self {
            association: association.clone(),
            endpoint,
            stranger,
            queue: VecDeque::new(),
            flight: Vec::new(),
            repeat: (now, FLIGHT),
            rewritten: 0,
            began: now,
            left: MOST_OCTETS,
            attempts: 1,
            state: State::Running,
        };
        handshake.collect(now);
        Some(handshake)
    }

    /// Takes a datagram. Hostile bytes are dropped; the outcome comes once.
    pub(crate) fn receive(&mut self, now: Instant, datagram: &[u8]) -> Option<Outcome> {
        if matches!(self.state, State::Failed | State::Closed) || !is_plausible(datagram) {
            return None;
        }
        let Some(left) = self.left.checked_sub(datagram.len()) else {
            if self.state == State::Running {
                self.again(now);
            }
            return None;
        };
        self.left = left;
        // An error is a matter of this datagram alone: anybody may have sent it.
        let events = self.endpoint.read(now, THERE, None, datagram.into()).unwrap_or_default();
        let mut outcome = None;
        for event in events {
            match event {
                EndpointEvent::HandshakeComplete if self.state == State::Running => {
                    outcome = self.export();
                    self.left = MOST_OCTETS;
                    self.state = if outcome.is_some() { State::Done } else { State::Failed };
                }
                EndpointEvent::PeerClosed if self.state == State::Running => self.again(now),
                EndpointEvent::PeerClosed => self.state = State::Closed,
                _ => {}
            }
        }
        self.collect(now);
        if self.state == State::Running && self.stranger.load(Ordering::Relaxed) {
            self.again(now);
        }
        outcome
    }

    /// A new flight takes the place of the one before.
    fn collect(&mut self, now: Instant) {
        let fresh: Vec<Vec<u8>> = std::iter::from_fn(|| self.endpoint.poll_transmit())
            .map(|transmit| transmit.message.to_vec())
            .collect();
        if !fresh.is_empty() {
            self.queue.extend(fresh.iter().cloned());
            self.flight = fresh;
            self.repeat = (now + FLIGHT, FLIGHT);
            self.rewritten = 0;
        }
    }

    /// The next datagram to be sent.
    pub(crate) fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.queue.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let running = self.state == State::Running;
        let end = self.began + PATIENCE;
        running.then(|| if self.flight.is_empty() { end } else { self.repeat.0.min(end) })
    }

    /// Repeats a flight, or gives up.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.state != State::Running {
            return;
        }
        if now >= self.began + PATIENCE {
            self.state = State::Failed;
        } else if now >= self.repeat.0 && !self.flight.is_empty() {
            let (wait, rewritten) = ((self.repeat.1 * 2).min(LONGEST), self.rewritten + 1);
            if !self.rewrite(now) {
                self.queue.extend(self.flight.iter().cloned());
            }
            (self.repeat, self.rewritten) = ((now + wait, wait), rewritten);
        }
    }

    /// Lets the library write the last flight anew: a side that has all of it takes only new records for a sign that
    /// its own answer was lost. It does not where something has come in between that brought it no further, or when it
    /// has done so too often.
    fn rewrite(&mut self, now: Instant) -> bool {
        let due = self.endpoint.poll_timeout(&THERE).is_some_and(|due| due <= now);
        if !due || self.rewritten >= MOST_REWRITTEN {
            return false;
        }
        // It fails only after more than that.
        let _ = self.endpoint.handle_timeout(THERE, now);
        let before = self.queue.len();
        self.collect(now);
        self.queue.len() > before
    }

    /// Begins anew, after somebody else has spoilt it.
    pub(crate) fn again(&mut self, now: Instant) {
        self.stranger.store(false, Ordering::Relaxed);
        self.left = MOST_OCTETS;
        match endpoint(&self.association, &self.stranger, now) {
            Some(endpoint) if self.attempts < MOST_ATTEMPTS => {
                self.attempts += 1;
                self.endpoint = endpoint;
                self.flight.clear();
                self.collect(now);
            }
            _ => self.state = State::Failed,
        }
    }

    /// Whether keys have come of it.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.state, State::Done | State::Closed)
    }

    /// Whether nothing will come of it.
    pub(crate) fn has_failed(&self) -> bool {
        self.state == State::Failed
    }

    fn export(&self) -> Option<Outcome> {
        let state = self.endpoint.get_connection_state(THERE)?;
        // Whoever came through has shown the certificate that was announced.
        let shown = state.peer_certificates.first()?;
        if !self.association.theirs.iter().any(|fingerprint| fingerprint.is_of(shown)) {
            return None;
        }
        let (_, suite) = PROFILES.into_iter().find(|(known, _)| *known == state.srtp_protection_profile())?;
        let (key, salt) = (suite.profile().key_len(), suite.profile().salt_len());
        let material = state.export_keying_material(LABEL_EXTRACTOR_DTLS_SRTP, &[], 2 * (key + salt)).ok()?;
        // Client key, server key, client salt, server salt (RFC 5764, section 4.2).
        let material: &[u8] = material.as_ref();
        let (keys, salts) = material.split_at_checked(2 * key)?;
        let ((client_key, server_key), (client_salt, server_salt)) =
            (keys.split_at_checked(key)?, salts.split_at_checked(salt)?);
        let client = MasterKey::new(suite, Zeroizing::new([client_key, client_salt].concat()))?;
        let server = MasterKey::new(suite, Zeroizing::new([server_key, server_salt].concat()))?;
        Some(match self.association.role {
            Role::Client => Outcome { suite, send: client, receive: server },
            Role::Server => Outcome { suite, send: server, receive: client },
        })
    }
}

fn endpoint(association: &Association, stranger: &Arc<AtomicBool>, now: Instant) -> Option<Endpoint> {
    let config = config(association, stranger)?;
    Some(match association.role {
        Role::Server => Endpoint::new(THERE, TransportProtocol::UDP, Some(config)),
        Role::Client => {
            let mut endpoint = Endpoint::new(THERE, TransportProtocol::UDP, None);
            endpoint.connect(now, THERE, config, None).ok()?;
            endpoint
        }
    })
}

fn config(association: &Association, stranger: &Arc<AtomicBool>) -> Option<Arc<HandshakeConfig>> {
    let (announced, stranger) = (association.theirs.clone(), stranger.clone());
    let verify = move |shown: &[Vec<u8>], _: &[_]| {
        let first = shown.first();
        if first.is_some_and(|shown| announced.iter().any(|fingerprint| fingerprint.is_of(shown))) {
            return Ok(());
        }
        stranger.store(true, Ordering::Relaxed);
        Err(Error::ErrNoMatchingCertificateFingerprint)
    };
    let config = ConfigBuilder::default()
        .with_crypto_provider(crypto::default_provider().ok()?)
        .with_certificates(vec![association.identity.certificate()])
        .with_srtp_protection_profiles(PROFILES.map(|(profile, _)| profile).to_vec())
        .with_client_auth(ClientAuthType::RequireAnyClientCert)
        // Nobody signs these certificates: the fingerprint alone says whose they are (RFC 5763, section 5).
        .with_insecure_skip_verify(true)
        .with_verify_peer_certificate(Some(Arc::new(verify)))
        .with_extended_master_secret(ExtendedMasterSecretType::Require)
        // Always due: when is decided here.
        .with_flight_interval(Duration::from_millis(1))
        .build(association.role == Role::Client, None);
    config.ok().map(Arc::new)
}

/// Whether the library may see a datagram. What nobody has signed yet can be anybody's: a word out of place, and the
/// library loses count of the messages.
fn is_plausible(mut datagram: &[u8]) -> bool {
    while let Some(([kind, 0xfe, 0xfd | 0xff, e0, e1, _, _, _, _, _, _, l0, l1], rest)) =
        datagram.split_first_chunk::<13>()
    {
        let (epoch, length) = (u16::from_be_bytes([*e0, *e1]), u16::from_be_bytes([*l0, *l1]));
        let Some((content, after)) = rest.split_at_checked(usize::from(length)) else { return false };
        let plausible = match (epoch, kind) {
            (0, 22) => are_messages(content),
            // In the clear there is nothing to be closed, and nothing to be said.
            (0, 20) | (1.., 20..=23) => true,
            _ => false,
        };
        if !plausible {
            return false;
        }
        datagram = after;
        if datagram.is_empty() {
            return true;
        }
    }
    false
}

/// Whether a record holds handshake messages, or one part of one (RFC 6347, section 4.2.2).
fn are_messages(mut content: &[u8]) -> bool {
    let number = |bytes: [u8; 3]| bytes.iter().fold(0, |number, octet| number << 8 | usize::from(*octet));
    while let Some(([kind, l0, l1, l2, s0, s1, o0, o1, o2, p0, p1, p2], rest)) =
        content.split_first_chunk::<12>()
    {
        let (length, offset, part) =
            (number([*l0, *l1, *l2]), number([*o0, *o1, *o2]), number([*p0, *p1, *p2]));
        let known = matches!(kind, 0..=4 | 11..=16 | 20);
        let fits = length <= LARGEST_MESSAGE && offset + part <= length;
        let Some(after) = rest.get(part..) else { return false };
        if !known || !fits || u16::from_be_bytes([*s0, *s1]) > MOST_MESSAGES {
            return false;
        }
        content = after;
        if content.is_empty() {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests;
