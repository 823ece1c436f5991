//! Provisional answers of ours that the caller wants to acknowledge (RFC 3262, section 3).

use std::time::{Duration, Instant};

/// T1 of RFC 3261: pause before the first repetition.
const FIRST: Duration = Duration::from_millis(500);
/// Nobody acknowledges for this long: 64 times T1.
const PATIENCE: Duration = Duration::from_secs(32);

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Send the one with this number again.
    Again(u32),
    /// It was never acknowledged: the call cannot come about.
    GiveUp,
}

struct Pending {
    number: u32,
    since: Instant,
    pause: Duration,
    next: Instant,
}

/// The reliable provisional answers to one INVITE, one at a time.
pub(super) struct Reliable {
    /// Number and method of the INVITE, as PRACKs repeat it.
    invite: String,
    last: u32,
    pending: Option<Pending>,
}

impl Reliable {
    /// `first` is any number below 2^31; `sequence` the CSeq number of the INVITE.
    pub(super) fn new(first: u32, sequence: u32) -> Self {
        Self { invite: format!("{sequence} INVITE"), last: first % (1 << 31), pending: None }
    }

    /// Number of the answer that is about to be sent; `None` while another waits for its PRACK.
    pub(super) fn send(&mut self, now: Instant) -> Option<u32> {
        if self.pending.is_some() {
            return None;
        }
        self.last += 1;
        self.pending = Some(Pending { number: self.last, since: now, pause: FIRST, next: now + FIRST });
        Some(self.last)
    }

    /// Takes the RAck of a PRACK; false where it acknowledges nothing that waits.
    pub(super) fn acknowledged(&mut self, rack: &str) -> bool {
        let mut words = rack.split_whitespace();
        let number = words.next().and_then(|number| number.parse::<u32>().ok());
        let invite = words.collect::<Vec<_>>().join(" ");
        let waits = self.pending.as_ref().is_some_and(|pending| Some(pending.number) == number);
        if waits && invite.eq_ignore_ascii_case(&self.invite) {
            self.pending = None;
            return true;
        }
        false
    }

    /// When [`due`](Self::due) has something.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.pending.as_ref().map(|pending| pending.next)
    }

    /// What is to be done.
    pub(super) fn due(&mut self, now: Instant) -> Option<Due> {
        let pending = self.pending.as_mut().filter(|pending| pending.next <= now)?;
        if now.duration_since(pending.since) >= PATIENCE {
            self.pending = None;
            return Some(Due::GiveUp);
        }
        pending.pause *= 2;
        pending.next = (now + pending.pause).min(pending.since + PATIENCE);
        Some(Due::Again(pending.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_until_acknowledged() {
        let now = Instant::now();
        let mut reliable = Reliable::new(u32::MAX, 7);
        let number = reliable.send(now).unwrap();
        assert!(number > 0 && number <= 1 << 31);
        assert_eq!(reliable.send(now), None);
        for strange in ["", "x 7 INVITE", &format!("{} 7 INVITE", number + 1), &format!("{number} 8 INVITE")]
        {
            assert!(!reliable.acknowledged(strange), "{strange}");
        }
        assert!(reliable.acknowledged(&format!(" {number}  7 invite")));
        assert!(!reliable.acknowledged(&format!("{number} 7 INVITE")));
        assert_eq!((reliable.deadline(), reliable.send(now)), (None, Some(number + 1)));
    }

    #[test]
    fn repeated_ever_more_slowly_and_given_up_after_32_seconds() {
        let start = Instant::now();
        let mut reliable = Reliable::new(1, 7);
        let number = reliable.send(start).unwrap();
        let mut at = Vec::new();
        loop {
            let now = reliable.deadline().unwrap();
            assert_eq!(reliable.due(now - Duration::from_millis(1)), None);
            match reliable.due(now).unwrap() {
                Due::Again(again) => assert_eq!(again, number),
                Due::GiveUp => break assert_eq!(now - start, PATIENCE),
            }
            at.push((now - start).as_millis());
        }
        assert_eq!(at, [500, 1500, 3500, 7500, 15500, 31500]);
    }
}
