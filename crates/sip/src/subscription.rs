//! A subscription (RFC 6665), apart from everything that sends or waits: inputs and the current time go in, actions
//! come out, and the moment at which to come back.

mod task;

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::SubscriptionState;

pub(crate) use task::{Subscriptions, standing_of};

/// Lifetime asked for.
const EXPIRES: Duration = Duration::from_secs(3600);
/// What is granted for less is asked for again no sooner than this.
const BRIEFEST: Duration = Duration::from_secs(5);
/// A subscription that was taken but of which nothing comes for this long has failed (timer N: 64 times T1).
const SILENCE: Duration = Duration::from_secs(32);
/// How long the last notification of a subscription given up may take.
const PARTING: Duration = Duration::from_millis(500);
/// First pause after a failure; each further one doubles it.
const PAUSE: Duration = Duration::from_secs(4);
/// Times a notifier may raise its minimum lifetime (423) in one go.
const RAISES: u8 = 3;
/// Least pause after what was active once is refused, and after its credentials are: there are many subscriptions, and
/// sent by all of them again and again these would lock the account. Where they are refused to the registration as
/// well, which is renewed sooner than this, nothing is asked for any more.
const UNKNOWN: Duration = Duration::from_secs(30);
const CREDENTIALS: Duration = Duration::from_secs(120);
/// Longest pause.
const LONGEST: Duration = Duration::from_secs(900);

/// What happened to a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// The account is registered, or is not any more.
    Online(bool),
    /// The final answer to a SUBSCRIBE.
    Answered {
        status: u16,
        /// Lifetime granted.
        expires: Option<Duration>,
        /// `Min-Expires` of a 423.
        minimum: Option<Duration>,
        retry_after: Option<Duration>,
    },
    /// No answer came.
    Failed,
    /// A notification within the subscription.
    Notified(Standing),
    /// A notification shows that others were missed.
    Gap,
    /// The user has no use for it any more.
    Unsubscribe,
    /// The deadline has come.
    Due,
}

/// What `Subscription-State` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Active(Option<Duration>),
    Pending(Option<Duration>),
    Terminated(Ending, Option<Duration>),
}

impl Standing {
    /// Whether nothing more will come, and how long else.
    pub(crate) fn remaining(self) -> (bool, Option<Duration>) {
        match self {
            Self::Active(expires) | Self::Pending(expires) => (false, expires),
            Self::Terminated(..) => (true, None),
        }
    }
}

/// Why a notifier ends a subscription (RFC 6665, section 4.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// `deactivated`, `timeout`: to be had again at once.
    Afresh,
    /// `probation`, `giveup`, none or an unknown one: to be had again later.
    Later,
    /// `rejected`, `noresource`, `invariant`: never.
    Never,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Send a SUBSCRIBE: within the dialog or, `afresh`, for a new one.
    Subscribe { expires: Duration, afresh: bool },
    /// Tell the user.
    Report(SubscriptionState),
    /// Nothing more will happen.
    Over,
}

/// One subscription.
#[derive(Debug)]
pub(crate) struct Machine {
    expires: Duration,
    online: bool,
    /// A SUBSCRIBE is under way.
    asking: bool,
    /// End of what was granted, where the notifier knows of the subscription.
    until: Option<Instant>,
    /// A notification has come in the dialog.
    heard: bool,
    /// It was active once, in this dialog or another.
    was_active: bool,
    leaving: bool,
    /// The SUBSCRIBE that ends it went out.
    left: bool,
    over: bool,
    due: Option<Instant>,
    asked: Option<Instant>,
    failures: u32,
    raises: u8,
    reported: Option<SubscriptionState>,
    jitter: StdRng,
}

