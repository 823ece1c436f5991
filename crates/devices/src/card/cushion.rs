//! How much sound to hold ready for a card: as little as possible, never too little.

use std::time::{Duration, Instant};

/// Pure: told what the card's requests left over, it says how many samples should stand ready.
pub(super) struct Cushion {
    /// Most the card asks for at once.
    request: usize,
    /// Held beyond that, for a writer that comes late.
    extra: usize,
    step: usize,
    most: usize,
    starved: u32,
    look_at: Instant,
    raised: bool,
}

const LOOK: Duration = Duration::from_secs(4);

impl Cushion {
    /// For a card of this rate that is expected to ask for `request` samples at once.
    pub(super) fn new(rate: u32, request: usize, now: Instant) -> Self {
        let step = rate as usize / 400;
        Self {
            request,
            extra: 2 * step,
            step,
            most: 24 * step,
            starved: 0,
            look_at: now + LOOK,
            raised: false,
        }
    }

    /// Samples that should stand ready.
    pub(super) fn target(&self) -> usize {
        self.request + self.extra
    }

    /// Takes the number of requests so far that found too little; whether there was a new one.
    pub(super) fn starved(&mut self, count: u32, now: Instant) -> bool {
        if count == self.starved {
            return false;
        }
        self.starved = count;
        self.raised = true;
        self.extra = (self.extra + 2 * self.step).min(self.most);
        self.look_at = now;
        true
    }

    /// Whether it is time to [`look`](Self::look).
    pub(super) fn is_due(&self, now: Instant) -> bool {
        now >= self.look_at
    }

    /// Takes the fewest samples a request left over and the most a request took since the last look.
    pub(super) fn look(&mut self, left: usize, request: usize, now: Instant) {
        self.look_at = now + LOOK;
        if request > 0 {
            self.request = request;
        }
        let spare = left != usize::MAX && left >= self.step;
        if !std::mem::take(&mut self.raised) && spare {
            self.extra = self.extra.saturating_sub(self.step);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_when_the_card_starves_and_shrinks_when_there_is_spare() {
        let mut now = Instant::now();
        let mut cushion = Cushion::new(48_000, 240, now);
        assert_eq!(cushion.target(), 240 + 240);

        assert!(cushion.starved(1, now));
        cushion.look(0, 480, now);
        assert_eq!(cushion.target(), 480 + 480, "two steps more, and the larger request is known");
        assert!(!cushion.starved(1, now), "a starvation counts once");

        assert!(!cushion.is_due(now + LOOK / 2));
        for _ in 0..10 {
            now += LOOK;
            assert!(cushion.is_due(now));
            cushion.look(cushion.extra, 240, now);
        }
        assert_eq!(cushion.target(), 240, "nothing beyond the request where the writer is never late");
    }

    #[test]
    fn keeps_what_is_just_enough_and_has_an_end() {
        let now = Instant::now();
        let mut cushion = Cushion::new(48_000, 240, now);
        cushion.look(100, 240, now);
        assert_eq!(cushion.target(), 480, "less than a step was left: no shrinking");
        (1..100).for_each(|n| assert!(cushion.starved(n, now)));
        assert_eq!(cushion.target(), 240 + 24 * 120);
    }

    #[test]
    fn a_card_that_asks_for_nothing_changes_nothing() {
        let now = Instant::now();
        let mut cushion = Cushion::new(48_000, 240, now);
        cushion.look(usize::MAX, 0, now + LOOK);
        assert_eq!(cushion.target(), 480);
    }
}
