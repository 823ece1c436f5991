//! Concealment for codecs that have none: the last pitch cycles go on and fade, in the spirit of G.711
//! Appendix I, but without its 3.75 ms of delay.

// Positions are computed out of the constants below and a pitch that is clamped between them; the tests run
// every pitch through every phase.
#![allow(clippy::indexing_slicing)]

/// Shortest and longest pitch at 8 kHz: 400 Hz and 66 Hz.
const MIN_PITCH: usize = 20;
const MAX_PITCH: usize = 120;
/// Cycles repeated in turn when a loss lasts: one cycle over and over buzzes.
const MAX_CYCLES: usize = 3;
/// What is kept of the past: twice the longest repetition.
const HISTORY: usize = 2 * MAX_CYCLES * MAX_PITCH;
/// Sound compared to find the pitch: 20 ms.
const WINDOW: usize = 160;
/// 10 ms.
const TEN_MS: usize = 80;
/// From here on (10 ms) to there (60 ms) the invention fades.
const FADE_START: usize = TEN_MS;
const FADE_END: usize = 6 * TEN_MS;

/// Keeps the recent past of 8 kHz sound and goes on from it.
pub(super) struct Concealer {
    history: [f32; HISTORY],
    /// Samples invented since the last real one.
    lost: usize,
    pitch: usize,
    cycles: usize,
    position: usize,
}

impl Concealer {
    pub fn new() -> Self {
        Self { history: [0.0; HISTORY], lost: 0, pitch: MAX_PITCH, cycles: 1, position: 0 }
    }

    /// Takes real sound; after a loss its beginning is blended with what was being invented.
    pub fn hear(&mut self, sound: &mut [i16]) {
        if self.lost > 0 {
            // 4 ms and 4 more for every 10 ms lost, up to 10 ms.
            let overlap = (32 + 32 * self.lost / TEN_MS).min(TEN_MS).min(sound.len());
            for (i, sample) in sound.iter_mut().take(overlap).enumerate() {
                let weight = (i as f32 + 0.5) / overlap as f32;
                let invented = self.next();
                *sample = (invented * (1.0 - weight) + f32::from(*sample) * weight).round() as i16;
            }
            self.lost = 0;
        }
        let keep = HISTORY.saturating_sub(sound.len());
        self.history.copy_within(HISTORY - keep.., 0);
        let fresh = &sound[sound.len() - (HISTORY - keep)..];
        for (slot, sample) in self.history[keep..].iter_mut().zip(fresh) {
            *slot = f32::from(*sample);
        }
    }

    /// Invents sound in place of what is missing.
    pub fn conceal(&mut self, out: &mut [i16]) {
        if self.lost == 0 {
            self.pitch = self.find_pitch();
            self.cycles = 1;
            self.position = 0;
        }
        for sample in out {
            *sample = self.next().round() as i16;
        }
    }

    fn next(&mut self) -> f32 {
        let gain = match self.lost {
            lost if lost >= FADE_END => return self.silent(),
            lost if lost > FADE_START => 1.0 - (lost - FADE_START) as f32 / (FADE_END - FADE_START) as f32,
            _ => 1.0,
        };
        let length = self.cycles * self.pitch;
        let next_cycles = (1 + self.lost / TEN_MS).min(MAX_CYCLES);
        let here = self.history[HISTORY - length + self.position];
        // The last quarter of a cycle slides into what comes before the next repetition: no seam is heard.
        let blend = self.pitch / 4;
        let left = length - self.position;
        let sample = if left <= blend {
            let weight = 1.0 - left as f32 / (blend as f32 + 1.0);
            let there = self.history[HISTORY - next_cycles * self.pitch - left];
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
    fn find_pitch(&self) -> usize {
        let recent = &self.history[HISTORY - WINDOW..];
        let energy: f32 = recent.iter().map(|x| x * x).sum::<f32>() + 1.0;
        let likeness = |lag: usize| {
            let past = &self.history[HISTORY - WINDOW - lag..HISTORY - lag];
            let product: f32 = recent.iter().zip(past).map(|(a, b)| a * b).sum();
            let other: f32 = past.iter().map(|x| x * x).sum::<f32>() + 1.0;
            product / (energy * other).sqrt()
        };
        let scores: Vec<f32> =
            (0..=MAX_PITCH).map(|lag| if lag < MIN_PITCH { -1.0 } else { likeness(lag) }).collect();
        let best = scores.iter().copied().fold(-1.0, f32::max);
        // Noise has no pitch: the longest repetition buzzes least.
        if best < 0.4 {
            return MAX_PITCH;
        }
        // A multiple of the pitch is as alike as the pitch itself; the shortest good one is the pitch. But
        // under 5 ms a cycle carries so little that it whistles, so two or more are taken together.
        let pitch = (MIN_PITCH..=MAX_PITCH)
            .find(|lag| {
                scores[*lag] >= 0.95 * best
                    && scores[lag - 1] <= scores[*lag]
                    && scores.get(lag + 1).is_none_or(|next| *next <= scores[*lag])
            })
            .unwrap_or(MAX_PITCH);
        let multiple = 40usize.div_ceil(pitch);
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
            let mut concealer = Concealer::new();
            let mut head = sound[..1600].to_vec();
            concealer.hear(&mut head);
            let mut invented = [0i16; 80];
            concealer.conceal(&mut invented);
            let error: Vec<i16> = invented.iter().zip(&sound[1600..]).map(|(a, b)| a - b).collect();
            assert!(rms(&error) < 0.1 * rms(&sound), "pitch {pitch}: {} of {}", rms(&error), rms(&sound));
        }
    }

    #[test]
    fn it_fades_and_comes_back() {
        let sound = buzz(64, 1600);
        let mut concealer = Concealer::new();
        concealer.hear(&mut sound.clone());
        let mut invented = vec![0i16; 640];
        concealer.conceal(&mut invented);
        assert!(rms(&invented[..80]) > 0.8 * rms(&sound));
        assert!(rms(&invented[240..320]) < 0.75 * rms(&invented[..80]));
        assert_eq!(rms(&invented[FADE_END..]), 0.0);
        let mut back = sound.clone();
        concealer.hear(&mut back);
        assert_eq!(back[80..], sound[80..]);
    }

    #[test]
    fn every_length_and_no_past_at_all() {
        let mut concealer = Concealer::new();
        for length in [1, 79, 160, 960] {
            let mut out = vec![1i16; length];
            concealer.conceal(&mut out);
            assert!(out.iter().all(|s| *s == 0));
            concealer.hear(&mut out);
        }
    }
}
