//! A safe wrapper of libopus: the one place in the workspace with `unsafe`.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::ptr::{self, NonNull};

use opusic_sys as sys;

use super::CodecError;
use crate::RATE;

/// Longest sound in one packet: 120 ms (RFC 6716, section 3.4).
pub(crate) const MAX_SAMPLES: usize = 5760;

/// Largest packet this phone makes. 32 kbit/s with FEC stays far below.
const MAX_PACKET: usize = 1275;

const BIT_RATE: i32 = 32_000;
const ENCODER_COMPLEXITY: i32 = 9;
/// 5 and above conceal with the deep model, 7 and above enhance SILK with NoLACE.
const DECODER_COMPLEXITY: i32 = 7;

fn check(code: c_int) -> Result<usize, CodecError> {
    usize::try_from(code).map_err(|_| CodecError::Opus(code))
}

fn length(of: usize) -> Result<i32, CodecError> {
    i32::try_from(of).map_err(|_| CodecError::Malformed)
}

/// Opus for speech with in-band FEC: 48 kHz, mono.
pub(crate) struct Encoder(NonNull<sys::OpusEncoder>);

// SAFETY: an encoder has no ties to the thread that made it, and `&mut self` keeps its use exclusive.
unsafe impl Send for Encoder {}

impl Encoder {
    /// An encoder that declares the least loss that switches FEC on.
    ///
    /// # Errors
    /// Out of memory.
    pub fn new() -> Result<Self, CodecError> {
        let mut error = 0;
        // SAFETY: the arguments are constants that libopus allows; `error` outlives the call.
        let state =
            unsafe { sys::opus_encoder_create(RATE as i32, 1, sys::OPUS_APPLICATION_VOIP, &raw mut error) };
        check(error)?;
        let mut encoder = Self(NonNull::new(state).ok_or(CodecError::Opus(sys::OPUS_ALLOC_FAIL))?);
        encoder.set(sys::OPUS_SET_BITRATE_REQUEST, BIT_RATE)?;
        encoder.set(sys::OPUS_SET_COMPLEXITY_REQUEST, ENCODER_COMPLEXITY)?;
        encoder.set(sys::OPUS_SET_INBAND_FEC_REQUEST, 1)?;
        encoder.set_loss(5)?;
        Ok(encoder)
    }

    /// Declares the loss to arm against, percent.
    pub fn set_loss(&mut self, percent: u8) -> Result<(), CodecError> {
        self.set(sys::OPUS_SET_PACKET_LOSS_PERC_REQUEST, i32::from(percent.min(100)))
    }

    fn set(&mut self, request: c_int, value: i32) -> Result<(), CodecError> {
        // SAFETY: the encoder is alive, and every request used here takes one opus_int32 by value.
        check(unsafe { sys::opus_encoder_ctl(self.0.as_ptr(), request, value) }).map(drop)
    }

    /// Appends the packet for this sound (10, 20, 40 or 60 ms) to `out`.
    pub fn encode(&mut self, sound: &[i16], out: &mut Vec<u8>) -> Result<(), CodecError> {
        let start = out.len();
        out.resize(start + MAX_PACKET, 0);
        let room = out.get_mut(start..).unwrap_or_default();
        let (samples, bytes) = (length(sound.len())?, length(room.len())?);
        // SAFETY: both pointers come from live slices and go with their own lengths; mono, so samples = length.
        let code =
            unsafe { sys::opus_encode(self.0.as_ptr(), sound.as_ptr(), samples, room.as_mut_ptr(), bytes) };
        let written = check(code);
        out.truncate(start + written.unwrap_or(0));
        written.map(drop)
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: made by opus_encoder_create, destroyed once.
        unsafe { sys::opus_encoder_destroy(self.0.as_ptr()) }
    }
}

/// Opus at 48 kHz, mono (stereo is mixed down by libopus).
pub(crate) struct Decoder(NonNull<sys::OpusDecoder>);

// SAFETY: as for the encoder.
unsafe impl Send for Decoder {}

impl Decoder {
    /// A decoder with deep concealment and speech enhancement.
    ///
    /// # Errors
    /// Out of memory.
    pub fn new() -> Result<Self, CodecError> {
        let mut error = 0;
        // SAFETY: the arguments are constants that libopus allows; `error` outlives the call.
        let state = unsafe { sys::opus_decoder_create(RATE as i32, 1, &raw mut error) };
        check(error)?;
        let decoder = Self(NonNull::new(state).ok_or(CodecError::Opus(sys::OPUS_ALLOC_FAIL))?);
        // SAFETY: the decoder is alive, and this request takes one opus_int32 by value.
        check(unsafe {
            sys::opus_decoder_ctl(decoder.0.as_ptr(), sys::OPUS_SET_COMPLEXITY_REQUEST, DECODER_COMPLEXITY)
        })?;
        Ok(decoder)
    }

