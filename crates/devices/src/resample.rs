use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Async, FixedAsync, Resampler, SincInterpolationParameters, WindowFunction};

use crate::{DeviceError, FRAME, RATE};

/// Filter length in samples of the slower side: half of them are its delay.
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
        Self::new(card_rate, f64::from(RATE) / f64::from(card_rate), LIVE_TAPS, FixedAsync::Output)
    }

    /// From a file's rate to whole frames, with a filter for which live sound has no time.
    pub(crate) fn from_file(rate: u32) -> Result<Self, DeviceError> {
        Self::new(rate, f64::from(RATE) / f64::from(rate), FILE_TAPS, FixedAsync::Output)
    }

    /// Samples of silence that come out before what was given in first.
    pub(crate) fn delay(&self) -> usize {
        match self {
            Self::Same => 0,
            Self::Other(other) => other.resampler.output_delay(),
        }
    }

    /// From whole frames to a card's rate.
    pub(crate) fn from_frames(card_rate: u32) -> Result<Self, DeviceError> {
        Self::new(card_rate, f64::from(card_rate) / f64::from(RATE), LIVE_TAPS, FixedAsync::Input)
    }

    fn new(card_rate: u32, ratio: f64, taps: usize, fixed: FixedAsync) -> Result<Self, DeviceError> {
        if card_rate == RATE {
            return Ok(Self::Same);
        }
        let resampler = sinc(ratio, taps, FRAME, fixed).ok_or(DeviceError::Rate(card_rate))?;
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

fn sinc(ratio: f64, taps: usize, chunk: usize, fixed: FixedAsync) -> Option<Async<f32>> {
    // Beyond this no sound card and no honest file goes; the filter tables would grow without end.
    if !(1.0 / 32.0..=32.0).contains(&ratio) {
        return None;
    }
    // Going down, the filter's edge is that much steeper as seen from the faster side.
    let taps = taps * (1.0 / ratio).ceil() as usize;
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

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    #[test]
    fn there_and_back_keeps_a_tone() {
        for rate in [8_000, 22_050, 44_100, 96_000] {
            let (mut there, mut back) =
                (Converter::from_frames(rate).unwrap(), Converter::to_frames(rate).unwrap());
            let (mut card, mut out) = (Vec::new(), Vec::new());
            for frame in 0..100 {
                let tone =
                    (0..FRAME).map(|n| (TAU * 1000.0 * (frame * FRAME + n) as f32 / RATE as f32).sin() / 2.0);
                there.convert(tone, |s| card.push(s));
                while card.len() >= back.needs() {
                    let needs = back.needs();
                    back.convert(card.drain(..needs), |s| out.push(s));
                }
            }
            assert!(out.len().is_multiple_of(FRAME) && out.len() >= 97 * FRAME, "{rate}: {}", out.len());
            let rest = &out[out.len() / 2..];
            let (mut re, mut im, mut all) = (0.0, 0.0, 0.0);
            for (n, s) in rest.iter().enumerate() {
                let phase = TAU * 1000.0 * n as f32 / RATE as f32;
                (re, im, all) = (re + s * phase.cos(), im + s * phase.sin(), all + s * s);
            }
            let purity = 2.0 * (re * re + im * im) / (all * rest.len() as f32);
            assert!(purity > 0.999, "{rate}: {purity}");
            assert!((all / rest.len() as f32 - 0.125).abs() < 0.005, "{rate}: as loud as before");
        }
    }

    #[test]
    fn absurd_rates_are_refused() {
        for rate in [1, 1_000, 4_000_000] {
            assert!(matches!(Converter::to_frames(rate), Err(DeviceError::Rate(r)) if r == rate));
            assert!(matches!(Converter::from_file(rate), Err(DeviceError::Rate(r)) if r == rate));
        }
        assert!(matches!(Converter::to_frames(0), Err(DeviceError::Rate(0))));
    }

    #[test]
    fn loud_is_clipped_not_wrapped() {
        assert_eq!((to_i16(1.5), to_i16(-1.5), to_i16(f32::NAN)), (i16::MAX, i16::MIN, 0));
        assert!([i16::MIN, -1, 0, 1, i16::MAX].iter().all(|s| to_i16(to_f32(*s)) == *s));
    }
}
