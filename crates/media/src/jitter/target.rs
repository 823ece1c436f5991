use std::collections::VecDeque;

use super::{MS, Ticks};

/// Packets that are remembered: 10 s of 20 ms packets. What fell out of it is forgotten: slow down.
const WINDOW: usize = 500;
/// Share of those that may come later than the target, per mille.
const LATE_PER_MILLE: usize = 10;
/// Those of them that are so little later are waited for all the same.
const LITTLE: Ticks = 12 * MS;
/// Share that may come later than what usual packets keep within.
const UNUSUAL_PER_MILLE: usize = 150;
/// The latest packets, which may push the target up by themselves: fast up. Three outliers are let go.
const RECENT: usize = 50;
const RECENT_OUTLIERS: usize = 3;
/// On top of what was measured: the pull is not on the tick either.
const MARGIN: Ticks = 4 * MS;
/// Never below, never above.
const LEAST: Ticks = 12 * MS;
const MOST: Ticks = 400 * MS;
/// Packets in a row that are further off than any delay we would give: the path or the clock is another one.
const PROOF: usize = 10;
/// A target that falls by less than this waits for as many packets as are remembered: each step is a stretch, and is heard.
const STEP: Ticks = 15 * MS;
/// Belief before anything is measured, given up packet by packet.
const PRIOR: Ticks = 20 * MS;
const PRIOR_PACKETS: usize = 100;

/// How much delay the network's jitter calls for, out of the offsets of the packets that came.
#[derive(Debug)]
pub(super) struct Target {
    offsets: VecDeque<Ticks>,
    scratch: Vec<Ticks>,
    since_reset: usize,
    prior: Ticks,
    base: Ticks,
    value: Ticks,
    /// Packets since a lower value would have done.
    too_high: usize,
    usual: Ticks,
}

impl Target {
    pub fn new() -> Self {
        Self {
            offsets: VecDeque::with_capacity(WINDOW),
            scratch: Vec::with_capacity(WINDOW),
            since_reset: 0,
            prior: PRIOR,
            base: 0,
            value: PRIOR,
            too_high: 0,
            usual: MARGIN,
        }
    }

    /// Offsets have no common measure with earlier ones any more; what was learned of the jitter stays for
    /// the beginning.
    pub fn reset(&mut self) {
        self.offsets.clear();
        self.since_reset = 0;
        self.prior = self.value.max(PRIOR / 2);
    }

    /// A packet came with this offset.
    pub fn note(&mut self, offset: Ticks) {
        if self.offsets.len() == WINDOW {
            self.offsets.pop_front();
        }
        if !self.offsets.is_empty() && self.base - offset > MOST {
            self.reset();
        }
        self.offsets.push_back(offset);
        if self.offsets.iter().rev().take(PROOF).all(|offset| offset - self.base > MOST) {
            self.offsets.drain(..self.offsets.len().saturating_sub(PROOF));
        }
        self.since_reset = self.since_reset.saturating_add(1);
        self.base = self.offsets.iter().copied().min().unwrap_or(offset);
        let (usual, nearly_all) = self.quantiles();
        self.usual = (usual - self.base + MARGIN).min(MOST);
        let lately = self.nth_latest(RECENT, RECENT_OUTLIERS.min(self.offsets.len() / 10));
        let left = PRIOR_PACKETS.saturating_sub(self.since_reset);
        let prior = self.prior * left as Ticks / PRIOR_PACKETS as Ticks;
        self.follow((nearly_all.max(lately) - self.base + MARGIN).max(prior).clamp(LEAST, MOST));
    }

    /// Up at once; down at once where it is far or nothing was measured before, and a little only where it stays so.
    fn follow(&mut self, wanted: Ticks) {
        self.too_high = if wanted < self.value { self.too_high + 1 } else { 0 };
        let new = self.since_reset <= PRIOR_PACKETS;
        if new || wanted > self.value || self.value - wanted >= STEP || self.too_high >= WINDOW {
            (self.value, self.too_high) = (wanted, 0);
        }
    }

    /// The offset of the fastest packets of late.
    pub fn base(&self) -> Ticks {
        self.base
    }

    /// The delay over the base that nearly all packets keep within.
    pub fn value(&self) -> Ticks {
        self.value
    }

    /// The delay over the base that most packets keep within.
    pub fn usual(&self) -> Ticks {
        self.usual
    }

