use std::fmt;

use rtc_dtls::crypto::Certificate;
use rtc_srtp::crypto;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// A certificate of our own with its key, for DTLS (RFC 5763): whoever has read its fingerprint in our description
/// knows that it talks to us. Made anew for each run of the phone; nobody signs it.
pub struct Identity {
    certificate: Certificate,
    fingerprint: Fingerprint,
}

impl Identity {
    /// A fresh one on the curve P-256. `None`: the operating system gives no random numbers.
    pub fn generate() -> Option<Self> {
        let provider = crypto::default_provider().ok()?;
        let names = vec!["phone".to_owned()];
        let certificate = Certificate::generate_self_signed(names, provider.crypto()).ok()?;
        let fingerprint = Fingerprint::of(Hash::Sha256, certificate.certificate.first()?);
        Some(Self { certificate, fingerprint })
    }

    /// The SHA-256 fingerprint of the certificate.
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    pub(super) fn certificate(&self) -> Certificate {
        self.certificate.clone()
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl Eq for Identity {}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.fingerprint)
    }
}

/// Hash functions of fingerprints that are still good (RFC 8122, section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    const ALL: [(Hash, &'static str, usize); 3] =
        [(Hash::Sha256, "sha-256", 32), (Hash::Sha384, "sha-384", 48), (Hash::Sha512, "sha-512", 64)];
}

/// The fingerprint of a certificate (RFC 8122).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    hash: Hash,
    digest: Vec<u8>,
}

impl Fingerprint {
    fn of(hash: Hash, certificate: &[u8]) -> Self {
        let digest = match hash {
            Hash::Sha256 => Sha256::digest(certificate).to_vec(),
            Hash::Sha384 => Sha384::digest(certificate).to_vec(),
            Hash::Sha512 => Sha512::digest(certificate).to_vec(),
        };
        Self { hash, digest }
    }

    /// Reads what follows `a=fingerprint:`. `None`: it is broken, or of a hash that is not good enough any more.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let (name, digits) = value.trim().split_once(' ')?;
        let (hash, _, length) =
            Hash::ALL.into_iter().find(|(_, known, _)| known.eq_ignore_ascii_case(name))?;
        let octet = |pair: &str| (pair.len() == 2).then(|| u8::from_str_radix(pair, 16).ok()).flatten();
        let digest: Vec<u8> = digits.trim().split(':').take(length + 1).map(octet).collect::<Option<_>>()?;
        (digest.len() == length).then_some(Self { hash, digest })
    }

    /// Whether this is the fingerprint of a certificate (DER).
    pub(super) fn is_of(&self, certificate: &[u8]) -> bool {
        Self::of(self.hash, certificate) == *self
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Hash::ALL.iter().find(|(hash, ..)| *hash == self.hash).map_or("", |(_, name, _)| *name);
        let digits: Vec<String> = self.digest.iter().map(|octet| format!("{octet:02X}")).collect();
        write!(f, "{name} {}", digits.join(":"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let identity = Identity::generate().unwrap();
        let written = identity.fingerprint().to_string();
        assert_eq!(Fingerprint::parse(&written).as_ref(), Some(identity.fingerprint()));
        assert_eq!(Fingerprint::parse(&written.to_lowercase()).as_ref(), Some(identity.fingerprint()));
        assert_ne!(Identity::generate().unwrap(), identity);
    }

    #[test]
    fn every_good_hash_knows_its_certificate() {
        for (hash, ..) in Hash::ALL {
            let fingerprint = Fingerprint::of(hash, b"certificate");
            assert!(fingerprint.is_of(b"certificate") && !fingerprint.is_of(b"another"));
            assert_eq!(Fingerprint::parse(&fingerprint.to_string()), Some(fingerprint));
        }
    }

    #[test]
    fn broken_ones_are_refused() {
        for value in ["", "sha-256", "sha-256 00:11", "md5 00", "sha-256 +1:00"] {
            assert_eq!(Fingerprint::parse(value), None, "{value}");
        }
        let long = format!("sha-256 {}", vec!["00"; 33].join(":"));
        assert_eq!(Fingerprint::parse(&long), None);
        let sha1 = format!("sha-1 {}", vec!["00"; 20].join(":"));
        assert_eq!(Fingerprint::parse(&sha1), None);
    }
}
