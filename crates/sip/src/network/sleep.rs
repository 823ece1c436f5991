use std::time::{Duration, Instant};

/// Shorter sleep than this harms no connection, and clocks that are set by as much are no sleep.
const SLEEP: Duration = Duration::from_secs(5);
/// A look that comes this late shows that the process was frozen.
const FROZEN: Duration = Duration::from_secs(15);

/// Notices sleep by clocks: one stands still in sleep, on most systems, the other one goes on.
#[derive(Debug)]
pub(super) struct Sleep {
    now: Instant,
    real: Duration,
}

impl Sleep {
    pub(super) fn new(now: Instant, real: Duration) -> Self {
        Self { now, real }
    }

    /// Looks at the clocks, at least every second. For how long the first one stood still, if the machine has just
    /// woken; zero where both went on.
    pub(super) fn look(&mut self, now: Instant, real: Duration) -> Option<Duration> {
        let passed = now.saturating_duration_since(self.now);
        let really = real.saturating_sub(self.real);
        *self = Self { now, real };
        let slept = really.saturating_sub(passed);
        if slept >= SLEEP { Some(slept) } else { (passed >= FROZEN).then_some(Duration::ZERO) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_is_what_one_clock_has_missed() {
        let second = Duration::from_secs(1);
        let (mut now, mut real) = (Instant::now(), Duration::from_secs(1_000_000));
        let mut sleep = Sleep::new(now, real);
        let mut look = |monotonic: Duration, wall: Duration| {
            now += monotonic;
            real += wall;
            sleep.look(now, real)
        };
        for _ in 0..100 {
            assert_eq!(look(second, second), None);
        }
        assert_eq!(look(second, second * 8 * 3600), Some(second * (8 * 3600 - 1)));
        assert_eq!(look(second, second), None);
        assert_eq!(look(second, second * 3), None, "a clock that is set by a little");
        assert_eq!(look(second * 60, second * 60), Some(Duration::ZERO), "the process stood still");
        // The wall clock is set back.
        assert_eq!(sleep.look(now + second, Duration::ZERO), None);
        assert_eq!(sleep.look(now + second * 2, second), None);
    }
}
