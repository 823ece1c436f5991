//! Time-stretching that keeps the pitch: whole pitch cycles are taken out or put in where two stretches of
//! the sound are alike, and the seam is cross-faded (WSOLA).

// Every range below is clamped to the frame and to the past in front of it; the tests cover the corners.
#![allow(clippy::indexing_slicing)]

/// Longest piece that is taken out or put in at once: 15 ms.
pub(super) const LONGEST: usize = 720;
/// Shortest: 2.5 ms.
const SHORTEST: usize = 120;
/// Length of a seam: 5 to 10 ms.
const SEAM: std::ops::RangeInclusive<usize> = 240..=480;
/// Past that must stand in front of the frame.
pub(super) const PAST: usize = LONGEST + 480;
/// Likeness below which a seam would be heard.
const GOOD: f32 = 0.85;
/// What is put up with when the delay must go down soon.
const PASSABLE: f32 = 0.5;
/// Steps of the coarse search, in samples.
const COARSE: usize = 6;
/// Root mean square under which anything may be cut: -54 dBFS.
const SILENCE: f32 = 64.0;

/// How much to change the length of a frame by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    /// Samples that are wanted.
    pub samples: usize,
    /// Seams that may just be heard are allowed.
    pub eager: bool,
}

/// Tells pauses from speech, by the least level of late.
#[derive(Debug)]
pub(super) struct Pauses {
    floor: f32,
}

impl Pauses {
    pub fn new() -> Self {
        Self { floor: SILENCE }
    }

    /// Takes note of a frame: is it a pause?
    pub fn note(&mut self, frame: &[i16]) -> bool {
        let level = rms(frame);
        // Falls at once, rises by 1 dB a second.
        self.floor = if level < self.floor { level } else { (self.floor * 1.0023).max(1.0) };
        level < SILENCE || (level < 2.0 * self.floor && level < 16.0 * SILENCE)
    }
}

/// Shortens `sound[start..]` by at most `wish.samples`. Returns by how many it did.
pub(super) fn shorten(sound: &mut Vec<i16>, start: usize, wish: Wish, pause: bool) -> usize {
    let length = sound.len().saturating_sub(start);
    let most = wish.samples.min(LONGEST).min(length.saturating_sub(*SEAM.start()));
    let seam_for = |piece: usize| (length - piece).min(*SEAM.end());
    let Some((piece, likeness)) = choose(most, pause, wish.eager, |piece, step| {
        let seam = seam_for(piece);
        likeness(&sound[start..start + seam], &sound[start + piece..start + piece + seam], step)
    }) else {
        return 0;
    };
    let seam = seam_for(piece);
    for i in 0..seam {
        sound[start + i] = fade(sound[start + i], sound[start + piece + i], i, seam, likeness);
    }
    sound.drain(start + seam..start + seam + piece);
    piece
}

/// Lengthens `sound[start..]`, in front of which [`PAST`] samples stand, by about `wish.samples`. Returns by
/// how many it did.
pub(super) fn lengthen(sound: &mut Vec<i16>, start: usize, wish: Wish, pause: bool) -> usize {
    let length = sound.len().saturating_sub(start);
    if start < PAST || length < *SEAM.end() {
        return 0;
    }
    let seam_for = |piece: usize| piece.clamp(SHORTEST, *SEAM.end());
    let most = if pause { wish.samples.clamp(SHORTEST, LONGEST) } else { LONGEST };
    let Some((piece, likeness)) = choose(most, pause, wish.eager, |piece, step| {
        let seam = seam_for(piece);
        likeness(&sound[start..start + seam], &sound[start - piece..start - piece + seam], step)
    }) else {
        return 0;
    };
    // What is natural next slides into what was one piece ago; from there the sound is heard once more.
    let seam = seam_for(piece);
    let mut insert = [0i16; LONGEST];
    for (i, slot) in insert[..piece].iter_mut().enumerate() {
        let before = sound[start - piece + i];
        *slot = if i < seam { fade(sound[start + i], before, i, seam, likeness) } else { before };
    }
    sound.splice(start..start, insert[..piece].iter().copied());
    piece
}

/// The best piece of at most `most` samples, with the likeness at its seam.
fn choose(
    most: usize,
    pause: bool,
    eager: bool,
    likeness: impl Fn(usize, usize) -> f32,
) -> Option<(usize, f32)> {
    if pause {
        return (most > 0).then(|| (most, likeness(most, 1)));
    }
    if most < SHORTEST {
        return None;
    }
    let better = |a: &(usize, f32), b: &(usize, f32)| a.1.total_cmp(&b.1);
    let coarse =
        (SHORTEST..=most).step_by(COARSE).map(|piece| (piece, likeness(piece, COARSE))).max_by(better)?;
    let near = coarse.0.saturating_sub(COARSE).max(SHORTEST)..=(coarse.0 + COARSE).min(most);
    let best = near.map(|piece| (piece, likeness(piece, 1))).max_by(better)?;
    (best.1 >= if eager { PASSABLE } else { GOOD }).then_some(best)
}

