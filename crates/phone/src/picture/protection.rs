use media::{Keying, Protected, Protection};
use serde::{Deserialize, Serialize};
use specta::Type;

/// Whether the calls of an account are encrypted (SRTP, RFC 3711).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum SrtpPolicy {
    /// Never.
    Off,
    /// Where the other phone can.
    #[default]
    Prefer,
    /// Always: a call that cannot be encrypted does not come about.
    Require,
}

/// Which way the keys of a call came: who could have read them there can listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum KeyWay {
    /// By a handshake between the phones themselves (DTLS-SRTP).
    Handshake,
    /// In signalling that is itself encrypted as far as the PBX (TLS, WSS).
    SecureSignalling,
    /// In signalling that anybody on the way can read (UDP, TCP).
    OpenSignalling,
}

/// How the sound of a call is protected, in both directions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ProtectionView {
    /// It is not.
    #[default]
    None,
    /// It was agreed on, and nothing authentic has come yet. Nothing is sent or heard unprotected meanwhile.
    Pending {
        /// Which way the keys come.
        keys: KeyWay,
        /// The crypto suite as in SDP, once it is known.
        suite: Option<String>,
    },
    /// What is sent is encrypted, and what is heard was.
    Encrypted {
        /// Which way the keys came.
        keys: KeyWay,
        /// The crypto suite as in SDP (`AES_CM_128_HMAC_SHA1_80`).
        suite: String,
    },
}

impl ProtectionView {
    /// What was agreed on, over signalling that is secure or not.
    pub(crate) fn agreed(protection: Option<&Protection>, secure: bool) -> Self {
        match protection {
            None => Self::None,
            Some(Protection::Sdes { suite, .. }) => {
                Self::Pending { keys: way(Keying::Sdes, secure), suite: Some(suite.name().to_owned()) }
            }
            Some(Protection::Dtls(_)) => Self::Pending { keys: KeyWay::Handshake, suite: None },
        }
    }

    /// How it stands with a running call.
    pub(crate) fn running(protected: Protected, secure: bool) -> Self {
        match protected {
            // A call that has failed so is about to end.
            Protected::Off | Protected::Failed => Self::None,
            Protected::Pending(keying) => Self::Pending { keys: way(keying, secure), suite: None },
            Protected::On(keying, suite) => {
                Self::Encrypted { keys: way(keying, secure), suite: suite.name().to_owned() }
            }
        }
    }
}

fn way(keying: Keying, secure: bool) -> KeyWay {
    match keying {
        Keying::Dtls => KeyWay::Handshake,
        Keying::Sdes if secure => KeyWay::SecureSignalling,
        Keying::Sdes => KeyWay::OpenSignalling,
    }
}

impl From<SrtpPolicy> for media::sdp::Srtp {
    fn from(policy: SrtpPolicy) -> Self {
        match policy {
            SrtpPolicy::Off => Self::Off,
            SrtpPolicy::Prefer => Self::Prefer,
            SrtpPolicy::Require => Self::Require,
        }
    }
}
