//! When to register: a pure state machine. Outcomes and the time go in, actions and the next deadline come out.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::{Cause, Registration};

/// Longest pause between tries while the server answers but fails.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Longest pause a server may ask for by `Retry-After`.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);
/// A connection that breaks sooner than this after the registration is not replaced at once: servers that
/// accept and drop would be hammered.
const SETTLED: Duration = Duration::from_secs(5);
/// Times a registrar may raise its minimum lifetime (423) in one go.
const RAISES: u8 = 3;
/// Refreshes are never closer together than this, however short the lifetime granted.
const SHORTEST_REFRESH: Duration = Duration::from_secs(1);

/// What happened.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Input {
    /// Begin, or begin anew because the user or the network says so.
    Begin,
    /// 200: registered for this long.
    Granted { expires: Duration, rtt: Duration },
    /// 423: the registrar wants at least this lifetime (RFC 3261, section 10.2.8).
    TooBrief { minimum: Duration },
    /// The try failed.
    Failed { cause: Cause, status: Option<u16>, retry_after: Option<Duration> },
    /// The connection the registration was made over is gone.
    FlowLost(Cause),
    /// The proxy sees us at another address than it did: what is registered may not be reached any more.
    Moved,
    /// The deadline has come.
    Due,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Send a REGISTER asking for this lifetime; a try still under way is given up for it.
    Register { expires: Duration },
    /// Tell the world.
    Report(Registration),
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Idle,
    Trying,
    Registered { since: Instant },
    Pausing,
    Refused,
}

/// The machine.
#[derive(Debug)]
pub(crate) struct Machine {
    phase: Phase,
    expires: Duration,
    failures: u32,
    raises: u8,
    deadline: Option<Instant>,
    bound_until: Option<Instant>,
    jitter: StdRng,
}

impl Machine {
    /// A machine that asks for the lifetime `expires`. `seed` makes its jitter.
    pub(crate) fn new(expires: Duration, seed: u64) -> Self {
        Self {
            phase: Phase::Idle,
            expires,
            failures: 0,
            raises: 0,
            deadline: None,
            bound_until: None,
            jitter: StdRng::seed_from_u64(seed),
        }
    }

    /// When [`Input::Due`] is to be given.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether the registrar may hold a binding of ours, or a try that could make one is under way. After a refusal
    /// it holds none worth the sending of refused credentials.
    pub(crate) fn may_be_bound(&self, now: Instant) -> bool {
        match self.phase {
            Phase::Idle | Phase::Refused => false,
            Phase::Trying => true,
            Phase::Registered { .. } | Phase::Pausing => self.bound_until.is_some_and(|until| now < until),
        }
    }

    /// Takes one input at the time `now`.
    pub(crate) fn handle(&mut self, input: Input, now: Instant) -> Vec<Action> {
        match (input, self.phase) {
            (Input::Begin, _) => {
                self.failures = 0;
                self.raises = 0;
                let mut actions = vec![Action::Report(Registration::Registering)];
                actions.extend(self.attempt());
                actions
            }
            (Input::Granted { expires, rtt }, Phase::Trying) => self.granted(expires, rtt, now),
            (Input::TooBrief { minimum }, Phase::Trying) => self.too_brief(minimum, now),
            (Input::Failed { cause, status, retry_after }, Phase::Trying) => {
                self.failed(cause, status, retry_after, now)
            }
            (Input::FlowLost(cause), Phase::Registered { since }) => self.flow_lost(cause, since, now),
            (Input::Moved, Phase::Registered { since }) => self.moved(since, now),
            (Input::Due, Phase::Registered { .. } | Phase::Pausing)
                if self.deadline.is_some_and(|deadline| deadline <= now) =>
            {
                self.attempt()
            }
            // An outcome of a try that was given up, or a deadline that moved meanwhile.
            _ => Vec::new(),
        }
    }

    fn attempt(&mut self) -> Vec<Action> {
        self.phase = Phase::Trying;
        self.deadline = None;
        vec![Action::Register { expires: self.expires }]
    }

    fn granted(&mut self, expires: Duration, rtt: Duration, now: Instant) -> Vec<Action> {
        self.failures = 0;
        self.raises = 0;
        self.phase = Phase::Registered { since: now };
        self.bound_until = Some(now + expires);
        let refresh = expires.mul_f64(self.jitter.random_range(0.75..0.90)).max(SHORTEST_REFRESH);
        self.deadline = Some(now + refresh);
        vec![Action::Report(Registration::Registered { expires, rtt })]
    }

    fn too_brief(&mut self, minimum: Duration, now: Instant) -> Vec<Action> {
        if minimum <= self.expires || self.raises >= RAISES {
            return self.failed(Cause::Refused, Some(423), None, now);
        }
        self.raises += 1;
        self.expires = minimum;
        self.attempt()
    }

    fn failed(
        &mut self,
        cause: Cause,
        status: Option<u16>,
        retry_after: Option<Duration>,
        now: Instant,
    ) -> Vec<Action> {
        if matches!(cause, Cause::WrongPassword | Cause::Refused) {
            self.phase = Phase::Refused;
            self.deadline = None;
            return vec![Action::Report(Registration::Refused { cause, status })];
        }
        let pause = self.pause(cause).max(retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER));
        self.wait(cause, status, pause, now)
    }

    /// Out of reach: ask often, so that the phone is back as soon as the server is. A try that ran into silence
    /// has paced itself already. A server that answers with a fault gets time to recover.
    fn pause(&mut self, cause: Cause) -> Duration {
        if cause == Cause::Silence {
            return Duration::from_millis(self.jitter.random_range(250..750));
        }
        if cause.is_unreachable() {
            return Duration::from_millis(self.jitter.random_range(750..1500));
        }
        let doubled = Duration::from_secs(1 << self.failures.min(6)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        doubled.mul_f64(self.jitter.random_range(0.75..1.0))
    }

    fn flow_lost(&mut self, cause: Cause, since: Instant, now: Instant) -> Vec<Action> {
        let pause = if now.duration_since(since) < SETTLED { self.pause(cause) } else { Duration::ZERO };
        self.wait(cause, None, pause, now)
    }

    /// Registers the new address, but never in a circle: some networks show another one each time.
    fn moved(&mut self, since: Instant, now: Instant) -> Vec<Action> {
        if now.duration_since(since) >= SETTLED {
            return self.attempt();
        }
        let soon = since + SETTLED;
        self.deadline = Some(self.deadline.map_or(soon, |deadline| deadline.min(soon)));
        Vec::new()
    }

    fn wait(&mut self, cause: Cause, status: Option<u16>, pause: Duration, now: Instant) -> Vec<Action> {
        self.phase = Phase::Pausing;
        self.deadline = Some(now + pause);
        vec![Action::Report(Registration::Retrying { cause, status, retry_in: pause })]
    }
}

#[cfg(test)]
mod tests;
