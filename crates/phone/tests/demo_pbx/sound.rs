//! Who hears whom, proved by what is on the recordings.

use std::f32::consts::TAU;
use std::path::{Path, PathBuf};

use devices::{RATE, Sink, Source};
use phone::{AudioConfig, Config};

use crate::bench::{Bench, Running};

/// Loudness of a tone that is said.
const LOUD: f32 = 6000.0;

/// A phone that says one tone all the time and records what it hears.
pub struct Talker {
    pub running: Running,
    heard: PathBuf,
}

impl Talker {
    /// A phone of `extension`, registered.
    pub async fn start(bench: &Bench, extension: &str, hz: f32) -> Self {
        let path = |what: &str| bench.dir.path().join(format!("{extension}-{what}.wav"));
        write(&path("said"), hz);
        let audio = AudioConfig {
            microphone: Source::Wav(path("said")),
            speaker: Sink::Wav(path("heard")),
            ..AudioConfig::default()
        };
        let data_dir = bench.dir.path().join(extension);
        let mut running =
            bench.phone_with(Config { audio, data_dir, start: phone::Start::None, ..bench.config() });
        running.send(bench.extension(extension));
        running.registered().await;
        Self { running, heard: path("heard") }
    }

    /// Which of these tones were heard in the last third of a second, and whether each at all loud.
    pub fn hears(&self, tones: &[f32]) -> Vec<bool> {
        let all = read_growing(&self.heard);
        let last = &all[all.len().saturating_sub(RATE as usize / 3)..];
        tones.iter().map(|hz| level(last, *hz) > 0.3).collect()
    }

    /// Whether this tone was heard in the last third of a second, though softer than a voice.
    pub fn hears_softly(&self, hz: f32) -> bool {
        let all = read_growing(&self.heard);
        level(&all[all.len().saturating_sub(RATE as usize / 3)..], hz) > 0.15
    }

    /// Waits until just this is heard.
    pub async fn until_hears(&self, what: &str, tones: &[f32], wanted: &[bool]) {
        let deadline = tokio::time::Instant::now() + crate::bench::PATIENCE;
        while self.hears(tones) != wanted {
            let heard = self.hears(tones);
            assert!(tokio::time::Instant::now() < deadline, "{what}: {tones:?} are heard {heard:?}");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
}

fn write(path: &Path, hz: f32) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for n in 0..60 * RATE {
        writer.write_sample((LOUD * (TAU * hz * (n % RATE) as f32 / RATE as f32).sin()) as i16).unwrap();
    }
    writer.finalize().unwrap();
}

/// Level of a frequency, between 0 and 1 of the tone that is said.
pub fn level(samples: &[i16], hz: f32) -> f32 {
    let turn = TAU * hz / RATE as f32;
    let (re, im) = samples.iter().enumerate().fold((0.0, 0.0), |(re, im), (n, s)| {
        let (sin, cos) = (turn * n as f32).sin_cos();
        (re + f32::from(*s) * cos, im + f32::from(*s) * sin)
    });
    re.hypot(im) * 2.0 / samples.len().max(1) as f32 / LOUD
}

/// Reads a recording that goes on: its header does not know yet how long it is.
fn read_growing(path: &Path) -> Vec<i16> {
    let bytes = std::fs::read(path).unwrap_or_default();
    let samples = bytes.get(44..).unwrap_or_default();
    samples.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}
