//! Concealment for codecs that have none: the last pitch cycles go on and fade, in the spirit of G.711
//! Appendix I, but without its 3.75 ms of delay.

// Positions are computed out of the constants below and a pitch that is clamped between them; the tests run
// every pitch through every phase.
#![allow(clippy::indexing_slicing)]

use super::resample::Band;
use crate::FRAME;

/// Cycles repeated in turn when a loss lasts: one cycle over and over buzzes.
const MAX_CYCLES: usize = 3;

/// Keeps the recent past of 8 or 16 kHz sound and goes on from it.
pub(super) struct Concealer {
    lengths: Lengths,
    history: Vec<f32>,
    /// Likeness of the past to itself at each lag.
    likeness: Vec<f32>,
    /// Samples invented since the last real one.
    lost: usize,
    pitch: usize,
    cycles: usize,
    position: usize,
}

/// Durations in samples.
#[derive(Debug, Clone, Copy)]
struct Lengths {
    ten_ms: usize,
    /// Shortest and longest pitch: 400 Hz and 66 Hz.
    min_pitch: usize,
    max_pitch: usize,
    /// What is kept of the past: twice the longest repetition.
    history: usize,
    /// Sound compared to find the pitch: 20 ms.
    window: usize,
    /// From here on (10 ms) to there (60 ms) the invention fades.
    fade_start: usize,
    fade_end: usize,
}

impl Lengths {
    fn new(band: Band) -> Self {
        let ten_ms = FRAME / band.ratio();
        let max_pitch = ten_ms * 3 / 2;
        Self {
            ten_ms,
            min_pitch: ten_ms / 4,
            max_pitch,
            history: 2 * MAX_CYCLES * max_pitch,
            window: 2 * ten_ms,
            fade_start: ten_ms,
            fade_end: 6 * ten_ms,
        }
    }
}

impl Concealer {
    pub fn new(band: Band) -> Self {
        let lengths = Lengths::new(band);
        Self {
            lengths,
            history: vec![0.0; lengths.history],
            likeness: vec![0.0; lengths.max_pitch + 1],
            lost: 0,
            pitch: lengths.max_pitch,
            cycles: 1,
            position: 0,
        }
    }

    /// Takes real sound; after a loss its beginning is blended with what was being invented.
    pub fn hear(&mut self, sound: &mut [i16]) {
        if self.lost > 0 {
            // 4 ms and 4 more for every 10 ms lost, up to 10 ms.
            let ten_ms = self.lengths.ten_ms;
            let four_ms = ten_ms * 2 / 5;
            let overlap = (four_ms + four_ms * self.lost / ten_ms).min(ten_ms).min(sound.len());
            for (i, sample) in sound.iter_mut().take(overlap).enumerate() {
                let weight = (i as f32 + 0.5) / overlap as f32;
                let invented = self.next();
                *sample = (invented * (1.0 - weight) + f32::from(*sample) * weight).round() as i16;
            }
            self.lost = 0;
        }
        let length = self.lengths.history;
        let keep = length.saturating_sub(sound.len());
        self.history.copy_within(length - keep.., 0);
        let fresh = &sound[sound.len() - (length - keep)..];
        for (slot, sample) in self.history[keep..].iter_mut().zip(fresh) {
            *slot = f32::from(*sample);
        }
    }

    /// Invents sound in place of what is missing. The last `ahead` samples are only what would come next.
    pub fn conceal(&mut self, out: &mut [i16], ahead: usize) {
        if self.lost == 0 {
            self.pitch = self.find_pitch();
            self.cycles = 1;
            self.position = 0;
        }
        let (now, next) = out.split_at_mut(out.len().saturating_sub(ahead));
        now.iter_mut().for_each(|sample| *sample = self.next().round() as i16);
        let here = (self.lost, self.position, self.cycles);
        next.iter_mut().for_each(|sample| *sample = self.next().round() as i16);
        (self.lost, self.position, self.cycles) = here;
    }

