mod conceal;
mod g711;
mod g722;
mod opus;
mod resample;
mod voice;

use std::fmt;

use thiserror::Error;

pub use g711::Law;
pub(crate) use opus::Settings as OpusSettings;
pub(crate) use resample::{Band, Down, Up};
pub(crate) use voice::{VoiceDecoder, VoiceEncoder};

/// A voice codec of this phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Opus (RFC 6716, RFC 7587), 48 kHz.
    Opus,
    /// G.722 (RFC 3551, section 4.5.2), 16 kHz with an RTP clock of 8 kHz.
    G722,
    /// G.711 µ-law (RFC 3551, section 4.5.14), 8 kHz.
    Pcmu,
    /// G.711 A-law (RFC 3551, section 4.5.14), 8 kHz.
    Pcma,
}

impl Codec {
    /// All codecs, best first.
    pub const ALL: [Codec; 4] = [Codec::Opus, Codec::G722, Codec::Pcmu, Codec::Pcma];

    /// Its name in SDP: `opus`, `G722`, `PCMU`, `PCMA`.
    pub fn name(self) -> &'static str {
        match self {
            Codec::Opus => "opus",
            Codec::G722 => "G722",
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
        }
    }

    /// The codec with this SDP name, in any case.
    pub fn from_name(name: &str) -> Option<Codec> {
        Codec::ALL.into_iter().find(|codec| codec.name().eq_ignore_ascii_case(name))
    }

    /// Ticks a second of its RTP clock.
    pub fn clock_rate(self) -> u32 {
        match self {
            Codec::Opus => 48_000,
            Codec::G722 | Codec::Pcmu | Codec::Pcma => 8_000,
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A codec refused its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CodecError {
    /// libopus returned this error (`opus_defines.h`).
    #[error("libopus: {0}")]
    Opus(i32),
    /// The packet does not hold a payload of this codec.
    #[error("malformed payload")]
    Malformed,
}
