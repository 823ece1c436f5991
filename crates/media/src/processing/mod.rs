//! What is done to our voice between the microphone and the network: high-pass, echo cancellation, noise
//! suppression, automatic gain.
//!
//! The canceller learns the way from speaker to microphone out of what it is given: every frame the speaker
//! gets goes through [`Processing::render`], every frame of the microphone through [`Processing::capture`].
//! Neither need come in step, nor do the clocks of the two cards have to agree.

mod banded;
mod echo;
mod gain;
mod high_pass;
mod noise;
mod switch;
mod talking;

use banded::Banded;
use gain::Gain;
use high_pass::HighPass;
use switch::Switch;
pub use talking::Talking;

use crate::FRAME;

/// A frame as the stages see it: 48 kHz, full scale at 32768.
type Sound = [f32; FRAME];

/// What is done to our voice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stages {
    /// What the microphone hears of the speaker is taken away.
    pub echo: bool,
    /// Noise that goes on behind the voice.
    pub noise: NoiseSuppression,
    /// The voice is kept as loud as others expect.
    pub gain: bool,
    /// Rumble below 80 Hz is taken away.
    pub high_pass: bool,
}

/// How far noise is turned down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoiseSuppression {
    /// Not at all.
    Off,
    /// By 12 dB.
    Low,
    /// By 21 dB.
    High,
}

impl Stages {
    /// Nothing is done.
    pub const NONE: Stages =
        Stages { echo: false, noise: NoiseSuppression::Off, gain: false, high_pass: false };

    fn is_banded(&self) -> bool {
        self.echo || self.noise != NoiseSuppression::Off
    }
}

/// What the echo canceller has learned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EchoFigures {
    /// By how much it takes the echo down by subtraction alone, dB.
    pub enhancement_db: f32,
    /// Time from what the speaker is given until the microphone hears it, milliseconds, in steps of 4.
    pub delay_ms: u32,
}

/// The stages between the microphone and the network.
pub struct Processing {
    stages: Stages,
    high_pass: Switch<HighPass>,
    banded: Switch<Banded>,
    gain: Switch<Gain>,
}

impl Processing {
    /// With these stages from the start.
    pub fn new(stages: Stages) -> Self {
        Self {
            stages,
            high_pass: Switch::new(stages.high_pass.then(HighPass::new)),
            banded: Switch::new(stages.is_banded().then(|| Banded::new(&stages))),
            gain: Switch::new(stages.gain.then(Gain::new)),
        }
    }

    /// With these stages from now on. Sound that runs through slides from one to the other.
    pub fn set(&mut self, stages: Stages) {
        let before = std::mem::replace(&mut self.stages, stages);
        if before.high_pass != stages.high_pass {
            self.high_pass.turn(stages.high_pass.then(HighPass::new));
        }
        if before.is_banded() != stages.is_banded() {
            self.banded.turn(stages.is_banded().then(|| Banded::new(&stages)));
        } else if let Some(banded) = self.banded.stage() {
            banded.set(&before, &stages);
        }
        if before.gain != stages.gain {
            self.gain.turn(stages.gain.then(Gain::new));
        }
    }

    /// The stages that are wanted.
    pub fn stages(&self) -> Stages {
        self.stages
    }

    /// Another microphone or speaker: what was learned of the way between them no longer holds.
    pub fn forget_echo(&mut self) {
        if let Some(banded) = self.banded.stage() {
            banded.forget_echo();
        }
    }

    /// Takes 10 ms of what the speaker is given now.
    pub fn render(&mut self, frame: &[i16; FRAME]) {
        self.banded.each(|banded| banded.render(frame));
    }

    /// Turns 10 ms of the microphone into our voice.
    pub fn capture(&mut self, frame: &mut [i16; FRAME]) {
        if self.stages == Stages::NONE && self.is_settled() {
            return;
        }
        let mut sound = [0.0; FRAME];
        sound.iter_mut().zip(frame.iter()).for_each(|(sound, sample)| *sound = f32::from(*sample));
        self.high_pass.process(&mut sound);
        self.banded.process(&mut sound);
        self.gain.process(&mut sound);
        // `as` saturates.
        frame.iter_mut().zip(&sound).for_each(|(sample, sound)| *sample = sound.round() as i16);
    }

    /// What the echo canceller has learned, while there is one.
    pub fn echo(&mut self) -> Option<EchoFigures> {
        self.banded.stage()?.figures()
    }

    fn is_settled(&self) -> bool {
        self.high_pass.is_settled() && self.banded.is_settled() && self.gain.is_settled()
    }
}

#[cfg(test)]
mod tests;
