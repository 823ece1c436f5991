use sonora_ns::config::{NsConfig, SuppressionLevel};
use sonora_ns::noise_suppressor::NoiseSuppressor;

use super::banded::{BAND, BANDS, Bands};
use super::switch::Stage;

/// Turns down what goes on behind the voice. Delays it by 6 ms.
pub(super) struct Noise(Box<NoiseSuppressor>);

impl Noise {
    pub(super) fn new(target_level: SuppressionLevel) -> Self {
        Self(Box::new(NoiseSuppressor::new_with_bands(NsConfig { target_level }, BANDS)))
    }

    /// Takes the lowest band of the microphone as it is.
    pub(super) fn learn(&mut self, low: &[f32; BAND]) {
        self.0.analyze(low);
    }
}

impl Stage<Bands> for Noise {
    fn process(&mut self, sound: &mut Bands) {
        let [low, upper @ ..] = sound;
        self.0.process(low);
        let gain = self.0.upper_band_gain();
        for (n, band) in upper.iter_mut().enumerate() {
            self.0.process_upper_band(band, n, gain);
        }
    }
}
