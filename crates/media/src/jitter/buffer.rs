use std::collections::VecDeque;

use super::playout::Playout;
use super::{Decoder, MS, Span, Ticks};
use crate::{Codec, FRAME, RATE};

/// Packets kept at most; more are not waiting but stuck.
const MOST_PACKETS: usize = 200;
/// A timestamp further ahead than this is a new beginning, not a pause.
const LONGEST_PAUSE: Ticks = 3_000 * MS;
/// Longest packet there is.
const LONGEST_PACKET: Ticks = 120 * MS;
/// Nothing came for so long: stop inventing, begin anew with the next packet.
const REST_AFTER: usize = 2 * 48_000;
/// Step of libopus in what it invents and rebuilds: 2.5 ms.
const GRANULE: usize = 120;
/// Delay over the target at which sound is dropped instead of hurried.
const TOO_LATE: Ticks = 300 * MS;

/// A packet waiting for its turn.
#[derive(Debug)]
struct Packet {
    seq: i64,
    ts: Ticks,
    samples: usize,
    payload: Vec<u8>,
}

/// The newest packet seen, from which sequence and time of the next are reckoned.
#[derive(Debug, Clone, Copy)]
struct Newest {
    seq: i64,
    timestamp: u32,
    ts: Ticks,
}

/// What the buffer has done so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Figures {
    /// Packets that came after their turn.
    pub late: u32,
    /// Samples invented for packets that did not come in time.
    pub concealed: u64,
    /// Samples brought back by FEC.
    pub recovered: u64,
    /// Samples rebuilt by DRED.
    pub rebuilt: u64,
    /// Samples put in by stretching, to gain delay.
    pub lengthened: u64,
    /// Samples taken out by stretching, to lose delay.
    pub shortened: u64,
}

impl std::ops::Add for Figures {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            late: self.late.saturating_add(other.late),
            concealed: self.concealed + other.concealed,
            recovered: self.recovered + other.recovered,
            rebuilt: self.rebuilt + other.rebuilt,
            lengthened: self.lengthened + other.lengthened,
            shortened: self.shortened + other.shortened,
        }
    }
}

/// The adaptive jitter buffer of one RTP stream.
#[derive(Debug)]
pub(crate) struct JitterBuffer {
    /// Ticks of one RTP timestamp unit.
    scale: Ticks,
    packets: VecDeque<Packet>,
    spare: Vec<Vec<u8>>,
    newest: Option<Newest>,
    /// Timestamp of the next sound to be decoded; `None` while waiting for a beginning.
    expected: Option<Ticks>,
    last_seq: i64,
    /// Sequence numbers after `last_seq` that carried no voice.
    not_voice: VecDeque<i64>,
    /// Samples invented since `expected` without moving it: a packet that is only late is still played.
    credit: usize,
    /// What the packet of this number can rebuild.
    history: Option<(i64, Span)>,
    playout: Playout,
    figures: Figures,
    /// Of the last packet.
    packet: Ticks,
    /// Of `credit`, what will count as concealed unless it turns out to be a pause.
    unsettled: u64,
}

impl JitterBuffer {
    /// A buffer for a stream of this codec.
    pub fn new(codec: Codec) -> Self {
        Self {
            scale: Ticks::from(RATE / codec.clock_rate()),
            packets: VecDeque::new(),
            spare: Vec::new(),
            newest: None,
            expected: None,
            last_seq: 0,
            not_voice: VecDeque::new(),
            credit: 0,
            history: None,
            playout: Playout::new(codec == Codec::Opus),
            figures: Figures::default(),
            packet: 0,
            unsettled: 0,
        }
    }

    /// What was done so far.
    pub fn figures(&self) -> Figures {
        let (lengthened, shortened) = self.playout.stretched();
        Figures { lengthened, shortened, ..self.figures }
    }

    /// Whether packets of late held deep redundancy (DRED).
    pub fn sees_history(&self) -> bool {
        self.playout.sees_history()
    }

    /// Delay the buffer aims at, over the fastest way through the network.
    pub fn target(&self) -> Ticks {
        self.playout.target()
    }

    /// Of this, the time that is looked ahead for the sake of repair.
    pub fn looked_ahead(&self) -> Ticks {
        self.playout.looked_ahead()
    }

