//! What is recorded of a call, and what the other side hears because of it.

use std::time::Duration;

use devices::{CallRecording, DeviceError, FRAME, Tone, TonePlayer, load_wav};

/// The file that is written, and the notice.
#[derive(Debug)]
pub(crate) struct Recorder {
    recording: CallRecording,
    notice: Notice,
}

/// What the other side hears of it.
#[derive(Debug)]
pub(crate) enum Notice {
    /// Nothing, or nothing more.
    None,
    /// A tone, again and again.
    Tone(TonePlayer),
    /// A sound, once.
    Sound(std::vec::IntoIter<i16>),
}

/// A spoken notice is no longer than this.
const LONGEST_NOTICE: Duration = Duration::from_secs(60);

impl Notice {
    /// The tone that is the custom.
    pub(crate) fn tone() -> Self {
        Self::Tone(TonePlayer::new(Tone::Recorded))
    }

    /// A WAV file, a minute of it at most. Blocks.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn file(path: &std::path::Path) -> Result<Self, DeviceError> {
        Ok(Self::Sound(load_wav(path, LONGEST_NOTICE)?.into_iter()))
    }

    fn mix_into(&mut self, frame: &mut [i16; FRAME]) {
        match self {
            Self::None => {}
            Self::Tone(player) => {
                let tone = player.frame().unwrap_or([0; FRAME]);
                frame.iter_mut().zip(tone).for_each(|(sample, tone)| *sample = sample.saturating_add(tone));
            }
            Self::Sound(samples) => {
                frame
                    .iter_mut()
                    .zip(samples)
                    .for_each(|(sample, said)| *sample = sample.saturating_add(said));
            }
        }
    }
}

impl Recorder {
    /// Records into this file, and lets them hear the notice.
    pub(crate) fn new(recording: CallRecording, notice: Notice) -> Self {
        Self { recording, notice }
    }

    /// 10 ms of what we say; the notice is added to it.
    pub(super) fn say(&mut self, ours: &mut [i16; FRAME]) {
        self.notice.mix_into(ours);
        self.recording.say(ours);
    }

    /// 10 ms of what they say.
    pub(super) fn hear(&mut self, theirs: &[i16; FRAME]) {
        self.recording.hear(theirs);
    }

    /// Why nothing more is recorded, once that is so.
    pub(super) fn failed(&mut self) -> Option<DeviceError> {
        self.recording.failed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notice_is_heard_there_and_is_in_the_recording() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("call.wav");
        let notice = Notice::Sound(vec![500; FRAME * 3 / 2].into_iter());
        let mut recorder = Recorder::new(CallRecording::create(&path).unwrap(), notice);
        let mut said = Vec::new();
        for _ in 0..3 {
            let mut frame = [100; FRAME];
            recorder.say(&mut frame);
            said.extend(frame);
        }
        drop(recorder);
        let left: Vec<i16> =
            hound::WavReader::open(&path).unwrap().samples().map(Result::unwrap).step_by(2).collect();
        assert_eq!(left, said);
        assert!(said[..FRAME * 3 / 2].iter().all(|sample| *sample == 600));
        assert!(said[FRAME * 3 / 2..].iter().all(|sample| *sample == 100));
    }

    #[test]
    fn the_tone_comes_again_and_again() {
        let mut notice = Notice::tone();
        let mut loud = Vec::new();
        for n in 0..3_100 {
            let mut frame = [0; FRAME];
            notice.mix_into(&mut frame);
            if frame.iter().any(|sample| sample.unsigned_abs() > 1_000) {
                loud.push(n);
            }
        }
        assert!(loud.contains(&10) && loud.contains(&1_510) && loud.contains(&3_010));
        assert!(!loud.contains(&100) && !loud.contains(&1_600));
    }
}
