//! Session descriptions (RFC 8866) and the offer/answer model (RFC 3264).

mod network;
mod offer_answer;
mod opus;
mod parse;
mod print;
mod security;

use std::fmt;
use std::net::SocketAddr;

use thiserror::Error;

pub use network::{Ice, TRICKLE, Trickle};
pub use offer_answer::LocalMedia;
pub use opus::OpusParameters;
pub use security::{Security, Srtp};

use crate::ice::Agreed;
use crate::{Codec, Protection};

/// Largest description that is looked at, in bytes.
pub const MAX_SDP: usize = 64 * 1024;

/// Which way media flows, seen from the side that says it (RFC 8866, section 6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// Only from here to there.
    SendOnly,
    /// Only from there to here.
    RecvOnly,
    /// Neither way.
    Inactive,
}

impl Direction {
    /// Its attribute name.
    pub fn name(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    /// Whether this side sends.
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// Whether this side receives.
    pub fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// The same flow seen from the other side.
    pub fn reversed(self) -> Direction {
        Direction::of(self.receives(), self.sends())
    }

    /// What both allow, seen from the same side.
    pub fn both(self, other: Direction) -> Direction {
        Direction::of(self.sends() && other.sends(), self.receives() && other.receives())
    }

    fn of(sends: bool, receives: bool) -> Direction {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An RTP payload type with the codec it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload {
    /// Payload type, 0 to 127.
    pub pt: u8,
    /// Codec.
    pub codec: Codec,
}

/// A payload type of telephone-event (RFC 4733) with its clock rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventPayload {
    /// Payload type, 0 to 127.
    pub pt: u8,
    /// Ticks a second of its durations.
    pub rate: u32,
}

/// What an offer and its answer settled: all a [`Session`](crate::Session) needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// Where the other side takes RTP.
    pub remote_rtp: SocketAddr,
    /// Where the other side takes RTCP (RFC 3605), the same as `remote_rtp` with RTP and RTCP on one port (RFC 5761).
    pub remote_rtcp: SocketAddr,
    /// RTP and RTCP share one port on both sides.
    pub rtcp_mux: bool,
    /// What we send with.
    pub send: Payload,
    /// What the other side may send; never empty, the likeliest first. Some is not what was agreed on but what peers
    /// send all the same: another codec that was offered, a number of their own.
    pub receive: Vec<Payload>,
    /// How we send digits; its rate is the clock rate of `send` where the other side can do that.
    pub send_events: Option<EventPayload>,
    /// How the other side may send digits.
    pub receive_events: Vec<EventPayload>,
    /// How the other side wants Opus, where that is what we send with.
    pub opus: OpusParameters,
    /// Payload type with which we say that nothing is said (comfort noise, RFC 3389) instead of sending the silence;
    /// `None`: silence is sent like voice.
    pub comfort_noise: Option<u8>,
    /// Payload types of comfort noise that the other side may send.
    pub receive_comfort_noise: Vec<u8>,
    /// Milliseconds of sound in each packet that we send.
    pub ptime_ms: u32,
    /// Which way voice flows, seen from us. A hold by the other side (also by `c=0.0.0.0`) shows here.
    pub direction: Direction,
    /// What the other side allows by itself, seen from us: it holds us where this does not send.
    pub theirs: Direction,
    /// The other side wants VoIP metrics in extended reports (RFC 3611, section 5).
    pub voip_metrics: bool,
    /// What ICE is begun with; none where one side does not do it, or somebody between has changed the addresses.
    pub ice: Option<Agreed>,
    /// How both directions are protected; none for plain RTP.
    pub protection: Option<Protection>,
}

impl Negotiated {
    /// The codec we send with.
    pub fn codec(&self) -> Codec {
        self.send.codec
    }
}

/// Why a description cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SdpError {
    /// It is larger than [`MAX_SDP`] bytes.
    #[error("description larger than {MAX_SDP} bytes")]
    TooLarge,
    /// It is not a session description; the line that is not understood.
    #[error("not a session description: {0}")]
    Malformed(String),
    /// There is no audio stream over RTP in it, or the other side refused it.
    #[error("no audio stream over RTP")]
    NoAudio,
    /// One side protects its media where the other must not, or the other way round; it calls for a 488.
    #[error("no agreement on protection")]
    NotProtected,
    /// The two sides have no codec in common.
    #[error("no common codec")]
    NoCommonCodec,
    /// An answer came although nothing was offered.
    #[error("an answer without an offer")]
    NoOffer,
}

#[cfg(test)]
mod tests;
