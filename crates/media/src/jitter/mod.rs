//! The adaptive jitter buffer, a pure state machine with the decoder in the loop.
//!
//! Time is counted in [`Ticks`]: samples at 48 kHz. Every packet has an *offset*, its arrival minus its
//! timestamp; the least of the recent ones is the *base*, the fastest way through the network. All delays
//! below are measured against it, so neither the sender's clock nor ours has to be right.

mod buffer;
mod playout;
mod stretch;
mod target;

use crate::CodecError;

pub(crate) use buffer::JitterBuffer;

/// Time or duration in samples at 48 kHz.
pub(crate) type Ticks = i64;

/// Ticks of one millisecond.
pub(crate) const MS: Ticks = 48;

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
    /// Invents what is missing.
    fn conceal(&mut self, out: &mut [i16]) -> Result<(), CodecError>;
}