/// Normalised correlation over every `step`th sample.
fn likeness(a: &[i16], b: &[i16], step: usize) -> f32 {
    let (mut ab, mut aa, mut bb) = (0.0f32, 1.0f32, 1.0f32);
    for (a, b) in a.iter().zip(b).step_by(step) {
        let (a, b) = (f32::from(*a), f32::from(*b));
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    ab / (aa * bb).sqrt()
}

/// Cross-fade from `a` to `b` that keeps the power of sounds which are this alike.
fn fade(a: i16, b: i16, i: usize, seam: usize, likeness: f32) -> i16 {
    let to = (i as f32 + 0.5) / seam as f32;
    let from = 1.0 - to;
    let power = from * from + to * to + 2.0 * from * to * likeness.clamp(0.0, 1.0);
    ((f32::from(a) * from + f32::from(b) * to) / power.sqrt()).round() as i16
}

fn rms(sound: &[i16]) -> f32 {
    let sum: f32 = sound.iter().map(|s| f32::from(*s) * f32::from(*s)).sum();
    (sum / sound.len().max(1) as f32).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{speech, tone};

    const FRAME: usize = 960;

    /// Stretches every fifth frame.
    fn run(sound: &[i16], how: fn(&mut Vec<i16>, usize, Wish, bool) -> usize) -> (Vec<i16>, usize) {
        let mut out = vec![0; PAST];
        let mut changed = 0;
        for (n, frame) in sound.chunks_exact(FRAME).enumerate() {
            let start = out.len();
            out.extend_from_slice(frame);
            if n % 5 == 4 {
                changed += how(&mut out, start, Wish { samples: 600, eager: false }, false);
            }
        }
        (out.split_off(PAST), changed)
    }

    /// Upward zero crossings a second.
    fn crossings(sound: &[i16]) -> f64 {
        let count = sound.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
        count as f64 * 48_000.0 / sound.len() as f64
    }

    #[test]
    fn a_tone_keeps_its_pitch_its_level_and_its_smoothness() {
        for hz in [110.0, 173.0, 220.0, 440.0, 997.0] {
            let sound = tone(hz, 48_000.0, 10_000.0, 48_000 * 2);
            let steepest = sound.windows(2).map(|p| p[0].abs_diff(p[1])).max().unwrap();
            for how in [shorten, lengthen] {
                let (out, changed) = run(&sound, how);
                assert!(changed > 2500, "{hz} Hz: {changed}");
                assert_eq!(out.len().abs_diff(sound.len()), changed);
                let pitch = crossings(&out);
                assert!((pitch - hz).abs() < 0.01 * hz + 1.0, "{hz} Hz became {pitch}");
                let level = crate::testing::rms(&out) / crate::testing::rms(&sound);
                assert!((level - 1.0).abs() < 0.03, "{hz} Hz: level {level}");
                let steep = out.windows(2).map(|p| p[0].abs_diff(p[1])).max().unwrap();
                assert!(f64::from(steep) < 1.35 * f64::from(steepest) + 20.0, "{hz} Hz: a click, {steep}");
            }
        }
    }

    #[test]
    fn speech_keeps_its_energy_and_changes_its_length() {
        let sound = speech(48_000 * 6);
        for how in [shorten, lengthen] {
            let (out, changed) = run(&sound, how);
            assert!(changed > 48 * 100, "{changed}");
            // Cut and added pieces are as loud as the rest on the whole.
            let level = crate::testing::rms(&out) / crate::testing::rms(&sound);
            assert!((level - 1.0).abs() < 0.06, "level {level}");
        }
    }

    #[test]
    fn noise_is_left_alone_until_it_is_urgent_or_a_pause() {
        let mut state = 1u32;
        let noise: Vec<i16> = (0..PAST + FRAME)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 18) as i16 - 8192
            })
            .collect();
        let wish = Wish { samples: 480, eager: false };
        let mut sound = noise.clone();
        assert_eq!(shorten(&mut sound, PAST, wish, false), 0);
        assert_eq!(lengthen(&mut sound, PAST, wish, false), 0);
        assert_eq!(sound, noise);
        assert_eq!(shorten(&mut sound, PAST, wish, true), 480);
        assert_eq!(sound.len(), noise.len() - 480);
        assert_eq!(lengthen(&mut sound, PAST, wish, true), 480);
        assert_eq!(sound.len(), noise.len());
    }

    #[test]
    fn corners() {
        let mut sound = vec![100; PAST + 120];
        let wish = Wish { samples: usize::MAX, eager: true };
        assert_eq!(shorten(&mut sound, PAST, wish, true), 0, "too short a frame");
        assert_eq!(lengthen(&mut sound, PAST, wish, true), 0);
        assert_eq!(shorten(&mut Vec::new(), 0, wish, true), 0);
        let mut long = vec![100; PAST + 5760];
        assert!(shorten(&mut long, PAST, wish, false) <= LONGEST);
        assert!(lengthen(&mut long, PAST, wish, false) <= LONGEST);
        assert_eq!(shorten(&mut long, PAST, Wish { samples: 0, eager: true }, true), 0);
    }

    #[test]
    fn pauses_are_found() {
        let mut pauses = Pauses::new();
        let sound = speech(48_000 * 4);
        let found: Vec<bool> = sound.chunks_exact(FRAME).map(|frame| pauses.note(frame)).collect();
        let quiet = found.iter().filter(|pause| **pause).count();
        assert!((30..80).contains(&quiet), "{quiet} of {}", found.len());
    }
}
