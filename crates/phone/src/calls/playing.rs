//! The sound the user listens to, under the calls, which have the devices first.

use std::sync::Arc;
use std::time::Duration;

use super::Calls;
use crate::actor::Input;
use crate::playing::{Playing, Word};
use crate::wav::Wav;
use crate::{Code, Event, PlayerState, PlayerView, Problem, SoundId};

/// The sound that is open, if any.
#[derive(Default)]
pub(super) struct Player {
    wav: Option<Wav>,
    running: Option<Playing>,
    view: Option<PlayerView>,
    /// Counts what was played: a former one may still have a last word to say.
    number: u32,
}

impl Calls {
    /// What is listened to.
    pub(crate) fn player(&self) -> Option<PlayerView> {
        self.player.view.clone()
    }

    /// Whether this sound is open.
    pub(crate) fn has_open(&self, sound: &SoundId) -> bool {
        self.player.wav.is_some() && self.player.view.as_ref().is_some_and(|view| view.sound == *sound)
    }

    /// A sound was asked for; another that was open is closed.
    pub(crate) fn opening(&mut self, sound: SoundId, from_ms: u32) {
        self.quieten();
        self.player.wav = None;
        let state = PlayerState::Loading;
        self.show_player(Some(PlayerView { sound, state, at_ms: from_ms, length_ms: 0, peaks: Vec::new() }));
    }

    /// A sound has come, or could not be had: it is played, unless another was asked for meanwhile. Whether it is
    /// heard.
    pub(crate) fn opened(&mut self, sound: &SoundId, wav: Result<Wav, Problem>) -> bool {
        let Some(view) = self.player.view.as_mut().filter(|view| view.sound == *sound) else { return false };
        match wav {
            Ok(wav) => {
                view.length_ms = milliseconds(wav.length());
                view.peaks = wav.peaks();
                self.player.wav = Some(wav);
                self.play(None);
                self.player.running.is_some()
            }
            Err(problem) => {
                self.change_player(|view| view.state = PlayerState::Failed { problem });
                false
            }
        }
    }

    /// Plays the sound that is open from where it was left, or from there on.
    pub(crate) fn play(&mut self, from_ms: Option<u32>) {
        self.quieten();
        let (Some(wav), Some(view)) = (self.player.wav.clone(), self.player.view.as_ref()) else { return };
        let from = from_ms.unwrap_or(if view.at_ms >= view.length_ms { 0 } else { view.at_ms });
        if self.table.values().any(|call| !call.is_over()) {
            let problem = Problem::from(Code::NotNow);
            return self.change_player(|view| view.state = PlayerState::Failed { problem });
        }
        self.stop_hearing();
        self.stop_dictation();
        let (number, outlet) = (self.player.number, self.outlet.clone());
        let tell = move |word| outlet.put(Input::Played(number, word));
        let (speakers, at) = (self.audio.opening().speakers, Duration::from_millis(from.into()));
        match Playing::start(speakers, wav, at, Arc::clone(&self.devices), tell) {
            Ok(playing) => {
                self.player.running = Some(playing);
                self.change_player(|view| (view.state, view.at_ms) = (PlayerState::Playing, from));
            }
            Err(problem) => self.change_player(|view| view.state = PlayerState::Failed { problem }),
        }
    }

    /// Stops for a while: the user wants it, or a call needs the devices.
    pub(crate) fn pause_playing(&mut self) {
        if self.player.running.is_some() {
            self.quieten();
            self.change_player(|view| view.state = PlayerState::Paused);
        }
    }

    /// Nothing is listened to any more.
    pub(crate) fn close_player(&mut self) {
        self.quieten();
        self.player.wav = None;
        if self.player.view.is_some() {
            self.show_player(None);
        }
    }

    /// What is played, by its number, says how far it is.
    pub(crate) fn played(&mut self, number: u32, word: Word) {
        if number != self.player.number {
            return;
        }
        match word {
            Word::At(at) => {
                let Some(view) = &mut self.player.view else { return };
                view.at_ms = milliseconds(at).min(view.length_ms);
                self.outlet.tell(Event::PlayedTo { at_ms: view.at_ms });
            }
            Word::Ended => {
                self.quieten();
                self.change_player(|view| (view.state, view.at_ms) = (PlayerState::Paused, view.length_ms));
            }
            Word::Failed(problem) => {
                self.quieten();
                self.change_player(|view| view.state = PlayerState::Failed { problem });
            }
        }
    }

    fn quieten(&mut self) {
        self.player.running = None;
        self.player.number += 1;
    }

    fn change_player(&mut self, change: impl FnOnce(&mut PlayerView)) {
        if let Some(mut view) = self.player.view.take() {
            change(&mut view);
            self.show_player(Some(view));
        }
    }

    fn show_player(&mut self, view: Option<PlayerView>) {
        self.player.view.clone_from(&view);
        self.outlet.tell(Event::Player { view: view.map(Box::new) });
    }
}

fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
