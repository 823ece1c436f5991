//! Sounds and measures for the unit tests.
#![allow(clippy::indexing_slicing)]

use std::f64::consts::TAU;

/// A sine.
pub(crate) fn tone(hz: f64, rate: f64, amplitude: f64, samples: usize) -> Vec<i16> {
    (0..samples).map(|i| (amplitude * (TAU * hz * i as f64 / rate).sin()) as i16).collect()
}

/// Root mean square.
pub(crate) fn rms(sound: &[i16]) -> f64 {
    (sound.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / sound.len().max(1) as f64).sqrt()
}

/// Something like speech at 48 kHz: voiced syllables with a gliding pitch and moving formants, hisses, pauses.
pub(crate) fn speech(samples: usize) -> Vec<i16> {
    let mut formants = [Resonator::default(), Resonator::default(), Resonator::default()];
    let mut noise = 12_345u32;
    let mut phase = 0.0f64;
    (0..samples)
        .map(|i| {
            let t = i as f64 / 48_000.0;
            // Four syllables a second, a pause of 0.4 s every 2 s.
            let syllable = (t * 4.0).fract();
            let pause = (t / 2.0).fract() > 0.8;
            let hiss = (t * 4.0) as u64 % 5 == 3;
            let envelope = if pause { 0.0 } else { (TAU / 2.0 * syllable).sin().powf(0.6) };
            let pitch = 125.0 + 25.0 * (TAU * 0.45 * t).sin() + 6.0 * (TAU * 2.3 * t).sin();
            phase += pitch / 48_000.0;
            let pulse = if phase >= 1.0 {
                phase -= 1.0;
                40.0
            } else {
                0.0
            };
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let white = f64::from(noise >> 16) / 32_768.0 - 1.0;
            let source = if hiss { white * 1.5 } else { pulse + white * 0.05 };
            let vowel = (TAU * 1.7 * t).sin();
            formants[0].tune(550.0 + 200.0 * vowel, 80.0);
            formants[1].tune(1400.0 - 400.0 * vowel, 110.0);
            formants[2].tune(2600.0 + 150.0 * vowel, 160.0);
            let sum =
                formants[0].run(source) + 0.6 * formants[1].run(source) + 0.35 * formants[2].run(source);
            (sum * envelope * 900.0 + white * 6.0).clamp(-32_000.0, 32_000.0) as i16
        })
        .collect()
}

#[derive(Default)]
struct Resonator {
    a1: f64,
    a2: f64,
    gain: f64,
    y1: f64,
    y2: f64,
}

impl Resonator {
    fn tune(&mut self, hz: f64, width: f64) {
        let r = (-TAU / 2.0 * width / 48_000.0).exp();
        self.a1 = 2.0 * r * (TAU * hz / 48_000.0).cos();
        self.a2 = -r * r;
        self.gain = (1.0 - r) * 8.0;
    }

    fn run(&mut self, x: f64) -> f64 {
        let y = self.gain * x + self.a1 * self.y1 + self.a2 * self.y2;
        self.y2 = self.y1;
        self.y1 = y;
        y
    }
}

/// Delay of `heard` after `said` up to `most` samples, and how alike they are there (1 is the same).
pub(crate) fn align(said: &[i16], heard: &[i16], most: usize) -> (usize, f64) {
    let length = said.len().min(heard.len()).saturating_sub(most);
    // A coarse pass over every fourth lag and sample finds the neighbourhood, a fine pass the place.
    let score = |lag: usize, step: usize| {
        let (mut ab, mut aa, mut bb) = (0.0, 1.0, 1.0);
        for i in (0..length).step_by(step) {
            let (a, b) = (f64::from(said[i]), f64::from(heard[i + lag]));
            ab += a * b;
            aa += a * a;
            bb += b * b;
        }
        ab / f64::sqrt(aa * bb)
    };
    let best = |lags: &mut dyn Iterator<Item = usize>, step| {
        lags.map(|lag| (lag, score(lag, step))).max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0))
    };
    let coarse = best(&mut (0..=most).step_by(4), 7).0;
    best(&mut (coarse.saturating_sub(6)..=(coarse + 6).min(most)), 1)
}
