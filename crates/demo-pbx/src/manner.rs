//! How the PBX goes about sign-in: what differs between versions, and what nobody documents.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Version of the REST API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
pub enum Generation {
    /// `/auth/*` and everything before it.
    #[default]
    #[value(name = "22.2")]
    #[serde(rename = "22.2")]
    V22_2,
    /// `/login/oauth/*` and the cookie session of `/login`.
    #[value(name = "22.0")]
    #[serde(rename = "22.0")]
    V22_0,
    /// The cookie session of `/login` only.
    #[value(name = "21")]
    #[serde(rename = "21")]
    V21,
}

impl Generation {
    /// Whether it has this path, without `/api`.
    pub(crate) fn knows(self, path: &str) -> bool {
        match self {
            Self::V22_2 => true,
            Self::V22_0 => !path.starts_with("/auth/"),
            Self::V21 => !path.starts_with("/auth/") && !path.starts_with("/login/oauth/"),
        }
    }

    /// Whether users may be asked for an e-mailed code.
    pub(crate) fn has_second_factor(self) -> bool {
        self == Self::V22_2
    }
}

/// What Microsoft sign-in brings back to the callback address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MicrosoftAnswer {
    /// Tokens in the query.
    #[default]
    Query,
    /// Tokens in the fragment.
    Fragment,
    /// `token`, which works as an access token.
    SessionToken,
    /// `token` and `two_factor_enabled=true`: an e-mailed code is asked for.
    SecondFactor,
    /// `code`, to be exchanged at `/login/oauth/token`.
    Code,
    /// `error=access_denied`, whatever the user did.
    Denied,
    /// `error=server_error`.
    Error,
}

/// What a right code is answered with at `/auth/verify_otp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerifyAnswer {
    /// The four token fields.
    #[default]
    Tokens,
    /// Nothing, as the contract has it.
    NoTokens,
}

/// How it goes about sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Manner {
    /// Version of the REST API.
    pub generation: Generation,
    /// Users may sign in with Microsoft 365.
    pub microsoft: bool,
    /// What Microsoft sign-in brings back.
    pub microsoft_answer: MicrosoftAnswer,
    /// What a right code is answered with.
    pub verify_otp: VerifyAnswer,
    /// A callback address on loopback is refused.
    pub refuse_loopback: bool,
}
