//! When RTCP is due and what it says (RFC 3550, sections 6.2 to 6.6).

use std::time::{Duration, Instant};

use rand::Rng;
use rand::rngs::StdRng;

use crate::rtcp::{self, Block, SenderInfo};

/// Least interval between two reports (section 6.2).
const INTERVAL: Duration = Duration::from_secs(5);
/// Makes up for timer reconsideration (section 6.3.1).
const COMPENSATION: f64 = 1.218_28;
/// A longer round trip is a misunderstanding.
const LONGEST_TRIP: u32 = 10 << 16;

/// The RTCP of a session.
pub(crate) struct Control {
    epoch: Instant,
    next: Option<Instant>,
    cname: String,
    last_sender_report: Option<(u32, Instant)>,
    packets_reported: u32,
    rtt_ms: Option<f32>,
    pub remote_left: bool,
}

impl Control {
    pub fn new(now: Instant, random: &mut StdRng) -> Self {
        // 96 bits, as a short-term name is to have (RFC 7022, section 4.2).
        let cname = format!("{:08x}{:016x}", random.random::<u32>(), random.random::<u64>());
        // The first one is early (section 6.2).
        let next = Some(now + interval(random) / 2);
        Self {
            epoch: now,
            next,
            cname,
            last_sender_report: None,
            packets_reported: 0,
            rtt_ms: None,
            remote_left: false,
        }
    }

    pub fn next(&self) -> Option<Instant> {
        self.next
    }

    pub fn rtt_ms(&self) -> Option<f32> {
        self.rtt_ms
    }

    /// Whether a report is due; the next one is set.
    pub fn due(&mut self, now: Instant, random: &mut StdRng) -> bool {
        let due = self.next.is_some_and(|next| next <= now);
        if due {
            self.next = Some(now + interval(random));
        }
        due
    }

    /// No more reports.
    pub fn stop(&mut self) {
        self.next = None;
    }

    /// Milestones for a report block: the last sender report, and the time since.
    pub fn last_report(&self, now: Instant) -> (u32, u32) {
        self.last_sender_report.map_or((0, 0), |(middle, at)| {
            let since = now.saturating_duration_since(at).as_secs_f64() * 65_536.0;
            (middle, since as u32)
        })
    }

    /// A compound packet. `sent` is packets, octets and RTP time of ours.
    pub fn compose(
        &mut self,
        now: Instant,
        ssrc: u32,
        (packets, octets, rtp): (u32, u32, u32),
        block: Option<Block>,
        bye: bool,
    ) -> Vec<u8> {
        let sent = packets != self.packets_reported;
        self.packets_reported = packets;
        let info = sent.then(|| SenderInfo { ntp: self.ntp(now), rtp, packets, octets });
        let mut bytes = Vec::with_capacity(128);
        rtcp::write_report(&mut bytes, ssrc, info, block);
        rtcp::write_description(&mut bytes, ssrc, &self.cname);
        if bye {
            rtcp::write_bye(&mut bytes, ssrc);
        }
        bytes
    }

    /// The other side reported as a sender.
    pub fn note_sender_report(&mut self, now: Instant, info: SenderInfo) {
        self.last_sender_report = Some(((info.ntp >> 16) as u32, now));
    }

    /// The other side reported about us: round trip (section 6.4.1).
    pub fn note_block(&mut self, now: Instant, block: &Block) {
        if block.last_report == 0 {
            return;
        }
        let middle = (self.ntp(now) >> 16) as u32;
        let trip = middle.wrapping_sub(block.last_report).wrapping_sub(block.since_report);
        if trip < LONGEST_TRIP {
            let ms = trip as f32 * 1000.0 / 65_536.0;
            self.rtt_ms = Some(self.rtt_ms.map_or(ms, |before| before + (ms - before) / 4.0));
        }
    }

    /// Time since the session began as an NTP timestamp: a host need not know the time of day (section 4).
    fn ntp(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.epoch);
        // One second up, so that the middle bits are never zero, which means "none".
        let fraction = u64::from(since.subsec_nanos()) * (1 << 32) / 1_000_000_000;
        ((since.as_secs() + 1) << 32) | fraction
    }
}

fn interval(random: &mut StdRng) -> Duration {
    INTERVAL.mul_f64(random.random_range(0.5..1.5) / COMPENSATION)
}
