//! What the phone itself is heard with: the bell, and the tones of a line.

use std::f32::consts::TAU;

use crate::RATE;

/// A sound that goes on until it is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tone {
    /// Somebody calls.
    Ring(Ring),
    /// The other phone rings: 425 Hz, one second on, four off (ITU-T E.180, Europe).
    RingBack,
    /// The line is busy, or the call has ended: 425 Hz in quick turns, a second and a half in all.
    Busy,
    /// Another call waits while we talk: 425 Hz, twice a fifth of a second, then four seconds nothing (ITU-T E.180).
    Waiting,
    /// The phone is about to answer by itself, or has done so: three short rising notes.
    AutoAnswer,
    /// The call is recorded: 1400 Hz, four tenths of a second every fifteen seconds, as is the custom.
    Recorded,
}

/// How a call rings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Ring {
    /// Our bell: two strokes of a small carillon.
    #[default]
    Carillon,
    /// Four bells going down.
    Peal,
    /// Two low bells, far apart.
    Evening,
    /// Two tones in quick turns, as desk phones do.
    Desk,
}

impl Ring {
    fn samples(self) -> Vec<f32> {
        match self {
            Self::Carillon => bell(),
            Self::Peal => strikes(&[(0.0, 880.0), (0.3, 783.99), (0.6, 659.26), (0.9, 587.33)], 4.0),
            Self::Evening => strikes(&[(0.0, 329.63), (1.1, 440.0)], 5.0),
            Self::Desk => {
                let turn = [note(784.0, 0.06, 0.0), note(988.0, 0.06, 0.0)].concat();
                let mut out = turn.repeat(8);
                out.resize(seconds(4.0), 0.0);
                out.iter_mut().for_each(|s| *s *= BELL_PEAK / 0.18);
                out
            }
        }
    }
}

impl Tone {
    /// One period, 48 kHz mono. Played in a loop where [`repeats`](Self::repeats) says so.
    pub fn samples(self) -> Vec<f32> {
        match self {
            Self::Ring(ring) => ring.samples(),
            Self::RingBack => beep(&[(1.0, 4.0)]),
            Self::Busy => beep(&[(0.24, 0.24), (0.24, 0.24), (0.24, 0.3)]),
            Self::Waiting => beep(&[(0.2, 0.2), (0.2, 4.0)]),
            Self::Recorded => note(1400.0, 0.4, 14.6),
            Self::AutoAnswer => {
                [425.0, 567.0, 850.0].into_iter().flat_map(|hz| note(hz, 0.12, 0.04)).collect()
            }
        }
    }

    /// Whether it goes on for ever.
    pub fn repeats(self) -> bool {
        !matches!(self, Self::Busy | Self::AutoAnswer)
    }
}

/// A bell's partial: frequency relative to the strike note, loudness, and seconds to fall to a third.
/// Hum, prime, tierce, quint, nominal and three above, as a founder tunes a minor-third bell; each but
/// the lowest is split in two a little apart, which is what makes a cast bell sing.
const PARTIALS: [(f32, f32, f32); 8] = [
    (0.5, 0.50, 1.30),
    (1.0, 0.80, 0.90),
    (1.2, 0.55, 0.75),
    (1.5, 0.28, 0.55),
    (2.0, 0.70, 0.50),
    (2.66, 0.22, 0.28),
    (3.01, 0.16, 0.22),
    (4.17, 0.08, 0.12),
];

/// Two strokes of a small carillon, a fourth apart, then a pause: (start in seconds, strike note in Hz).
const STROKES: [(f32, f32); 2] = [(0.0, 659.26), (0.42, 880.0)];
const BELL_SECONDS: f32 = 3.6;
const BELL_PEAK: f32 = 0.5;

/// One period of the bell, 48 kHz mono, peak at half of full scale. The same at every call.
pub fn bell() -> Vec<f32> {
    strikes(&STROKES, BELL_SECONDS)
}

/// Strokes at (seconds, strike note in Hz), and the pause after them.
fn strikes(strokes: &[(f32, f32)], length: f32) -> Vec<f32> {
    let mut out = vec![0.0_f32; seconds(length)];
    for &(start, note) in strokes {
        for (n, sample) in out.iter_mut().skip(seconds(start)).enumerate() {
            *sample += stroke(note, n as f32 / RATE as f32);
        }
    }
    // The second half of the pause is silent, so that the loop has no seam.
    let fade = seconds(0.8);
    for (n, sample) in out.iter_mut().rev().enumerate().take(fade) {
        *sample *= smooth(n as f32 / fade as f32);
    }
    let peak = out.iter().fold(f32::MIN_POSITIVE, |peak, s| peak.max(s.abs()));
    out.iter_mut().for_each(|s| *s *= BELL_PEAK / peak);
    out
}

/// A stroke on a bell, `t` seconds after the clapper met it.
fn stroke(note: f32, t: f32) -> f32 {
    let clapper = smooth(t / 0.004);
    let ring: f32 = PARTIALS
        .iter()
        .map(|&(ratio, loud, decay)| {
            let beat = if ratio > 0.9 { 0.0009 } else { 0.0 };
            let (low, high) = (note * ratio * (1.0 - beat), note * ratio * (1.0 + beat));
            let tone = ((TAU * low * t).sin() + (TAU * high * t).sin()) / 2.0;
            loud * (-t / decay).exp() * tone
        })
        .sum();
    clapper * ring
}

