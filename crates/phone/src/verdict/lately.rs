use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How far back loss is looked at.
const SPAN: Duration = Duration::from_secs(5);
/// Fewer packets say nothing about loss.
const ENOUGH: u32 = 50;

/// What arrived in the last seconds.
#[derive(Debug, Default)]
pub(super) struct Lately {
    /// When, packets received, packets lost or late.
    counts: VecDeque<(Instant, u32, u32)>,
}

impl Lately {
    pub(super) fn note(&mut self, now: Instant, figures: &media::Report) {
        self.counts.push_back((now, figures.rx_packets, figures.lost.saturating_add(figures.late)));
        while self.counts.get(1).is_some_and(|(at, ..)| now.saturating_duration_since(*at) >= SPAN) {
            self.counts.pop_front();
        }
    }

    /// Share of packets that never came, or came too late.
    pub(super) fn lost_percent(&self) -> f32 {
        let (Some((_, came_before, lost_before)), Some((_, came, lost))) =
            (self.counts.front(), self.counts.back())
        else {
            return 0.0;
        };
        let (came, lost) = (came.saturating_sub(*came_before), lost.saturating_sub(*lost_before));
        match came.saturating_add(lost) {
            all if all < ENOUGH => 0.0,
            all => 100.0 * lost as f32 / all as f32,
        }
    }
}
