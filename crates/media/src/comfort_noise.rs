//! Comfort noise (RFC 3389): what stands for the silence that G.711 and G.722 need not send.

use crate::FRAME;
use crate::codec::{Band, Down, Up};

/// Most reflection coefficients that are used.
const ORDER: usize = 12;
/// Background louder than this is nobody's: a packet that asks for it is turned down.
const LOUDEST: u8 = 30;
/// Highest peak over the RMS; a filter that changes may ring.
const PEAK: f32 = 4.0;
/// RMS at 0 dBov, a square wave at full scale.
const OVERLOAD: f32 = 32_767.0;
/// Without any word from the other side for so many frames it may well be gone, and must not seem to be there: 30 s.
const LONGEST: usize = 3_000;
/// 10 ms at 8 kHz.
const NARROW: usize = FRAME / 6;

/// The other side's background while it sends nothing, made out of its description.
pub(crate) struct ComfortNoise {
    /// RMS that is wanted, and that is played: it moves within a frame.
    level: f32,
    playing: f32,
    /// Frames until `level` takes the place of what was wanted before: packets are played later than they come.
    wait: usize,
    before: f32,
    /// Frames since the description.
    age: usize,
    reflection: [f32; ORDER],
    lattice: [f32; ORDER],
    /// What the lattice adds to the level of what goes through it.
    excitation: f32,
    random: u32,
    up: Up,
}

impl ComfortNoise {
    pub fn new() -> Self {
        Self {
            level: 0.0,
            playing: 0.0,
            wait: 0,
            before: 0.0,
            age: 0,
            reflection: [0.0; ORDER],
            lattice: [0.0; ORDER],
            excitation: 1.0,
            random: 0x2545_f491,
            up: Up::new(Band::Narrow),
        }
    }

    /// A description came (RFC 3389, section 3); what came before it plays for some frames more.
    pub fn describe(&mut self, payload: &[u8], frames: usize) {
        let Some((level, spectrum)) = payload.split_first() else { return };
        let below = (level & 0x7f).max(LOUDEST);
        self.turn(if below == 127 { 0.0 } else { OVERLOAD * 10f32.powf(-f32::from(below) / 20.0) }, frames);
        self.age = 0;
        let mut reflection = [0.0; ORDER];
        for (coefficient, code) in reflection.iter_mut().zip(spectrum) {
            // 255 is no code of the standard, and would make the filter unstable.
            *coefficient = ((f32::from(*code) - 127.0) / 128.0).clamp(-0.99, 0.99);
        }
        if reflection != self.reflection {
            // What rings in the old filter is of another loudness in the new one.
            self.lattice = [0.0; ORDER];
            self.reflection = reflection;
        }
        self.excitation = self.reflection.iter().map(|k| 1.0 - k * k).product::<f32>().sqrt();
    }

    /// Voice came again.
    pub fn end(&mut self, frames: usize) {
        if self.level > 0.0 {
            self.turn(0.0, frames);
        }
    }

    fn turn(&mut self, level: f32, frames: usize) {
        if self.wait == 0 {
            self.before = self.level;
        }
        self.wait = frames;
        self.level = level;
    }

    /// Adds the noise to 10 ms.
    pub fn mix(&mut self, out: &mut [i16; FRAME]) {
        let wanted = if self.wait > 0 { self.before } else { self.level };
        self.wait = self.wait.saturating_sub(1);
        self.age = self.age.saturating_add(1);
        let wanted = if self.age > LONGEST { 0.0 } else { wanted };
        if wanted == 0.0 && self.playing == 0.0 {
            return;
        }
        let mut narrow = [0i16; NARROW];
        let step = (wanted - self.playing) / NARROW as f32;
        for sample in &mut narrow {
            self.playing += step;
            let shaped = self.next().clamp(-PEAK, PEAK);
            *sample = (shaped * self.playing) as i16;
        }
        self.playing = wanted;
        let mut wide = [0i16; FRAME];
        self.up.run(&narrow, &mut wide);
        for (sample, noise) in out.iter_mut().zip(wide) {
            *sample = sample.saturating_add(noise);
        }
    }

