//! The brand this build carries: `CARILLON_BRAND` names a folder below `brand/` when it is built, and
//! Carillon is the one where it names none. Colours and logo are the UI's, read by its own build.

/// The brand of this build.
pub const BRAND: Brand = include!(concat!(env!("OUT_DIR"), "/brand.rs"));

/// Under which name and with which ways in the phone appears. `brand/README.md` says where each is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brand {
    /// Name of the product, as people read it; also of the folder of its settings.
    pub name: &'static str,
    /// Identifier for the operating system, in reverse domain notation.
    pub identifier: &'static str,
    /// Name of the program with the window.
    pub program: &'static str,
    /// Name of the program without.
    pub cli_program: &'static str,
    /// URL scheme of the links the phone opens, in lower case.
    pub scheme: &'static str,
    /// Service under which the keychain files the phone's entries.
    pub keychain: &'static str,
    /// Product in `User-Agent`; the version goes behind it.
    pub user_agent: &'static str,
    /// Pages about the product.
    pub links: Links,
    /// Where newer versions are looked for, if anywhere.
    pub updates: Option<Updates>,
    /// Ways to sign in that are offered.
    pub ways: Ways,
    /// SIP domain the wizard begins with.
    pub domain: Preset,
    /// Server the wizard begins with.
    pub server: Preset,
}

/// Pages about the product, each an `https` URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Links {
    /// The product's own.
    pub website: Option<&'static str>,
    /// How to use it.
    pub help: Option<&'static str>,
    /// What becomes of the user's data.
    pub privacy: Option<&'static str>,
}

/// Where newer versions are looked for, and who makes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Updates {
    /// `https` URL of the manifest.
    pub manifest: &'static str,
    /// The maker's public key of Ed25519, base64.
    pub key: &'static str,
}

/// Ways to sign in that are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ways {
    /// User name and password.
    pub password: bool,
    /// Microsoft 365, where the tenant has it too.
    pub microsoft: bool,
    /// A QR code.
    pub qr: bool,
    /// A plain SIP account.
    pub sip: bool,
}

/// What a field of the wizard's first page begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// The value; never empty where the field is not free.
    pub value: &'static str,
    /// What may be done with it.
    pub is: FieldIs,
}

/// What may be done with a field of the wizard's first page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldIs {
    /// Typed by the user.
    Free,
    /// Shown as it is settled.
    Fixed,
    /// Settled and not shown.
    Hidden,
}

impl Brand {
    /// `User-Agent` of a program of this version: `Carillon/0.1.0`.
    pub fn user_agent(&self, version: &str) -> String {
        format!("{}/{version}", self.user_agent)
    }
}
