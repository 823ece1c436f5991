//! Recorded human speech: readings and prompts out of Debian packages.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::room::{RATE, resample};
use super::scene::{Background, Noise};

/// Where pocketsphinx-testdata lies.
const SPOKEN: &str = "/usr/share/pocketsphinx/test/data";
/// Where bucklespring-data lies: every key of a keyboard, recorded.
const KEYS: &str = "/usr/share/buckle/wav";

/// A LibriVox reading, 21 seconds: the voice of the far end.
pub fn far() -> &'static [f32] {
    static FAR: OnceLock<Vec<f32>> = OnceLock::new();
    let clips = ["0870", "0880", "0890", "0920"];
    let reading = |name| format!("librivox/sense_and_sensibility_01_austen_64kb-{name}.wav");
    FAR.get_or_init(|| {
        clips.into_iter().flat_map(|name| wav(&Path::new(SPOKEN).join(reading(name)))).collect()
    })
}

static NEAR: OnceLock<PathBuf> = OnceLock::new();

/// Lets this WAV file be the voice at the microphone.
pub fn speak_near(file: PathBuf) {
    NEAR.set(file).expect("once");
}

/// Another person, 10 seconds or more: the voice at the microphone. Unless a cleaner one was given, short commands.
pub fn near() -> Vec<f32> {
    if let Some(file) = NEAR.get() {
        return wav(file);
    }
    (1..=5).flat_map(|n| wav(&Path::new(SPOKEN).join(format!("cards/00{n}.wav")))).collect()
}

/// What goes on around the microphone, so many samples of it.
pub fn background(what: Background, length: usize) -> Vec<f32> {
    match what {
        Background::Hiss => {
            let mut noise = Noise(1);
            (0..length).map(|_| noise.next()).collect()
        }
        Background::Babble => babble(length),
        Background::Typing => typing(length),
        Background::Fan => fan(length),
    }
}

/// Four people, each three times at once.
fn babble(length: usize) -> Vec<f32> {
    let voices: Vec<Vec<f32>> = ["goforward.raw", "numbers.raw", "something.raw"]
        .into_iter()
        .map(|name| raw(&Path::new(SPOKEN).join(name)))
        .chain([far().to_vec()])
        .map(|voice| at_level(&voice, -26.0))
        .collect();
    let mut sound = vec![0.0; length];
    for turn in 0..3 {
        for (n, voice) in voices.iter().enumerate() {
            let skip = (turn * 37 + n * 11) * RATE / 10;
            sound.iter_mut().zip(voice.iter().cycle().skip(skip)).for_each(|(sound, voice)| *sound += voice);
        }
    }
    sound
}

/// Six keys a second.
fn typing(length: usize) -> Vec<f32> {
    let mut sound = vec![0.0; length];
    let keys = ["10", "11", "12", "13", "1e", "1f", "20", "21", "39"];
    let mut random = Noise(3);
    let mut at = 0;
    while at < length {
        let key = keys[(random.next().abs() * 7.0) as usize % keys.len()];
        for (way, later) in [("1", 0), ("0", RATE / 12)] {
            let click = wav(&Path::new(KEYS).join(format!("{key}-{way}.wav")));
            sound.iter_mut().skip(at + later).zip(click).for_each(|(sound, click)| *sound += click);
        }
        at += RATE / 6 + (random.next() * RATE as f32 / 20.0) as usize;
    }
    sound
}

/// Pink noise and the hum of a motor.
fn fan(length: usize) -> Vec<f32> {
    let (mut noise, mut rows, mut random) = (Noise(5), [0.0_f32; 12], 1_u32);
    (0..length)
        .map(|n| {
            // Voss and McCartney: each row changes half as often as the one before.
            random = random.wrapping_add(1);
            if let Some(row) = rows.get_mut(random.trailing_zeros() as usize) {
                *row = noise.next();
            }
            let hum = (n as f32 / RATE as f32 * 98.0 * std::f32::consts::TAU).sin();
            rows.iter().sum::<f32>() + noise.next() + hum
        })
        .collect()
}

/// 16 kHz, 16 bit, nothing else.
fn raw(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let samples: Vec<f32> =
        bytes.chunks_exact(2).map(|b| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32_768.0).collect();
    resample(&samples, 16_000.0 / RATE as f64)
}

/// A WAV file's first channel at 48 kHz, full scale at 1.
/// The first channel of a WAV file, at 48 kHz.
pub fn wav(path: &Path) -> Vec<f32> {
    let mut reader = hound::WavReader::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let spec = reader.spec();
    let samples: Vec<f32> =
        reader.samples::<i16>().map(|sample| f32::from(sample.unwrap()) / 32_768.0).collect();
    let mono: Vec<f32> = samples.chunks(usize::from(spec.channels)).map(|all| all[0]).collect();
    resample(&mono, f64::from(spec.sample_rate) / RATE as f64)
}

/// Root mean square of the louder part, dBFS: frames within 25 dB of the loudest.
pub fn level(sound: &[f32]) -> f32 {
    let power = |frame: &[f32]| frame.iter().map(|s| s * s).sum::<f32>() / frame.len().max(1) as f32;
    let powers: Vec<f32> = sound.chunks(RATE / 50).map(power).collect();
    let loudest = powers.iter().copied().fold(0.0, f32::max);
    let active: Vec<f32> = powers.into_iter().filter(|p| *p > loudest * 0.003).collect();
    10.0 * (active.iter().sum::<f32>() / active.len().max(1) as f32).log10()
}

/// The sound at this level.
pub fn at_level(sound: &[f32], dbfs: f32) -> Vec<f32> {
    let level = level(sound);
    let gain = if level.is_finite() { 10_f32.powf((dbfs - level) / 20.0) } else { 0.0 };
    sound.iter().map(|s| s * gain).collect()
}