    /// The next sample at an RMS of 1: white noise through the lattice.
    fn next(&mut self) -> f32 {
        // xorshift; a sum of four is near enough to Gaussian.
        let mut white = 0.0;
        for _ in 0..4 {
            self.random ^= self.random << 13;
            self.random ^= self.random >> 17;
            self.random ^= self.random << 5;
            white += self.random as f32 / u32::MAX as f32 - 0.5;
        }
        // Four uniform values of width 1 have a variance of a third.
        let mut forward = white * 3f32.sqrt() * self.excitation;
        let mut deeper: Option<&mut f32> = None;
        for (k, backward) in self.reflection.iter().zip(self.lattice.iter_mut()).rev() {
            forward -= k * *backward;
            let next = *backward + k * forward;
            if let Some(deeper) = deeper {
                *deeper = next;
            }
            deeper = Some(backward);
        }
        if let Some(first) = deeper {
            *first = forward;
        }
        forward
    }
}

/// Least level over the background that is voice, dB.
const ABOVE: f32 = 7.0;
/// Packets that are sent after the last voice, in ms: word endings are soft.
const HANGOVER_MS: usize = 240;
/// The background is described again after this, and when it has changed by this much.
const AGAIN_MS: usize = 480;
const CHANGE: f32 = 3.0;
/// How fast the idea of the background follows it, dB a second: up slowly, so that voice does not become background.
const RISE: f32 = 4.0;
/// Nothing below this is voice, and everything above that, dBov.
const QUIET: f32 = -62.0;
const LOUD: f32 = -32.0;

/// What is to be sent in place of a packet of sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Utterance {
    /// The sound.
    Voice,
    /// A description of the background: its level below overload, dB.
    Background(u8),
    /// Nothing.
    Nothing,
}

/// Tells voice from background in our own sound.
pub(crate) struct Silence {
    /// Level of the background, dBov.
    floor: f32,
    /// Time since voice, and since the background was described, ms.
    since_voice: usize,
    since_told: usize,
    told: f32,
    down: Down,
    narrow: Vec<i16>,
}

impl Silence {
    pub fn new() -> Self {
        Self {
            floor: QUIET,
            since_voice: 0,
            since_told: 0,
            told: 0.0,
            down: Down::new(Band::Narrow),
            narrow: Vec::new(),
        }
    }

    /// Judges the sound of one packet.
    pub fn judge(&mut self, sound: &[i16]) -> Utterance {
        let ms = sound.len() / 48;
        // Comfort noise is of 8 kHz: its level is that of what it can stand for.
        self.narrow.clear();
        self.down.run(sound, &mut self.narrow);
        let level = level(&self.narrow);
        let rise = RISE * ms as f32 / 1000.0;
        self.floor = if level < self.floor { level.max(-80.0) } else { (self.floor + rise).min(level) };
        let voice = level > QUIET && (level > self.floor + ABOVE || level > LOUD);
        self.since_voice = if voice { 0 } else { self.since_voice.saturating_add(ms) };
        if self.since_voice <= HANGOVER_MS {
            self.since_told = usize::MAX;
            return Utterance::Voice;
        }
        self.since_told = self.since_told.saturating_add(ms);
        if self.since_told < AGAIN_MS && (level - self.told).abs() < CHANGE {
            return Utterance::Nothing;
        }
        self.since_told = 0;
        self.told = level;
        Utterance::Background((-level).clamp(0.0, 127.0) as u8)
    }
}

