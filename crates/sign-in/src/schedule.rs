use std::time::{Duration, SystemTime};

/// Shortest time between two refreshes that went well.
const SHORTEST: Duration = Duration::from_secs(5);
/// First wait after a refresh that failed; it doubles each time.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// Longest wait after a refresh that failed.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// When to refresh the tokens next: a pure state machine over wall-clock time, so that a sleep of the machine
/// counts. `jitter`, 0 to 1, is the caller's random number; it keeps a thousand phones from coming at once.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    set_at: SystemTime,
    /// `None` once there is nothing more to refresh.
    due: Option<SystemTime>,
    failures: u32,
}

impl Schedule {
    /// Tokens with this lifetime were given: due at 70 to 80 % of it.
    pub fn granted(now: SystemTime, lifetime: Duration, jitter: f64) -> Self {
        let wait = lifetime.mul_f64(0.7 + 0.1 * jitter.clamp(0.0, 1.0)).max(SHORTEST);
        Self { set_at: now, due: Some(later(now, wait)), failures: 0 }
    }

    /// Tokens out of the vault: due at 70 to 80 % of what is left of them, at once where nothing is.
    pub fn resumed(now: SystemTime, expires_at: SystemTime, jitter: f64) -> Self {
        match expires_at.duration_since(now) {
            Ok(left) if !left.is_zero() => Self::granted(now, left, jitter),
            _ => Self { set_at: now, due: Some(now), failures: 0 },
        }
    }

    /// Tokens that cannot be refreshed: due when they end, never where nobody knows when.
    pub fn ending(expires_at: Option<SystemTime>) -> Self {
        // A clock set back does not end them: nothing is gained by acting early.
        Self { set_at: SystemTime::UNIX_EPOCH, due: expires_at, failures: 0 }
    }

    /// A refresh failed for a reason that may pass. Waits 5 s, then twice as long each time up to 5 minutes,
    /// less up to half of it; never less than the server asks for.
    pub fn failed(&mut self, now: SystemTime, retry_after: Option<Duration>, jitter: f64) {
        let doubled = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(self.failures)).min(LONGEST_WAIT);
        let wait = doubled.mul_f64(1.0 - 0.5 * jitter.clamp(0.0, 1.0));
        self.failures = self.failures.saturating_add(1);
        self.set_at = now;
        self.due = Some(later(now, wait.max(retry_after.unwrap_or_default())));
    }

    /// The refresh token was refused, or the session was ended: never again.
    pub fn ended(&mut self) {
        self.due = None;
    }

    /// How long to wait from `now`; zero where it is due, `None` where it never will be. A clock set back
    /// makes it due at once, for nobody knows how long the tokens still live.
    pub fn wait(&self, now: SystemTime) -> Option<Duration> {
        let due = self.due?;
        if now < self.set_at {
            return Some(Duration::ZERO);
        }
        Some(due.duration_since(now).unwrap_or_default())
    }
}

fn later(now: SystemTime, wait: Duration) -> SystemTime {
    now.checked_add(wait).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use proptest::prelude::{prop_assert, proptest};

    use super::Schedule;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
    }

    fn seconds(schedule: &Schedule, now: SystemTime) -> Option<u64> {
        schedule.wait(now).map(|wait| wait.as_secs())
    }

    #[test]
    fn due_well_before_the_end() {
        let schedule = Schedule::granted(at(0), Duration::from_secs(1000), 0.0);
        assert_eq!(seconds(&schedule, at(0)), Some(700));
        assert_eq!(seconds(&schedule, at(699)), Some(1));
        // The machine slept through it.
        assert_eq!(seconds(&schedule, at(5000)), Some(0));
        let schedule = Schedule::granted(at(0), Duration::ZERO, 1.0);
        assert_eq!(seconds(&schedule, at(0)), Some(5));
    }

    #[test]
    fn resumed_from_the_vault() {
        assert_eq!(seconds(&Schedule::resumed(at(0), at(100), 0.0), at(0)), Some(70));
        assert_eq!(seconds(&Schedule::resumed(at(100), at(100), 0.0), at(100)), Some(0));
        assert_eq!(seconds(&Schedule::resumed(at(900), at(100), 0.0), at(900)), Some(0));
    }

    #[test]
    fn without_refresh_only_the_end_counts() {
        let schedule = Schedule::ending(Some(at(100)));
        assert_eq!(seconds(&schedule, at(0)), Some(100));
        assert_eq!(seconds(&schedule, at(100)), Some(0));
        assert_eq!(seconds(&Schedule::ending(None), at(100)), None);
    }

    #[test]
    fn clock_set_back() {
        let schedule = Schedule::granted(at(10_000), Duration::from_secs(1000), 0.5);
        assert_eq!(seconds(&schedule, at(0)), Some(0));
    }

    #[test]
    fn backs_off_and_recovers() {
        let mut schedule = Schedule::granted(at(0), Duration::from_secs(1000), 0.0);
        let mut waits = Vec::new();
        for _ in 0..8 {
            schedule.failed(at(0), None, 0.0);
            waits.extend(seconds(&schedule, at(0)));
        }
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300]);
        schedule.failed(at(0), Some(Duration::from_secs(1000)), 1.0);
        assert_eq!(seconds(&schedule, at(0)), Some(1000));
        schedule.ended();
        assert_eq!(seconds(&schedule, at(0)), None);
    }

    proptest! {
        #[test]
        fn never_after_the_end(lifetime in 7_u64..1_000_000, jitter in 0.0..=1.0_f64) {
            let schedule = Schedule::granted(at(0), Duration::from_secs(lifetime), jitter);
            prop_assert!(schedule.wait(at(0)).unwrap() < Duration::from_secs(lifetime));
        }
    }
}
