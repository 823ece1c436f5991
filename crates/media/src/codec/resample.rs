//! 48 kHz to 8 or 16 kHz and back: linear-phase polyphase FIRs that add 2.5 or 1.75 ms each way.

use std::f64::consts::PI;
use std::sync::LazyLock;

/// What a codec carries of the sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Band {
    /// 8 kHz: flat to 3.35 kHz, 60 dB down from 4.1 kHz, just over where aliases fold.
    Narrow,
    /// 16 kHz: flat to 7 kHz, 60 dB down from 8.15 kHz.
    Wide,
}

impl Band {
    /// 48 kHz over its rate.
    pub const fn ratio(self) -> usize {
        match self {
            Band::Narrow => 6,
            Band::Wide => 3,
        }
    }

    /// Taps of one phase, a multiple of 8.
    const fn phase(self) -> usize {
        match self {
            Band::Narrow => 40,
            Band::Wide => 56,
        }
    }

    const fn taps(self) -> usize {
        self.ratio() * self.phase()
    }

    /// -6 dB point, Hz.
    const fn corner(self) -> f64 {
        match self {
            Band::Narrow => 3_720.0,
            Band::Wide => 7_600.0,
        }
    }

    fn filter(self) -> &'static Filter {
        static NARROW: LazyLock<Filter> = LazyLock::new(|| Filter::new(Band::Narrow));
        static WIDE: LazyLock<Filter> = LazyLock::new(|| Filter::new(Band::Wide));
        match self {
            Band::Narrow => &NARROW,
            Band::Wide => &WIDE,
        }
    }
}

/// Shape of the Kaiser window for 60 dB.
const BETA: f64 = 5.65;

struct Filter {
    /// The low-pass at 48 kHz, unity gain.
    whole: Vec<f32>,
    /// The same cut into phases, each reversed to run along the window.
    phases: Vec<Vec<f32>>,
}

impl Filter {
    fn new(band: Band) -> Self {
        let middle = (band.taps() as f64 - 1.0) / 2.0;
        let cut = 2.0 * band.corner() / 48_000.0;
        let raw = (0..band.taps()).map(|tap| {
            let t = tap as f64 - middle;
            let ideal = (PI * cut * t).sin() / (PI * t);
            ideal * bessel(BETA * (1.0 - (t / middle).powi(2)).max(0.0).sqrt()) / bessel(BETA)
        });
        let gain: f64 = raw.clone().sum();
        let whole: Vec<f32> = raw.map(|tap| (tap / gain) as f32).collect();
        let phase = |at| {
            let own = whole.iter().skip(at).step_by(band.ratio());
            own.rev().map(|tap| tap * band.ratio() as f32).collect()
        };
        let phases = (0..band.ratio()).map(phase).collect();
        Self { whole, phases }
    }
}

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

/// 48 kHz to a band's rate.
pub(crate) struct Down {
    band: Band,
    /// The last samples that a window still needs, then the block being worked on.
    line: Vec<f32>,
}

impl Down {
    pub fn new(band: Band) -> Self {
        Self { band, line: vec![0.0; band.taps() - 1] }
    }

    /// Appends one sample to `out` for each three or six of `sound`.
    pub fn run(&mut self, sound: &[i16], out: &mut Vec<i16>) {
        self.line.extend(sound.iter().map(|sample| f32::from(*sample)));
        let taps = &self.band.filter().whole;
        let windows = self.line.windows(self.band.taps()).step_by(self.band.ratio());
        out.extend(windows.map(|window| to_i16(dot(window, taps))));
        self.line.drain(..sound.len());
    }
}

/// A band's rate to 48 kHz.
pub(crate) struct Up {
    band: Band,
    /// The last samples that a window still needs, then the block being worked on.
    line: Vec<f32>,
}

impl Up {
    pub fn new(band: Band) -> Self {
        Self { band, line: vec![0.0; band.phase() - 1] }
    }

    /// Fills `out` with three or six samples for each of `sound`.
    pub fn run(&mut self, sound: &[i16], out: &mut [i16]) {
        self.line.extend(sound.iter().map(|sample| f32::from(*sample)));
        let phases = &self.band.filter().phases;
        let windows = self.line.windows(self.band.phase());
        for (some, window) in out.chunks_mut(self.band.ratio()).zip(windows) {
            for (sample, taps) in some.iter_mut().zip(phases) {
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
    fn gain(band: Band, hz: f64, both: bool) -> f64 {
        let sound = tone(hz, 48_000.0, 10_000.0, 48_000);
        let (mut down, mut up) = (Down::new(band), Up::new(band));
        let mut heard = Vec::new();
        for block in sound.chunks_exact(480) {
            let mut carried = Vec::new();
            down.run(block, &mut carried);
            assert_eq!(carried.len(), 480 / band.ratio());
            if both {
                let mut back = [0; 480];
                up.run(&carried, &mut back);
                heard.extend_from_slice(&back);
            } else {
                heard.extend_from_slice(&carried);
            }
        }
        let settled = heard.len() / 10;
        20.0 * (rms(&heard[settled..]) / rms(&sound)).max(1e-9).log10()
    }

    #[test]
    fn the_band_passes_flat() {
        let narrow = [100.0, 300.0, 1000.0, 2000.0, 3000.0, 3300.0].map(|hz| (Band::Narrow, hz));
        let wide = [50.0, 300.0, 1000.0, 3400.0, 5000.0, 7000.0].map(|hz| (Band::Wide, hz));
        for (band, hz) in narrow.into_iter().chain(wide) {
            let db = gain(band, hz, true);
            assert!(db.abs() < 0.2, "{band:?} {hz} Hz: {db:.2} dB");
        }
    }

    #[test]
    fn nothing_folds_back() {
        let narrow =
            [4150.0, 4600.0, 5000.0, 7000.0, 8000.0, 12_000.0, 20_000.0].map(|hz| (Band::Narrow, hz));
        let wide = [8300.0, 9000.0, 10_000.0, 16_000.0, 20_000.0].map(|hz| (Band::Wide, hz));
        for (band, hz) in narrow.into_iter().chain(wide) {
            let db = gain(band, hz, false);
            assert!(db < -50.0, "{band:?} {hz} Hz: {db:.1} dB");
        }
    }

    #[test]
    fn both_ways_take_their_time_and_no_more() {
        for (band, samples) in [(Band::Narrow, 245), (Band::Wide, 173)] {
            let mut sound = vec![0i16; 4800];
            sound[480..490].fill(20_000);
            let (mut down, mut up) = (Down::new(band), Up::new(band));
            let mut carried = Vec::new();
            down.run(&sound, &mut carried);
            let mut heard = vec![0; 4800];
            up.run(&carried, &mut heard);
            let peak = (0..heard.len()).max_by_key(|i| heard[*i]).unwrap();
            assert!((475..=484 + samples).contains(&peak), "{band:?} {peak}");
        }
    }
}
