//! Whether the other end still is there: nothing else tells when it vanishes without a BYE. Session timers (RFC 4028)
//! would, where both ends know them, but not before 90 seconds have passed; people take a dead line for such in ten.
//!
//! Some never answer such a question, and are there all the same: silence tells something only of who has answered
//! before, or of where we have been lost sight of meanwhile.

use std::pin::Pin;
use std::time::Duration;

use rsipstack::sip::Method;
use tokio::time::Instant;

use super::Session;
use crate::call::offering::Wish;
use crate::exchange::exchange;
use crate::{Cause, EndCause};

/// Between questions whether the other end is still there.
const PULSE: Duration = Duration::from_secs(20);
/// How long it gets to answer one.
const PATIENCE: Duration = Duration::from_secs(4);
/// Pause after a question without answer.
const AGAIN: Duration = Duration::from_secs(2);
/// Pause after credentials were refused: sent again and again they would lock the account.
const REFUSED: Duration = Duration::from_secs(3600);
/// It is taken for gone after so many questions without answer, and not before so long: a network may be away for a
/// while.
const MISSES: u32 = 3;
const ABSENCE: Duration = Duration::from_secs(30);

/// A question under way; its outcome is the status of the answer.
type Question = dyn Future<Output = Result<u16, Cause>> + Send;

pub(super) struct Pulse {
    /// When to ask next.
    pub due: Instant,
    question: Option<Pin<Box<Question>>>,
    misses: u32,
    /// Silence would tell that they are gone.
    telling: bool,
    /// When the first of these questions was asked.
    silent_since: Instant,
}

impl Pulse {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self { due: now + PULSE, question: None, misses: 0, telling: false, silent_since: now }
    }

    /// Asks before long.
    pub(super) fn soon(&mut self) {
        self.due = self.due.min(Instant::now() + AGAIN);
    }

    /// The way there was lost: asks at once.
    pub(super) fn lost(&mut self) {
        self.telling = true;
        self.due = Instant::now();
    }

    pub(super) fn is_asking(&self) -> bool {
        self.question.is_some()
    }

    /// Status of the answer to a question, once there is one.
    pub(super) async fn answer(&mut self) -> Result<u16, Cause> {
        match &mut self.question {
            Some(question) => question.await,
            None => std::future::pending().await,
        }
    }
}

impl Session {
    pub(super) fn ask(&mut self) {
        if self.pulse.misses == 0 {
            self.pulse.silent_since = Instant::now();
        }
        let net = self.call.net.clone();
        let mut auth = self.call.auth.clone();
        let draft = self.dialog.draft(Method::Options);
        self.pulse.question = Some(Box::pin(async move {
            let flow = net.flow().await?;
            Ok(exchange(&net, &flow, &draft, &mut auth, PATIENCE).await?.status())
        }));
    }

    /// Moves their target along when we are reached elsewhere than they were told, as after a new connection. Should
    /// that get lost, the next answer to a question brings us here again.
    async fn tell_where_we_are(&mut self) {
        if self.current_flow().await.contact() != self.contact {
            self.offering.want(Wish::Refresh, std::time::Instant::now());
        }
    }

    /// True when the other end is gone.
    pub(super) async fn asked(&mut self, outcome: Result<u16, Cause>) -> bool {
        self.pulse.question = None;
        let status = match outcome {
            Ok(status) => Some(status),
            // A challenge, and so an answer.
            Err(Cause::NotUnderstood) => Some(401),
            Err(_) => None,
        };
        match status {
            Some(481) => {
                self.over(EndCause::ConnectionLost, status).await;
                return true;
            }
            Some(status) if status != 408 => {
                self.pulse.misses = 0;
                self.pulse.telling = true;
                let pause = if matches!(status, 401 | 407) { REFUSED } else { PULSE };
                self.pulse.due = Instant::now() + pause;
                self.tell_where_we_are().await;
            }
            _ => {
                self.pulse.misses += 1;
                let is_absent = self.pulse.misses >= MISSES && self.pulse.silent_since.elapsed() >= ABSENCE;
                let is_mute = is_absent && !self.pulse.telling;
                self.pulse.due = Instant::now() + if is_mute { PULSE } else { AGAIN };
                if is_absent && !is_mute {
                    self.leave(EndCause::ConnectionLost, status).await;
                    return true;
                }
            }
        }
        false
    }
}
