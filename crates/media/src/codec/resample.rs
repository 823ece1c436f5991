//! 8 kHz to 48 kHz and back: a linear-phase polyphase FIR that adds 2.5 ms each way.

use std::f64::consts::PI;
use std::sync::LazyLock;

/// 48 kHz over 8 kHz.
pub(super) const RATIO: usize = 6;
/// Taps of one phase.
const PHASE: usize = 40;
const TAPS: usize = PHASE * RATIO;
/// -6 dB point in Hz: flat to 3.35 kHz, 60 dB down from 4.1 kHz, just over where aliases fold.
const CORNER: f64 = 3_720.0;
/// Shape of the Kaiser window for 60 dB.
const BETA: f64 = 5.65;

/// The prototype low-pass at 48 kHz, unity gain.
static PROTOTYPE: LazyLock<[f32; TAPS]> = LazyLock::new(|| {
    let middle = (TAPS as f64 - 1.0) / 2.0;
    let cut = 2.0 * CORNER / 48_000.0;
    let raw: [f64; TAPS] = std::array::from_fn(|tap| {
        let t = tap as f64 - middle;
        let ideal = (PI * cut * t).sin() / (PI * t);
        ideal * bessel(BETA * (1.0 - (t / middle).powi(2)).max(0.0).sqrt()) / bessel(BETA)
    });
    let gain: f64 = raw.iter().sum();
    raw.map(|tap| (tap / gain) as f32)
});

/// Modified Bessel function of the first kind, order 0.
fn bessel(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..30 {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        sum += term;
    }
    sum
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    // Eight sums side by side let the compiler use vector registers.
    let mut sums = [0.0f32; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

fn to_i16(sample: f32) -> i16 {
    // A float-to-int cast saturates.
    sample.round() as i16
}

/// 48 kHz to 8 kHz.
pub(super) struct Down {
    /// The last `TAPS - 1` samples, then the block being worked on.
    line: Vec<f32>,
}

impl Down {
    pub fn new() -> Self {
        Self { line: vec![0.0; TAPS - 1] }
    }

    /// Appends one sample to `out` for each six of `sound`.
    pub fn run(&mut self, sound: &[i16], out: &mut Vec<i16>) {
        self.line.extend(sound.iter().map(|sample| f32::from(*sample)));
        let taps = &*PROTOTYPE;
        out.extend(self.line.windows(TAPS).step_by(RATIO).map(|window| to_i16(dot(window, taps))));
        self.line.drain(..sound.len());
    }
}

/// 8 kHz to 48 kHz.
pub(super) struct Up {
    /// The last `PHASE - 1` samples, then the block being worked on.
    line: Vec<f32>,
}

/// The prototype cut into phases, each reversed to run along the window.
static PHASES: LazyLock<[[f32; PHASE]; RATIO]> = LazyLock::new(|| {
    std::array::from_fn(|phase| {
        let mut taps = [0.0; PHASE];
        let own = PROTOTYPE.iter().skip(phase).step_by(RATIO);
        for (tap, value) in taps.iter_mut().rev().zip(own) {
            *tap = value * RATIO as f32;
        }
        taps
    })
});

impl Up {
    pub fn new() -> Self {
        Self { line: vec![0.0; PHASE - 1] }
    }

    /// Fills `out` with six samples for each of `sound`.
    pub fn run(&mut self, sound: &[i16], out: &mut [i16]) {
        self.line.extend(sound.iter().map(|sample| f32::from(*sample)));
        let phases = &*PHASES;
        for (six, window) in out.chunks_mut(RATIO).zip(self.line.windows(PHASE)) {
            for (sample, taps) in six.iter_mut().zip(phases) {
                *sample = to_i16(dot(window, taps));
            }
        }
        self.line.drain(..sound.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{rms, tone};

    /// Gain in dB of a tone through both ways, or through `Down` alone.
    fn gain(hz: f64, both: bool) -> f64 {
        let sound = tone(hz, 48_000.0, 10_000.0, 48_000);
        let (mut down, mut up) = (Down::new(), Up::new());
        let mut heard = Vec::new();
        for block in sound.chunks_exact(480) {
            let mut narrow = Vec::new();
            down.run(block, &mut narrow);
            assert_eq!(narrow.len(), 80);
            if both {
                let mut wide = [0; 480];
                up.run(&narrow, &mut wide);
                heard.extend_from_slice(&wide);
            } else {
                heard.extend_from_slice(&narrow);
            }
        }
        let settled = heard.len() / 10;
        20.0 * (rms(&heard[settled..]) / rms(&sound)).max(1e-9).log10()
    }

    #[test]
    fn the_telephone_band_passes_flat() {
        for hz in [100.0, 300.0, 1000.0, 2000.0, 3000.0, 3300.0] {
            let db = gain(hz, true);
            assert!(db.abs() < 0.2, "{hz} Hz: {db:.2} dB");
        }
    }

    #[test]
    fn nothing_folds_back() {
        for hz in [4150.0, 4600.0, 5000.0, 7000.0, 8000.0, 12_000.0, 20_000.0] {
            let db = gain(hz, false);
            assert!(db < -50.0, "{hz} Hz: {db:.1} dB");
        }
    }

    #[test]
    fn both_ways_take_five_milliseconds() {
        let mut sound = vec![0i16; 4800];
        sound[480] = 20_000;
        sound[481..490].fill(20_000);
        let (mut down, mut up) = (Down::new(), Up::new());
        let mut narrow = Vec::new();
        down.run(&sound, &mut narrow);
        let mut heard = vec![0; 4800];
        up.run(&narrow, &mut heard);
        let peak = (0..heard.len()).max_by_key(|i| heard[*i]).unwrap();
        assert!((475..=730).contains(&peak), "{peak}");
        assert!(peak - 484 <= 245, "{}", peak - 484);
    }
}