impl Machine {
    /// `seed` spreads the moments of many of them.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            expires: EXPIRES,
            online: false,
            asking: false,
            until: None,
            heard: false,
            was_active: false,
            leaving: false,
            left: false,
            over: false,
            due: None,
            asked: None,
            failures: 0,
            raises: 0,
            reported: None,
            jitter: StdRng::seed_from_u64(seed),
        }
    }

    /// When to come back with [`Input::Due`].
    pub(crate) fn deadline(&self) -> Option<Instant> {
        if self.over { None } else { self.due }
    }

    /// Takes one input in.
    pub(crate) fn handle(&mut self, input: Input, now: Instant) -> Vec<Action> {
        let mut actions = Vec::new();
        if !self.over {
            self.take(input, now, &mut actions);
        }
        actions
    }

    fn take(&mut self, input: Input, now: Instant, actions: &mut Vec<Action>) {
        match input {
            Input::Online(online) => {
                let back = online && !self.online;
                self.online = online;
                if back && !self.leaving {
                    self.failures = 0;
                    // The notifier may have forgotten us, or know us under an address that is gone.
                    self.ask(now, actions);
                }
            }
            Input::Answered { status, expires, minimum, retry_after } => {
                self.asking = false;
                match status {
                    _ if self.left => self.part(now, status, actions),
                    200..=299 => self.granted(expires.unwrap_or(self.expires), now, actions),
                    _ if self.leaving => self.end(actions),
                    481 if self.until.is_some() => {
                        self.forget();
                        self.ask(now, actions);
                    }
                    423 if self.raises < RAISES && minimum.is_some_and(|least| least > self.expires) => {
                        self.raises += 1;
                        self.expires = minimum.unwrap_or(self.expires);
                        self.ask(now, actions);
                    }
                    408 | 429 | 480 | 481 | 491 | 500 | 502..=504 => self.failed(retry_after, now, actions),
                    // What was to be had once will be again: a PBX that starts may not know its users or lamps yet.
                    _ if self.was_active && !matches!(status, 405 | 489) => {
                        let refused = matches!(status, 401 | 407);
                        let least = if refused { CREDENTIALS } else { UNKNOWN };
                        self.forget();
                        self.failed(Some(retry_after.unwrap_or_default().max(least)), now, actions);
                    }
                    _ => {
                        self.report(SubscriptionState::Ended(Some(status)), actions);
                        self.end(actions);
                    }
                }
            }
            Input::Failed => {
                self.asking = false;
                if self.leaving { self.end(actions) } else { self.failed(None, now, actions) }
            }
            Input::Notified(standing) => self.notified(standing, now, actions),
            Input::Gap => match self.asked {
                _ if self.asking || self.leaving => {}
                Some(asked) if now < asked + BRIEFEST => self.due = Some(asked + BRIEFEST),
                _ => self.ask(now, actions),
            },
            Input::Unsubscribe => {
                self.leaving = true;
                if !self.asking {
                    self.leave(now, actions);
                }
            }
            Input::Due if self.due.is_some_and(|due| due <= now) => {
                self.due = None;
                if self.left {
                    return self.end(actions);
                }
                if self.until.is_some() && !self.heard {
                    self.forget();
                    return self.failed(None, now, actions);
                }
                self.ask(now, actions);
            }
            Input::Due => {}
        }
    }

    fn granted(&mut self, expires: Duration, now: Instant, actions: &mut Vec<Action>) {
        if self.leaving {
            self.until = Some(now + expires);
            return self.leave(now, actions);
        }
        self.raises = 0;
        if expires.is_zero() {
            self.forget();
            return self.failed(None, now, actions);
        }
        self.lasts(expires, now);
        if !self.heard {
            self.due = Some(now + SILENCE);
            self.report(SubscriptionState::Pending, actions);
        }
    }

    fn notified(&mut self, standing: Standing, now: Instant, actions: &mut Vec<Action>) {
        match standing {
            Standing::Active(expires) | Standing::Pending(expires) => {
                if self.leaving {
                    return;
                }
                self.heard = true;
                self.failures = 0;
                match (expires, self.until) {
                    (Some(expires), _) if !expires.is_zero() => self.lasts(expires, now),
                    (_, Some(until)) => self.lasts(until.saturating_duration_since(now), now),
                    (_, None) => self.lasts(self.expires, now),
                }
                let active = matches!(standing, Standing::Active(_));
                self.was_active |= active;
                let state = if active { SubscriptionState::Active } else { SubscriptionState::Pending };
                self.report(state, actions);
            }
            Standing::Terminated(..) if self.leaving => {
                self.forget();
                if !self.asking {
                    self.end(actions);
                }
            }
            Standing::Terminated(ending, retry_after) => {
                let brief = self.asked.is_some_and(|asked| now < asked + BRIEFEST);
                self.forget();
                match ending {
                    Ending::Never => {
                        self.report(SubscriptionState::Ended(None), actions);
                        self.end(actions);
                    }
                    // What is under way will be answered, and goes on from there.
                    _ if self.asking => {}
                    Ending::Afresh if !brief => self.ask(now, actions),
                    Ending::Afresh | Ending::Later => self.failed(retry_after, now, actions),
                }
            }
        }
    }

    /// Asks for it, or for more of it.
    fn ask(&mut self, now: Instant, actions: &mut Vec<Action>) {
        self.due = None;
        if self.asking || !self.online {
            return;
        }
        let afresh = self.until.is_none_or(|until| until <= now);
        if afresh {
            self.forget();
        }
        self.asking = true;
        self.asked = Some(now);
        if self.reported.is_none() {
            self.report(SubscriptionState::Pending, actions);
        }
        actions.push(Action::Subscribe { expires: self.expires, afresh });
    }

    fn leave(&mut self, now: Instant, actions: &mut Vec<Action>) {
        if self.online && self.until.is_some_and(|until| until > now) {
            self.asking = true;
            self.left = true;
            actions.push(Action::Subscribe { expires: Duration::ZERO, afresh: false });
        } else {
            self.end(actions);
        }
    }

    /// The last SUBSCRIBE was answered: the last notification may still come.
    fn part(&mut self, now: Instant, status: u16, actions: &mut Vec<Action>) {
        if (200..300).contains(&status) && self.until.is_some() {
            self.due = Some(now + PARTING);
        } else {
            self.end(actions);
        }
    }

    fn failed(&mut self, retry_after: Option<Duration>, now: Instant, actions: &mut Vec<Action>) {
        let pause = PAUSE.saturating_mul(2_u32.saturating_pow(self.failures.min(16))).min(LONGEST);
        self.failures += 1;
        let pause = retry_after
            .unwrap_or(Duration::ZERO)
            .min(LONGEST)
            .max(pause.mul_f64(self.jitter.random_range(0.75..1.0)));
        self.due = Some(now + pause);
        // What was granted goes on until its end.
        if self.until.is_none_or(|until| until <= now) {
            self.report(SubscriptionState::Pending, actions);
        }
    }

    fn lasts(&mut self, expires: Duration, now: Instant) {
        self.until = Some(now + expires);
        let part = self.jitter.random_range(0.75..0.9);
        let left = expires.mul_f64(part).max(BRIEFEST);
        if !self.asking {
            self.due = Some(now + left);
        }
    }

    fn forget(&mut self) {
        self.until = None;
        self.heard = false;
    }

    fn report(&mut self, state: SubscriptionState, actions: &mut Vec<Action>) {
        if self.reported != Some(state) {
            self.reported = Some(state);
            actions.push(Action::Report(state));
        }
    }

    fn end(&mut self, actions: &mut Vec<Action>) {
        self.over = true;
        actions.push(Action::Over);
    }
}

#[cfg(test)]
mod tests;
