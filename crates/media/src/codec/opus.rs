//! A safe wrapper of libopus: the one place in the workspace with `unsafe`.
#![allow(unsafe_code)]

mod decoder;
mod encoder;

use std::ffi::c_int;

pub(crate) use decoder::Decoder;
pub(crate) use encoder::{Encoder, Settings};

use super::CodecError;

/// Longest sound in one packet: 120 ms (RFC 6716, section 3.4).
const MAX_SAMPLES: usize = 5760;

/// Whether a packet says nothing but that the voice pauses: at most the TOC byte and one more (RFC 6716, section 3.4).
pub(crate) fn is_pause(packet: &[u8]) -> bool {
    packet.len() <= 2
}

fn check(code: c_int) -> Result<usize, CodecError> {
    usize::try_from(code).map_err(|_| CodecError::Opus(code))
}

fn length(of: usize) -> Result<i32, CodecError> {
    i32::try_from(of).map_err(|_| CodecError::Malformed)
}

#[cfg(test)]
mod tests;
