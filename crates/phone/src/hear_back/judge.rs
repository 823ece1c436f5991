//! What a recording of somebody's own voice says about the microphone. Pure: samples in, verdict out.

use devices::FRAME;
use serde::Serialize;
use specta::Type;

/// What opening a microphone may add is not listened to, frames.
const BEGINNING: usize = 30;
/// So many of a hundred frames may be louder than the level that is told: single knocks say nothing.
const LOUDEST_PERCENT: usize = 5;
/// A microphone that is muted or the wrong one stays below, dBFS (RMS).
const SILENT_DB: f32 = -60.0;
/// A voice that is hardly understood stays below, dBFS (RMS).
const QUIET_DB: f32 = -42.0;
/// A sample at the end of the scale.
const FULL: u16 = 32_700;
/// So many of them in a row are no peak but a flat top.
const FLAT: usize = 3;
/// Frames with flat tops from which on a voice is harsh: a tenth of a second.
const HARSH: usize = 10;

/// What is to be said of a microphone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Heard {
    /// Nothing but silence came.
    Silent,
    /// A voice this soft is hardly understood.
    TooQuiet,
    /// It is so loud that it is cut off.
    Clipped,
    /// All is well.
    Good,
}

/// Judges what was recorded: frames of 10 ms, one after the other.
pub(super) fn judge(samples: &[i16]) -> Heard {
    let frames: Vec<&[i16]> = samples.chunks_exact(FRAME).skip(BEGINNING).collect();
    let harsh = frames.iter().filter(|frame| is_flat(frame)).count();
    let mut levels: Vec<f32> = frames.iter().map(|frame| level_db(frame)).collect();
    levels.sort_by(f32::total_cmp);
    let kept = levels.len() - levels.len() * LOUDEST_PERCENT / 100;
    match kept.checked_sub(1).and_then(|last| levels.get(last)) {
        None => Heard::Silent,
        Some(_) if harsh >= HARSH => Heard::Clipped,
        Some(level) if *level < SILENT_DB => Heard::Silent,
        Some(level) if *level < QUIET_DB => Heard::TooQuiet,
        Some(_) => Heard::Good,
    }
}

/// Highest sample of a frame, in steps of 0.6 dB: 0 is -60 dBFS and less, 100 is full scale.
pub(crate) fn level(frame: &[i16]) -> u8 {
    let peak = frame.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
    let db = 20.0 * (f32::from(peak.max(1)) / 32_768.0).log10();
    ((db + 60.0) / 0.6).clamp(0.0, 100.0).round() as u8
}

fn level_db(frame: &[i16]) -> f32 {
    let power: f32 = frame.iter().map(|sample| (f32::from(*sample) / 32_768.0).powi(2)).sum();
    10.0 * (power / frame.len().max(1) as f32).max(1e-12).log10()
}

fn is_flat(frame: &[i16]) -> bool {
    frame.windows(FLAT).any(|row| row.iter().all(|sample| sample.unsigned_abs() >= FULL))
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    /// Words of half a second with pauses as long between them, this loud (RMS, dBFS), above a soft hum.
    fn voice(db: f32) -> Vec<i16> {
        let amplitude = 32_768.0 * 2.0_f32.sqrt() * 10.0_f32.powf(db / 20.0);
        let sample = |n: usize| {
            let hum = 8.0 * (TAU * 50.0 * n as f32 / 48_000.0).sin();
            let word = if (n / 24_000).is_multiple_of(2) { 0.0 } else { amplitude };
            (hum + word * (TAU * 200.0 * n as f32 / 48_000.0).sin()).clamp(-32_768.0, 32_767.0) as i16
        };
        (0..5 * 48_000).map(sample).collect()
    }

    #[test]
    fn a_voice_is_silent_quiet_good_or_clipped() {
        for (db, expected) in [
            (-90.0, Heard::Silent),
            (-62.0, Heard::Silent),
            (-50.0, Heard::TooQuiet),
            (-35.0, Heard::Good),
            (-12.0, Heard::Good),
            (3.0, Heard::Clipped),
        ] {
            assert_eq!(judge(&voice(db)), expected, "{db} dBFS");
        }
    }

    #[test]
    fn nothing_at_all_is_silence() {
        assert_eq!(judge(&[]), Heard::Silent);
        assert_eq!(judge(&vec![0; 5 * 48_000]), Heard::Silent);
    }

    #[test]
    fn a_knock_is_no_voice() {
        let mut samples = vec![0; 5 * 48_000];
        for frame in [100, 200] {
            samples[frame * FRAME..][..FRAME].fill(i16::MAX);
        }
        assert_eq!(judge(&samples), Heard::Silent);
    }

    #[test]
    fn what_opening_a_microphone_adds_is_not_listened_to() {
        let mut samples = voice(-30.0);
        samples[..BEGINNING * FRAME].fill(i16::MAX);
        assert_eq!(judge(&samples), Heard::Good);
    }

    #[test]
    fn levels_are_told_in_steps_of_six_tenths_of_a_decibel() {
        assert_eq!([0, 32, 1_036, i16::MIN].map(|peak| level(&[0, peak])), [0, 0, 50, 100]);
    }
}
