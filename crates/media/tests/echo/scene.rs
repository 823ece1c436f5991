//! A call through loudspeakers: what the speaker is given, what the microphone hears, and in which order the two
//! cards ask for and bring their frames.

use media::{FRAME, Processing, Stages};

use super::room::{RATE, Room, convolve, drift};
use super::speech;

/// Level of the far end as it is played, dBFS.
const PLAYED: f32 = -20.0;

/// What happens in a room.
#[derive(Debug, Clone)]
pub struct Scene {
    pub name: &'static str,
    pub room: Room,
    /// The impulse response of a real room, in place of that one.
    pub recorded: Option<&'static [f32]>,
    /// The microphone moves by this halfway, within a second.
    pub moves: Option<[f64; 3]>,
    /// Time that cards and their buffers add, milliseconds.
    pub delay_ms: usize,
    /// Another such delay from the middle on.
    pub later_delay_ms: Option<usize>,
    /// By how much the microphone's clock is fast.
    pub drift_ppm: f64,
    /// Loudness of the echo in the microphone, dBFS.
    pub echo_db: f32,
    /// The speaker is driven beyond what it can do.
    pub distorted: bool,
    /// Loudness of the voice at the microphone in the last third, dBFS.
    pub near_db: Option<f32>,
    /// What goes on around the microphone, and how loud, dBFS.
    pub background: Background,
    pub noise_db: f32,
    /// The cards ask for and bring several frames at once.
    pub bursts: usize,
    pub seconds: usize,
}

/// What goes on around the microphone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    /// The microphone's own hiss.
    Hiss,
    /// Other people, recorded.
    Babble,
    /// Somebody types, recorded.
    Typing,
    /// A fan: pink noise and hum.
    Fan,
}

impl Scene {
    /// An office, 60 ms of delay, nothing else.
    pub const PLAIN: Scene = Scene {
        name: "office",
        room: Room::OFFICE,
        recorded: None,
        moves: None,
        delay_ms: 60,
        later_delay_ms: None,
        drift_ppm: 0.0,
        echo_db: -26.0,
        distorted: false,
        near_db: None,
        background: Background::Hiss,
        noise_db: -75.0,
        bursts: 1,
        seconds: 20,
    };
}

/// The sounds of a scene, full scale at 1.
pub struct Sounds {
    /// What the speaker is given.
    pub played: Vec<f32>,
    /// What of it reaches the microphone.
    pub echo: Vec<f32>,
    /// The voice at the microphone.
    pub near: Vec<f32>,
    /// All that the microphone hears.
    pub microphone: Vec<f32>,
    /// In which order frames come: `true` for the microphone's.
    pub order: Vec<bool>,
}

impl Scene {
    /// Its sounds.
    pub fn sounds(&self) -> Sounds {
        let length = self.seconds * RATE;
        let far = speech::at_level(speech::far(), PLAYED);
        let played: Vec<f32> = far.into_iter().cycle().take(length).collect();
        let driven: Vec<f32> = match self.distorted {
            true => played.iter().map(|s| 0.35 * (s / 0.35).tanh() + 0.06 * s * s).collect(),
            false => played.clone(),
        };
        let still = match self.recorded {
            Some(response) => convolve(&driven, response),
            None => convolve(&driven, &self.room.response(0.35)),
        };
        let heard = match self.moves {
            Some(by) => {
                let moved = convolve(&driven, &self.room.moved(by).response(0.35));
                slide(&still, &moved, length / 2, RATE)
            }
            None => still,
        };
        let heard = match self.later_delay_ms {
            Some(later) => {
                let (mut sound, other) = (delay(&heard, self.delay_ms), delay(&heard, later));
                sound[length / 2..].copy_from_slice(&other[length / 2..]);
                sound
            }
            None => delay(&heard, self.delay_ms),
        };
        let heard = if self.drift_ppm == 0.0 { heard } else { drift(&heard, self.drift_ppm) };
        let echo = speech::at_level(&heard, self.echo_db);
        let mut near = vec![0.0; echo.len()];
        if let Some(level) = self.near_db {
            let voice = speech::at_level(&speech::near(), level);
            near[self.near_from()..].iter_mut().zip(voice).for_each(|(near, voice)| *near = voice);
        }
        let noise = speech::at_level(&speech::background(self.background, echo.len()), self.noise_db);
        let heard = echo.iter().zip(&near).zip(noise).map(|((echo, near), noise)| echo + near + noise);
        let microphone: Vec<f32> = heard.map(|s| s.clamp(-1.0, 1.0)).collect();
        let order = self.order(microphone.len() / FRAME);
        Sounds { played, echo, near, microphone, order }
    }

