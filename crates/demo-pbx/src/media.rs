//! The sound of the echo line: SDP, RTP sent back as it came, and RTCP reports.

mod echo;
mod rtcp;
mod rtp;
mod sdp;

pub(crate) use echo::{Sockets, echo};
pub(crate) use sdp::{Media, Offer};