/// dBov.
fn level(sound: &[i16]) -> f32 {
    let power = sound.iter().map(|s| f32::from(*s).powi(2)).sum::<f32>() / sound.len().max(1) as f32;
    (10.0 * (power / OVERLOAD.powi(2)).max(1e-13).log10()).max(-127.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{rms, speech, tone};

    fn play(noise: &mut ComfortNoise, frames: usize) -> Vec<i16> {
        let mut heard = Vec::new();
        for _ in 0..frames {
            let mut out = [0; FRAME];
            noise.mix(&mut out);
            heard.extend_from_slice(&out);
        }
        heard
    }

    #[test]
    fn it_is_as_loud_as_described_whatever_its_colour() {
        for spectrum in [&[][..], &[90], &[20, 200], &[20, 180, 100, 140, 127, 130]] {
            let mut noise = ComfortNoise::new();
            noise.describe(&[&[50], spectrum].concat(), 0);
            let heard = play(&mut noise, 300);
            let db = 20.0 * (rms(&heard[4_800..]) / 32_767.0).log10();
            assert!((db + 50.0).abs() < 1.5, "{spectrum:?}: {db:.1} dBov");
        }
    }

    #[test]
    fn the_first_coefficient_makes_it_dark_or_bright() {
        let change = |code: u8| {
            let mut noise = ComfortNoise::new();
            noise.describe(&[50, code], 0);
            let heard = play(&mut noise, 100);
            let steps: Vec<i16> = heard.windows(2).map(|two| two[1].saturating_sub(two[0])).collect();
            rms(&steps) / rms(&heard)
        };
        // A(z) of RFC 3389 begins with 1 + k1/z: a negative one is a low-pass.
        assert!(change(20) < 0.5 * change(127), "{} {}", change(20), change(127));
        assert!(change(230) > 1.2 * change(127));
    }

    #[test]
    fn it_comes_and_goes_with_what_is_played() {
        let mut noise = ComfortNoise::new();
        assert_eq!(rms(&play(&mut noise, 5)), 0.0);
        noise.describe(&[40], 4);
        assert_eq!(rms(&play(&mut noise, 4)), 0.0, "the voice before it is still playing");
        assert!(rms(&play(&mut noise, 10)) > 100.0);
        noise.end(3);
        assert!(rms(&play(&mut noise, 3)) > 100.0);
        play(&mut noise, 2);
        assert_eq!(rms(&play(&mut noise, 5)), 0.0);
    }

    #[test]
    fn it_does_not_outlive_who_described_it() {
        let mut noise = ComfortNoise::new();
        noise.describe(&[40], 0);
        assert!(rms(&play(&mut noise, 2_900)) > 100.0);
        play(&mut noise, 110);
        assert_eq!(rms(&play(&mut noise, 5)), 0.0);
    }

    #[test]
    fn no_payload_is_too_loud_or_unstable() {
        for payload in [&[0; 1][..], &[0, 255, 255, 255, 255, 0, 0, 255], &[3; 40], &[255; 20], &[]] {
            let mut noise = ComfortNoise::new();
            noise.describe(payload, 0);
            let heard = play(&mut noise, 200);
            assert!(rms(&heard) < 1_500.0, "{payload:?}: {}", rms(&heard));
        }
    }

    #[test]
    fn pauses_are_left_out_and_words_are_not() {
        // Pauses of 0.4 s every 2 s, over a background of -70 dBov.
        let sound = speech(48_000 * 10);
        let mut silence = Silence::new();
        let said: Vec<Utterance> = sound.chunks_exact(960).map(|packet| silence.judge(packet)).collect();
        let left_out = said.iter().filter(|said| **said != Utterance::Voice).count();
        assert!((20..60).contains(&left_out), "{left_out} of {}", said.len());
        for (packet, said) in sound.chunks_exact(960).zip(&said) {
            assert!(*said == Utterance::Voice || level(packet) < -45.0, "{} dBov", level(packet));
        }
    }

    #[test]
    fn a_steady_background_is_described_now_and_then() {
        let hum = tone(120.0, 48_000.0, 150.0, 48_000 * 12);
        let mut silence = Silence::new();
        let said: Vec<Utterance> = hum.chunks_exact(960).map(|packet| silence.judge(packet)).collect();
        let settled = &said[said.len() - 250..];
        let told = settled.iter().filter(|said| matches!(said, Utterance::Background(_))).count();
        assert!((9..=12).contains(&told), "{told} in five seconds");
        assert!(settled.contains(&Utterance::Background(49)), "{settled:?}");
        assert!(!settled.contains(&Utterance::Voice));
    }
}
