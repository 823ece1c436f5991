use std::fmt;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rand::RngCore;
use zeroize::Zeroizing;

use super::Suite;

/// Some phones leave the padding away.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A master key with its master salt (RFC 3711, section 3.2.1). A secret: zeroed when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey(Zeroizing<Vec<u8>>);

impl MasterKey {
    /// A key that nobody can guess: it comes from the operating system's source by way of a cipher.
    pub fn random(suite: Suite) -> Self {
        let mut bytes = Zeroizing::new(vec![0; suite.key_length()]);
        rand::rng().fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// Key and salt, one after the other. `None`: they are not as long as the suite has them.
    pub fn new(suite: Suite, bytes: Zeroizing<Vec<u8>>) -> Option<Self> {
        (bytes.len() == suite.key_length()).then_some(Self(bytes))
    }

    /// Reads what follows `inline:` (RFC 4568, section 6.1).
    pub(crate) fn from_base64(suite: Suite, text: &str) -> Option<Self> {
        Self::new(suite, Zeroizing::new(BASE64.decode(text).ok()?))
    }

    /// Writes what follows `inline:`.
    pub(crate) fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64.encode(self.0.as_slice()))
    }

    pub(super) fn split(&self, suite: Suite) -> Option<(&[u8], &[u8])> {
        self.0.split_at_checked(suite.profile().key_len())
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_with_and_without_padding() {
        for suite in Suite::ALL {
            let key = MasterKey::random(suite);
            let text = key.to_base64();
            assert_eq!(MasterKey::from_base64(suite, &text), Some(key.clone()));
            assert_eq!(MasterKey::from_base64(suite, text.trim_end_matches('=')), Some(key));
            assert_eq!(MasterKey::from_base64(suite, text.get(4..).unwrap()), None, "too short");
        }
    }

    #[test]
    fn keys_differ_and_do_not_show() {
        let (one, two) = (MasterKey::random(Suite::AeadAes256Gcm), MasterKey::random(Suite::AeadAes256Gcm));
        assert_ne!(one, two);
        assert_eq!(format!("{one:?}"), "MasterKey(..)");
    }
}