    /// Samples in a packet. `None`: it is not an Opus packet.
    pub fn samples(packet: &[u8]) -> Option<usize> {
        let bytes = i32::try_from(packet.len()).ok().filter(|bytes| *bytes > 0)?;
        // SAFETY: pointer and length are those of one live, non-empty slice.
        let samples = unsafe { sys::opus_packet_get_nb_samples(packet.as_ptr(), bytes, RATE as i32) };
        check(samples).ok().filter(|samples| (1..=MAX_SAMPLES).contains(samples))
    }

    /// Whether the packet carries the frame before it a second time (LBRR). Pauses do not.
    pub fn has_redundancy(packet: &[u8]) -> bool {
        let Ok(bytes @ 1..) = i32::try_from(packet.len()) else { return false };
        // SAFETY: pointer and length are those of one live, non-empty slice.
        unsafe { sys::opus_packet_has_lbrr(packet.as_ptr(), bytes) > 0 }
    }

    /// Decodes a packet; `out` has the length that [`samples`](Self::samples) gave.
    pub fn decode(&mut self, packet: &[u8], out: &mut [i16]) -> Result<(), CodecError> {
        // libopus takes an empty packet for a lost one.
        if packet.is_empty() {
            return Err(CodecError::Malformed);
        }
        self.run(packet, out, false)
    }

    /// Decodes the frame before `next` out of the redundancy in `next`; `out` is as long as `next`'s sound.
    pub fn recover(&mut self, next: &[u8], out: &mut [i16]) -> Result<(), CodecError> {
        if next.is_empty() {
            return Err(CodecError::Malformed);
        }
        self.run(next, out, true)
    }

    /// Invents the sound that is missing; `out` is a multiple of 2.5 ms long.
    pub fn conceal(&mut self, out: &mut [i16]) -> Result<(), CodecError> {
        self.run(&[], out, false)
    }

    fn run(&mut self, packet: &[u8], out: &mut [i16], redundancy: bool) -> Result<(), CodecError> {
        let (bytes, samples) = (length(packet.len())?, length(out.len())?);
        let data = if packet.is_empty() { ptr::null() } else { packet.as_ptr() };
        // SAFETY: `data` is null with length 0 (documented as a loss) or a live slice with its own length;
        // `out` holds `samples` mono samples.
        let code = unsafe {
            sys::opus_decode(self.0.as_ptr(), data, bytes, out.as_mut_ptr(), samples, c_int::from(redundancy))
        };
        check(code).map(drop)
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: made by opus_decoder_create, destroyed once.
        unsafe { sys::opus_decoder_destroy(self.0.as_ptr()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::speech;

    #[test]
    fn speech_survives() {
        let sound = speech(48_000 * 2);
        let (mut encoder, mut decoder) = (Encoder::new().unwrap(), Decoder::new().unwrap());
        let (mut packet, mut heard) = (Vec::new(), Vec::new());
        for frame in sound.chunks_exact(960) {
            packet.clear();
            encoder.encode(frame, &mut packet).unwrap();
            assert_eq!(Decoder::samples(&packet), Some(960));
            let mut out = [0; 960];
            decoder.decode(&packet, &mut out).unwrap();
            heard.extend_from_slice(&out);
        }
        let (delay, likeness) = crate::testing::align(&sound, &heard, 600);
        assert!(likeness > 0.95, "likeness {likeness}");
        assert!((200..=400).contains(&delay), "delay {delay} samples");
    }

    #[test]
    fn redundancy_is_there_and_brings_the_frame_back() {
        let sound = speech(48_000 * 2);
        let mut encoder = Encoder::new().unwrap();
        encoder.set_loss(10).unwrap();
        let packets: Vec<Vec<u8>> = sound
            .chunks_exact(960)
            .map(|frame| {
                let mut packet = Vec::new();
                encoder.encode(frame, &mut packet).unwrap();
                packet
            })
            .collect();
        let redundant = packets.iter().filter(|p| Decoder::has_redundancy(p)).count();
        assert!(redundant * 2 > packets.len(), "{redundant} of {}", packets.len());
    }

    #[test]
    fn garbage_is_refused() {
        let mut decoder = Decoder::new().unwrap();
        let mut out = [0; 960];
        assert_eq!(Decoder::samples(&[]), None);
        assert_eq!(Decoder::samples(&[0xff]), None);
        assert!(decoder.decode(&[], &mut out).is_err());
        assert!(decoder.decode(&[0xff; 3], &mut out).is_err());
        assert!(!Decoder::has_redundancy(&[]));
    }
}
