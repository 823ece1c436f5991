//! When to ask for a sign of life, and when its absence means that the flow is dead (RFC 5626, section 4.4): pure
//! state.

use std::time::{Duration, Instant};

/// How long an answer may take (RFC 5626, section 4.4.1).
const PATIENCE: Duration = Duration::from_secs(10);

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beat {
    /// Nothing.
    Rest,
    /// Ask for a sign of life.
    Ask,
    /// The other end, which used to answer, does so no more.
    Dead,
}

/// Signs of life of one flow.
#[derive(Debug)]
pub(super) struct Pulse {
    interval: Duration,
    /// Pause before an unanswered question is asked again, doubled each time; where the way may lose it.
    retry: Option<Duration>,
    next: Instant,
    /// Since when an answer is owed.
    asked: Option<Instant>,
    pause: Duration,
    answers: bool,
}

impl Pulse {
    /// Asks every `interval`, first at `first`.
    pub(super) fn new(first: Instant, interval: Duration, retry: Option<Duration>) -> Self {
        Self { interval, retry, next: first, asked: None, pause: Duration::ZERO, answers: false }
    }

    /// When to look again.
    pub(super) fn deadline(&self) -> Instant {
        match self.asked {
            Some(asked) if self.answers => self.next.min(asked + PATIENCE),
            _ => self.next,
        }
    }

    /// Whether the other end has answered ever.
    pub(super) fn answers(&self) -> bool {
        self.answers
    }

    /// Looks at the time `now`.
    pub(super) fn beat(&mut self, now: Instant) -> Beat {
        if self.answers && self.asked.is_some_and(|asked| asked + PATIENCE <= now) {
            return Beat::Dead;
        }
        if now < self.next {
            return Beat::Rest;
        }
        // Whether this end answers at all is not known until it has done so: no need to insist.
        match self.retry.filter(|_| self.answers) {
            Some(retry) => {
                self.pause = if self.asked.is_some() { self.pause * 2 } else { retry };
                self.next = now + self.pause;
            }
            None => self.next = now + self.interval,
        }
        self.asked.get_or_insert(now);
        Beat::Ask
    }

    /// An answer came.
    pub(super) fn answered(&mut self, now: Instant) {
        self.answers = true;
        self.heard();
        if self.retry.is_some() {
            self.next = now + self.interval;
        }
    }

    /// Something else came: the other end lives.
    pub(super) fn heard(&mut self) {
        self.asked = None;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INTERVAL: Duration = Duration::from_secs(25);

    #[test]
    fn who_never_answered_is_never_dead() {
        let start = Instant::now();
        let mut pulse = Pulse::new(start, INTERVAL, None);
        for round in 0..100 {
            assert_eq!(pulse.deadline(), start + INTERVAL * round);
            assert_eq!(pulse.beat(pulse.deadline()), Beat::Ask);
        }
    }

    #[test]
    fn who_stops_answering_is_dead_after_ten_seconds() {
        let start = Instant::now();
        let mut pulse = Pulse::new(start, INTERVAL, None);
        assert_eq!(pulse.beat(start), Beat::Ask);
        pulse.answered(start + Duration::from_secs(9));
        assert_eq!(pulse.deadline(), start + INTERVAL);
        assert_eq!(pulse.beat(start + INTERVAL), Beat::Ask);
        assert_eq!(pulse.deadline(), start + INTERVAL + PATIENCE);
        assert_eq!(pulse.beat(start + INTERVAL + PATIENCE / 2), Beat::Rest);
        assert_eq!(pulse.beat(pulse.deadline()), Beat::Dead);
    }

    #[test]
    fn any_message_is_a_sign_of_life() {
        let start = Instant::now();
        let mut pulse = Pulse::new(start, INTERVAL, None);
        pulse.answered(start);
        assert_eq!(pulse.beat(start), Beat::Ask);
        pulse.heard();
        assert_eq!(pulse.beat(start + PATIENCE), Beat::Rest);
    }

    #[test]
    fn where_questions_get_lost_they_are_asked_again() {
        let start = Instant::now();
        let mut pulse = Pulse::new(start, INTERVAL, Some(Duration::from_millis(500)));
        assert_eq!(pulse.beat(start), Beat::Ask);
        pulse.answered(start);
        let mut questions = Vec::new();
        loop {
            let now = pulse.deadline();
            match pulse.beat(now) {
                Beat::Ask => questions.push(now.duration_since(start + INTERVAL).as_millis()),
                Beat::Dead => break assert_eq!(now, start + INTERVAL + PATIENCE),
                Beat::Rest => panic!("a deadline without a reason"),
            }
        }
        assert_eq!(questions, [0, 500, 1500, 3500, 7500]);
    }

    proptest! {
        /// A flow whose other end answers within ten seconds lives for ever, whatever the timing.
        #[test]
        fn answered_in_time_is_never_dead(delays in proptest::collection::vec(0_u64..9_900, 1..50), lossy: bool) {
            let mut now = Instant::now();
            let mut pulse = Pulse::new(now, INTERVAL, lossy.then(|| Duration::from_millis(500)));
            for delay in delays {
                now = pulse.deadline().max(now);
                let until = now + Duration::from_millis(delay);
                while pulse.deadline() <= until {
                    prop_assert_ne!(pulse.beat(pulse.deadline()), Beat::Dead);
                }
                now = until;
                pulse.answered(now);
            }
        }
    }
}