    /// The offsets that most and that nearly all packets keep within.
    fn quantiles(&mut self) -> (Ticks, Ticks) {
        self.scratch.clear();
        self.scratch.extend(&self.offsets);
        let count = self.scratch.len();
        let (usual, later) = later_than(&mut self.scratch, count, UNUSUAL_PER_MILLE, self.base);
        let (nearly_all, latest) = later_than(later, count, LATE_PER_MILLE, usual);
        let a_little_later = latest.iter().filter(|offset| **offset - nearly_all <= LITTLE).max();
        (usual, a_little_later.copied().unwrap_or(nearly_all))
    }

    /// Of the last `among` offsets, the one with `later` others after it.
    fn nth_latest(&mut self, among: usize, later: usize) -> Ticks {
        self.scratch.clear();
        self.scratch.extend(self.offsets.iter().rev().take(among));
        let Some(rank) = self.scratch.len().checked_sub(1 + later) else { return self.base };
        *self.scratch.select_nth_unstable(rank).1
    }
}

/// Of `offsets`, the latest of `count`, the one that `per_mille` of them are later than, and those; `least` where there is
/// none.
fn later_than(offsets: &mut [Ticks], count: usize, per_mille: usize, least: Ticks) -> (Ticks, &mut [Ticks]) {
    let Some(rank) = offsets.len().checked_sub(1 + count * per_mille / 1000) else { return (least, offsets) };
    let (_, offset, later) = offsets.select_nth_unstable(rank);
    (*offset, later)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(offsets: impl IntoIterator<Item = Ticks>) -> Target {
        let mut target = Target::new();
        offsets.into_iter().for_each(|offset| target.note(offset));
        target
    }

    #[test]
    fn quiet_paths_need_little() {
        assert_eq!(after(std::iter::repeat_n(7_777, 200)).value(), LEAST);
        assert_eq!(after([5]).base(), 5);
    }

    /// One packet far ahead of all others, as a restarted sender brings it, is no reason to wait for a second.
    #[test]
    fn no_more_is_waited_for_than_we_would_give() {
        let target = after([0].into_iter().chain((0..8).map(|_| 1_200 * MS)));
        assert_eq!((target.value(), target.usual()), (MOST, MOST));
    }

    #[test]
    fn uniform_jitter_is_covered_whole() {
        let target = after((0..1000).map(|i| (i * 7919 % 4800) - 1_000_000));
        assert!((4600..=4800 + MARGIN).contains(&target.value()), "{}", target.value());
        assert!(target.base() < -999_900);
    }

    /// Five in a hundred come 25 to 65 ms late, evenly.
    #[test]
    fn the_last_of_the_late_are_waited_for_where_they_are_near() {
        let late = |i: i64| (25 * MS) + i * 7919 % (40 * MS);
        let target = after((0..1000).map(|i| if i % 20 == 0 { late(i) } else { 0 }));
        let missed = (500..1000).filter(|i| i % 20 == 0 && late(*i) > target.value()).count();
        assert!(missed <= 1 && target.value() <= 65 * MS + MARGIN, "{missed} {}", target.value());
        // One in a hundred comes late, and four of those come far later: they are not.
        let far = |i: i64| if i % 500 < 300 { 30 * MS } else { 90 * MS };
        let target = after((0..1000).map(|i| if i % 60 == 0 { far(i) } else { 0 }));
        assert!((30 * MS..40 * MS).contains(&target.value()), "{}", target.value());
    }

    #[test]
    fn up_at_once_down_after_ten_seconds() {
        let mut target = after(std::iter::repeat_n(0, 500));
        for _ in 0..4 {
            target.note(60 * MS);
        }
        assert!(target.value() >= 60 * MS);
        for _ in 0..100 {
            target.note(0);
        }
        assert_eq!(target.value(), LEAST, "four late packets do not last");
        for _ in 0..20 {
            target.note(60 * MS);
        }
        for _ in 0..400 {
            target.note(0);
        }
        assert!(target.value() >= 60 * MS, "a bad second is remembered");
        for _ in 0..100 {
            target.note(0);
        }
        assert_eq!(target.value(), LEAST);
    }

    #[test]
    fn a_single_straggler_changes_nothing() {
        let mut target = after(std::iter::repeat_n(0, 500));
        target.note(300 * MS);
        assert_eq!(target.value(), LEAST);
    }

    #[test]
    fn a_slower_route_becomes_the_base() {
        let mut target = after(std::iter::repeat_n(0, 500));
        for _ in 0..500 {
            target.note(50 * MS);
        }
        assert_eq!((target.base(), target.value()), (50 * MS, LEAST));
    }
}
