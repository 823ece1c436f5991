use std::ffi::c_int;
use std::ptr::NonNull;

use opusic_sys as sys;

use super::{CodecError, check, length};
use crate::RATE;

/// Largest packet this phone makes; 64 kbit/s with all redundancy stays far below.
const MAX_PACKET: usize = 1275;
const COMPLEXITY: i32 = 9;
/// Longest deep redundancy that libopus makes, in its unit of 10 ms.
const MAX_DRED: i32 = 104;

/// How an encoder is to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Bits a second.
    pub bit_rate: u32,
    /// Nothing above 8 kHz: what is below sounds better then at the same bit rate.
    pub wideband: bool,
    /// Each packet carries the frame before it a second time (LBRR).
    pub fec: bool,
    /// Loss to arm against, percent. Without any there is no redundancy.
    pub loss: u8,
    /// How far back each packet's deep redundancy is to reach at most, ms; 0 is none.
    pub dred_ms: u16,
    /// Packets are left out in pauses.
    pub dtx: bool,
}

impl Settings {
    /// For a path of which nothing bad is known.
    pub const CLEAN: Settings =
        Settings { bit_rate: 64_000, wideband: false, fec: true, loss: 5, dred_ms: 0, dtx: false };
}

/// Opus for speech: 48 kHz, mono.
pub(crate) struct Encoder {
    state: NonNull<sys::OpusEncoder>,
    settings: Settings,
}

// SAFETY: an encoder has no ties to the thread that made it, and `&mut self` keeps its use exclusive.
unsafe impl Send for Encoder {}

impl Encoder {
    /// An encoder for a clean path. It is told that it hears speech, and is not the one "for VOIP": that has a high-pass
    /// of its own, which costs more than it gains where the voice was processed before.
    ///
    /// # Errors
    /// Out of memory.
    pub fn new() -> Result<Self, CodecError> {
        let mut error = 0;
        // SAFETY: the arguments are constants that libopus allows; `error` outlives the call.
        let state =
            unsafe { sys::opus_encoder_create(RATE as i32, 1, sys::OPUS_APPLICATION_AUDIO, &raw mut error) };
        check(error)?;
        let state = NonNull::new(state).ok_or(CodecError::Opus(sys::OPUS_ALLOC_FAIL))?;
        let mut encoder = Self { state, settings: Settings::CLEAN };
        encoder.set(sys::OPUS_SET_COMPLEXITY_REQUEST, COMPLEXITY)?;
        encoder.set(sys::OPUS_SET_SIGNAL_REQUEST, sys::OPUS_SIGNAL_VOICE)?;
        encoder.apply(Settings::CLEAN)?;
        Ok(encoder)
    }

    /// Speaks so from the next packet on.
    pub fn configure(&mut self, settings: Settings) -> Result<(), CodecError> {
        if settings == self.settings {
            return Ok(());
        }
        self.apply(settings)
    }

    fn apply(&mut self, settings: Settings) -> Result<(), CodecError> {
        let Settings { bit_rate, wideband, fec, loss, dred_ms, dtx } = settings;
        let bandwidth = if wideband { sys::OPUS_BANDWIDTH_WIDEBAND } else { sys::OPUS_BANDWIDTH_FULLBAND };
        self.set(sys::OPUS_SET_BITRATE_REQUEST, i32::try_from(bit_rate).unwrap_or(i32::MAX))?;
        self.set(sys::OPUS_SET_MAX_BANDWIDTH_REQUEST, bandwidth)?;
        self.set(sys::OPUS_SET_INBAND_FEC_REQUEST, i32::from(fec))?;
        self.set(sys::OPUS_SET_PACKET_LOSS_PERC_REQUEST, i32::from(loss.min(100)))?;
        self.set(sys::OPUS_SET_DRED_DURATION_REQUEST, i32::from(dred_ms / 10).min(MAX_DRED))?;
        self.set(sys::OPUS_SET_DTX_REQUEST, i32::from(dtx))?;
        self.settings = settings;
        Ok(())
    }

    fn set(&mut self, request: c_int, value: i32) -> Result<(), CodecError> {
        // SAFETY: the encoder is alive, and every request used here takes one opus_int32 by value.
        check(unsafe { sys::opus_encoder_ctl(self.state.as_ptr(), request, value) }).map(drop)
    }

    /// Appends the packet for this sound (10, 20, 40 or 60 ms) to `out`.
    pub fn encode(&mut self, sound: &[i16], out: &mut Vec<u8>) -> Result<(), CodecError> {
        let start = out.len();
        out.resize(start + MAX_PACKET, 0);
        let room = out.get_mut(start..).unwrap_or_default();
        let (samples, bytes) = (length(sound.len())?, length(room.len())?);
        // SAFETY: both pointers come from live slices and go with their own lengths; mono, so samples = length.
        let code = unsafe {
            sys::opus_encode(self.state.as_ptr(), sound.as_ptr(), samples, room.as_mut_ptr(), bytes)
        };
        let written = check(code);
        out.truncate(start + written.unwrap_or(0));
        written.map(drop)
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: made by opus_encoder_create, destroyed once.
        unsafe { sys::opus_encoder_destroy(self.state.as_ptr()) }
    }
}
