//! The tone that fits what goes on: the bell, a call that waits, a phone that rings elsewhere.

use devices::{Ringer, Tone};

use super::Calls;
use super::call::Call;

/// The tone that is heard now.
#[derive(Default)]
pub(super) enum Ear {
    /// None.
    #[default]
    Quiet,
    /// Beside the calls, in the voice path.
    Line(Tone),
    /// By itself, as long as this is kept.
    Alone { tone: Tone, _ringer: Ringer },
}

impl Ear {
    fn tone(&self) -> Option<Tone> {
        match self {
            Self::Quiet => None,
            Self::Line(tone) | Self::Alone { tone, .. } => Some(*tone),
        }
    }
}

impl Calls {
    /// Lets the tone that fits be heard, and no other.
    pub(super) fn sound_tone(&mut self) {
        let wanted = self.fitting_tone().filter(|_| self.config.tones);
        if matches!(self.ear.tone(), Some(Tone::AutoAnswer)) && wanted != Some(Tone::AutoAnswer) {
            // The user was warned: not again after another tone.
            let warned = self.table.values_mut().filter(|call| call.is_established());
            warned.for_each(|call| call.answered_by_itself = false);
        }
        match (&self.ear, wanted, &self.voice) {
            (Ear::Line(now), Some(tone), Some(_)) if *now == tone => return,
            (Ear::Alone { tone: now, .. }, Some(tone), None) if *now == tone => return,
            (Ear::Quiet, None, _) => return,
            (Ear::Line(_), _, Some(voice)) => voice.tone(None),
            _ => {}
        }
        self.ear = match (wanted, &self.voice) {
            (None, _) => Ear::Quiet,
            (Some(tone), Some(voice)) => {
                voice.tone(Some(tone));
                Ear::Line(tone)
            }
            (Some(tone), None) => {
                let _ringer = Ringer::start(self.config.audio.speaker.clone(), tone);
                Ear::Alone { tone, _ringer }
            }
        };
    }

    fn fitting_tone(&self) -> Option<Tone> {
        let mut live = self.table.values().filter(|call| !call.is_over());
        if live.any(Call::is_ringing_here) {
            let mut others = self.table.values().filter(|call| !call.is_over() && !call.is_ringing_here());
            return Some(if others.next().is_some() { Tone::Waiting } else { Tone::Ring });
        }
        let mut live = self.table.values().filter(|call| !call.is_over());
        if live.any(|call| !call.is_established() && self.floor.has(call.view.id) && call.early.rings_back())
        {
            return Some(Tone::RingBack);
        }
        let mut live = self.table.values().filter(|call| !call.is_over());
        live.any(|call| call.answered_by_itself && call.is_established()).then_some(Tone::AutoAnswer)
    }
}