/// 425 Hz in turns of (seconds on, seconds off).
fn beep(turns: &[(f32, f32)]) -> Vec<f32> {
    turns.iter().flat_map(|&(on, off)| note(425.0, on, off)).collect()
}

/// A tone for `on` seconds and silence for `off`, with soft edges and a little of the octave for warmth.
fn note(hz: f32, on: f32, off: f32) -> Vec<f32> {
    const LOUD: f32 = 0.16;
    const EDGE: f32 = 0.02;
    let mut out: Vec<f32> = (0..seconds(on))
        .map(|n| {
            let t = n as f32 / RATE as f32;
            let edge = smooth(t / EDGE) * smooth((on - t) / EDGE);
            LOUD * edge * ((TAU * hz * t).sin() + 0.12 * (TAU * 2.0 * hz * t).sin())
        })
        .collect();
    out.resize(seconds(on) + seconds(off), 0.0);
    out
}

/// From 0 to 1 without a corner.
fn smooth(x: f32) -> f32 {
    let x = x.clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

fn seconds(s: f32) -> usize {
    (s * RATE as f32).round() as usize
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::resample::to_i16;

    /// The bell as it is committed: 24 kHz, 16 bit. It holds nothing above a sixth of that rate, so every
    /// second sample tells all.
    fn asset() -> Vec<i16> {
        bell().into_iter().step_by(2).map(to_i16).collect()
    }

    /// With `UPDATE_ASSETS` set, writes the file instead.
    #[test]
    fn the_committed_bell_is_the_one_made_here() {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/ring.wav"));
        let made = asset();
        if std::env::var_os("UPDATE_ASSETS").is_some() {
            let spec = hound::WavSpec {
                channels: 1,
                sample_rate: RATE / 2,
                bits_per_sample: 16,
                sample_format: hound::SampleFormat::Int,
            };
            let mut writer = hound::WavWriter::create(path, spec).unwrap();
            made.iter().for_each(|s| writer.write_sample(*s).unwrap());
            writer.finalize().unwrap();
        }
        let mut reader = hound::WavReader::open(path).unwrap();
        assert_eq!(reader.spec().sample_rate, RATE / 2);
        let committed: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        assert_eq!(committed.len(), made.len());
        // Sines differ in their last bit between systems.
        assert!(committed.iter().zip(&made).all(|(a, b)| a.abs_diff(*b) <= 1));
    }

    fn peak(samples: &[f32]) -> f32 {
        samples.iter().fold(0.0, |peak, s| peak.max(s.abs()))
    }

    #[test]
    fn the_bell_strikes_twice_and_pauses_without_a_seam() {
        let bell = bell();
        assert!((peak(&bell) - BELL_PEAK).abs() < 1e-4);
        let loud = |from: f32, to: f32| peak(&bell[seconds(from)..seconds(to)]);
        assert!(loud(0.0, 0.2) > 0.2, "the first stroke");
        assert!(loud(0.42, 0.6) > 0.3, "the second");
        assert!(loud(3.0, 3.6) < 0.1, "the pause");
        assert!(bell[0].abs() < 1e-4 && bell[bell.len() - 1].abs() < 1e-4);
        let jump = bell.windows(2).fold(0.0_f32, |most, w| most.max((w[1] - w[0]).abs()));
        assert!(jump < 0.2, "no click: {jump}");
    }

    #[test]
    fn every_ring_is_as_loud_and_loops_without_a_seam() {
        for ring in [Ring::Carillon, Ring::Peal, Ring::Evening, Ring::Desk] {
            let samples = Tone::Ring(ring).samples();
            assert!((0.4..0.6).contains(&peak(&samples)), "{ring:?} {}", peak(&samples));
            assert!(samples[0].abs() < 1e-3 && samples[samples.len() - 1].abs() < 1e-3, "{ring:?}");
            assert!(peak(&samples[samples.len() - seconds(0.05)..]) < 0.01, "{ring:?} ends in silence");
            assert!(Tone::Ring(ring).repeats());
        }
    }

    #[test]
    fn tones_of_a_line_have_their_turns() {
        let ring_back = Tone::RingBack.samples();
        assert_eq!(ring_back.len(), seconds(5.0));
        assert!(peak(&ring_back[..seconds(1.0)]) > 0.1);
        assert_eq!(peak(&ring_back[seconds(1.0)..]), 0.0);
        let rising = ring_back[..seconds(1.0)].windows(2).filter(|w| w[0] < 0.0 && w[1] >= 0.0).count();
        assert!(rising.abs_diff(425) <= 1, "{rising} Hz");

        let busy = Tone::Busy.samples();
        assert!(busy.len() < seconds(2.0) && !Tone::Busy.repeats());
        assert!(peak(&busy[..seconds(0.24)]) > 0.1 && peak(&busy[seconds(0.25)..seconds(0.47)]) == 0.0);

        let waiting = Tone::Waiting.samples();
        assert!(peak(&waiting[..seconds(0.2)]) > 0.1 && peak(&waiting[seconds(0.65)..]) == 0.0);
        assert!(Tone::Waiting.repeats() && !Tone::AutoAnswer.repeats());
        assert!(peak(&Tone::AutoAnswer.samples()) < 0.2, "a warning, no shout");
    }
}
