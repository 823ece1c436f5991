use std::ffi::c_int;
use std::ptr::{self, NonNull};

use opusic_sys as sys;

use super::{CodecError, MAX_SAMPLES, check, length};
use crate::RATE;
use crate::jitter::Span;

/// 5 and above conceal with the deep model. From 6 on libopus enhances SILK as well: a call then costs 1.4 times as much,
/// and scores the same at the bit rate we speak at.
const COMPLEXITY: i32 = 5;
/// As much of the past as tells that there is any: 100 ms.
const A_LITTLE: usize = 4800;

/// Opus at 48 kHz, mono (stereo is mixed down by libopus).
pub(crate) struct Decoder {
    state: NonNull<sys::OpusDecoder>,
    dred: Dred,
}

// SAFETY: a decoder has no ties to the thread that made it, and `&mut self` keeps its use exclusive.
unsafe impl Send for Decoder {}

impl Decoder {
    /// A decoder with deep concealment and deep redundancy.
    ///
    /// # Errors
    /// Out of memory.
    pub fn new() -> Result<Self, CodecError> {
        let mut error = 0;
        // SAFETY: the arguments are constants that libopus allows; `error` outlives the call.
        let state = unsafe { sys::opus_decoder_create(RATE as i32, 1, &raw mut error) };
        check(error)?;
        let state = NonNull::new(state).ok_or(CodecError::Opus(sys::OPUS_ALLOC_FAIL))?;
        let decoder = Self { state, dred: Dred::new()? };
        // SAFETY: the decoder is alive, and this request takes one opus_int32 by value.
        check(unsafe {
            sys::opus_decoder_ctl(state.as_ptr(), sys::OPUS_SET_COMPLEXITY_REQUEST, COMPLEXITY)
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

    /// Whether the packet carries deep redundancy (DRED). Costs little.
    pub fn has_history(&mut self, packet: &[u8]) -> bool {
        self.dred.parse(packet, A_LITTLE, false).reach > 0
    }

    /// Reads the deep redundancy of a packet, `most` samples of the past at the utmost. Costs a run of the model.
    pub fn read_history(&mut self, packet: &[u8], most: usize) -> Span {
        self.dred.parse(packet, most, true)
    }

    /// Rebuilds the sound that begins `offset` samples before the packet last given to
    /// [`read_history`](Self::read_history); `out` is a multiple of 2.5 ms long.
    pub fn rebuild(&mut self, offset: usize, out: &mut [i16]) -> Result<(), CodecError> {
        let (offset, samples) = (length(offset)?, length(out.len())?);
        // SAFETY: both handles are alive (libopus takes one whose parsing failed for empty); `out` holds
        // `samples` mono samples.
        let code = unsafe {
            let parsed = self.dred.parsed.as_ptr();
            sys::opus_decoder_dred_decode(self.state.as_ptr(), parsed, offset, out.as_mut_ptr(), samples)
        };
        check(code).map(drop)
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
            let redundancy = c_int::from(redundancy);
            sys::opus_decode(self.state.as_ptr(), data, bytes, out.as_mut_ptr(), samples, redundancy)
        };
        check(code).map(drop)
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: made by opus_decoder_create, destroyed once.
        unsafe { sys::opus_decoder_destroy(self.state.as_ptr()) }
    }
}

/// The reader of deep redundancy, and what it read last.
struct Dred {
    reader: NonNull<sys::OpusDREDDecoder>,
    parsed: NonNull<sys::OpusDRED>,
}

impl Dred {
    fn new() -> Result<Self, CodecError> {
        let (mut reader_error, mut parsed_error) = (0, 0);
        // SAFETY: both errors outlive their calls.
        let (reader, parsed) = unsafe {
            (
                sys::opus_dred_decoder_create(&raw mut reader_error),
                sys::opus_dred_alloc(&raw mut parsed_error),
            )
        };
        match (NonNull::new(reader), NonNull::new(parsed)) {
            (Some(reader), Some(parsed)) => {
                let mut dred = Self { reader, parsed };
                // `parsed` is not initialised until something was read into it.
                dred.parse(&[0], 0, false);
                Ok(dred)
            }
            (reader, parsed) => {
                // SAFETY: each that is there was made above and is given back once.
                unsafe {
                    reader.into_iter().for_each(|reader| sys::opus_dred_decoder_destroy(reader.as_ptr()));
                    parsed.into_iter().for_each(|parsed| sys::opus_dred_free(parsed.as_ptr()));
                }
                Err(CodecError::Opus(sys::OPUS_ALLOC_FAIL))
            }
        }
    }

    /// Reads a packet; with `fully` its sound can be rebuilt, without it only its reach is known.
    fn parse(&mut self, packet: &[u8], most: usize, fully: bool) -> Span {
        let (Ok(bytes @ 1..), Ok(most)) = (length(packet.len()), length(most)) else {
            return Span::default();
        };
        let mut end = 0;
        // SAFETY: both handles are alive, pointer and length are those of one live, non-empty slice, and `end`
        // outlives the call.
        let code = unsafe {
            let (reader, parsed) = (self.reader.as_ptr(), self.parsed.as_ptr());
            let rate = RATE as i32;
            let defer = c_int::from(!fully);
            sys::opus_dred_parse(reader, parsed, packet.as_ptr(), bytes, most, rate, &raw mut end, defer)
        };
        Span { reach: check(code).unwrap_or(0), end: check(end).unwrap_or(0) }
    }
}

impl Drop for Dred {
    fn drop(&mut self) {
        // SAFETY: made by their constructors, given back once.
        unsafe {
            sys::opus_dred_free(self.parsed.as_ptr());
            sys::opus_dred_decoder_destroy(self.reader.as_ptr());
        }
    }
}
