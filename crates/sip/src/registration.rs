//! When to register: a pure state machine. What happened and the time go in, actions and the next deadline come out.
//!
//! How long to wait before the next try follows from whose trouble it is:
//!
//! - **Our own network** changed, came back, or this machine woke: within a second, at once where calls wait for it.
//!   With the quarter of a second in which the network settles, and the exchange itself, the phone is registered
//!   within two seconds. A whole office whose switch restarts is still spread over that second.
//! - **Nobody answers** (silence, no route, no name): trouble on the way, most likely ours alone. For the first minute
//!   a request is on its way at least every two seconds; whoever meets longer silence asks every two to six seconds.
//! - **The server's machine refuses or hangs up**: its software restarts, and everybody waits for it. The first try is
//!   spread over two seconds, further ones over half a second to four, after a minute over one to eight, so that no
//!   second sees half of a thousand phones.
//! - **The server answers, but fails**: pauses double up to a minute; half of each is chance. `Retry-After` is obeyed and
//!   stretched by up to a tenth and a second, for it was said to everybody alike.

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
/// An outage that lasts longer than this is nobody's short hiccup.
const LONG_OUTAGE: Duration = Duration::from_secs(60);
/// Between tries while there is no network at all; the network's return is told, so this is a mere safeguard.
const WITHOUT_NETWORK: Duration = Duration::from_secs(10);
/// Least time between registrations that only make sure that all is well.
const LOOKS: Duration = Duration::from_secs(10);
/// Pause after a refusal that is not about credentials, doubled up to [`LONGEST_REFUSAL`]: a PBX that starts may not
/// know its users yet.
const REFUSAL: Duration = Duration::from_secs(30);
const LONGEST_REFUSAL: Duration = Duration::from_secs(600);

/// What happened.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Input {
    /// Begin, or begin anew because the user says so.
    Begin,
    /// 200: registered for this long. The registrar shall be asked again within the time that `look` says: over a
    /// connection its end tells when the PBX has gone, or has forgotten us and come again, over UDP nothing does.
    Granted { expires: Duration, rtt: Duration, look: Duration },
    /// 423: the registrar wants at least this lifetime (RFC 3261, section 10.2.8).
    TooBrief { minimum: Duration },
    /// The try failed.
    Failed { cause: Cause, status: Option<u16>, retry_after: Option<Duration> },
    /// The connection the registration was made over is gone.
    FlowLost(Cause),
    /// There is another way to the proxy than the one the registration was made over. It is urgent where calls wait.
    Moved { urgent: bool },
    /// The network changed, yet the way to the proxy looks the same.
    Stirred,
    /// There is no way to the proxy any more.
    Cut,
    /// The machine slept for this long, during which the clock that the machine is given stood still.
    Woke { slept: Duration },
    /// The address under which the flow is reached is another one: what the registrar knows leads nowhere.
    ContactChanged,
    /// The deadline has come.
    Due,
}

/// What happened, on its way to the machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fact {
    pub input: Input,
    /// The number of the try that it came of, where it came of one: another may have taken its place meanwhile.
    pub attempt: Option<u64>,
}

impl From<Input> for Fact {
    /// What came of no try.
    fn from(input: Input) -> Self {
        Self { input, attempt: None }
    }
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
    Registered {
        since: Instant,
    },
    Pausing,
    /// Refused; tried again only where there is a deadline.
    Refused,
}

/// The machine.
#[derive(Debug)]
pub(crate) struct Machine {
    phase: Phase,
    expires: Duration,
    failures: u32,
    refusals: u32,
    raises: u8,
    deadline: Option<Instant>,
    bound_until: Option<Instant>,
    /// Begin of the outage that goes on.
    outage: Option<Instant>,
    /// The last try.
    tried: Option<Instant>,
    /// What the world was told last.
    said: Option<Registration>,
    jitter: StdRng,
}

