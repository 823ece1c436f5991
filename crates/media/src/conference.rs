//! A conference of one phone: each hears all the others, and not himself.

use std::collections::VecDeque;

use crate::FRAME;

/// Frames that a voice is ahead before it is handed on: speaker and microphone do not tick together.
const AHEAD: usize = 2;
/// Frames that a voice may be ahead at most; what is more would be delay.
const MOST_AHEAD: usize = 6;

/// Voices on their way to each other. With one leg in it, it is an ordinary call.
///
/// The speaker sets the pace of what is heard, the microphone of what is said: every 10 ms of the one
/// [`hear`](Self::hear), every 10 ms of the other [`turn`](Self::turn) and then [`say`](Self::say) for each leg.
#[derive(Debug)]
pub struct Conference<K> {
    legs: Vec<Leg<K>>,
    ear: Limiter,
}

#[derive(Debug)]
struct Leg<K> {
    key: K,
    voice: VecDeque<[i16; FRAME]>,
    flows: bool,
    /// What is handed on of this leg in the present turn.
    turn: Option<[i16; FRAME]>,
    out: Limiter,
}

impl<K: Copy + PartialEq> Default for Conference<K> {
    fn default() -> Self {
        Self { legs: Vec::new(), ear: Limiter::default() }
    }
}

impl<K: Copy + PartialEq> Conference<K> {
    /// These are in it from now on; who was in it before stays as he was.
    pub fn seat(&mut self, keys: &[K]) {
        self.legs.retain(|leg| keys.contains(&leg.key));
        for key in keys {
            if !self.legs.iter().any(|leg| leg.key == *key) {
                self.legs.push(Leg {
                    key: *key,
                    voice: VecDeque::with_capacity(MOST_AHEAD + 1),
                    flows: false,
                    turn: None,
                    out: Limiter::default(),
                });
            }
        }
    }

    /// Who is in it.
    pub fn keys(&self) -> impl Iterator<Item = K> + '_ {
        self.legs.iter().map(|leg| leg.key)
    }

    /// Takes 10 ms of everybody (`voice` fills the frame of the leg it is asked for) and gives what we hear.
    pub fn hear(&mut self, mut voice: impl FnMut(K, &mut [i16; FRAME])) -> [i16; FRAME] {
        let mut sum = [0_i32; FRAME];
        let alone = self.legs.len() < 2;
        for leg in &mut self.legs {
            let mut frame = [0; FRAME];
            voice(leg.key, &mut frame);
            add(&mut sum, &frame);
            if alone {
                leg.voice.clear();
                leg.flows = false;
                continue;
            }
            leg.voice.push_back(frame);
            if leg.voice.len() > MOST_AHEAD {
                leg.voice.drain(..leg.voice.len() - AHEAD);
            }
        }
        self.ear.limit(&sum)
    }

    /// Another 10 ms of everybody is to be handed on.
    pub fn turn(&mut self) {
        for leg in &mut self.legs {
            leg.flows |= leg.voice.len() >= AHEAD;
            leg.turn = if leg.flows { leg.voice.pop_front() } else { None };
            leg.flows &= leg.turn.is_some();
        }
    }

    /// What a leg hears in the present turn: ourselves and all the others.
    pub fn say(&mut self, to: K, own: &[i16; FRAME]) -> [i16; FRAME] {
        let mut sum = [0_i32; FRAME];
        add(&mut sum, own);
        for leg in self.legs.iter().filter(|leg| leg.key != to) {
            if let Some(frame) = &leg.turn {
                add(&mut sum, frame);
            }
        }
        match self.legs.iter_mut().find(|leg| leg.key == to) {
            Some(leg) => leg.out.limit(&sum),
            None => *own,
        }
    }
}

fn add(sum: &mut [i32; FRAME], frame: &[i16; FRAME]) {
    sum.iter_mut().zip(frame).for_each(|(sum, sample)| *sum += i32::from(*sample));
}

/// Loudest sample that a sum may have.
const CEILING: f32 = 32_000.0;
/// By how much the gain recovers in a frame: two seconds from nothing.
const RECOVERY: f32 = 0.005;

/// Turns a sum of voices down where it would be too loud, and back up slowly.
#[derive(Debug)]
struct Limiter {
    gain: f32,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { gain: 1.0 }
    }
}

