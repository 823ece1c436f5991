//! `brand.toml` as it is written. A key that is not here is refused.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) identifier: String,
    pub(crate) program: String,
    pub(crate) scheme: String,
    pub(crate) keychain: String,
    pub(crate) user_agent: String,
    pub(crate) colour: Colour,
    #[serde(default)]
    pub(crate) links: Links,
    pub(crate) updates: Option<Updates>,
    pub(crate) sign_in: SignIn,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Updates {
    pub(crate) manifest: String,
    pub(crate) key: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Colour {
    pub(crate) hue: f64,
    pub(crate) chroma: f64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Links {
    pub(crate) website: Option<String>,
    pub(crate) help: Option<String>,
    pub(crate) privacy: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    pub(crate) ways: Vec<Way>,
    pub(crate) domain: Preset,
    pub(crate) server: Preset,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Preset {
    pub(crate) is: FieldIs,
    #[serde(default)]
    pub(crate) value: String,
}

/// A way to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// User name and password.
    Password,
    /// Microsoft 365.
    Microsoft,
    /// A QR code.
    Qr,
    /// A plain SIP account.
    Sip,
}

/// What may be done with a field of the wizard's first page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldIs {
    /// Typed by the user.
    Free,
    /// Shown as it is settled.
    Fixed,
    /// Settled and not shown.
    Hidden,
}
