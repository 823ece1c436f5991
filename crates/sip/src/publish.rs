//! Our published presence (RFC 3903), apart from everything that sends or waits: inputs and the current time go in,
//! actions come out, and the moment at which to come back.

mod task;

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::Presence;

pub(crate) use task::Publication;

/// Lifetime asked for.
const EXPIRES: Duration = Duration::from_secs(3600);
/// What is granted for less is refreshed no sooner than this.
const BRIEFEST: Duration = Duration::from_secs(5);
/// First pause after a failure; each further one doubles it.
const PAUSE: Duration = Duration::from_secs(4);
/// Longest pause.
const LONGEST: Duration = Duration::from_secs(900);
/// Times a server may ask for something else (412, 423) in one go.
const ROUNDS: u8 = 3;

/// What happened to the publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// The account is registered, or is not any more.
    Online(bool),
    /// What the user wants published.
    Wish(Option<Presence>),
    /// The final answer to a PUBLISH.
    Answered {
        status: u16,
        /// `SIP-ETag`: names what is published now.
        tag: Option<String>,
        /// Lifetime granted.
        expires: Option<Duration>,
        /// `Min-Expires` of a 423.
        minimum: Option<Duration>,
        retry_after: Option<Duration>,
    },
    /// No answer came.
    Failed,
    /// The deadline has come.
    Due,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Send a PUBLISH: `replaces` is the `SIP-If-Match` of what is published, without `presence` it is refreshed, or
    /// with no lifetime withdrawn.
    Publish { presence: Option<Presence>, replaces: Option<String>, expires: Duration },
    /// Tell the user what came of the wish.
    Report(Option<u16>),
}

/// The publication.
#[derive(Debug)]
pub(crate) struct Machine {
    wish: Option<Presence>,
    /// The wish is not what is published.
    changed: bool,
    /// The user waits for what comes of the wish.
    awaited: bool,
    published: Option<String>,
    expires: Duration,
    online: bool,
    asking: bool,
    /// Refused for good: only another wish changes that.
    refused: bool,
    due: Option<Instant>,
    failures: u32,
    rounds: u8,
    jitter: StdRng,
}

impl Machine {
    /// `seed` spreads the moments of many of them.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            wish: None,
            changed: false,
            awaited: false,
            published: None,
            expires: EXPIRES,
            online: false,
            asking: false,
            refused: false,
            due: None,
            failures: 0,
            rounds: 0,
            jitter: StdRng::seed_from_u64(seed),
        }
    }

    /// When to come back with [`Input::Due`].
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.due
    }

    /// Nothing is published, and nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        !self.asking && (self.published.is_none() || !self.online || self.refused)
    }

    /// Takes one input in.
    pub(crate) fn handle(&mut self, input: Input, now: Instant) -> Vec<Action> {
        let mut actions = Vec::new();
        match input {
            Input::Online(online) => {
                let back = online && !self.online;
                self.online = online;
                if back {
                    self.failures = 0;
                    self.publish(&mut actions);
                }
            }
            Input::Wish(wish) => {
                self.changed = true;
                self.awaited = true;
                self.refused = false;
                self.rounds = 0;
                if wish.is_none() && self.published.is_none() && !self.asking {
                    self.awaited = false;
                }
                self.wish = wish;
                self.publish(&mut actions);
            }
            Input::Answered { status, tag, expires, minimum, retry_after } => {
                self.asking = false;
                self.answered(status, (tag, expires, minimum, retry_after), now, &mut actions);
            }
            Input::Failed => {
                self.asking = false;
                self.failed(None, None, now, &mut actions);
            }
            Input::Due if self.due.is_some_and(|due| due <= now) => self.publish(&mut actions),
            Input::Due => {}
        }
        actions
    }

    fn publish(&mut self, actions: &mut Vec<Action>) {
        self.due = None;
        if self.asking || !self.online || self.refused {
            return;
        }
        let replaces = self.published.clone();
        let action = match &self.wish {
            Some(wish) => {
                let presence = (self.changed || replaces.is_none()).then(|| wish.clone());
                Action::Publish { presence, replaces, expires: self.expires }
            }
            None if replaces.is_some() => {
                Action::Publish { presence: None, replaces, expires: Duration::ZERO }
            }
            None => return,
        };
        self.asking = true;
        self.changed = false;
        actions.push(action);
    }

    fn answered(
        &mut self,
        status: u16,
        (tag, expires, minimum, retry_after): (
            Option<String>,
            Option<Duration>,
            Option<Duration>,
            Option<Duration>,
        ),
        now: Instant,
        actions: &mut Vec<Action>,
    ) {
        match status {
            200..=299 => {
                self.failures = 0;
                self.rounds = 0;
                self.published = tag;
                if self.changed {
                    return self.publish(actions);
                }
                self.report(Some(status), actions);
                match &self.wish {
                    Some(_) => {
                        let expires = expires.unwrap_or(self.expires);
                        let part = self.jitter.random_range(0.75..0.9);
                        self.due = Some(now + expires.mul_f64(part).max(BRIEFEST));
                    }
                    None => self.published = None,
                }
            }
            // What was published is not known there any more (section 4.1).
            412 if self.rounds < ROUNDS => {
                self.rounds += 1;
                self.published = None;
                if self.wish.is_none() {
                    return self.report(Some(200), actions);
                }
                self.publish(actions);
            }
            423 if self.rounds < ROUNDS && minimum.is_some_and(|least| least > self.expires) => {
                self.rounds += 1;
                self.expires = minimum.unwrap_or(self.expires);
                self.changed = true;
                self.publish(actions);
            }
            408 | 429 | 480 | 491 | 500 | 502..=504 => self.failed(Some(status), retry_after, now, actions),
            _ => {
                self.published = None;
                if self.changed {
                    return self.publish(actions);
                }
                self.refused = true;
                self.awaited = true;
                self.report(Some(status), actions);
            }
        }
    }

    fn failed(
        &mut self,
        status: Option<u16>,
        retry_after: Option<Duration>,
        now: Instant,
        actions: &mut Vec<Action>,
    ) {
        self.report(status, actions);
        // Whatever was on its way may or may not have arrived.
        self.changed = true;
        if self.wish.is_none() {
            self.published = None;
            return;
        }
        let pause = PAUSE.saturating_mul(2_u32.saturating_pow(self.failures.min(16))).min(LONGEST);
        self.failures += 1;
        let least = retry_after.unwrap_or(Duration::ZERO).min(LONGEST);
        self.due = Some(now + least.max(pause.mul_f64(self.jitter.random_range(0.75..1.0))));
    }

    fn report(&mut self, status: Option<u16>, actions: &mut Vec<Action>) {
        if std::mem::take(&mut self.awaited) {
            actions.push(Action::Report(status));
        }
    }
}

#[cfg(test)]
mod tests;
