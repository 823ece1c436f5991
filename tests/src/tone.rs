//! A tone in a recording.

use std::f64::consts::TAU;
use std::path::Path;

use hound::WavReader;

/// Seconds of a WAV file in which a tone of `hz` carries most of what is heard, counted in pieces of 100 ms.
pub fn seconds_of_tone(recording: &Path, hz: f64) -> f64 {
    let mut reader = WavReader::open(recording).unwrap_or_else(|e| panic!("{}: {e}", recording.display()));
    let rate = f64::from(reader.spec().sample_rate);
    let samples: Vec<f64> = reader.samples::<i16>().map_while(Result::ok).map(f64::from).collect();
    let piece = (rate / 10.0) as usize;
    let with_tone = samples.chunks_exact(piece).filter(|piece| is_tone(piece, hz / rate)).count();
    with_tone as f64 / 10.0
}

/// Whether the tone, in cycles a sample, holds more than half of the energy of what is not silence.
fn is_tone(samples: &[f64], cycles: f64) -> bool {
    let energy: f64 = samples.iter().map(|sample| sample * sample).sum();
    let turned = |turn: fn(f64) -> f64| -> f64 {
        samples.iter().enumerate().map(|(n, sample)| sample * turn(TAU * cycles * n as f64)).sum()
    };
    let length = samples.len() as f64;
    let of_tone = (turned(f64::cos).powi(2) + turned(f64::sin).powi(2)) * 2.0 / length;
    energy / length > 1_000.0 && of_tone > energy / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_told_from_silence_noise_and_other_tones() {
        let tone = |hz: f64| (0..800).map(|n| 8_000.0 * (TAU * hz / 8_000.0 * f64::from(n)).sin()).collect();
        let tone: [Vec<f64>; 2] = [1_004.0, 440.0].map(tone);
        assert!(is_tone(&tone[0], 1_004.0 / 8_000.0));
        assert!(!is_tone(&tone[1], 1_004.0 / 8_000.0));
        assert!(!is_tone(&vec![0.0; 800], 1_004.0 / 8_000.0));
        let noise: Vec<f64> = (0..800).map(|n| f64::from((n * 7919) % 4001 - 2000)).collect();
        assert!(!is_tone(&noise, 1_004.0 / 8_000.0));
    }
}
