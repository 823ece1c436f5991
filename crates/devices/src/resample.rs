use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Async, FixedAsync, Resampler, SincInterpolationParameters, WindowFunction};

use crate::{DeviceError, FRAME, RATE};

/// Filter length for live sound: 0.7 ms of delay, flat to 18 kHz.
const LIVE_TAPS: usize = 64;
const FILE_TAPS: usize = 256;

/// Makes frames of [`FRAME`] samples out of a card's samples, or the reverse; mono.
pub(crate) enum Converter {
    /// The card runs at [`RATE`].
    Same,
    /// It does not.
    Other(Box<Other>),
}

/// Conversion with its buffers, allocated once.
pub(crate) struct Other {
    resampler: Async<f32>,
    input: Vec<f32>,
    output: Vec<f32>,
}

impl Converter {
    /// From a card's rate to whole frames.
    pub(crate) fn to_frames(card_rate: u32) -> Result<Self, DeviceError> {
        Self::new(card_rate, f64::from(RATE) / f64::from(card_rate), FixedAsync::Output)
    }

    /// From whole frames to a card's rate.
    pub(crate) fn from_frames(card_rate: u32) -> Result<Self, DeviceError> {
        Self::new(card_rate, f64::from(card_rate) / f64::from(RATE), FixedAsync::Input)
    }

    fn new(card_rate: u32, ratio: f64, fixed: FixedAsync) -> Result<Self, DeviceError> {
        if card_rate == RATE {
            return Ok(Self::Same);
        }
        let resampler = sinc(ratio, LIVE_TAPS, FRAME, fixed).ok_or(DeviceError::Rate(card_rate))?;
        let input = Vec::with_capacity(resampler.input_frames_max());
        let output = vec![0.0; resampler.output_frames_max()];
        Ok(Self::Other(Box::new(Other { resampler, input, output })))
    }

    /// Samples to be given next.
    pub(crate) fn needs(&self) -> usize {
        match self {
            Self::Same => FRAME,
            Self::Other(other) => other.resampler.input_frames_next(),
        }
    }

    /// Gives exactly [`needs`](Self::needs) samples in and hands what comes out to `out`.
    pub(crate) fn convert(&mut self, samples: impl Iterator<Item = f32>, out: impl FnMut(f32)) {
        match self {
            Self::Same => samples.take(FRAME).for_each(out),
            Self::Other(other) => {
                let needs = other.resampler.input_frames_next();
                other.input.clear();
                other.input.extend(samples.take(needs));
                other.input.resize(needs, 0.0);
                let space = other.output.len();
                let written = match (
                    InterleavedSlice::new(&other.input, 1, needs),
                    InterleavedSlice::new_mut(&mut other.output, 1, space),
                ) {
                    (Ok(from), Ok(mut to)) => other
                        .resampler
                        .process_into_buffer(&from, &mut to, None)
                        .map_or(0, |(_, written)| written),
                    _ => 0,
                };
                other.output.iter().copied().take(written).for_each(out);
            }
        }
    }
}

/// A whole recording at [`RATE`]; the filter's delay is cut off.
pub(crate) fn whole(samples: Vec<f32>, rate: u32) -> Result<Vec<f32>, DeviceError> {
    if rate == RATE || samples.is_empty() {
        return Ok(samples);
    }
    let refused = || DeviceError::Rate(rate);
    let ratio = f64::from(RATE) / f64::from(rate);
    let mut resampler = sinc(ratio, FILE_TAPS, 1024, FixedAsync::Input).ok_or_else(refused)?;
    let from = InterleavedSlice::new(&samples, 1, samples.len()).map_err(|_| refused())?;
    let to = resampler.process_all(&from, samples.len(), None).map_err(|_| refused())?;
    Ok(to.take_data())
}

fn sinc(ratio: f64, taps: usize, chunk: usize, fixed: FixedAsync) -> Option<Async<f32>> {
    // Beyond this no sound card and no honest file goes; the filter tables would grow without end.
    if !(1.0 / 32.0..=32.0).contains(&ratio) {
        return None;
    }
    let filter = SincInterpolationParameters::new(taps, WindowFunction::BlackmanHarris2);
    Async::new_sinc(ratio, 1.0, &filter, chunk, 1, fixed).ok()
}

/// Full-scale `f32` as 16 bit, clipped.
pub(crate) fn to_i16(sample: f32) -> i16 {
    // A float-to-integer cast saturates, which is the clipping wanted; NaN becomes 0.
    (sample * 32_768.0).round() as i16
}

/// 16 bit as full-scale `f32`.
pub(crate) fn to_f32(sample: i16) -> f32 {
    f32::from(sample) / 32_768.0
}