    fn next(&mut self) -> f32 {
        let Lengths { ten_ms, history, fade_start, fade_end, .. } = self.lengths;
        let gain = match self.lost {
            lost if lost >= fade_end => return self.silent(),
            lost if lost > fade_start => 1.0 - (lost - fade_start) as f32 / (fade_end - fade_start) as f32,
            _ => 1.0,
        };
        let length = self.cycles * self.pitch;
        let next_cycles = (1 + self.lost / ten_ms).min(MAX_CYCLES);
        let here = self.history[history - length + self.position];
        // The last quarter of a cycle slides into what comes before the next repetition: no seam is heard.
        let blend = self.pitch / 4;
        let left = length - self.position;
        let sample = if left <= blend {
            let weight = 1.0 - left as f32 / (blend as f32 + 1.0);
            let there = self.history[history - next_cycles * self.pitch - left];
            here * (1.0 - weight) + there * weight
        } else {
            here
        };
        self.position += 1;
        if self.position == length {
            self.position = 0;
            self.cycles = next_cycles;
        }
        self.lost += 1;
        sample * gain
    }

    fn silent(&mut self) -> f32 {
        self.lost = self.lost.saturating_add(1);
        0.0
    }

    /// The lag at which the end of the past is most like itself.
    fn find_pitch(&mut self) -> usize {
        let Lengths { min_pitch, max_pitch, history, window, .. } = self.lengths;
        let recent = &self.history[history - window..];
        let energy: f32 = recent.iter().map(|x| x * x).sum::<f32>() + 1.0;
        for (lag, likeness) in self.likeness.iter_mut().enumerate() {
            let past = &self.history[history - window - lag..history - lag];
            let product: f32 = recent.iter().zip(past).map(|(a, b)| a * b).sum();
            let other: f32 = past.iter().map(|x| x * x).sum::<f32>() + 1.0;
            *likeness = if lag < min_pitch { -1.0 } else { product / (energy * other).sqrt() };
        }
        let best = self.likeness.iter().copied().fold(-1.0, f32::max);
        // Noise has no pitch: the longest repetition buzzes least.
        if best < 0.4 {
            return max_pitch;
        }
        // A multiple of the pitch is as alike as the pitch itself; the shortest good one is the pitch. But
        // under 5 ms a cycle carries so little that it whistles, so two or more are taken together.
        let likeness = &self.likeness;
        let pitch = (min_pitch..=max_pitch)
            .find(|lag| {
                likeness[*lag] >= 0.95 * best
                    && likeness[lag - 1] <= likeness[*lag]
                    && likeness.get(lag + 1).is_none_or(|next| *next <= likeness[*lag])
            })
            .unwrap_or(max_pitch);
        let multiple = (2 * min_pitch).div_ceil(pitch);
        pitch * multiple
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rms;

    fn buzz(pitch: usize, samples: usize) -> Vec<i16> {
        (0..samples).map(|i| (8000.0 * (-((i % pitch) as f32) / 12.0).exp()) as i16 - 1000).collect()
    }

    #[test]
    fn a_periodic_sound_goes_on() {
        for pitch in [25, 40, 57, 80, 113] {
            let sound = buzz(pitch, 2000);
            let mut concealer = Concealer::new(Band::Narrow);
            let mut head = sound[..1600].to_vec();
            concealer.hear(&mut head);
            let mut invented = [0i16; 80];
            concealer.conceal(&mut invented, 0);
            let error: Vec<i16> = invented.iter().zip(&sound[1600..]).map(|(a, b)| a - b).collect();
            assert!(rms(&error) < 0.1 * rms(&sound), "pitch {pitch}: {} of {}", rms(&error), rms(&sound));
        }
    }

    #[test]
    fn it_fades_and_comes_back() {
        let sound = buzz(64, 1600);
        let mut concealer = Concealer::new(Band::Narrow);
        concealer.hear(&mut sound.clone());
        let mut invented = vec![0i16; 640];
        concealer.conceal(&mut invented, 0);
        assert!(rms(&invented[..80]) > 0.8 * rms(&sound));
        assert!(rms(&invented[240..320]) < 0.75 * rms(&invented[..80]));
        assert_eq!(rms(&invented[480..]), 0.0);
        let mut back = sound.clone();
        concealer.hear(&mut back);
        assert_eq!(back[80..], sound[80..]);
    }

    #[test]
    fn every_length_and_no_past_at_all() {
        let mut concealer = Concealer::new(Band::Narrow);
        for length in [1, 79, 160, 960] {
            let mut out = vec![1i16; length];
            concealer.conceal(&mut out, 0);
            assert!(out.iter().all(|s| *s == 0));
            concealer.hear(&mut out);
        }
    }
}