    /// From which sample on somebody speaks at the microphone.
    pub fn near_from(&self) -> usize {
        self.seconds * RATE * 2 / 3
    }

    /// Both cards by their own clocks, several frames at once.
    fn order(&self, frames: usize) -> Vec<bool> {
        let fast = 1.0 + self.drift_ppm * 1e-6;
        let (mut order, mut played, mut random) = (Vec::new(), 0, Noise(7));
        let mut wait = 0;
        for frame in 0..frames {
            if wait == 0 {
                // The speaker's card asks ahead for what it needs until it is asked again.
                let ahead = 1 + (random.next().abs() * self.bursts as f32) as usize % self.bursts;
                let due = (frame as f64 / fast).floor() as usize + ahead;
                order.extend(std::iter::repeat_n(false, due.saturating_sub(played)));
                played = played.max(due);
                wait = ahead;
            }
            wait -= 1;
            order.push(true);
        }
        order
    }
}

impl Sounds {
    /// What becomes of the microphone. `each` is told the number of every frame of the microphone before it is
    /// processed.
    pub fn process(&self, stages: Stages, mut each: impl FnMut(usize, &mut Processing)) -> Vec<f32> {
        let mut processing = Processing::new(stages);
        let (mut played, mut heard) = (0, 0);
        let mut out = Vec::with_capacity(self.microphone.len());
        for &microphone in &self.order {
            if microphone {
                each(heard, &mut processing);
                let mut frame = frame(&self.microphone, heard);
                processing.capture(&mut frame);
                out.extend(frame.iter().map(|s| f32::from(*s) / 32_768.0));
                heard += 1;
            } else {
                processing.render(&frame(&self.played, played));
                played += 1;
            }
        }
        out
    }
}

/// By how much `out` is quieter than the echo between two times, dB: only where there is echo and nobody speaks.
pub fn loss_db(sounds: &Sounds, out: &[f32], from: f64, to: f64) -> f64 {
    let (mut before, mut after) = (0.0, 0.0);
    let range = (from * RATE as f64) as usize..(to * RATE as f64) as usize;
    for n in range.step_by(FRAME) {
        let part = |sound: &[f32]| -> f64 {
            sound.iter().skip(n).take(FRAME).map(|s| f64::from(s * s)).sum::<f64>()
        };
        let echo = part(&sounds.echo);
        if echo > FRAME as f64 * 1e-5 && part(&sounds.near) == 0.0 {
            before += echo;
            after += part(out);
        }
    }
    10.0 * (before / after.max(1e-12)).log10()
}

fn frame(sound: &[f32], number: usize) -> [i16; FRAME] {
    let from = sound.iter().skip(number * FRAME);
    let mut frame = [0; FRAME];
    frame.iter_mut().zip(from).for_each(|(place, s)| *place = (s * 32_767.0).round() as i16);
    frame
}

fn delay(sound: &[f32], ms: usize) -> Vec<f32> {
    let silence = std::iter::repeat_n(0.0, ms * RATE / 1000);
    silence.chain(sound.iter().copied()).take(sound.len()).collect()
}

fn slide(from: &[f32], to: &[f32], at: usize, over: usize) -> Vec<f32> {
    let way = |n: usize| (n.saturating_sub(at) as f32 / over as f32).min(1.0);
    from.iter().zip(to).enumerate().map(|(n, (a, b))| a + (b - a) * way(n)).collect()
}

/// Normally distributed enough, of variance 1.
pub struct Noise(pub u32);

impl Noise {
    pub fn next(&mut self) -> f32 {
        let mut sum = 0.0;
        for _ in 0..12 {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            sum += (self.0 >> 8) as f32 / (1 << 24) as f32;
        }
        sum - 6.0
    }
}
