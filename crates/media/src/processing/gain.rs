use sonora_agc2::adaptive_digital_gain_controller::{AdaptiveDigitalGainController, FrameInfo};
use sonora_agc2::common::{
    ADJACENT_SPEECH_FRAMES_THRESHOLD, SATURATION_PROTECTOR_INITIAL_HEADROOM_DB, float_s16_to_dbfs,
};
use sonora_agc2::limiter::Limiter;
use sonora_agc2::noise_level_estimator::NoiseLevelEstimator;
use sonora_agc2::saturation_protector::SaturationProtector;
use sonora_agc2::speech_level_estimator::{AdaptiveDigitalConfig, SpeechLevelEstimator};
use sonora_agc2::vad_wrapper::VoiceActivityDetectorWrapper;

use super::Sound;
use super::switch::Stage;
use crate::{FRAME, RATE};

/// Brings a voice to the loudness others expect, by what is known of its own speech alone: neither pauses nor
/// noise are turned up. Adds no delay.
pub(super) struct Gain {
    voice: Box<VoiceActivityDetectorWrapper>,
    speech: SpeechLevelEstimator,
    noise: NoiseLevelEstimator,
    headroom: SaturationProtector,
    control: AdaptiveDigitalGainController,
    limiter: Box<Limiter>,
}

impl Gain {
    pub(super) fn new() -> Self {
        // A voice that is loud enough from the start is not to be made louder first.
        let config = AdaptiveDigitalConfig {
            initial_gain_db: 0.0,
            max_gain_db: 30.0,
            ..AdaptiveDigitalConfig::default()
        };
        Self {
            voice: Box::new(voice_detector()),
            speech: SpeechLevelEstimator::new(&config, ADJACENT_SPEECH_FRAMES_THRESHOLD),
            noise: NoiseLevelEstimator::default(),
            headroom: SaturationProtector::new(
                SATURATION_PROTECTOR_INITIAL_HEADROOM_DB,
                ADJACENT_SPEECH_FRAMES_THRESHOLD,
            ),
            control: AdaptiveDigitalGainController::new(config, ADJACENT_SPEECH_FRAMES_THRESHOLD),
            limiter: Box::new(Limiter::new(FRAME)),
        }
    }
}

/// Tells speech from all else, 10 ms at a time.
pub(super) fn voice_detector() -> VoiceActivityDetectorWrapper {
    VoiceActivityDetectorWrapper::new(sonora_simd::detect_backend(), RATE as i32)
}

impl Stage<Sound> for Gain {
    fn process(&mut self, sound: &mut Sound) {
        let speech_probability = self.voice.analyze(sound);
        let power = sound.iter().map(|sample| sample * sample).sum::<f32>() / FRAME as f32;
        let peak = sound.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        let noise_rms_dbfs = self.noise.analyze(&[sound]);
        self.speech.update(float_s16_to_dbfs(power.sqrt()), speech_probability);
        let speech_level_dbfs = self.speech.level_dbfs();
        self.headroom.analyze(speech_probability, float_s16_to_dbfs(peak), speech_level_dbfs);
        let info = FrameInfo {
            speech_probability,
            speech_level_dbfs,
            speech_level_reliable: self.speech.is_confident(),
            noise_rms_dbfs,
            headroom_db: self.headroom.headroom_db(),
            limiter_envelope_dbfs: float_s16_to_dbfs(self.limiter.last_audio_level()),
        };
        self.control.process(&info, &mut [sound]);
        self.limiter.process(&mut [sound]);
    }
}
