use sonora_agc2::vad_wrapper::VoiceActivityDetectorWrapper;

use super::gain::voice_detector;
use crate::FRAME;

/// Probability from which a frame counts as speech.
const SPEECH: f32 = 0.8;
/// Quietest frame that counts as speech of this user, RMS: -50 dBFS.
const QUIETEST: f32 = 103.6;
/// Frames of speech that make somebody who talks, and from how many they stop counting at: a keystroke or a
/// cough is shorter, a word is not.
const ENOUGH: u16 = 30;
/// Frames for which somebody who has talked still counts as talking: pauses between words must not flicker.
const HOLD: u16 = 200;

/// Whether somebody talks: for a user who is muted and talks all the same. Keys and coughs do not count.
pub struct Talking {
    voice: Box<VoiceActivityDetectorWrapper>,
    /// Frames of speech of late: up with each of them, down with each other.
    speech: u16,
    /// Frames until it is forgotten that somebody talked.
    hold: u16,
}

impl Talking {
    /// Nobody has talked yet.
    #[expect(clippy::new_without_default, reason = "it is not cheap")]
    pub fn new() -> Self {
        Self { voice: Box::new(voice_detector()), speech: 0, hold: 0 }
    }

    /// Takes 10 ms as they come out of [`Processing::capture`](super::Processing::capture); whether somebody has
    /// been talking of late.
    pub fn hear(&mut self, frame: &[i16; FRAME]) -> bool {
        let mut sound = [0.0; FRAME];
        sound.iter_mut().zip(frame).for_each(|(sound, sample)| *sound = f32::from(*sample));
        let probability = self.voice.analyze(&sound);
        let rms = (sound.iter().map(|sample| sample * sample).sum::<f32>() / FRAME as f32).sqrt();
        self.note(probability >= SPEECH && rms >= QUIETEST)
    }

    fn note(&mut self, speech: bool) -> bool {
        self.speech = match speech {
            true => (self.speech + 1).min(ENOUGH),
            false => self.speech.saturating_sub(1),
        };
        self.hold = if self.speech == ENOUGH { HOLD } else { self.hold.saturating_sub(1) };
        self.hold > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn talking_begins_with_words_and_ends_after_a_pause() {
        let mut talking = Talking::new();
        let mut run = |speech, frames| (0..frames).map(|_| talking.note(speech)).filter(|t| *t).count();
        assert_eq!(run(true, 10) + run(false, 20) + run(true, 20), 0, "a cough, then a short word");
        assert_eq!(run(true, 60), 51);
        assert_eq!(run(false, 150), 150, "a pause");
        assert_eq!(run(true, 100), 100, "without a gap");
        assert_eq!(run(false, 400), usize::from(HOLD) - 1);
    }
}
