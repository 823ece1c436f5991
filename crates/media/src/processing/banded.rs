use sonora::three_band_filter_bank::ThreeBandFilterBank;

use super::echo::Echo;
use super::noise::Noise;
use super::switch::{Stage, Switch};
use super::{EchoFigures, NoiseSuppression, Sound, Stages};
use crate::FRAME;

/// Bands of 8 kHz, each at 16 kHz.
pub(super) const BANDS: usize = 3;
/// Samples of a frame in a band.
pub(super) const BAND: usize = FRAME / BANDS;

/// A frame in bands, lowest first.
pub(super) type Bands = [[f32; BAND]; BANDS];

/// Loudest sample that no converter has cut off.
const SATURATED: f32 = 32_700.0;

/// The stages that work in bands.
pub(super) struct Banded {
    bank: Box<ThreeBandFilterBank>,
    echo: Switch<Echo>,
    noise: Switch<Noise>,
}

impl Banded {
    pub(super) fn new(stages: &Stages) -> Self {
        Self {
            bank: Box::default(),
            echo: Switch::new(stages.echo.then(Echo::new)),
            noise: Switch::new(noise(stages.noise)),
        }
    }

    pub(super) fn set(&mut self, before: &Stages, stages: &Stages) {
        if before.echo != stages.echo {
            self.echo.turn(stages.echo.then(Echo::new));
        }
        if before.noise != stages.noise {
            self.noise.turn(noise(stages.noise));
        }
    }

    pub(super) fn forget_echo(&mut self) {
        if self.echo.stage().is_some() {
            self.echo.turn(Some(Echo::new()));
        }
    }

    pub(super) fn render(&mut self, frame: &[i16; FRAME]) {
        self.echo.each(|echo| echo.render(frame));
    }

    pub(super) fn figures(&mut self) -> Option<EchoFigures> {
        Some(self.echo.stage()?.figures())
    }
}

fn noise(suppression: NoiseSuppression) -> Option<Noise> {
    match suppression {
        NoiseSuppression::Off => None,
        NoiseSuppression::Low => Some(Noise::new(sonora_ns::config::SuppressionLevel::K12dB)),
        NoiseSuppression::High => Some(Noise::new(sonora_ns::config::SuppressionLevel::K21dB)),
    }
}

impl Stage<Sound> for Banded {
    fn process(&mut self, sound: &mut Sound) {
        let saturated = sound.iter().any(|sample| sample.abs() >= SATURATED);
        self.echo.each(|echo| echo.saturated = saturated);
        let mut bands = [[0.0; BAND]; BANDS];
        self.bank.analysis(sound, &mut bands);
        // Learned from what comes in: after the canceller its comfort noise would be learned instead.
        let [low, ..] = &bands;
        self.noise.each(|noise| noise.learn(low));
        self.echo.process(&mut bands);
        self.noise.process(&mut bands);
        self.bank.synthesis(&bands, sound);
    }
}
