//! The tone that fits what goes on: the bell, a call that waits, a phone that rings elsewhere.

use devices::{Ringer, Sink, Tone};

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
    /// By itself, as long as these are kept.
    Alone { tone: Tone, heard_at: Vec<Vec<Sink>>, loudness: f32, _ringers: Vec<Ringer> },
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
        let (heard_at, loudness) = match wanted {
            Some(Tone::Ring(_)) => {
                (self.audio.ringers(), f32::from(self.audio.ring().volume.min(100)) / 100.0)
            }
            _ => (vec![self.audio.wanted().speakers], 1.0),
        };
        // A bell rings where bells ring, whoever has the speaker.
        let line = self.voice.as_ref().filter(|_| !matches!(wanted, Some(Tone::Ring(_))));
        match (&self.ear, wanted, line) {
            (Ear::Line(now), Some(tone), Some(_)) if *now == tone => return,
            (Ear::Alone { tone: now, heard_at: at, loudness: loud, .. }, Some(tone), None)
                if (*now, at, *loud) == (tone, &heard_at, loudness) =>
            {
                return;
            }
            (Ear::Quiet, None, _) => return,
            (Ear::Line(_), ..) => self.voice.iter().for_each(|voice| voice.tone(None)),
            _ => {}
        }
        self.ear = match (wanted, line) {
            (None, _) => Ear::Quiet,
            (Some(tone), Some(voice)) => {
                voice.tone(Some(tone));
                Ear::Line(tone)
            }
            (Some(tone), None) => {
                let ring = |sinks: &Vec<Sink>| Ringer::start(sinks.clone(), tone, loudness);
                let _ringers = heard_at.iter().map(ring).collect();
                Ear::Alone { tone, heard_at, loudness, _ringers }
            }
        };
    }

    fn fitting_tone(&self) -> Option<Tone> {
        let mut live = self.table.values().filter(|call| !call.is_over());
        if live.any(Call::is_ringing_here) {
            let mut others = self.table.values().filter(|call| !call.is_over() && !call.is_ringing_here());
            return Some(if others.next().is_some() {
                Tone::Waiting
            } else {
                Tone::Ring(self.audio.ring().tone.into())
            });
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
