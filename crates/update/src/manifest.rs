use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::Version;

/// No manifest is longer, bytes.
pub const MAX_MANIFEST: usize = 64 * 1024;
/// No package is larger, bytes.
const MAX_PACKAGE: u64 = 1024 * 1024 * 1024;

/// What a release says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Name of the product it is of.
    pub product: String,
    /// Its version.
    pub version: Version,
    /// What is new, for people to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<Url>,
    /// What can be installed.
    pub packages: Vec<Package>,
}

/// A file that installs the release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// For which kind of installation: `windows-x64`, `windows-x64-user`, `debian-amd64`,
    /// `linux-x64-appimage`.
    pub kind: String,
    /// Where it is to be had.
    pub url: Url,
    /// Length in bytes.
    pub size: u64,
    /// SHA-256, 64 hexadecimal digits.
    pub sha256: String,
}

/// A public key of Ed25519 (RFC 8032).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 32]);

/// A signature of Ed25519 (RFC 8032).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

/// Why a manifest is not followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It was not signed with the product's key, or changed after that.
    #[error("not signed by who makes the product")]
    Signature,
    /// Signed, but not understood.
    #[error("the manifest is not understood: {0}")]
    NotUnderstood(String),
    /// It is of another product.
    #[error("the manifest is of {0}")]
    Another(String),
    /// It is of a version before the one that asks.
    #[error("{0} is earlier than what is installed")]
    Downgrade(Version),
}

impl Key {
    /// The key itself, as RFC 8032 encodes it.
    pub fn of(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads base64.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self(STANDARD.decode(text.trim()).ok()?.try_into().ok()?))
    }
}

impl Signature {
    /// Reads base64.
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self(STANDARD.decode(text.trim()).ok()?.try_into().ok()?))
    }
}

/// Reads a manifest for `product`, of which `installed` is installed. `None`: there is nothing newer.
///
/// # Errors
/// It is not to be followed. Nothing in it is looked at before its signature.
pub fn read(
    manifest: &[u8],
    signature: Signature,
    key: Key,
    product: &str,
    installed: Version,
) -> Result<Option<Manifest>, Refused> {
    UnparsedPublicKey::new(&ED25519, key.0).verify(manifest, &signature.0).map_err(|_| Refused::Signature)?;
    let manifest: Manifest =
        serde_json::from_slice(manifest).map_err(|error| Refused::NotUnderstood(error.to_string()))?;
    if manifest.product != product {
        return Err(Refused::Another(manifest.product));
    }
    if let Some(package) = manifest.packages.iter().find(|package| !package.is_plausible()) {
        return Err(Refused::NotUnderstood(format!("package {}", package.kind)));
    }
    if manifest.version < installed {
        return Err(Refused::Downgrade(manifest.version));
    }
    Ok((manifest.version > installed).then_some(manifest))
}

impl Package {
    fn is_plausible(&self) -> bool {
        self.url.scheme() == "https"
            && (1..=MAX_PACKAGE).contains(&self.size)
            && self.sha256.len() == 64
            && self.sha256.bytes().all(|b| b.is_ascii_hexdigit())
    }
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    struct Maker {
        pair: Ed25519KeyPair,
        key: Key,
    }

    impl Maker {
        fn new() -> Self {
            let private = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
            let pair = Ed25519KeyPair::from_pkcs8(private.as_ref()).unwrap();
            Self { key: Key::of(pair.public_key().as_ref().try_into().unwrap()), pair }
        }

        fn signs(&self, manifest: &str) -> Signature {
            Signature(self.pair.sign(manifest.as_bytes()).as_ref().try_into().unwrap())
        }
    }

    fn manifest(version: &str) -> String {
        format!(
            r#"{{"product":"Carillon","version":"{version}","packages":[{{"kind":"windows-x64",
            "url":"https://carillon.test/a.msi","size":12,"sha256":"{}"}}]}}"#,
            "0a".repeat(32)
        )
    }

    fn read_of(maker: &Maker, text: &str) -> Result<Option<Version>, Refused> {
        let installed = "1.2.3".parse().unwrap();
        let found = read(text.as_bytes(), maker.signs(text), maker.key, "Carillon", installed)?;
        Ok(found.map(|manifest| manifest.version))
    }

    #[test]
    fn a_later_version_is_offered_and_the_same_is_not() {
        let maker = Maker::new();
        assert_eq!(read_of(&maker, &manifest("1.2.4")), Ok(Some("1.2.4".parse().unwrap())));
        assert_eq!(read_of(&maker, &manifest("1.2.3")), Ok(None));
    }

    /// `openssl pkeyutl -sign -rawin` with a key of `openssl genpkey -algorithm ed25519`.
    #[test]
    fn what_openssl_signed_is_believed() {
        let key = Key::parse("3hLWz1ar6TzPGc0oQ08gxmoUKn7LIwYXz3gni9rJ/NM=").unwrap();
        let signature = Signature::parse(
            "hAtdr0DZwYg4iVrrxcveRu8SWA/LvGEIPQkLkR6UZUrRaE4Z7bZAQec2XdM8GqQItLwjut4PkTArz57GWCRpAQ==",
        );
        let manifest = br#"{"product":"Carillon","version":"2.0.0","packages":[]}"#;
        let found = read(manifest, signature.unwrap(), key, "Carillon", "1.2.3".parse().unwrap());
        assert_eq!(found.unwrap().unwrap().version, "2.0.0".parse().unwrap());
    }

    #[test]
    fn an_earlier_version_is_refused_however_well_it_is_signed() {
        let refused = read_of(&Maker::new(), &manifest("1.2.2"));
        assert_eq!(refused, Err(Refused::Downgrade("1.2.2".parse().unwrap())));
    }

    #[test]
    fn what_another_signed_or_was_changed_is_refused() {
        let (maker, other) = (Maker::new(), Maker::new());
        let (text, installed) = (manifest("2.0.0"), "1.2.3".parse().unwrap());
        let refused = |text: &str, signature| {
            assert_eq!(
                read(text.as_bytes(), signature, maker.key, "Carillon", installed),
                Err(Refused::Signature)
            );
        };
        refused(&text, other.signs(&text));
        refused(&text.replace("a.msi", "b.msi"), maker.signs(&text));
        refused(&text[..text.len() - 1], maker.signs(&text));
        refused(&text, Signature([0; 64]));
    }

    #[test]
    fn signed_nonsense_is_not_followed() {
        let maker = Maker::new();
        let whole = manifest("2.0.0");
        for bad in [
            whole.replace("https:", "http:"),
            whole.replace("\"size\":12", "\"size\":0"),
            whole.replace("0a0a", "zz0a"),
            whole.replace("2.0.0", "latest"),
            "{}".to_owned(),
            String::new(),
        ] {
            assert!(matches!(read_of(&maker, &bad), Err(Refused::NotUnderstood(_))), "{bad}");
        }
        let another = whole.replace("Carillon", "Harbour Voice");
        assert_eq!(read_of(&maker, &another), Err(Refused::Another("Harbour Voice".into())));
    }

    #[test]
    fn keys_and_signatures_are_of_one_length() {
        assert_eq!(Key::parse("AAAA"), None);
        assert_eq!(Key::parse("no base64"), None);
        assert!(Key::parse(&STANDARD.encode([1; 32])).is_some());
        assert_eq!(Signature::parse(&STANDARD.encode([1; 63])), None);
    }
}
