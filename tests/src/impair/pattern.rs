//! The fate of each packet, decided by a seed alone.

use std::time::Duration;

use crate::Impairment;

/// What becomes of a packet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fate {
    /// It never arrives.
    pub lost: bool,
    /// It arrives this much later; without drift.
    pub delay: Duration,
    /// Packets after it may pass it.
    pub overtaken: bool,
}

/// The fates of packets in their order. Whoever asks with the same impairment and seed is told the same, and the same
/// packets get lost whatever else happens to them.
#[derive(Debug, Clone)]
pub struct Pattern {
    impairment: Impairment,
    loss: Random,
    delay: Random,
    order: Random,
    bad: bool,
}

/// How long a packet is held back until later ones have passed it: one to three frames of 20 ms.
const HELD_BACK: (f64, f64) = (0.025, 0.065);

impl Pattern {
    /// The fates that belong to a seed.
    pub fn new(impairment: Impairment, seed: u64) -> Self {
        let [loss, delay, order] = [1, 2, 3].map(|n| Random::new(seed.wrapping_mul(8).wrapping_add(n)));
        Self { impairment, loss, delay, order, bad: false }
    }

    /// Whether the next packet gets lost.
    fn loses(&mut self) -> bool {
        let Impairment { loss, burst, .. } = self.impairment;
        let drawn = self.loss.share();
        if burst <= 1.0 || loss <= 0.0 {
            return drawn < loss;
        }
        let (to_good, to_bad) = (1.0 / burst, loss / (1.0 - loss) / burst);
        self.bad = if self.bad { drawn >= to_good } else { drawn < to_bad };
        self.bad
    }
}

impl Iterator for Pattern {
    type Item = Fate;

    fn next(&mut self) -> Option<Fate> {
        let Impairment { delay, jitter, reorder, .. } = self.impairment;
        let lost = self.loses();
        let jitter = jitter.mul_f64(2.0 * self.delay.share());
        let (overtaken, held) = (self.order.share() < reorder, self.order.share());
        let held = if overtaken { HELD_BACK.0 + held * (HELD_BACK.1 - HELD_BACK.0) } else { 0.0 };
        Some(Fate { lost, delay: delay + jitter + Duration::from_secs_f64(held), overtaken })
    }
}

/// Random numbers that are the same everywhere (splitmix64).
#[derive(Debug, Clone)]
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        let mut random = Self(seed);
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to 1, without 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(cell: &str, seed: u64, count: usize) -> Vec<Fate> {
        Pattern::new(cell.parse().unwrap(), seed).take(count).collect()
    }

    fn lost(cell: &str, seed: u64) -> Vec<bool> {
        fates(cell, seed, 100_000).iter().map(|fate| fate.lost).collect()
    }

    /// Share of packets that are lost, and how many are lost in a row on average.
    fn realised(lost: &[bool]) -> (f64, f64) {
        let all = lost.iter().filter(|lost| **lost).count() as f64;
        let bursts = lost.windows(2).filter(|pair| !pair[0] && pair[1]).count() as f64;
        (all / lost.len() as f64, all / bursts)
    }

    #[test]
    fn a_clean_path_does_nothing() {
        let nothing = Fate { lost: false, delay: Duration::ZERO, overtaken: false };
        assert!(fates("clean", 1, 1000).iter().all(|fate| *fate == nothing));
    }

    #[test]
    fn the_same_seed_is_the_same_pattern_and_another_is_another() {
        assert_eq!(fates("burst10+jitter20+reorder5", 7, 1000), fates("burst10+jitter20+reorder5", 7, 1000));
        assert_ne!(lost("loss10", 7), lost("loss10", 8));
    }

    #[test]
    fn jitter_and_reordering_do_not_change_what_is_lost() {
        assert_eq!(lost("loss10", 3), lost("loss10+jitter50+reorder5", 3));
    }

    #[test]
    fn random_loss_is_as_frequent_as_asked_and_does_not_cluster() {
        for percent in [1.0, 10.0, 30.0] {
            let (share, burst) = realised(&lost(&format!("loss{percent}"), 5));
            assert!((share * 100.0 - percent).abs() < 0.5, "{share}");
            assert!((burst - 1.0 / (1.0 - percent / 100.0)).abs() < 0.05, "{burst}");
        }
    }

    #[test]
    fn bursts_are_as_frequent_and_as_long_as_asked() {
        for (cell, percent, length) in
            [("burst5", 5.0, 3.0), ("burst30", 30.0, 3.0), ("burst10x4", 10.0, 4.0)]
        {
            let (share, burst) = realised(&lost(cell, 5));
            assert!((share * 100.0 - percent).abs() < 1.0, "{cell}: {share}");
            assert!((burst - length).abs() < 0.2, "{cell}: {burst}");
        }
    }

    #[test]
    fn everything_can_be_lost() {
        assert!(lost("loss100", 1).iter().all(|lost| *lost));
    }

    #[test]
    fn jitter_is_spread_evenly_around_its_mean() {
        let fates = fates("delay10+jitter50", 2, 100_000);
        let mean = fates.iter().map(|fate| fate.delay.as_secs_f64()).sum::<f64>() / fates.len() as f64;
        let most = fates.iter().map(|fate| fate.delay).max().unwrap();
        assert!((mean - 0.060).abs() < 0.001, "{mean}");
        assert!(most > Duration::from_millis(109) && most < Duration::from_millis(110), "{most:?}");
    }
}
