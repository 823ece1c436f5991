//! Digits as tones in the voice itself (ITU-T Q.23), for lines that know no other.

use std::collections::VecDeque;
use std::f32::consts::TAU;

use crate::{Digit, FRAME, RATE};

/// Frames of tone: 100 ms (Q.24 asks for 40 at least).
const TONE: usize = 10;
/// Frames of silence after it: 70 ms.
const GAP: usize = 7;
/// Digits kept waiting at most.
const MOST: usize = 64;

/// Peak of each of the two sines. A full sine at -6 dBm0 above and -8 dBm0 below (full scale is +3 dBm0): within
/// what Q.24 wants received, and the upper a little louder because lines lose more of it.
const HIGH: f32 = 11_600.0;
const LOW: f32 = 9_200.0;

/// Samples over which a tone swells and fades: 2 ms.
const EDGE: usize = 96;

/// Digits that are on their way as tones.
#[derive(Debug, Default)]
pub(crate) struct InBand {
    waiting: VecDeque<Digit>,
    /// The digit that sounds now, and frames gone since it began.
    now: Option<(Digit, usize)>,
}

impl InBand {
    /// Queues a digit. `false`: far too many are waiting.
    pub fn send(&mut self, digit: Digit) -> bool {
        let possible = self.waiting.len() < MOST;
        if possible {
            self.waiting.push_back(digit);
        }
        possible
    }

    /// Forgets what is on its way.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// What takes the voice's place for the next 10 ms, while a digit sounds.
    pub fn frame(&mut self) -> Option<[i16; FRAME]> {
        let (digit, at) = match self.now {
            Some(sounding) => sounding,
            None => (self.waiting.pop_front()?, 0),
        };
        self.now = (at + 1 < TONE + GAP).then_some((digit, at + 1));
        let mut frame = [0; FRAME];
        if at < TONE {
            let (low, high) = frequencies(digit);
            for (n, sample) in frame.iter_mut().enumerate() {
                let n = at * FRAME + n;
                let edge = n.min(TONE * FRAME - 1 - n).min(EDGE) as f32 / EDGE as f32;
                let sine = |hz: f32| (TAU * hz * n as f32 / RATE as f32).sin();
                *sample = (edge * (LOW * sine(low) + HIGH * sine(high))) as i16;
            }
        }
        Some(frame)
    }
}

/// Row and column of the keypad (Q.23, table 1).
fn frequencies(digit: Digit) -> (f32, f32) {
    let low = match digit.as_char() {
        '1' | '2' | '3' | 'A' => 697.0,
        '4' | '5' | '6' | 'B' => 770.0,
        '7' | '8' | '9' | 'C' => 852.0,
        _ => 941.0,
    };
    let high = match digit.as_char() {
        '1' | '4' | '7' | '*' => 1209.0,
        '2' | '5' | '8' | '0' => 1336.0,
        '3' | '6' | '9' | '#' => 1477.0,
        _ => 1633.0,
    };
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Level of a frequency in dB below a full-scale sine (Goertzel).
    fn level(samples: &[i16], hz: f32) -> f32 {
        let k = 2.0 * (TAU * hz / RATE as f32).cos();
        let (a, b) = samples.iter().fold((0.0_f32, 0.0_f32), |(a, b), s| (f32::from(*s) + k * a - b, a));
        let power = a * a + b * b - k * a * b;
        20.0 * (power.sqrt() * 2.0 / samples.len() as f32 / 32_768.0).log10()
    }

    #[test]
    fn each_key_sounds_with_its_own_two_tones() {
        const TONES: [f32; 8] = [697.0, 770.0, 852.0, 941.0, 1209.0, 1336.0, 1477.0, 1633.0];
        for (row, keys) in ["123A", "456B", "789C", "*0#D"].into_iter().enumerate() {
            for (column, key) in keys.chars().enumerate() {
                let mut tones = InBand::default();
                assert!(tones.send(Digit::new(key).unwrap()));
                let frames: Vec<_> = std::iter::from_fn(|| tones.frame()).collect();
                assert_eq!(frames.len(), TONE + GAP);
                assert!(frames[TONE..].iter().all(|frame| *frame == [0; FRAME]));
                let sound = frames[1..TONE - 1].concat();
                let (low, high) = (TONES[row], TONES[4 + column]);
                let (of_low, of_high) = (level(&sound, low) + 3.0, level(&sound, high) + 3.0);
                assert!(
                    (of_low + 8.0).abs() < 0.5 && (of_high + 6.0).abs() < 0.5,
                    "{key}: {of_low} {of_high} dBm0"
                );
                for other in TONES.into_iter().filter(|tone| *tone != low && *tone != high) {
                    assert!(level(&sound, other) < -25.0, "{key}: {other} Hz");
                }
            }
        }
    }

    #[test]
    fn digits_follow_each_other_and_then_the_voice_goes_on() {
        let mut tones = InBand::default();
        assert_eq!(tones.frame(), None);
        "12".chars().for_each(|digit| assert!(tones.send(Digit::new(digit).unwrap())));
        assert_eq!(std::iter::from_fn(|| tones.frame()).count(), 2 * (TONE + GAP));
        tones.send(Digit::new('1').unwrap());
        tones.frame();
        tones.clear();
        assert_eq!(tones.frame(), None);
    }
}
