//! The level meters of the settings: they hold the devices open though nobody calls.

use devices::Tone;

use super::Calls;
use super::call::Sound;
use super::tone::Ear;
use crate::actor::Input;
use crate::{Event, Problem};

impl Calls {
    /// Somebody looks at the meters, and says so again every few seconds, or no longer.
    pub(crate) fn meter(&mut self, on: bool) -> Result<(), Problem> {
        self.metered = on;
        if on {
            self.open_voice()?.meter(true);
        } else {
            self.unwatched();
        }
        // With a voice path there is another place for it.
        self.sound_tone();
        Ok(())
    }

    /// A short tone in the speaker, for somebody who looks at the meters.
    pub(crate) fn try_speaker(&mut self) -> Result<(), Problem> {
        self.meter(true)?;
        if let (Ear::Quiet | Ear::Alone { .. }, Some(voice)) = (&self.ear, &self.voice) {
            voice.tone(Some(Tone::AutoAnswer));
        }
        Ok(())
    }

    /// How loud both ways are.
    pub(super) fn levels(&self, microphone: u16, speaker: u16) {
        let [microphone, speaker] = [microphone, speaker].map(media::level);
        self.outlet.tell(Event::Levels { microphone, speaker });
    }

    /// Nobody looks any more; without calls the devices are closed.
    pub(super) fn unwatched(&mut self) {
        self.metered = false;
        let Some(voice) = self.voice.take() else { return };
        if self.table.values().any(|call| matches!(call.sound, Sound::Joined)) {
            voice.meter(false);
            self.voice = Some(voice);
            return;
        }
        self.outlet.blocking(move || {
            voice.stop();
            Input::Closed(Vec::new())
        });
        self.sound_tone();
    }
}
