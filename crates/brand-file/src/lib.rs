//! Reads a brand out of its folder, as `brand/README.md` describes it. What is unknown, missing or malformed
//! is a fault with a sentence that names it: a brand is right, or nothing is built of it.

mod check;
mod written;

use std::path::{Path, PathBuf};
use std::{fs, io};

pub use crate::written::{FieldIs, Way};

/// A brand as its folder holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Brand {
    /// Name of the product, as people read it.
    pub name: String,
    /// Identifier for the operating system, in reverse domain notation.
    pub identifier: String,
    /// Name of the program with the window.
    pub program: String,
    /// URL scheme (RFC 3986, section 3.1), in lower case.
    pub scheme: String,
    /// Service in the keychain.
    pub keychain: String,
    /// Product in `User-Agent` (RFC 9110, section 10.1.5), without a version.
    pub user_agent: String,
    /// Colour of the accents.
    pub colour: Colour,
    /// Pages about the product.
    pub links: Links,
    /// Where newer versions are looked for.
    pub updates: Option<Updates>,
    /// What the wizard offers.
    pub sign_in: SignIn,
}

/// Where newer versions are looked for, and who makes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Updates {
    /// `https` URL of the manifest.
    pub manifest: String,
    /// The maker's public key of Ed25519 (RFC 8032), base64.
    pub key: String,
}

/// Colour of the accents in OKLCH; the tokens give the lightness.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Colour {
    /// Hue, degrees from 0 to below 360.
    pub hue: f64,
    /// Chroma, 0 to [`MAX_CHROMA`].
    pub chroma: f64,
}

/// The most colourful an accent may be: up to here every hue keeps its contrast on both themes.
pub const MAX_CHROMA: f64 = 0.13;

/// Pages about the product, each an `https` URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// The product's own.
    pub website: Option<String>,
    /// How to use it.
    pub help: Option<String>,
    /// What becomes of the user's data.
    pub privacy: Option<String>,
}

/// What the wizard offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Ways in, at least one.
    pub ways: Vec<Way>,
    /// SIP domain.
    pub domain: Preset,
    /// Server.
    pub server: Preset,
}

/// What a field begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preset {
    /// What may be done with the field.
    pub is: FieldIs,
    /// The value; never empty where the field is not free.
    pub value: String,
}

/// What is wrong with a brand.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A file cannot be read.
    #[error("{}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// It is not TOML, or a key is unknown, missing or of another type; the text names the line.
    #[error("{}: {cause}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What and where.
        cause: toml::de::Error,
    },
    /// A value is not one that can be used.
    #[error("{}: {key}: {why}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// What it has to be.
        why: &'static str,
    },
}

/// Reads the brand in `folder`.
///
/// # Errors
/// `brand.toml` or a picture is missing or malformed.
pub fn read(folder: &Path) -> Result<Brand, Fault> {
    let path = folder.join("brand.toml");
    let text = text_of(&path)?;
    let brand = match toml::from_str::<written::File>(&text) {
        Ok(file) => check::brand(file),
        Err(cause) => return Err(Fault::Malformed { path, cause }),
    };
    let brand = brand.map_err(|(key, why)| Fault::Unusable { path, key, why })?;
    for (logo, must_be_there) in [("logo.svg", true), ("ringing.svg", false)] {
        let path = folder.join(logo);
        if must_be_there || path.exists() {
            let text = text_of(&path)?;
            check::logo(&text).map_err(|why| Fault::Unusable { path, key: "logo", why })?;
        }
    }
    for icon in ICONS {
        let path = folder.join("icons").join(icon);
        fs::metadata(&path).map_err(|cause| Fault::Unreadable { path, cause })?;
    }
    Ok(brand)
}

/// The pictures in a brand's folder `icons`, in the order packages name them.
pub const ICONS: [&str; 6] =
    ["32x32.png", "128x128.png", "128x128@2x.png", "icon.png", "icon.icns", "icon.ico"];

fn text_of(path: &Path) -> Result<String, Fault> {
    fs::read_to_string(path).map_err(|cause| Fault::Unreadable { path: path.to_owned(), cause })
}

#[cfg(test)]
mod tests;
