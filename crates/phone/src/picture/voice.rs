use media::{NoiseSuppression, Stages};
use serde::{Deserialize, Serialize};
use specta::Type;

/// What is done to our voice between a sound card's microphone and the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase", default)]
pub struct VoicePreferences {
    /// What the microphone hears of the speaker is taken away.
    pub echo: bool,
    /// How far noise behind the voice is turned down.
    pub noise: NoiseRemoval,
    /// The voice is kept as loud as others expect.
    pub gain: bool,
    /// Rumble below the voice is taken away.
    pub high_pass: bool,
}

/// How far noise is turned down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum NoiseRemoval {
    /// Not at all.
    Off,
    /// So that the voice stays as it is.
    Low,
    /// As far as it goes.
    High,
}

impl VoicePreferences {
    /// Everything at once.
    pub const ALL: Self = Self { echo: true, noise: NoiseRemoval::Low, gain: true, high_pass: true };
}

impl Default for VoicePreferences {
    fn default() -> Self {
        Self { echo: true, noise: NoiseRemoval::Low, gain: false, high_pass: true }
    }
}

impl From<VoicePreferences> for Stages {
    fn from(voice: VoicePreferences) -> Self {
        let noise = match voice.noise {
            NoiseRemoval::Off => NoiseSuppression::Off,
            NoiseRemoval::Low => NoiseSuppression::Low,
            NoiseRemoval::High => NoiseSuppression::High,
        };
        Stages { echo: voice.echo, noise, gain: voice.gain, high_pass: voice.high_pass }
    }
}
