use std::collections::VecDeque;

use super::look_ahead::LookAhead;
use super::stretch::{self, PAST, Pauses, Wish};
use super::target::Target;
use super::{Decoder, MS, Ticks};
use crate::FRAME;
use crate::quality::{REBUILT_WEIGHT, RECOVERED_WEIGHT};

/// Decodings over which the least slack is taken.
const SLACKS: usize = 25;
/// Decodings after a change of length before the slack is believed again.
const SETTLED: usize = 5;
/// Deviation at which one decoding is proof enough, and seams need not be perfect.
const FAR: Ticks = 40 * MS;
/// Decodings for which a little too much delay waits for a pause, where taking it out cannot be heard at all.
const PATIENCE: u32 = 250;
/// Slack around the target that is left alone on either side.
const TOLERANCE: Ticks = 2 * MS;
/// One pull.
const PULL: Ticks = FRAME as Ticks;
/// Longest time that is looked ahead.
const MOST_AHEAD: Ticks = 160 * MS;
/// Invented sound begins to fade here and is silent there, samples.
const FADE_START: usize = 60 * 48;
const FADE_END: usize = 200 * 48;
/// Length over which real sound comes back from a fade, and of the seam after a jump: 5 ms.
const COME_BACK: usize = 240;
/// Forgetting of the impairment: ten seconds.
const IMPAIRMENT_WINDOW: f32 = 480_000.0;
/// Granule of Opus concealment.
const GRANULE: usize = 120;

/// The sound that is ready, and the control of its delay by stretching.
///
/// The *slack* of a packet is the time from when the fastest of its kind would have come to its decoding. It
/// moves in steps of one pull, since decoding happens on pulls; sound that is ready beyond the pull adds to
/// the delay without helping, and so is taken out first.
#[derive(Debug)]
pub(super) struct Playout {
    target: Target,
    /// Past sound, then from `read` on what is ready.
    sound: Vec<i16>,
    read: usize,
    pauses: Pauses,
    slacks: VecDeque<Ticks>,
    /// Decodings since too much delay waits for a pause.
    waited: u32,
    look_ahead: LookAhead,
    /// Samples of the packet played last.
    packet: Ticks,
    lengthened: u64,
    shortened: u64,
    /// The sender pauses (DTX).
    pausing: bool,
    /// Samples invented in a row.
    invented: usize,
    gain: f32,
    /// The last sound before a jump goes on in here, to be faded out of.
    tail: Vec<i16>,
    delay: f32,
    impairment: f32,
}

impl Playout {
    /// Nothing was heard yet.
    pub fn new(redundancy: bool) -> Self {
        Self {
            target: Target::new(),
            sound: vec![0; PAST],
            read: PAST,
            pauses: Pauses::new(),
            slacks: VecDeque::with_capacity(SLACKS),
            waited: 0,
            look_ahead: LookAhead::new(redundancy),
            packet: 20 * MS,
            lengthened: 0,
            shortened: 0,
            pausing: false,
            invented: FADE_END,
            gain: 0.0,
            tail: Vec::new(),
            delay: 0.0,
            impairment: 0.0,
        }
    }

    /// A packet came with this offset.
    pub fn arrived(&mut self, offset: Ticks) {
        self.target.note(offset);
    }

    pub fn forget_arrivals(&mut self) {
        self.target.reset();
        self.slacks.clear();
    }

    /// Whether a first packet that is this far behind its timestamp has waited long enough.
    pub fn may_begin(&self, offset: Ticks) -> bool {
        // Half a pull early is nearer to the target than half a pull late.
        offset + PULL / 2 >= self.wanted_offset()
    }

    /// The offset at which packets should be decoded.
    pub fn wanted_offset(&self) -> Ticks {
        self.target.base() + self.target()
    }

    /// The delay over the fastest way at which packets should be decoded. Nearly all packets are to be in time;
    /// of those that repair others, most.
    pub fn target(&self) -> Ticks {
        match self.looked_ahead() {
            0 => self.target.value(),
            ahead => self.target.value().max(self.target.usual() + ahead),
        }
    }

    /// Time that is looked ahead.
    pub fn looked_ahead(&self) -> Ticks {
        (self.look_ahead.packets() as Ticks * self.packet).min(MOST_AHEAD)
    }

