use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};

/// Hash functions of a challenge, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hash {
    Md5,
    Sha256,
    Sha512of256,
}

/// A digest algorithm (RFC 7616, section 3.4.2; RFC 8760, section 2.2). The greater is the stronger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Algorithm {
    hash: Hash,
    session: bool,
}

impl Algorithm {
    /// What a challenge means that names none.
    pub(crate) const MD5: Self = Self { hash: Hash::Md5, session: false };

    /// Reads a name in any case.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Hash::Md5, Hash::Sha256, Hash::Sha512of256]
            .into_iter()
            .flat_map(|hash| [false, true].map(|session| Self { hash, session }))
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    pub(crate) fn name(self) -> &'static str {
        match (self.hash, self.session) {
            (Hash::Md5, false) => "MD5",
            (Hash::Md5, true) => "MD5-sess",
            (Hash::Sha256, false) => "SHA-256",
            (Hash::Sha256, true) => "SHA-256-sess",
            (Hash::Sha512of256, false) => "SHA-512-256",
            (Hash::Sha512of256, true) => "SHA-512-256-sess",
        }
    }

    /// Whether the first client nonce stays part of the secret for as long as the server's nonce lives.
    pub(crate) fn is_session(self) -> bool {
        self.session
    }

    /// The hash in lower-case hexadecimal.
    pub(crate) fn hash(self, data: impl AsRef<[u8]>) -> String {
        match self.hash {
            Hash::Md5 => hexadecimal(&<Md5 as md5::Digest>::digest(data)),
            Hash::Sha256 => hexadecimal(&Sha256::digest(data)),
            Hash::Sha512of256 => hexadecimal(&Sha512_256::digest(data)),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
