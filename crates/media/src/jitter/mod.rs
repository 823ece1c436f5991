//! The adaptive jitter buffer, a pure state machine with the decoder in the loop.
//!
//! Time is counted in [`Ticks`]: samples at 48 kHz. Every packet has an *offset*, its arrival minus its
//! timestamp; the least of the recent ones is the *base*, the fastest way through the network. All delays
//! below are measured against it, so neither the sender's clock nor ours has to be right.

mod buffer;
mod look_ahead;
mod playout;
mod stretch;
mod target;

use crate::CodecError;

pub(crate) use buffer::{Figures, JitterBuffer};

/// Time or duration in samples at 48 kHz.
pub(crate) type Ticks = i64;

/// Ticks of one millisecond.
pub(crate) const MS: Ticks = 48;

/// The stretch of the past that a packet can rebuild, in samples before its own first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    /// Where it begins, the farthest; 0 is nothing at all.
    pub reach: usize,
    /// Where it ends.
    pub end: usize,
}

impl Span {
    /// Whether enough of the `samples` that begin `offset` before the packet is in it.
    pub fn covers(self, offset: usize, samples: usize) -> bool {
        self.reach > 0 && offset > self.end && offset < self.reach + samples
    }
}

/// What the buffer wants of a decoder. All sound is 48 kHz mono.
pub(crate) trait Decoder {
    /// Samples in a payload. `None`: it is not one of this codec.
    fn samples(&self, payload: &[u8]) -> Option<usize>;
    /// The payload carries the frame before it a second time.
    fn has_redundancy(&self, payload: &[u8]) -> bool;
    /// The payload begins or keeps up a pause (DTX): what follows may be missing on purpose.
    fn is_pause(&self, payload: &[u8]) -> bool;
    /// Decodes a payload into exactly its samples.
    fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> Result<(), CodecError>;
    /// Decodes the frame before `next` out of `next`, which is as long.
    fn recover(&mut self, next: &[u8], out: &mut [i16]) -> Result<(), CodecError>;
    /// Whether the payload can rebuild more of the past than the frame before it (DRED).
    fn has_history(&mut self, payload: &[u8]) -> bool;
    /// Reads what the payload can rebuild, `most` samples of the past at the utmost. It costs.
    fn read_history(&mut self, payload: &[u8], most: usize) -> Span;
    /// Rebuilds what begins `offset` samples before the payload that was read last.
    fn rebuild(&mut self, offset: usize, out: &mut [i16]) -> Result<(), CodecError>;
    /// Invents what is missing.
    fn conceal(&mut self, out: &mut [i16]) -> Result<(), CodecError>;
}
