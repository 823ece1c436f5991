//! How to speak Opus into the path that the other side reports: more redundancy and more bits where packets are
//! lost, fewer where delay or loss rises with them. The thresholds are those at which PESQ-WB and ViSQOL of
//! libopus 1.6.1 changed places.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::codec::OpusSettings;
use crate::sdp::OpusParameters;

/// Time for which the worst report counts.
const HOLD: Duration = Duration::from_secs(10);
/// Reports kept; they come every few seconds.
const MOST_REPORTS: usize = 16;
/// Weight of what was known of bursts before, at each new record of them.
const BURST_MEMORY: f32 = 0.75;
/// Mean length from which losses are bursts, packets.
const BURSTS: f32 = 2.0;
/// Loss under which a path is clean; from which deep redundancy helps against bursts, and against single losses;
/// from which even the longest look-ahead is worth its delay; percent.
const CLEAN: f32 = 1.0;
/// Reports of no loss at all, one after the other, from which nothing is kept ready against it: all bits go into the
/// sound.
const SPOTLESS: u32 = 3;
/// Bit rate where the path bears it, that of G.711: speech takes about 53 kbit/s of it.
const MOST_RATE: u32 = 64_000;
const DEEP_BURSTS: f32 = 4.0;
const DEEP_SINGLE: f32 = 10.0;
const DEEPEST: f32 = 20.0;
/// Bit rates there are.
const RATES: [u32; 4] = [24_000, 32_000, 48_000, MOST_RATE];
/// Round trip over the shortest one that says that packets queue, milliseconds.
const QUEUE_MS: f32 = 80.0;
/// Time for which a bit rate that was too much is not tried again.
const WARY: Duration = Duration::from_secs(30);
/// Time after a rise of the bit rate in which more loss is put down to it.
const TRIAL: Duration = Duration::from_secs(15);

/// The sender's side of adaptation, for one peer.
#[derive(Debug)]
pub(crate) struct Adaptation {
    peer: OpusParameters,
    packet_ms: u32,
    /// Loss in percent, before any repair, as reported of late.
    reports: VecDeque<(Instant, f32)>,
    /// Reports of no loss since there last was any.
    spotless: u32,
    /// Packets lost and holes they made, of late.
    lost: f32,
    holes: f32,
    congestion: Congestion,
    settings: OpusSettings,
}

impl Adaptation {
    /// Nothing is known of the path yet.
    pub fn new(peer: OpusParameters, packet_ms: u32) -> Self {
        let mut adaptation = Self {
            peer,
            packet_ms,
            reports: VecDeque::with_capacity(MOST_REPORTS),
            spotless: 0,
            lost: 0.0,
            holes: 0.0,
            congestion: Congestion::new(),
            settings: OpusSettings::CLEAN,
        };
        adaptation.decide(None);
        adaptation
    }

    /// The other side's wishes have changed, the path has not.
    pub fn renegotiate(&mut self, peer: OpusParameters, packet_ms: u32) {
        (self.peer, self.packet_ms) = (peer, packet_ms);
        self.decide(None);
    }

    /// How to speak now.
    pub fn settings(&self) -> OpusSettings {
        self.settings
    }

    /// The other side was heard with deep redundancy in its packets: it reads it too.
    pub fn saw_dred(&mut self) {
        self.peer.dred = true;
    }

