//! A minute of human speech in clips, each with its place in the file that is spoken.

use std::path::{Path, PathBuf};
use std::process::Command;

use hound::WavReader;

use crate::paths::workspace;
use crate::speech::{librivox, made};
use crate::{Process, python};

/// Clips of several talkers, to be spoken one after the other.
#[derive(Debug, Clone)]
pub struct Reading {
    clips: Vec<Clip>,
}

/// Some seconds of one talker.
#[derive(Debug, Clone)]
pub struct Clip {
    /// What is said, a WAV file at 16 kHz.
    pub reference: PathBuf,
    /// Where in the spoken file it begins, seconds.
    pub at_s: f64,
    length_s: f64,
}

/// Silence before the first clip, seconds: phones that talk at the same time begin one after the other.
const LEAD_S: u32 = 5;
/// Silence after the last, for longer than a phone listens: some hang up at the end of their file.
const TAIL_S: u32 = 30;
/// Silence before and after each clip, seconds.
const AROUND_S: f64 = 0.4;

/// Prompts out of Debian's asterisk-core-sounds: the talker, the prompt, and where in it eight seconds begin.
const PROMPTS: [(&str, &str, u32); 6] = [
    ("en_US_f_Allison", "demo-congrats", 0),
    ("it_IT_m_Carlo", "demo-congrats", 0),
    ("fr_CA_f_June", "demo-congrats", 0),
    ("it_IT_m_Carlo", "priv-callee-options", 1),
    ("en_US_f_Allison", "demo-instruct", 1),
    ("fr_CA_f_June", "demo-instruct", 1),
];
const PROMPT_S: f64 = 8.0;

/// A man reads English (LibriVox).
const BOOK: [&[&str]; 3] = [&["0870"], &["0880", "0890"], &["0920", "0930"]];

impl Reading {
    /// 73 seconds by four talkers, two men and two women, in English, French and Italian.
    pub fn long() -> Self {
        let book = BOOK.iter().map(|names| book(names));
        let mut clips: Vec<PathBuf> =
            PROMPTS.iter().map(|(talker, name, from)| prompt(talker, name, *from)).collect();
        for (n, clip) in book.enumerate() {
            clips.insert(n * 3, clip);
        }
        Self::of(clips)
    }

    /// 25 seconds by one talker.
    pub fn short() -> Self {
        Self::of(BOOK.iter().map(|names| book(names)).collect())
    }

    /// The same, in another order: what the other end says.
    pub fn turned(&self) -> Self {
        let mut clips: Vec<PathBuf> = self.clips.iter().map(|clip| clip.reference.clone()).collect();
        clips.rotate_left(self.clips.len() / 2);
        Self::of(clips)
    }

    /// The whole as one file at this rate.
    pub fn spoken(&self, rate: u32) -> PathBuf {
        let names: Vec<_> =
            self.clips.iter().map(|clip| clip.reference.file_stem().unwrap().to_string_lossy()).collect();
        let mut sox = Command::new("sox");
        sox.arg("-G").args(self.clips.iter().map(|clip| &clip.reference));
        sox.args(["-b", "16", "-r", &rate.to_string()]);
        made(
            &format!("reading-{}-{}-{rate}-{LEAD_S}-{TAIL_S}.wav", names.len(), names[0]),
            sox,
            &["pad", &LEAD_S.to_string(), &TAIL_S.to_string()],
        )
    }

    /// The whole without the silence after it, at 48 kHz.
    pub fn spoken_briefly(&self) -> PathBuf {
        let mut sox = Command::new("sox");
        sox.arg("-G").args(self.clips.iter().map(|clip| &clip.reference)).args(["-b", "16", "-r", "48000"]);
        made(&format!("reading-{}-brief.wav", self.clips.len()), sox, &["pad", "0.5", "0.5"])
    }

    /// Its clips in the order in which they are said.
    pub fn clips(&self) -> &[Clip] {
        &self.clips
    }

    /// From the beginning of the file to the end of the last word, seconds.
    pub fn length_s(&self) -> f64 {
        self.clips.last().map_or(0.0, |clip| clip.at_s + clip.length_s)
    }

    fn of(clips: Vec<PathBuf>) -> Self {
        let mut at_s = f64::from(LEAD_S);
        let clips = clips.into_iter().map(|reference| {
            let length_s = length_s(&reference);
            let clip = Clip { reference, at_s, length_s };
            at_s += length_s;
            clip
        });
        Self { clips: clips.collect() }
    }
}

fn length_s(file: &Path) -> f64 {
    let reader = WavReader::open(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    f64::from(reader.duration()) / f64::from(reader.spec().sample_rate)
}

fn book(names: &[&str]) -> PathBuf {
    let mut sox = Command::new("sox");
    sox.args(librivox(names)).args(["-b", "16", "-r", "16000"]);
    let around = AROUND_S.to_string();
    made(&format!("book-{}.wav", names.join("-")), sox, &["gain", "-n", "-6", "pad", &around, &around])
}

fn prompt(talker: &str, name: &str, from: u32) -> PathBuf {
    let file = Path::new("/usr/share/asterisk/sounds").join(talker).join(format!("{name}.g722"));
    assert!(file.is_file(), "{} is missing: `cargo xtask bench` installs it", file.display());
    let whole = decoded(&file, &format!("{talker}-{name}.wav"));
    let mut sox = Command::new("sox");
    sox.arg(whole);
    let (around, length) = (AROUND_S.to_string(), PROMPT_S.to_string());
    let cut = ["trim", &from.to_string(), &length, "fade", "0.05", &length, "0.05"];
    let level = ["gain", "-n", "-6", "pad", &around, &around];
    made(&format!("{talker}-{name}-{from}.wav"), sox, &[&cut[..], &level[..]].concat())
}

/// A G.722 file as WAV.
fn decoded(file: &Path, name: &str) -> PathBuf {
    let wav = crate::target_dir().join("speech").join(name);
    if !wav.is_file() {
        std::fs::create_dir_all(wav.parent().expect("it lies in a folder")).unwrap();
        let mut command = Command::new(python());
        command.arg(workspace().join("tests/g722.py")).arg(file).arg(&wav);
        Process::run("g722.py", command);
    }
    wav
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_clip_lies_where_it_is_said_to() {
        let reading = Reading::short();
        let spoken = WavReader::open(reading.spoken(16_000)).unwrap().into_samples::<i16>();
        let spoken: Vec<i16> = spoken.map(Result::unwrap).collect();
        for clip in reading.clips() {
            let said: Vec<i16> =
                WavReader::open(&clip.reference).unwrap().into_samples().map(Result::unwrap).collect();
            let from = (clip.at_s * 16_000.0).round() as usize;
            assert_eq!(spoken[from..from + said.len()], said[..]);
        }
    }

    #[test]
    fn the_other_end_says_the_same_in_another_order() {
        let (ours, theirs) = (Reading::short(), Reading::short().turned());
        assert_ne!(ours.clips()[0].reference, theirs.clips()[0].reference);
        assert!((ours.length_s() - theirs.length_s()).abs() < 1e-6);
        assert_ne!(ours.spoken(8_000), theirs.spoken(8_000));
    }
}