    /// Delay the buffer adds at the moment, over the fastest way through the network.
    pub fn delay(&self) -> Ticks {
        self.playout.delay()
    }

    /// How much sound a packet holds, by the last one; 0 before the first.
    pub fn packet(&self) -> Ticks {
        self.packet
    }

    /// Share of what was heard in the last ten seconds or so that was not what was said, 0 to 1. Sound out of
    /// FEC counts a fifth, out of DRED half.
    pub fn impairment(&self) -> f32 {
        self.playout.impairment()
    }

    /// A packet of this stream came that carries no voice (a digit).
    pub fn pass_over(&mut self, seq: i64) {
        if self.not_voice.len() == MOST_PACKETS {
            self.not_voice.pop_front();
        }
        self.not_voice.push_back(seq);
    }

    /// Takes a packet. `seq` is extended beyond 16 bits and was not seen before.
    pub fn insert(&mut self, now: Ticks, seq: i64, timestamp: u32, payload: &[u8], decoder: &impl Decoder) {
        let Some(samples) = decoder.samples(payload) else { return };
        self.packet = samples as Ticks;
        let Some(ts) = self.place(seq, timestamp) else { return };
        self.playout.arrived(now - ts);
        if self.expected.is_some_and(|expected| ts < expected) {
            self.figures.late += 1;
            return;
        }
        let place = self.packets.iter().rposition(|other| other.ts <= ts).map_or(0, |index| index + 1);
        if place
            .checked_sub(1)
            .and_then(|before| self.packets.get(before))
            .is_some_and(|other| other.ts == ts)
        {
            return;
        }
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.clear();
        bytes.extend_from_slice(payload);
        self.packets.insert(place, Packet { seq, ts, samples, payload: bytes });
        if self.packets.len() > MOST_PACKETS {
            self.discard_front();
        }
    }

    /// Gives the next 10 ms.
    pub fn pull(&mut self, now: Ticks, decoder: &mut impl Decoder, out: &mut [i16; FRAME]) {
        while self.playout.ready() < FRAME {
            self.step(now, decoder);
        }
        // While a packet is waited for, nothing plays whose delay could be told.
        let follows = self.expected.filter(|_| self.credit == 0);
        self.playout.take(now, follows, out);
    }

    /// Where in time a packet stands. `None`: sequence and timestamp contradict each other.
    fn place(&mut self, seq: i64, timestamp: u32) -> Option<Ticks> {
        let Some(newest) = self.newest else {
            let ts = Ticks::from(timestamp) * self.scale;
            self.newest = Some(Newest { seq, timestamp, ts });
            return Some(ts);
        };
        let ahead = Ticks::from(timestamp.wrapping_sub(newest.timestamp).cast_signed()) * self.scale;
        let ts = newest.ts + ahead;
        let steps = seq - newest.seq;
        if steps > 0 {
            self.newest = Some(Newest { seq, timestamp, ts });
            if ahead <= 0 || ahead > LONGEST_PAUSE + steps * LONGEST_PACKET {
                self.begin_anew();
            }
        } else if ahead >= 0 {
            return None;
        }
        Some(ts)
    }

    fn begin_anew(&mut self) {
        while self.discard_front() {}
        self.rest();
        self.playout.forget_arrivals();
    }

    fn rest(&mut self) {
        self.expected = None;
        self.credit = 0;
        self.unsettled = 0;
    }

    fn discard_front(&mut self) -> bool {
        let Some(packet) = self.packets.pop_front() else { return false };
        self.spare.push(packet.payload);
        self.figures.late += 1;
        true
    }