    /// The other side reports so much loss, percent before any repair (RFC 3550, section 6.4.1); with the round
    /// trip, where it is known.
    pub fn reported(&mut self, now: Instant, loss: f32, trip_ms: Option<f32>) {
        while self.reports.len() >= MOST_REPORTS
            || self.reports.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) >= HOLD)
        {
            self.reports.pop_front();
        }
        self.reports.push_back((now, loss));
        self.spotless = if loss > 0.0 { 0 } else { self.spotless.saturating_add(1) };
        self.congestion.reported(now, loss, trip_ms, self.settings.bit_rate);
        self.decide(Some((now, loss)));
    }

    /// The other side tells which packets it lost: so many, in so many holes.
    pub fn holes(&mut self, lost: u32, holes: u32) {
        self.lost = self.lost * BURST_MEMORY + lost as f32;
        self.holes = self.holes * BURST_MEMORY + holes as f32;
        self.decide(None);
    }

    /// Mean length of a hole. Without any record of them they are taken for single losses.
    fn burst(&self) -> f32 {
        if self.holes < 0.5 { 1.0 } else { self.lost / self.holes }
    }

    fn decide(&mut self, report: Option<(Instant, f32)>) {
        let loss = self.reports.iter().map(|(_, loss)| *loss).fold(0.0, f32::max);
        let before = self.settings.bit_rate;
        self.settings = self.law(loss, self.burst());
        if let Some((now, loss)) = report
            && self.settings.bit_rate > before
        {
            self.congestion.raised(now, loss, before);
        }
    }

    fn law(&self, loss: f32, burst: f32) -> OpusSettings {
        let bursts = burst >= BURSTS;
        let deep = self.peer.dred && loss >= if bursts { DEEP_BURSTS } else { DEEP_SINGLE };
        let spotless = loss <= 0.0 && self.spotless >= SPOTLESS;
        let bit_rate = MOST_RATE.min(self.congestion.ceiling).min(self.peer.most_bit_rate);
        // Packets that the other side looks ahead, see `jitter::look_ahead`.
        let ahead = match loss {
            loss if bursts && loss >= DEEPEST => 8,
            _ if bursts => (burst.ceil() as u32 + 1).clamp(3, 5),
            _ => 3,
        };
        let reach = u16::try_from((ahead * self.packet_ms).min(160) + 40).unwrap_or(u16::MAX);
        let spotless = spotless && bit_rate >= MOST_RATE;
        let fec = self.peer.fec && !spotless;
        let declared = if spotless { 0 } else { loss.clamp(5.0, 25.0) as u8 };
        // Where bits are few, FEC and deep redundancy leave each other none.
        let (fec, loss_declared, dred_ms) = match bit_rate {
            _ if !deep => (fec, declared, 0),
            ..32_000 if bursts => (false, 20, reach),
            32_000..40_000 if bursts && loss < 8.0 => (false, 10, reach),
            32_000..40_000 if bursts => (fec, 30, reach),
            40_000..64_000 if bursts || loss >= 15.0 => (fec, 25, reach),
            MOST_RATE.. => (fec, 25, reach),
            _ => (fec, declared, 0),
        };
        OpusSettings {
            bit_rate,
            wideband: loss >= CLEAN || self.peer.wideband,
            fec,
            loss: loss_declared,
            dred_ms,
            dtx: self.peer.dtx,
        }
    }
}

/// What the path bears: a bit rate at which the round trip grows, or after which more is lost, is given up.
#[derive(Debug)]
struct Congestion {
    ceiling: u32,
    shortest_trip_ms: Option<f32>,
    /// When the ceiling was changed.
    changed: Option<Instant>,
    /// When the bit rate was raised, the loss then, and from where.
    raised: Option<(Instant, f32, u32)>,
}

impl Congestion {
    fn new() -> Self {
        Self { ceiling: MOST_RATE, shortest_trip_ms: None, changed: None, raised: None }
    }

    fn raised(&mut self, now: Instant, loss: f32, from: u32) {
        self.raised = Some((now, loss, from));
    }

    fn reported(&mut self, now: Instant, loss: f32, trip_ms: Option<f32>, bit_rate: u32) {
        let queue = trip_ms.map_or(0.0, |trip| {
            // A millisecond more with each report: a longer route is learnt in the end.
            let shortest = self.shortest_trip_ms.map_or(trip, |shortest| trip.min(shortest + 1.0));
            self.shortest_trip_ms = Some(shortest);
            trip - shortest
        });
        let trial = self.raised.filter(|(at, ..)| now.saturating_duration_since(*at) < TRIAL);
        let since = self.changed.map(|at| now.saturating_duration_since(at));
        if queue > QUEUE_MS {
            self.change(now, below(bit_rate));
        } else if let Some((_, before, from)) = trial
            && loss > 2.0 * before + 5.0
        {
            self.change(now, from);
        } else if queue < QUEUE_MS / 2.0 && since.is_some_and(|since| since >= WARY) {
            self.change(now, above(self.ceiling));
        }
    }

    fn change(&mut self, now: Instant, ceiling: u32) {
        self.ceiling = ceiling;
        self.changed = Some(now);
        self.raised = None;
    }
}

fn below(rate: u32) -> u32 {
    RATES.into_iter().rev().find(|other| *other < rate).unwrap_or(RATES[0])
}

fn above(rate: u32) -> u32 {
    RATES.into_iter().find(|other| *other > rate).unwrap_or(rate)
}

#[cfg(test)]
mod tests;