impl Limiter {
    fn limit(&mut self, sum: &[i32; FRAME]) -> [i16; FRAME] {
        let peak = sum.iter().map(|s| s.unsigned_abs()).max().unwrap_or(0) as f32;
        let allowed = if peak > CEILING { CEILING / peak } else { 1.0 };
        let from = self.gain;
        self.gain = allowed.min(from + RECOVERY);
        let mut out = [0; FRAME];
        if from >= 1.0 && self.gain >= 1.0 {
            out.iter_mut().zip(sum).for_each(|(out, s)| *out = clip(*s as f32));
            return out;
        }
        for (n, (out, s)) in out.iter_mut().zip(sum).enumerate() {
            // Slides down within the first millisecond and a half, so that the peak finds it low.
            let way = (n as f32 / 64.0).min(1.0);
            *out = clip(*s as f32 * (from + (self.gain - from) * way));
        }
        out
    }
}

fn clip(sample: f32) -> i16 {
    // `as` saturates.
    sample.round() as i16
}

/// Lets our voice through or not; slides over a frame, because a cut would click.
#[derive(Debug, Default)]
pub struct Gate {
    /// Gain at the end of the last frame, in `FRAME`ths.
    gain: i32,
}

impl Gate {
    /// The frame as it goes out.
    pub fn pass(&mut self, frame: &[i16; FRAME], open: bool) -> [i16; FRAME] {
        let to = if open { FRAME as i32 } else { 0 };
        let from = std::mem::replace(&mut self.gain, to);
        let mut out = [0; FRAME];
        for ((n, out), sample) in (0i32..).zip(out.iter_mut()).zip(frame) {
            let gain = from + (to - from) * n / FRAME as i32;
            *out = (i32::from(*sample) * gain / FRAME as i32) as i16;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(frame: &[i16; FRAME]) -> i16 {
        frame[FRAME / 2]
    }

    /// Runs a conference in which leg `k` says the constant `k`, and we say `own`; what each heard last.
    fn run(keys: &[i16], own: i16, turns: usize) -> (i16, Vec<i16>) {
        let mut conference = Conference::default();
        conference.seat(keys);
        let (mut ear, mut said) = (0, Vec::new());
        for _ in 0..turns {
            ear = level(&conference.hear(|key, frame| frame.fill(key)));
            conference.turn();
            said = keys.iter().map(|key| level(&conference.say(*key, &[own; FRAME]))).collect();
        }
        (ear, said)
    }

    #[test]
    fn each_hears_the_others_and_not_himself() {
        assert_eq!(run(&[100, 2000, 30], 4, 10), (2130, vec![2034, 134, 2104]));
    }

    #[test]
    fn one_leg_is_an_ordinary_call() {
        assert_eq!(run(&[100], 4, 10), (100, vec![4]));
    }

    #[test]
    fn too_loud_a_sum_is_turned_down_and_not_clipped() {
        let mut conference = Conference::default();
        conference.seat(&[1, 2]);
        let mut heard = [0; FRAME];
        for _ in 0..10 {
            heard = conference.hear(|key, frame| {
                frame
                    .iter_mut()
                    .enumerate()
                    .for_each(|(n, s)| *s = if n % 2 == 0 { 30_000 } else { 15_000 * key });
            });
        }
        assert_eq!(heard[FRAME - 2], 32_000);
        assert_eq!(heard[FRAME - 1], 24_000, "in proportion");
    }

    #[test]
    fn a_pace_that_differs_neither_piles_up_nor_runs_dry_for_long() {
        let mut conference = Conference::default();
        conference.seat(&['a', 'b']);
        let mut silent = 0;
        for n in 0..1000 {
            conference.hear(|_, frame| frame.fill(100));
            if n % 10 == 0 {
                conference.hear(|_, frame| frame.fill(100));
            }
            conference.turn();
            silent += usize::from(level(&conference.say('a', &[0; FRAME])) == 0);
            assert!(conference.legs.iter().all(|leg| leg.voice.len() <= MOST_AHEAD));
        }
        assert!(silent <= AHEAD, "{silent}");
    }

    #[test]
    fn who_leaves_is_heard_no_more() {
        let mut conference = Conference::default();
        conference.seat(&['a', 'b', 'c']);
        for _ in 0..5 {
            conference.hear(|_, frame| frame.fill(100));
        }
        conference.seat(&['a', 'b']);
        conference.turn();
        assert_eq!(level(&conference.say('a', &[0; FRAME])), 100);
        assert_eq!(conference.say('c', &[7; FRAME]), [7; FRAME], "who is not in it hears us alone");
    }

    #[test]
    fn a_gate_opens_and_closes_without_a_click() {
        let mut gate = Gate::default();
        let opening = gate.pass(&[1000; FRAME], true);
        assert_eq!((opening[0], opening[FRAME / 2]), (0, 500));
        assert_eq!(gate.pass(&[1000; FRAME], true), [1000; FRAME]);
        let closing = gate.pass(&[1000; FRAME], false);
        assert_eq!((closing[0], closing[FRAME / 2]), (1000, 500));
        assert_eq!(gate.pass(&[1000; FRAME], false), [0; FRAME]);
    }
}