    /// Adds some more sound to what is ready.
    fn step(&mut self, now: Ticks, decoder: &mut impl Decoder) {
        let Some(expected) = self.expected.or_else(|| self.begin(now)) else {
            self.playout.silence(decoder);
            return;
        };
        let expected = self.catch_up(now, expected, decoder);
        let Some(head) = self.packets.front() else {
            self.invent(FRAME, decoder);
            if self.credit >= REST_AFTER {
                self.rest();
                self.playout.forget_arrivals();
            }
            return;
        };
        let gap = head.ts - expected;
        let between = self.last_seq + 1..head.seq;
        let not_voice = self.not_voice.iter().filter(|seq| between.contains(seq)).count();
        let missing = between.end - between.start - not_voice as i64;
        if let Ok(left @ 1..) = usize::try_from(gap - self.credit as Ticks)
            && gap > 0
        {
            let lost = missing > 0 && gap >= head.samples as Ticks;
            if !(lost && self.repair(left, decoder)) {
                self.invent(left.min(FRAME), decoder);
            }
            return;
        }
        // A late packet was worth the waiting; a pause of the sender's was nobody's fault.
        self.settle(gap == 0 || missing > 0);
        self.decode(now, missing.max(0), decoder);
    }

    /// Fills some of the hole of which `left` samples are left in front of the next packet, out of that packet.
    fn repair(&mut self, left: usize, decoder: &mut impl Decoder) -> bool {
        let Some(head) = self.packets.front() else { return false };
        if left <= head.samples && decoder.has_redundancy(&head.payload) {
            self.playout.recover(&head.payload, head.samples, decoder);
            self.figures.recovered += head.samples as u64;
            self.expected = Some(head.ts);
        } else {
            let span = match self.history {
                Some((seq, span)) if seq == head.seq => span,
                _ => decoder.read_history(&head.payload, left),
            };
            self.history = Some((head.seq, span));
            // Deep redundancy comes in steps of 2.5 ms.
            let samples = left.min(FRAME) / GRANULE * GRANULE;
            if samples == 0 || !span.covers(left, samples) {
                return false;
            }
            self.playout.rebuild(left, samples, decoder);
            self.figures.rebuilt += samples as u64;
            self.expected = Some(head.ts - (left - samples) as Ticks);
        }
        self.settle(true);
        true
    }

    /// The waiting for `expected` is over: was there something to conceal?
    fn settle(&mut self, concealed: bool) {
        if concealed {
            self.figures.concealed += self.unsettled;
            self.playout.heard(self.unsettled as usize, 1.0);
        }
        self.unsettled = 0;
        self.credit = 0;
    }

    /// Whether the first packet has waited long enough to begin.
    fn begin(&mut self, now: Ticks) -> Option<Ticks> {
        let front = self.packets.front()?;
        if !self.playout.may_begin(now - front.ts) {
            return None;
        }
        self.last_seq = front.seq - 1;
        self.expected = Some(front.ts);
        self.expected
    }

    /// Drops what is hopelessly behind; gives what is expected now.
    fn catch_up(&mut self, now: Ticks, expected: Ticks, decoder: &mut impl Decoder) -> Ticks {
        while self.packets.front().is_some_and(|front| front.ts < expected) {
            self.discard_front();
        }
        let Some(front) = self.packets.front() else { return expected };
        let wanted = now - self.playout.wanted_offset();
        if wanted - front.ts < TOO_LATE {
            return expected;
        }
        while self.packets.len() > 1
            && self.packets.front().is_some_and(|front| front.ts + (front.samples as Ticks) <= wanted)
        {
            self.discard_front();
        }
        let Some(front) = self.packets.front() else { return expected };
        let ts = front.ts;
        self.last_seq = front.seq - 1;
        self.settle(true);
        self.playout.jump(decoder);
        self.expected = Some(ts);
        ts
    }

    fn invent(&mut self, samples: usize, decoder: &mut impl Decoder) {
        self.credit += samples;
        self.unsettled += self.playout.invent(samples, decoder) as u64;
    }

    fn decode(&mut self, now: Ticks, missing: i64, decoder: &mut impl Decoder) {
        let Some(packet) = self.packets.pop_front() else { return };
        if missing > 0 {
            // What the decoder had read of another packet is gone with this.
            self.history = None;
            if decoder.has_history(&packet.payload) {
                self.playout.saw_history();
            }
        }
        self.last_seq = packet.seq;
        self.not_voice.retain(|seq| *seq > packet.seq);
        self.expected = Some(packet.ts + packet.samples as Ticks);
        self.playout.decode(now - packet.ts, &packet.payload, packet.samples, missing, decoder);
        self.spare.push(packet.payload);
    }
}

#[cfg(test)]
mod tests;
