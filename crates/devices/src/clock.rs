use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// What time it is, for devices that are not a card.
pub trait Clock: Send {
    /// The current time.
    fn now(&self) -> Instant;

    /// From when on a device that begins now ticks.
    fn start(&self) -> Instant {
        self.now()
    }
}

/// The system's monotonic clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    /// The next of the ticks that all devices of this clock share, so that one who waits for two of them is woken once.
    fn start(&self) -> Instant {
        static FIRST: OnceLock<Instant> = OnceLock::new();
        let (first, now) = (*FIRST.get_or_init(Instant::now), Instant::now());
        let since = now.saturating_duration_since(first).as_nanos();
        let over = u64::try_from(since % TICK.as_nanos()).unwrap_or_default();
        if over == 0 { now } else { now + TICK - Duration::from_nanos(over) }
    }
}

/// A clock that goes only when it is pushed. Clones show the same time.
#[derive(Debug, Clone)]
pub struct HandClock {
    start: Instant,
    passed_ns: Arc<AtomicU64>,
}

impl HandClock {
    /// A clock that stands still.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self { start: Instant::now(), passed_ns: Arc::new(AtomicU64::new(0)) }
    }

    /// Pushes the clock forward.
    pub fn advance(&self, by: Duration) {
        let ns = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.passed_ns.fetch_add(ns, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Instant {
        self.start + Duration::from_nanos(self.passed_ns.load(Ordering::SeqCst))
    }
}

/// Ticks every 10 ms, counted from one instant, so that nothing adds up to a drift.
#[derive(Debug)]
pub(crate) struct Pace {
    first: Instant,
    ticks: u32,
}

const TICK: Duration = Duration::from_millis(10);

impl Pace {
    /// The first tick is due at `first`.
    pub(crate) fn starting(first: Instant) -> Self {
        Self { first, ticks: 0 }
    }

    /// The first tick is due one tick after `start`, when a first frame has been spoken.
    pub(crate) fn after(start: Instant) -> Self {
        Self::starting(start + TICK)
    }

    pub(crate) fn due(&self) -> Instant {
        self.first + TICK * self.ticks
    }

    pub(crate) fn tick(&mut self) {
        self.ticks += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_do_not_drift() {
        let start = Instant::now();
        let mut pace = Pace::starting(start);
        assert_eq!(pace.due(), start);
        for _ in 0..360_000 {
            pace.tick();
        }
        assert_eq!(pace.due(), start + Duration::from_secs(3600));
    }

    #[test]
    fn devices_tick_together() {
        let one = SystemClock.start();
        std::thread::sleep(Duration::from_millis(3));
        let other = SystemClock.start();
        assert_eq!((other - one).as_nanos() % TICK.as_nanos(), 0, "{one:?} {other:?}");
        assert!(one.saturating_duration_since(Instant::now()) < TICK);
    }

    #[test]
    fn a_clock_by_hand_goes_only_by_hand() {
        let clock = HandClock::new();
        let before = clock.now();
        assert_eq!(clock.clone().now(), before);
        clock.clone().advance(Duration::from_millis(7));
        assert_eq!(clock.now(), before + Duration::from_millis(7));
    }
}
