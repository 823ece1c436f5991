//! Symmetric RTP (RFC 4961) with a guard: whose packets are ours, and where our sound goes.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Packets in a row that prove a source at an address that nobody announced.
const PROOF: u8 = 4;
/// Packets in a row that prove a new SSRC at the address in use, or a new address of the SSRC in use.
const PROOF_OF_KIN: u8 = 2;
/// Steps within which the numbers of a source that moves go on.
const KIN_STEPS: u16 = 200;
/// A source that was heard within this time cannot be pushed aside by a stranger.
const ALIVE: Duration = Duration::from_secs(1);

/// What to do with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is of the stream that plays.
    Take,
    /// It begins a stream that takes the place of the one before.
    Switch,
    /// Not (yet) believed.
    Drop,
}

#[derive(Debug, Clone, Copy)]
struct Active {
    address: SocketAddr,
    ssrc: u32,
    seq: u16,
    heard: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    address: SocketAddr,
    ssrc: u32,
    next_seq: u16,
    run: u8,
}

/// The stream that plays, and who might take its place.
#[derive(Debug)]
pub(crate) struct Latch {
    announced: SocketAddr,
    active: Option<Active>,
    candidate: Option<Candidate>,
}

impl Latch {
    /// Nothing was heard yet; the description announced this address.
    pub fn new(announced: SocketAddr) -> Self {
        Self { announced, active: None, candidate: None }
    }

    /// A later description announces another address: it holds until something else is heard.
    pub fn announce(&mut self, address: SocketAddr) {
        if address != self.announced {
            *self = Self::new(address);
        }
    }

    /// Where RTP goes.
    pub fn destination(&self) -> SocketAddr {
        self.active.map_or(self.announced, |active| active.address)
    }

    /// The source that plays.
    pub fn ssrc(&self) -> Option<u32> {
        self.active.map(|active| active.ssrc)
    }

    /// Whether a packet from here may be taken, sooner or later: not where it would push aside a source that lives.
    pub fn admits(&self, now: Instant, address: SocketAddr, ssrc: u32) -> bool {
        self.active.is_none_or(|active| {
            active.address == address
                || active.ssrc == ssrc
                || address == self.announced
                || now.saturating_duration_since(active.heard) > ALIVE
        })
    }

    /// Judges a well-formed packet of a payload type in use.
    pub fn judge(&mut self, now: Instant, address: SocketAddr, ssrc: u32, seq: u16) -> Verdict {
        let fresh = Active { address, ssrc, seq, heard: now };
        let Some(active) = &mut self.active else {
            let needed = if address == self.announced { 1 } else { PROOF };
            return self.prove(fresh, needed, Verdict::Switch);
        };
        match (active.address == address, active.ssrc == ssrc) {
            (true, true) => {
                active.seq = seq;
                active.heard = now;
                Verdict::Take
            }
            (false, true) if seq.wrapping_sub(active.seq) < KIN_STEPS => {
                self.prove(fresh, PROOF_OF_KIN, Verdict::Take)
            }
            (true, false) => self.prove(fresh, PROOF_OF_KIN, Verdict::Switch),
            // Whoever was announced may come late, after a stranger or after who was announced before.
            (false, _)
                if address == self.announced || now.saturating_duration_since(active.heard) > ALIVE =>
            {
                self.prove(fresh, PROOF, Verdict::Switch)
            }
            (false, _) => Verdict::Drop,
        }
    }

    fn prove(&mut self, fresh: Active, needed: u8, verdict: Verdict) -> Verdict {
        let run = match self.candidate {
            Some(c) if c.address == fresh.address && c.ssrc == fresh.ssrc && c.next_seq == fresh.seq => {
                c.run + 1
            }
            _ => 1,
        };
        if run >= needed {
            self.active = Some(fresh);
            self.candidate = None;
            return verdict;
        }
        let next_seq = fresh.seq.wrapping_add(1);
        self.candidate = Some(Candidate { address: fresh.address, ssrc: fresh.ssrc, next_seq, run });
        Verdict::Drop
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    #[test]
    fn the_announced_address_is_believed_at_once() {
        let now = Instant::now();
        let mut latch = Latch::new(at(1));
        assert_eq!(latch.judge(now, at(1), 7, 0), Verdict::Switch);
        assert_eq!(latch.judge(now, at(1), 7, 1), Verdict::Take);
    }

    #[test]
    fn behind_nat_after_four_in_a_row() {
        let now = Instant::now();
        let mut latch = Latch::new(at(1));
        for seq in [65_534, 65_535, 0] {
            assert_eq!(latch.judge(now, at(2), 7, seq), Verdict::Drop);
            assert_eq!(latch.destination(), at(1));
        }
        assert_eq!(latch.judge(now, at(2), 7, 1), Verdict::Switch);
        assert_eq!(latch.destination(), at(2));
    }

    #[test]
    fn a_stranger_cannot_take_a_living_stream() {
        let now = Instant::now();
        let mut latch = Latch::new(at(1));
        latch.judge(now, at(1), 7, 0);
        for seq in 0..1000u16 {
            let later = now + Duration::from_millis(20) * u32::from(seq);
            assert_eq!(latch.judge(later, at(1), 7, seq + 1), Verdict::Take);
            assert_eq!(latch.judge(later, at(3), 8, seq), Verdict::Drop);
            assert_eq!(latch.judge(later, at(3), 7, seq.wrapping_add(30_000)), Verdict::Drop);
        }
        assert_eq!(latch.destination(), at(1));
    }

    #[test]
    fn a_dead_stream_gives_way() {
        let now = Instant::now();
        let mut latch = Latch::new(at(1));
        latch.judge(now, at(1), 7, 0);
        let later = now + Duration::from_secs(2);
        let verdicts: Vec<_> = (0..4).map(|seq| latch.judge(later, at(3), 8, seq)).collect();
        assert_eq!(verdicts, [Verdict::Drop, Verdict::Drop, Verdict::Drop, Verdict::Switch]);
    }

    #[test]
    fn a_source_may_move_and_a_new_source_may_follow() {
        let now = Instant::now();
        let mut latch = Latch::new(at(1));
        latch.judge(now, at(1), 7, 10);
        assert_eq!(latch.judge(now, at(2), 7, 12), Verdict::Drop);
        assert_eq!(latch.judge(now, at(2), 7, 13), Verdict::Take);
        assert_eq!(latch.destination(), at(2));
        assert_eq!(latch.judge(now, at(2), 9, 500), Verdict::Drop);
        assert_eq!(latch.judge(now, at(2), 9, 501), Verdict::Switch);
        assert_eq!(latch.ssrc(), Some(9));
    }

    #[test]
    fn whoever_was_announced_takes_a_stream_back_from_a_living_stranger() {
        let now = Instant::now();
        let mut latch = Latch::new(at(1));
        let mut announced = Vec::new();
        for seq in 0..8u16 {
            latch.judge(now, at(3), 8, seq);
            if seq >= 4 {
                assert_ne!(latch.judge(now, at(4), 9, seq), Verdict::Switch);
                announced.push(latch.judge(now, at(1), 7, seq));
            }
        }
        assert_eq!(announced, [Verdict::Drop, Verdict::Drop, Verdict::Drop, Verdict::Switch]);
        assert_eq!(latch.destination(), at(1));
    }
}