    /// Samples put in and taken out by stretching.
    pub fn stretched(&self) -> (u64, u64) {
        (self.lengthened, self.shortened)
    }

    pub fn delay(&self) -> Ticks {
        self.delay as Ticks
    }

    pub fn impairment(&self) -> f32 {
        self.impairment
    }

    /// Samples that are ready.
    pub fn ready(&self) -> usize {
        self.sound.len() - self.read
    }

    /// Hands out 10 ms. `follows` is the timestamp of what comes after all that is ready.
    pub fn take(&mut self, now: Ticks, follows: Option<Ticks>, out: &mut [i16; FRAME]) {
        if let Some(follows) = follows {
            let delay = now - (follows - self.ready() as Ticks) - self.target.base();
            let step = if self.delay == 0.0 { 1.0 } else { 0.05 };
            self.delay += (delay as f32 - self.delay) * step;
        }
        for (out, sample) in out.iter_mut().zip(self.sound.iter().skip(self.read)) {
            *out = *sample;
        }
        self.read += FRAME;
        // The past is cut only now and then, to move memory seldom.
        if self.read > 8 * PAST {
            self.sound.drain(..self.read - PAST);
            self.read = PAST;
        }
    }

    /// Nothing is playing: fades what was, then stays silent.
    pub fn silence(&mut self, decoder: &mut impl Decoder) {
        self.pausing = false;
        self.invented = self.invented.max(FADE_END - FRAME);
        self.invent(FRAME, decoder);
    }

    /// Invents sound. Gives the number of samples that were invented in earnest: neither in a pause nor after
    /// the fade.
    pub fn invent(&mut self, samples: usize, decoder: &mut impl Decoder) -> usize {
        let start = self.sound.len();
        let run = self.invented;
        self.invented = run.saturating_add(samples).min(FADE_END);
        if run >= FADE_END && !self.pausing {
            self.sound.resize(start + samples, 0);
            self.gain = 0.0;
            return 0;
        }
        self.sound.resize(start + samples.next_multiple_of(GRANULE), 0);
        let fresh = self.sound.get_mut(start..).unwrap_or_default();
        if decoder.conceal(fresh).is_err() {
            fresh.fill(0);
        }
        self.sound.truncate(start + samples);
        if self.pausing {
            self.invented = 0;
            return 0;
        }
        let gain_at = |run: usize| {
            1.0 - run.clamp(FADE_START, FADE_END).abs_diff(FADE_START) as f32 / (FADE_END - FADE_START) as f32
        };
        self.ramp(start, gain_at(self.invented), samples);
        samples
    }

    /// Brings the frame before `next` back out of it.
    pub fn recover(&mut self, next: &[u8], samples: usize, decoder: &mut impl Decoder) {
        let start = self.sound.len();
        self.sound.resize(start + samples, 0);
        let fresh = self.sound.get_mut(start..).unwrap_or_default();
        if decoder.recover(next, fresh).is_err() {
            fresh.fill(0);
        }
        self.resume(start);
        self.heard(samples, RECOVERED_WEIGHT);
    }

    /// Rebuilds what begins `offset` before the packet whose history was read.
    pub fn rebuild(&mut self, offset: usize, samples: usize, decoder: &mut impl Decoder) {
        let start = self.sound.len();
        self.sound.resize(start + samples, 0);
        let fresh = self.sound.get_mut(start..).unwrap_or_default();
        if decoder.rebuild(offset, fresh).is_err() {
            fresh.fill(0);
        }
        self.resume(start);
        self.heard(samples, REBUILT_WEIGHT);
    }

    /// Whether packets of late held deep redundancy.
    pub fn sees_history(&self) -> bool {
        self.look_ahead.sees_history()
    }

    /// A packet after a hole holds deep redundancy.
    pub fn saw_history(&mut self) {
        self.look_ahead.saw_history();
    }

