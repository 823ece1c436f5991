/// Loss from which one packet is waited for, so that FEC can be used; and up to which it is kept.
const LOSS_ON: f32 = 0.008;
const LOSS_OFF: f32 = 0.003;
/// Loss from which deep redundancy is worth its delay, and from which it is worth that of a long burst.
const DEEP: f32 = 0.03;
const DEEPEST: f32 = 0.2;
/// Mean length from which losses are bursts.
const BURSTS: f32 = 2.0;
/// Forgetting: about five seconds of 20 ms packets.
const STEP: f32 = 1.0 / 256.0;
/// Packets for which a longer look-ahead is kept after it was last called for: bursts come at long intervals.
const HELD: u32 = 1000;
/// Packets without any redundancy after which the sender is taken to have none.
const WITHOUT: u32 = 500;
/// Packets of one hole that are counted.
const LONGEST_HOLE: i64 = 50;

/// How many packets after the one to be played should have come, so that it can be repaired out of them: decided
/// from what is lost and from what the packets hold. Up at once, down slowly.
#[derive(Debug)]
pub(super) struct LookAhead {
    /// Shares of the packets of late: lost, and following a hole.
    lost: f32,
    holes: f32,
    /// Packets since there was redundancy for the frame before, and for more.
    since_fec: u32,
    since_dred: u32,
    packets: usize,
    held: u32,
}

impl LookAhead {
    /// Nothing was heard yet. Where there may be redundancy, the beginning is played as if there had been some
    /// loss: changing the delay later, in a pause, is better than in the first words.
    pub fn new(redundancy: bool) -> Self {
        let lost = if redundancy { LOSS_ON } else { 0.0 };
        Self {
            lost,
            holes: lost,
            since_fec: if redundancy { 0 } else { WITHOUT },
            since_dred: WITHOUT,
            packets: usize::from(redundancy),
            held: 0,
        }
    }

    /// Packets to look ahead.
    pub fn packets(&self) -> usize {
        self.packets
    }

    /// A packet is played in front of which `missing` others were not there in time. `fec`: it holds the frame
    /// before it.
    pub fn played(&mut self, missing: i64, fec: bool) {
        for _ in 0..missing.min(LONGEST_HOLE) {
            self.lost += (1.0 - self.lost) * STEP;
            self.holes -= self.holes * STEP;
        }
        self.lost -= self.lost * STEP;
        let hole = if missing > 0 { 1.0 } else { 0.0 };
        self.holes += (hole - self.holes) * STEP;
        self.since_fec = if fec { 0 } else { self.since_fec.saturating_add(1) };
        self.since_dred = self.since_dred.saturating_add(1);
        self.decide();
    }

    /// A packet after a hole held deep redundancy.
    pub fn saw_history(&mut self) {
        self.since_dred = 0;
    }

    /// Whether deep redundancy was seen of late.
    pub fn sees_history(&self) -> bool {
        self.since_dred < WITHOUT
    }

    fn decide(&mut self) {
        let wanted = self.wanted();
        if wanted >= self.packets && wanted > 0 && self.lost > LOSS_ON {
            self.packets = wanted;
            self.held = HELD;
        } else if self.held > 0 && self.repairs() {
            self.held -= 1;
        } else {
            self.packets = wanted;
        }
    }

    fn repairs(&self) -> bool {
        self.since_fec < WITHOUT || self.sees_history()
    }

    fn wanted(&self) -> usize {
        let threshold = if self.packets > 0 { LOSS_OFF } else { LOSS_ON };
        if !self.repairs() || self.lost <= threshold {
            return 0;
        }
        if !self.sees_history() || self.lost < DEEP {
            return 1;
        }
        match self.lost / self.holes.max(STEP) {
            burst if burst < BURSTS => 3,
            _ if self.lost >= DEEPEST => 8,
            burst => (burst.ceil() as usize + 1).clamp(3, 5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays `count` packets of which every `every`th follows a hole of `burst`.
    fn play(look_ahead: &mut LookAhead, count: usize, every: usize, burst: i64, dred: bool) {
        for n in 0..count {
            let hole = every > 0 && n % every == every - 1;
            if hole && dred {
                look_ahead.saw_history();
            }
            look_ahead.played(if hole { burst } else { 0 }, true);
        }
    }

    #[test]
    fn nothing_is_waited_for_without_loss_or_without_redundancy() {
        let mut look_ahead = LookAhead::new(true);
        assert_eq!(look_ahead.packets(), 1);
        play(&mut look_ahead, 400, 0, 0, false);
        assert_eq!(look_ahead.packets(), 0);
        for _ in 0..1000 {
            look_ahead.played(1, false);
        }
        assert_eq!(look_ahead.packets(), 0, "half is lost, but nothing would help");
        assert_eq!(LookAhead::new(false).packets(), 0);
    }

    #[test]
    fn fec_alone_is_worth_one_packet_whatever_the_loss() {
        for (every, burst) in [(20, 1), (5, 1), (10, 4)] {
            let mut look_ahead = LookAhead::new(true);
            play(&mut look_ahead, 1000, every, burst, false);
            assert_eq!(look_ahead.packets(), 1);
        }
    }

    #[test]
    fn deep_redundancy_is_worth_as_much_as_the_bursts_are_long() {
        for (every, burst, packets) in
            [(10, 1, 3), (32, 2, 3), (32, 3, 4), (32, 4, 5), (32, 7, 5), (12, 4, 8)]
        {
            let mut look_ahead = LookAhead::new(true);
            play(&mut look_ahead, 1000, every, burst, true);
            assert_eq!(look_ahead.packets(), packets, "{burst} after every {every}");
        }
    }

    #[test]
    fn up_at_once_and_down_after_twenty_seconds() {
        let mut look_ahead = LookAhead::new(true);
        play(&mut look_ahead, 500, 0, 0, false);
        play(&mut look_ahead, 80, 20, 4, true);
        assert_eq!(look_ahead.packets(), 5);
        play(&mut look_ahead, 900, 0, 0, true);
        assert_eq!(look_ahead.packets(), 5);
        play(&mut look_ahead, 1000, 0, 0, true);
        assert_eq!(look_ahead.packets(), 0);
    }
}
