//! Recorded human speech: two LibriVox readings out of Debian's pocketsphinx-testdata.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::{Process, target_dir};

/// Who speaks. The two say different things, so that a crossed line is heard at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// 7.1 seconds.
    First,
    /// 8.3 seconds.
    Second,
}

/// Speech as files.
pub struct Speech;

impl Speech {
    /// Silence before and after the speech in [`Speech::spoken`], seconds.
    pub const LEAD_S: u32 = 1;

    /// The bare speech at 16 kHz: what a recording is held against.
    pub fn reference(voice: Voice) -> PathBuf {
        Self::make(voice, 16_000, 0, 0)
    }

    /// The speech as it is spoken into a call, at this rate: a second of silence, the speech, and silence for
    /// longer than any test lasts, since some phones hang up at the end of their file.
    pub fn spoken(voice: Voice, rate: u32) -> PathBuf {
        Self::make(voice, rate, Self::LEAD_S, 15)
    }

    /// A minute in which nothing is said.
    pub fn silence() -> PathBuf {
        let mut sox = Command::new("sox");
        sox.args(["-n", "-b", "16", "-r", "48000"]);
        made("silence.wav", sox, &["trim", "0", "60"])
    }

    /// Two minutes of somebody who hums, without a pause.
    pub fn humming() -> PathBuf {
        let mut sox = Command::new("sox");
        sox.args(["-n", "-b", "16", "-r", "48000"]);
        made("humming.wav", sox, &["synth", "120", "sine", "300", "tremolo", "3", "50", "gain", "-12"])
    }

    fn make(voice: Voice, rate: u32, before: u32, after: u32) -> PathBuf {
        let mut sox = Command::new("sox");
        sox.arg("-G").args(clips(voice)).args(["-b", "16", "-r", &rate.to_string()]);
        let name = format!("{voice:?}-{rate}-{before}-{after}.wav").to_lowercase();
        made(&name, sox, &["pad", &before.to_string(), &after.to_string()])
    }
}

/// The file of this name, made by sox where it is not there yet.
pub(crate) fn made(name: &str, mut sox: Command, effect: &[&str]) -> PathBuf {
    static MAKING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = target_dir().join("speech");
    fs::create_dir_all(&dir).unwrap();
    let path = dir.join(name);
    if !path.is_file() {
        // Another test program may be making the same file: only the finished one gets the name.
        let part = dir.join(format!("{}-{name}", std::process::id()));
        sox.arg(&part).args(effect);
        Process::run("sox", sox);
        fs::rename(part, &path).unwrap();
    }
    path
}

fn clips(voice: Voice) -> Vec<PathBuf> {
    let names: &[&str] = match voice {
        Voice::First => &["0870"],
        Voice::Second => &["0880", "0890"],
    };
    librivox(names)
}

/// Pieces of a LibriVox reading by their numbers.
pub(crate) fn librivox(names: &[&str]) -> Vec<PathBuf> {
    let dir = Path::new("/usr/share/pocketsphinx/test/data/librivox");
    let clips = names.iter().map(|n| dir.join(format!("sense_and_sensibility_01_austen_64kb-{n}.wav")));
    clips
        .inspect(|clip| {
            assert!(clip.is_file(), "{} is missing: install pocketsphinx-testdata", clip.display())
        })
        .collect()
}