    /// Decodes a packet that is `offset` behind its timestamp and in front of which `missing` others are
    /// missing, and stretches it where the delay calls for it.
    pub fn decode(
        &mut self,
        offset: Ticks,
        payload: &[u8],
        samples: usize,
        missing: i64,
        decoder: &mut impl Decoder,
    ) {
        let start = self.sound.len();
        self.sound.resize(start + samples, 0);
        let fresh = self.sound.get_mut(start..).unwrap_or_default();
        if decoder.decode(payload, fresh).is_err() && decoder.conceal(fresh).is_err() {
            fresh.fill(0);
        }
        self.pausing = decoder.is_pause(payload);
        self.resume(start);
        self.heard(samples, 0.0);
        self.packet = samples as Ticks;
        self.look_ahead.played(missing, decoder.has_redundancy(payload));
        self.adapt(offset, start);
    }

    /// Playing goes on elsewhere: keep how it would have gone on here, for a seam.
    pub fn jump(&mut self, decoder: &mut impl Decoder) {
        self.tail.resize(FRAME, 0);
        if decoder.conceal(&mut self.tail).is_err() {
            self.tail.fill(0);
        }
        let gain = self.gain;
        self.tail.truncate(COME_BACK);
        self.tail.iter_mut().for_each(|sample| *sample = (f32::from(*sample) * gain) as i16);
        self.gain = 1.0;
        self.slacks.clear();
    }

    /// Real sound follows from `start` on: in from the fade, out of the tail of a jump.
    fn resume(&mut self, start: usize) {
        self.invented = 0;
        self.ramp(start, 1.0, COME_BACK);
        let fresh = self.sound.get_mut(start..).unwrap_or_default();
        let length = self.tail.len().max(1) as f32;
        for (i, (sample, old)) in fresh.iter_mut().zip(&self.tail).enumerate() {
            let to = (i as f32 + 0.5) / length;
            *sample = (f32::from(*sample) * to + f32::from(*old) * (1.0 - to)).round() as i16;
        }
        self.tail.clear();
    }

    /// Moves the gain to `gain` over the next `over` samples from `start`.
    fn ramp(&mut self, start: usize, gain: f32, over: usize) {
        let from = self.gain;
        self.gain = gain;
        if from == 1.0 && gain == 1.0 {
            return;
        }
        let over = over.max(1) as f32;
        for (i, sample) in self.sound.iter_mut().skip(start).enumerate() {
            let here = from + (gain - from) * ((i as f32 + 1.0) / over).min(1.0);
            *sample = (f32::from(*sample) * here).round() as i16;
        }
    }

    /// So many samples of what was heard were impaired by so much.
    pub fn heard(&mut self, samples: usize, impairment: f32) {
        self.impairment += (impairment - self.impairment) * samples as f32 / IMPAIRMENT_WINDOW;
    }

    /// Changes the length of the frame that begins at `start` where the slack is off the target.
    fn adapt(&mut self, offset: Ticks, start: usize) {
        let pause = self.pauses.note(self.sound.get(start..).unwrap_or_default());
        if self.slacks.len() == SLACKS {
            self.slacks.pop_front();
        }
        self.slacks.push_back(offset);
        let least = self.slacks.iter().copied().min().unwrap_or(offset);
        let over = least - self.wanted_offset();
        if self.slacks.len() < SETTLED && over.abs() < FAR {
            return;
        }
        let ready = start.saturating_sub(self.read) as Ticks;
        let changed = if over < -TOLERANCE {
            let lacking = (-over + PULL - 1) / PULL * PULL - ready;
            let changed = self.stretch(start, lacking, over < -FAR / 2, pause, stretch::lengthen);
            self.lengthened += changed as u64;
            changed
        } else {
            let excess = ready.min(PULL) + (over + TOLERANCE / 2).max(0) / PULL * PULL;
            if excess < TOLERANCE {
                self.waited = 0;
                return;
            }
            self.waited += 1;
            if !pause && over < FAR && self.waited < PATIENCE {
                return;
            }
            let changed = self.stretch(start, excess, over > FAR, pause, stretch::shorten);
            self.shortened += changed as u64;
            changed
        };
        if changed > 0 {
            self.slacks.clear();
            self.waited = 0;
        }
    }

    fn stretch(
        &mut self,
        start: usize,
        samples: Ticks,
        eager: bool,
        pause: bool,
        how: fn(&mut Vec<i16>, usize, Wish, bool) -> usize,
    ) -> usize {
        let Ok(samples) = usize::try_from(samples) else { return 0 };
        how(&mut self.sound, start, Wish { samples, eager }, pause)
    }
}