impl Machine {
    /// A machine that asks for the lifetime `expires`. `seed` makes its jitter.
    pub(crate) fn new(expires: Duration, seed: u64) -> Self {
        Self {
            phase: Phase::Idle,
            expires,
            failures: 0,
            refusals: 0,
            raises: 0,
            deadline: None,
            bound_until: None,
            outage: None,
            tried: None,
            said: None,
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
        let mut actions = self.step(input, now);
        let before = self.said;
        actions.retain(|action| match action {
            Action::Report(said) => {
                self.said = Some(*said);
                // Nothing new in that, unless the user asked for it.
                *said != Registration::Registering || before != self.said || matches!(input, Input::Begin)
            }
            Action::Register { .. } => true,
        });
        actions
    }

    fn step(&mut self, input: Input, now: Instant) -> Vec<Action> {
        match (input, self.phase) {
            (Input::Begin, _) => {
                self.failures = 0;
                self.refusals = 0;
                self.raises = 0;
                self.outage = None;
                let mut actions = vec![Action::Report(Registration::Registering)];
                actions.extend(self.attempt(now));
                actions
            }
            (Input::Granted { expires, rtt, look }, Phase::Trying) => self.granted(expires, rtt, look, now),
            (Input::TooBrief { minimum }, Phase::Trying) => self.too_brief(minimum, now),
            (Input::Failed { cause, status, retry_after }, Phase::Trying) => {
                self.failed(cause, status, retry_after, now)
            }
            (Input::FlowLost(cause), Phase::Registered { since }) => self.flow_lost(cause, since, now),
            (Input::Woke { slept }, _) => {
                // A binding that would have begun before time began has surely expired.
                self.bound_until = self.bound_until.and_then(|until| until.checked_sub(slept));
                self.moved(false, now)
            }
            (Input::Moved { urgent }, _) => self.moved(urgent, now),
            (Input::Cut, Phase::Trying | Phase::Registered { .. }) => {
                self.wait(Cause::NetworkUnreachable, None, WITHOUT_NETWORK, now)
            }
            (Input::Stirred, Phase::Registered { .. } | Phase::Pausing) => {
                let earliest = self.tried.map_or(now, |tried| now.max(tried + LOOKS));
                let soon = earliest + self.random(0.0..1.0);
                self.deadline = Some(self.deadline.map_or(soon, |deadline| deadline.min(soon)));
                Vec::new()
            }
            (Input::ContactChanged, Phase::Registered { since }) => self.contact_changed(since, now),
            (Input::Due, Phase::Registered { .. } | Phase::Pausing | Phase::Refused)
                if self.deadline.is_some_and(|deadline| deadline <= now) =>
            {
                self.due(now)
            }
            // An outcome of a try that was given up, or a deadline that moved meanwhile.
            _ => Vec::new(),
        }
    }

    fn due(&mut self, now: Instant) -> Vec<Action> {
        let expired = matches!(self.phase, Phase::Registered { .. })
            && self.bound_until.is_none_or(|until| until <= now);
        let mut actions = Vec::new();
        if expired {
            actions.push(Action::Report(Registration::Registering));
        }
        actions.extend(self.attempt(now));
        actions
    }

    fn attempt(&mut self, now: Instant) -> Vec<Action> {
        self.phase = Phase::Trying;
        self.deadline = None;
        self.tried = Some(now);
        vec![Action::Register { expires: self.expires }]
    }

    fn granted(&mut self, expires: Duration, rtt: Duration, look: Duration, now: Instant) -> Vec<Action> {
        self.failures = 0;
        self.refusals = 0;
        self.raises = 0;
        self.outage = None;
        self.phase = Phase::Registered { since: now };
        self.bound_until = Some(now + expires);
        let refresh = expires.min(look).mul_f64(self.jitter.random_range(0.75..0.90)).max(SHORTEST_REFRESH);
        self.deadline = Some(now + refresh);
        vec![Action::Report(Registration::Registered { expires, rtt })]
    }

    fn too_brief(&mut self, minimum: Duration, now: Instant) -> Vec<Action> {
        if minimum <= self.expires || self.raises >= RAISES {
            return self.failed(Cause::Refused, Some(423), None, now);
        }
        self.raises += 1;
        self.expires = minimum;
        self.attempt(now)
    }

    fn failed(
        &mut self,
        cause: Cause,
        status: Option<u16>,
        retry_after: Option<Duration>,
        now: Instant,
    ) -> Vec<Action> {
        if matches!(cause, Cause::WrongPassword | Cause::Refused) {
            self.raises = 0;
            self.phase = Phase::Refused;
            self.deadline = (cause == Cause::Refused).then(|| {
                let doubled = REFUSAL.saturating_mul(1 << self.refusals.min(8)).min(LONGEST_REFUSAL);
                self.refusals = self.refusals.saturating_add(1);
                let asked = retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
                now + doubled.mul_f64(self.jitter.random_range(0.5..1.0)).max(asked)
            });
            return vec![Action::Report(Registration::Refused { cause, status })];
        }
        let mut pause = self.pause(cause, now);
        if let Some(asked) = retry_after {
            let asked = asked.min(LONGEST_RETRY_AFTER);
            pause = pause.max(asked + (asked / 10 + Duration::from_secs(1)).mul_f64(self.jitter.random()));
        }
        self.wait(cause, status, pause, now)
    }

    fn pause(&mut self, cause: Cause, now: Instant) -> Duration {
        let outage = now.saturating_duration_since(*self.outage.get_or_insert(now));
        let long = outage >= LONG_OUTAGE;
        match cause {
            // A try that ran into silence has taken its time already.
            Cause::Silence if !long => self.random(0.1..0.5),
            Cause::NameNotFound if !long => self.random(0.25..0.75),
            Cause::NetworkUnreachable | Cause::NameNotFound => self.random(0.75..1.5),
            Cause::ConnectionRefused | Cause::ConnectionLost if long => self.random(1.0..8.0),
            Cause::Silence | Cause::ConnectionRefused | Cause::ConnectionLost => self.random(0.5..4.0),
            _ => {
                let doubled = Duration::from_secs(1 << self.failures.min(6)).min(LONGEST_PAUSE);
                self.failures = self.failures.saturating_add(1);
                doubled.mul_f64(self.jitter.random_range(0.5..1.0))
            }
        }
    }

    fn flow_lost(&mut self, cause: Cause, since: Instant, now: Instant) -> Vec<Action> {
        let is_of_all = matches!(cause, Cause::ConnectionLost | Cause::ConnectionRefused);
        let pause = if now.saturating_duration_since(since) < SETTLED {
            self.pause(cause, now)
        } else if is_of_all {
            self.random(0.0..2.0)
        } else {
            Duration::ZERO
        };
        self.outage.get_or_insert(now);
        self.wait(cause, None, pause, now)
    }

    /// Registers the new address, but never in a circle: some networks show another one each time.
    fn contact_changed(&mut self, since: Instant, now: Instant) -> Vec<Action> {
        let soon = since + SETTLED;
        if soon <= now {
            return self.attempt(now);
        }
        self.deadline = Some(self.deadline.map_or(soon, |deadline| deadline.min(soon)));
        Vec::new()
    }

    fn moved(&mut self, urgent: bool, now: Instant) -> Vec<Action> {
        match self.phase {
            Phase::Idle => return Vec::new(),
            // Nothing but the user changes a password.
            Phase::Refused if self.deadline.is_none() => return Vec::new(),
            _ => {}
        }
        self.failures = 0;
        self.raises = 0;
        self.outage = Some(now);
        let mut actions = vec![Action::Report(Registration::Registering)];
        if urgent {
            actions.extend(self.attempt(now));
        } else {
            let soon = now + self.random(0.0..1.0);
            // A network that flaps must not put it off for ever.
            let waiting = self.deadline.filter(|_| matches!(self.phase, Phase::Pausing));
            self.deadline = Some(waiting.map_or(soon, |deadline| deadline.min(soon)));
            self.phase = Phase::Pausing;
        }
        actions
    }

    fn wait(&mut self, cause: Cause, status: Option<u16>, pause: Duration, now: Instant) -> Vec<Action> {
        self.phase = Phase::Pausing;
        self.deadline = Some(now + pause);
        vec![Action::Report(Registration::Retrying { cause, status, retry_in: pause })]
    }

    /// A random pause of so many seconds.
    fn random(&mut self, seconds: std::ops::Range<f64>) -> Duration {
        Duration::from_secs_f64(self.jitter.random_range(seconds))
    }
}

#[cfg(test)]
mod tests;
