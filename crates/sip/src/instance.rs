use rand::Rng;

/// Identity of one phone among those of an account (`+sip.instance`, RFC 5626, section 4.1): made up once, kept for
/// as long as the phone is installed, so that the PBX knows it again wherever it registers from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance(String);

impl Instance {
    /// A new identity: a random UUID (RFC 4122, section 4.4) as a URN.
    pub fn random() -> Self {
        let random: u128 = rand::rng().random();
        let bits = (random & !(0xf << 76) & !(0b11 << 62)) | (4 << 76) | (0b10 << 62);
        let hex = format!("{bits:032x}");
        let mut urn = String::from("urn:uuid:");
        for (place, digit) in hex.chars().enumerate() {
            if matches!(place, 8 | 12 | 16 | 20) {
                urn.push('-');
            }
            urn.push(digit);
        }
        Self(urn)
    }

    /// Reads one that was kept; `None` where it is no UUID as a URN.
    pub fn parse(urn: &str) -> Option<Self> {
        let groups: Vec<&str> = urn.strip_prefix("urn:uuid:")?.split('-').collect();
        let is_hex = groups.iter().all(|group| group.chars().all(|c| c.is_ascii_hexdigit()));
        let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
        (is_hex && lengths == [8, 4, 4, 4, 12]).then(|| Self(urn.to_ascii_lowercase()))
    }

    /// The URN, `urn:uuid:…`, to be kept.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_identity_is_a_random_uuid_and_can_be_kept() {
        let instance = Instance::random();
        let urn = instance.as_str();
        assert_eq!(Instance::parse(urn).as_ref(), Some(&instance));
        assert_ne!(Instance::random(), instance);
        let places: Vec<char> = urn.chars().collect();
        assert_eq!(places[23], '4', "{urn}");
        assert!("89ab".contains(places[28]), "{urn}");
        for nonsense in ["", "urn:uuid:", "urn:uuid:f81d4fae7dec41d0a76500a0c91e6bf6", "urn:x:1\">"] {
            assert_eq!(Instance::parse(nonsense), None);
        }
    }
}
