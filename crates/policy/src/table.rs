//! The one table.

use crate::Name;

/// What a key may be settled to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text that is not empty.
    Text,
    /// Yes or no.
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Some of these words, in order.
    Choices(&'static [&'static str]),
    /// Texts.
    Texts,
}

/// What can be settled, and what an administrator reads of it.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Which.
    pub name: Name,
    /// As it stands in the file, and as the value is called in the registry.
    pub key: &'static str,
    /// To what.
    pub kind: Kind,
    /// In a few words.
    pub title: &'static str,
    /// What comes of it, in a sentence or two.
    pub help: &'static str,
    /// As it may stand in a file.
    pub example: &'static str,
}

/// Every key.
pub const KEYS: &[Key] = &[
    Key {
        name: Name::Server,
        key: "server",
        kind: Kind::Text,
        title: "PBX server",
        help: "Host, or host and port, that the sign-in offers. Locked, it is shown and cannot be changed.",
        example: "\"pbx.example.com\"",
    },
    Key {
        name: Name::Domain,
        key: "domain",
        kind: Kind::Text,
        title: "SIP domain",
        help: "Domain that the sign-in offers. Locked, it is shown and cannot be changed.",
        example: "\"example.com\"",
    },
    Key {
        name: Name::Ways,
        key: "ways",
        kind: Kind::Choices(&["password", "microsoft", "qr", "sip"]),
        title: "Ways to sign in",
        help: "Only these are offered: user name and password, Microsoft 365, a QR code, a plain SIP account.",
        example: "[\"password\", \"microsoft\"]",
    },
    Key {
        name: Name::Transport,
        key: "transport",
        kind: Kind::Choice(&["automatic", "tls", "tcp", "udp", "wss"]),
        title: "SIP transport",
        help: "How SIP reaches the proxy. Preset, it is what a plain SIP account begins with; locked, every account uses it.",
        example: "\"tls\"",
    },
    Key {
        name: Name::Srtp,
        key: "srtp",
        kind: Kind::Choice(&["off", "prefer", "require"]),
        title: "Encryption of calls",
        help: "Whether voice is encrypted (SRTP): never, where the other side can, or always. Preset, it is what new accounts begin with; locked, every account uses it.",
        example: "\"require\"",
    },
    Key {
        name: Name::Codecs,
        key: "codecs",
        kind: Kind::Choices(&["opus", "g722", "pcmu", "pcma"]),
        title: "Codecs",
        help: "Codecs that are offered and accepted, best first; others are not used.",
        example: "[\"opus\", \"pcma\"]",
    },
    Key {
        name: Name::Proxy,
        key: "proxy",
        kind: Kind::Text,
        title: "Outbound SIP proxy",
        help: "Host, or host and port, that every account sends SIP to, such as a border controller. Preset, it is what a plain SIP account begins with.",
        example: "\"sbc.example.com:5061\"",
    },
    Key {
        name: Name::WebProxy,
        key: "web_proxy",
        kind: Kind::Text,
        title: "Web proxy",
        help: "Through which proxy the PBX's REST interface, SIP over WSS and newer versions are reached: http://host:port or socks5://host:port, with user:password@ before the host where the proxy asks for them (everybody who can read the policy can read them), or none. Without it the system's settings hold (on Linux HTTPS_PROXY, ALL_PROXY and NO_PROXY). Addresses of this machine and what NO_PROXY names are reached straight. PAC scripts are not read; UDP, TCP and TLS of SIP and the voice itself do not go through it.",
        example: "\"http://proxy.example.com:3128\"",
    },
    Key {
        name: Name::Authorities,
        key: "authorities",
        kind: Kind::Texts,
        title: "Certificate authorities",
        help: "PEM files of authorities that are trusted beside those of the operating system.",
        example: "[\"/etc/ssl/example-ca.pem\"]",
    },
    Key {
        name: Name::Pins,
        key: "pins",
        kind: Kind::Texts,
        title: "Certificates trusted for one server",
        help: "Each is host:port, a space, and the certificate's SHA-256 fingerprint. Locked, users cannot trust others by themselves.",
        example: "[\"pbx.example.com:8887 0f1e2d…\"]",
    },
    Key {
        name: Name::Autostart,
        key: "autostart",
        kind: Kind::Flag,
        title: "Start with the session",
        help: "Locked, the phone starts when its user signs in to the computer, or does not; preset, it means nothing.",
        example: "true",
    },
    Key {
        name: Name::Recording,
        key: "recording",
        kind: Kind::Choice(&["forbidden", "allowed", "always"]),
        title: "Recording of calls",
        help: "Whether calls cannot be recorded, are recorded when a user wants it, or always. Locked, users cannot choose otherwise; preset, forbidden means the same as allowed.",
        example: "\"forbidden\"",
    },
    Key {
        name: Name::Updates,
        key: "updates",
        kind: Kind::Flag,
        title: "Look for newer versions",
        help: "Whether the phone asks its maker for newer versions and offers to install them. Switch it off where you roll out the packages yourself; preset and locked mean the same.",
        example: "false",
    },
    Key {
        name: Name::Log,
        key: "log",
        kind: Kind::Choice(&["error", "warn", "info", "debug"]),
        title: "Log level",
        help: "How much the phone writes into its log. Secrets are in none of them.",
        example: "\"info\"",
    },
    Key {
        name: Name::Organisation,
        key: "organisation",
        kind: Kind::Text,
        title: "Name of the organisation",
        help: "Shown where a setting is locked.",
        example: "\"Example Ltd\"",
    },
    Key {
        name: Name::Help,
        key: "help",
        kind: Kind::Text,
        title: "Help page",
        help: "An https address that Help leads to in place of the brand's own.",
        example: "\"https://intranet.example.com/phone\"",
    },
];

impl Name {
    /// Its row of the table.
    pub fn key(self) -> Option<&'static Key> {
        KEYS.iter().find(|key| key.name == self)
    }
}
