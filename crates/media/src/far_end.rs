//! What the other side tells by RTCP about what it hears of us (RFC 3550, section 6.4).

use std::time::{Duration, Instant};

use crate::VoipMetrics;
use crate::rtcp::Block;

/// So many packets of ours, half a second of them, are enough for a report to speak of them.
const ENOUGH_SENT: u32 = 25;

/// What the other side tells about what it hears of us.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FarEnd {
    /// RTCP reports that came, whether or not they speak of us.
    pub reports: u32,
    /// Time since the last of them.
    pub age: Duration,
    /// Share of our packets lost on the way between its last two reports, percent.
    pub lost_percent: f32,
    /// Packets of ours lost so far, by its count.
    pub lost: u32,
    /// Jitter with which our packets arrive there, milliseconds.
    pub jitter_ms: f32,
    /// Whether any packet of ours has ever arrived there.
    pub hears: bool,
    /// Its last reports in a row by which none of our packets arrived, though we sent some.
    pub deaf_reports: u32,
    /// What it tells in extended reports (RFC 3611), where it sends those.
    pub voip: Option<VoipMetrics>,
}

/// Keeps count of them.
#[derive(Debug, Default)]
pub(crate) struct FarEndReports {
    last: Option<(FarEnd, Instant)>,
    highest: Option<u32>,
    sent: u32,
}

impl FarEndReports {
    /// A report came, with or without a block about us; `sent` packets were sent until now, whose RTP clock has
    /// this rate.
    pub fn note(&mut self, now: Instant, block: Option<&Block>, sent: u32, clock_rate: u32) {
        let before = self.last.map(|(far, _)| far);
        let arrived = block.is_some_and(|block| self.highest != Some(block.highest));
        let due = sent.wrapping_sub(self.sent) >= ENOUGH_SENT;
        let deaf = before.map_or(0, |far| far.deaf_reports);
        let far = FarEnd {
            reports: before.map_or(0, |far| far.reports).saturating_add(1),
            age: Duration::ZERO,
            lost_percent: block.map_or(0.0, |block| f32::from(block.fraction_lost) * 100.0 / 256.0),
            lost: block.map(Block::lost_or_none).or(before.map(|far| far.lost)).unwrap_or(0),
            jitter_ms: block.map_or(0.0, |block| block.jitter as f32 * 1000.0 / clock_rate.max(1) as f32),
            hears: arrived || before.is_some_and(|far| far.hears),
            deaf_reports: match (arrived, due) {
                (true, _) => 0,
                (false, true) => deaf.saturating_add(1),
                (false, false) => deaf,
            },
            voip: before.and_then(|far| far.voip),
        };
        self.highest = block.map(|block| block.highest).or(self.highest);
        if arrived || due {
            self.sent = sent;
        }
        self.last = Some((far, now));
    }

    /// An extended report about us came, after the report that it belongs to.
    pub fn note_voip(&mut self, metrics: VoipMetrics) {
        if let Some((far, _)) = &mut self.last {
            far.voip = Some(metrics);
        }
    }

    /// What is known at this time; nothing before the first report.
    pub fn get(&self, now: Instant) -> Option<FarEnd> {
        self.last.map(|(far, at)| FarEnd { age: now.saturating_duration_since(at), ..far })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(highest: u32, fraction_lost: u8) -> Block {
        Block { about: 1, fraction_lost, lost: 3, highest, jitter: 480, last_report: 0, since_report: 0 }
    }

    #[test]
    fn who_reports_about_us_hears_us() {
        let (mut reports, now) = (FarEndReports::default(), Instant::now());
        assert_eq!(reports.get(now), None);
        reports.note(now, Some(&block(100, 64)), 100, 48_000);
        let far = reports.get(now + Duration::from_secs(2)).unwrap();
        assert_eq!((far.reports, far.hears, far.deaf_reports, far.lost), (1, true, 0, 3));
        assert_eq!((far.lost_percent, far.jitter_ms, far.age), (25.0, 10.0, Duration::from_secs(2)));
    }

    #[test]
    fn who_never_speaks_of_us_is_deaf() {
        let (mut reports, now) = (FarEndReports::default(), Instant::now());
        reports.note(now, None, 10, 8_000);
        assert_eq!(reports.get(now).unwrap().deaf_reports, 0, "too little was sent yet");
        reports.note(now, None, 250, 8_000);
        reports.note(now, None, 500, 8_000);
        let far = reports.get(now).unwrap();
        assert_eq!((far.deaf_reports, far.hears), (2, false));
    }

    #[test]
    fn who_counts_no_further_is_deaf_unless_we_are_silent() {
        let (mut reports, now) = (FarEndReports::default(), Instant::now());
        reports.note(now, Some(&block(100, 0)), 100, 8_000);
        reports.note(now, Some(&block(100, 0)), 100, 8_000);
        assert_eq!(reports.get(now).unwrap().deaf_reports, 0, "nothing was sent");
        reports.note(now, Some(&block(100, 0)), 300, 8_000);
        assert_eq!(reports.get(now).unwrap().deaf_reports, 1);
        reports.note(now, Some(&block(500, 0)), 500, 8_000);
        assert_eq!((reports.get(now).unwrap().deaf_reports, reports.get(now).unwrap().hears), (0, true));
    }
}
