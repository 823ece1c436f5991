use super::Sound;
use super::switch::Stage;
use crate::RATE;

/// Where the pass begins, Hz.
const CORNER: f32 = 80.0;
/// Qualities of the two sections of a Butterworth filter of order 4.
const QUALITIES: [f32; 2] = [0.541_196_1, 1.306_563];

/// Takes rumble and the offset of cheap cards away: Butterworth, order 4.
pub(super) struct HighPass([Section; 2]);

impl HighPass {
    pub(super) fn new() -> Self {
        Self(QUALITIES.map(Section::new))
    }
}

impl Stage<Sound> for HighPass {
    fn process(&mut self, sound: &mut Sound) {
        for section in &mut self.0 {
            sound.iter_mut().for_each(|sample| *sample = section.pass(*sample));
        }
    }
}

/// A biquad of the bilinear transform, transposed direct form II.
struct Section {
    gain: f32,
    feedback: [f32; 2],
    state: [f32; 2],
}

impl Section {
    fn new(quality: f32) -> Self {
        let (sin, cos) = (std::f32::consts::TAU * CORNER / RATE as f32).sin_cos();
        let alpha = sin / (2.0 * quality);
        let scale = 1.0 / (1.0 + alpha);
        Self {
            gain: (1.0 + cos) / 2.0 * scale,
            feedback: [-2.0 * cos * scale, (1.0 - alpha) * scale],
            state: [0.0; 2],
        }
    }

    fn pass(&mut self, sample: f32) -> f32 {
        let ([a1, a2], [s1, s2]) = (self.feedback, self.state);
        let sample = sample * self.gain;
        let out = sample + s1;
        self.state = [s2 - 2.0 * sample - a1 * out, sample - a2 * out];
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FRAME;

    /// Gain at this frequency once settled, dB.
    fn gain_db(hz: f32) -> f32 {
        let mut filter = HighPass::new();
        let (mut into, mut out) = (0.0, 0.0);
        for frame in 0..100 {
            let mut sound: Sound = std::array::from_fn(|n| {
                1000.0 * (std::f32::consts::TAU * hz * (frame * FRAME + n) as f32 / RATE as f32).cos()
            });
            let before = sound;
            filter.process(&mut sound);
            if frame >= 50 {
                into += before.iter().map(|s| s * s).sum::<f32>();
                out += sound.iter().map(|s| s * s).sum::<f32>();
            }
        }
        10.0 * (out / into).log10()
    }

    #[test]
    fn rumble_goes_and_the_voice_stays() {
        assert!(gain_db(0.0) < -80.0);
        assert!(gain_db(40.0) < -23.0, "{}", gain_db(40.0));
        assert!((gain_db(80.0) + 3.0).abs() < 0.1, "{}", gain_db(80.0));
        assert!(gain_db(160.0).abs() < 0.1 && gain_db(3000.0).abs() < 0.01);
    }
}
