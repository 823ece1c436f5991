//! Which targets failed of late and are left alone for a while (RFC 3263, section 4.3): pure state.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::Target;
use crate::Transport;

/// How long a target that failed is left alone.
pub(crate) const LEFT_ALONE: Duration = Duration::from_secs(30);
/// Servers that may turn one request away before it has failed.
pub(crate) const MOST_TURNS: u8 = 5;
/// Longest that a target may ask to be left alone (`Retry-After`).
const LONGEST: Duration = Duration::from_secs(3600);

/// Targets, as they were found last, and those that failed.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    found: Vec<Target>,
    failed: Vec<(Transport, SocketAddr, Instant)>,
}

impl Targets {
    /// Takes what was found; gives back what to try now, only such of the transport `loyal` if there is any. Where all
    /// have failed, that is all of them: better any than none.
    pub(crate) fn choose(
        &mut self,
        mut found: Vec<Target>,
        loyal: Option<Transport>,
        now: Instant,
    ) -> Vec<Target> {
        self.failed.retain(|(.., until)| *until > now);
        if let Some(loyal) = loyal.filter(|loyal| found.iter().any(|target| target.transport == *loyal)) {
            found.retain(|target| target.transport == loyal);
        }
        self.found = found;
        let fit: Vec<Target> =
            self.found.iter().filter(|target| !self.is_left_alone(target)).copied().collect();
        if fit.is_empty() { self.found.clone() } else { fit }
    }

    /// A target failed; it is left alone for `pause`.
    pub(crate) fn fail(&mut self, transport: Transport, address: SocketAddr, pause: Duration, now: Instant) {
        self.works(transport, address);
        self.failed.push((transport, address, now + pause.min(LONGEST)));
    }

    /// A target was reached.
    pub(crate) fn works(&mut self, transport: Transport, address: SocketAddr) {
        self.failed.retain(|(of, at, _)| (*of, *at) != (transport, address));
    }

    /// Forgets all failures: the network is another one.
    pub(crate) fn forget(&mut self) {
        self.failed.clear();
    }

    /// Whether there is one that has not failed.
    pub(crate) fn has_another(&self, now: Instant) -> bool {
        let failed = |target: &Target| {
            self.failed
                .iter()
                .any(|(of, at, until)| (*of, *at) == (target.transport, target.address) && *until > now)
        };
        self.found.iter().any(|target| !failed(target))
    }

    fn is_left_alone(&self, target: &Target) -> bool {
        self.failed.iter().any(|(of, at, _)| (*of, *at) == (target.transport, target.address))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn target(port: u16) -> Target {
        Target {
            transport: Transport::Tls,
            address: ([192, 0, 2, 1], port).into(),
            rank: usize::from(port),
            beyond: None,
        }
    }

    #[test]
    fn who_failed_is_left_alone_for_a_while() {
        let now = Instant::now();
        let mut targets = Targets::default();
        let all = vec![target(1), target(2), target(3)];
        assert_eq!(targets.choose(all.clone(), None, now), all);
        targets.fail(Transport::Tls, target(1).address, LEFT_ALONE, now);
        assert!(targets.has_another(now));
        assert_eq!(targets.choose(all.clone(), None, now), [target(2), target(3)]);
        targets.fail(Transport::Tls, target(2).address, Duration::from_secs(5), now);
        targets.fail(Transport::Tls, target(3).address, Duration::from_secs(9), now);
        assert!(!targets.has_another(now));
        assert_eq!(targets.choose(all.clone(), None, now), all, "better any than none");
        assert_eq!(targets.choose(all.clone(), None, now + Duration::from_secs(5)), [target(2)]);
        targets.works(Transport::Tls, target(3).address);
        assert_eq!(targets.choose(all.clone(), None, now + Duration::from_secs(5)), [target(2), target(3)]);
        assert_eq!(targets.choose(all.clone(), None, now + LEFT_ALONE), all);
    }

    #[test]
    fn nobody_is_left_alone_for_ever() {
        let now = Instant::now();
        let mut targets = Targets::default();
        targets.choose(vec![target(1), target(2)], None, now);
        targets.fail(Transport::Tls, target(1).address, Duration::MAX, now);
        assert_eq!(targets.choose(vec![target(1), target(2)], None, now), [target(2)]);
        assert_eq!(targets.choose(vec![target(1), target(2)], None, now + LONGEST), [target(1), target(2)]);
    }

    proptest! {
        /// There is always something to try, in the order it was found.
        #[test]
        fn there_is_always_something_to_try(
            failures in proptest::collection::vec((0_u16..5, 0_u64..60, 0_u64..30), 0..20),
        ) {
            let mut now = Instant::now();
            let mut targets = Targets::default();
            let all: Vec<Target> = (0..5).map(target).collect();
            for (port, pause, later) in failures {
                targets.fail(Transport::Tls, target(port).address, Duration::from_secs(pause), now);
                now += Duration::from_secs(later);
                let chosen = targets.choose(all.clone(), None, now);
                prop_assert!(!chosen.is_empty());
                prop_assert!(chosen.is_sorted_by_key(|target| target.rank));
            }
        }
    }
}
