//! The voice path as pure state: SDP, RTP, RTCP, jitter buffer, codecs.
//!
//! Nothing here opens a socket or reads a clock. [`sdp::LocalMedia`] turns offers into answers and both into
//! [`sdp::Negotiated`]; out of that grows a [`Session`], which takes datagrams and microphone frames with the
//! current time and gives datagrams, speaker frames and its next deadline.

#![deny(clippy::indexing_slicing, clippy::string_slice)]

mod adaptation;
mod codec;
mod comfort_noise;
mod conference;
mod control;
mod demux;
mod dtmf;
mod far_end;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
pub mod ice;
mod in_band;
mod jitter;
mod latch;
mod path;
mod processing;
mod protect;
mod quality;
mod receiver;
mod report;
mod rtcp;
mod rtcp_xr;
mod rtp;
pub mod sdp;
mod sender;
mod session;
mod stun;
#[cfg(test)]
mod testing;
mod turn;

pub use codec::{Codec, CodecError, Law};
pub use conference::{Conference, Gate};
pub use dtmf::Digit;
pub use far_end::FarEnd;
pub use path::{Outgoing, Path, Port, Servers, TurnServer, Way};
pub use processing::{EchoFigures, NoiseSuppression, Processing, Stages, Talking};
pub use protect::{
    Association, Fingerprint, Identity, Keying, MasterKey, Protected, Protection, Role, Suite,
};
pub use report::{Report, level};
pub use rtcp_xr::VoipMetrics;
pub use session::{Channel, MediaError, Session, Transmit};
pub use turn::Login;

/// Samples a second of all sound that devices and media exchange: 48 kHz, mono, 16 bit.
pub const RATE: u32 = 48_000;

/// Samples of one frame, the unit in which devices and media exchange sound: 10 ms.
pub const FRAME: usize = 480;
