//! Who may offer a session when, within an established dialog (RFC 3261, section 14; RFC 3311, section 5).

use std::time::{Duration, Instant};

/// Offers of ours that crossed one of theirs so often are given up.
const ROUNDS: u32 = 12;
/// Pause before an offer that got no answer at all goes out again.
const AGAIN: Duration = Duration::from_secs(2);
/// Longest that an offer waits because they want it to.
const LONGEST: Duration = Duration::from_secs(10);

/// What is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    /// A new session.
    Offer(String),
    /// The session as it is, so that it goes on (RFC 4028).
    Refresh,
}

/// What became of an offer of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was answered, or refused for good.
    Final,
    /// It crossed one of theirs (491).
    Glare,
    /// They want it later (500 with Retry-After).
    Later(Duration),
    /// Nobody answered: the way there was lost.
    Lost,
}

/// Why an offer of theirs cannot be taken now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clash {
    /// Ours is under way (491).
    WithOurs,
    /// Another of theirs is considered (500 with Retry-After).
    WithTheirs,
}

#[derive(Debug, PartialEq, Eq)]
enum Turn {
    Nobodys,
    Ours(Wish),
    Theirs,
}

/// One offer at a time. Ours wait their turn; a newer one takes the place of one that waits.
#[derive(Debug)]
pub(super) struct Offering {
    /// We began the dialog, so its Call-ID is ours: in a glare the other end tries again first.
    began_here: bool,
    turn: Turn,
    waiting: Option<Wish>,
    /// What waits must wait until then.
    not_before: Option<Instant>,
    rounds: u32,
}

impl Offering {
    pub(super) fn new(began_here: bool) -> Self {
        Self { began_here, turn: Turn::Nobodys, waiting: None, not_before: None, rounds: 0 }
    }

    /// Wants something sent, as soon as it may be.
    pub(super) fn want(&mut self, wish: Wish, now: Instant) {
        // An offer refreshes the session, too.
        if wish == Wish::Refresh && self.waiting.is_some() {
            return;
        }
        self.waiting = Some(wish);
        self.not_before.get_or_insert(now);
    }

    /// What is to be sent now; its turn begins.
    pub(super) fn next(&mut self, now: Instant) -> Option<Wish> {
        if self.deadline().is_none_or(|deadline| deadline > now) {
            return None;
        }
        let wish = self.waiting.take()?;
        self.not_before = None;
        self.turn = Turn::Ours(wish.clone());
        Some(wish)
    }

    /// This went out otherwise than by [`next`](Self::next): in an answer to an INVITE that brought no offer.
    pub(super) fn asked(&mut self, wish: Wish) {
        self.turn = Turn::Ours(wish);
    }

    /// When [`next`](Self::next) has something; in the past where it has it already.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let may = self.turn == Turn::Nobodys && self.waiting.is_some();
        self.not_before.filter(|_| may)
    }

    /// Ours came to an end. `chance` is evenly spread from 0 to 1. True where the wish was given up for its many rounds.
    pub(super) fn ended(&mut self, outcome: Outcome, now: Instant, chance: f64) -> bool {
        let Turn::Ours(wish) = std::mem::replace(&mut self.turn, Turn::Nobodys) else { return false };
        let pause = match outcome {
            Outcome::Final => {
                self.rounds = 0;
                self.not_before = Some(now);
                return false;
            }
            Outcome::Glare => glare(self.began_here, chance),
            Outcome::Later(wanted) => wanted.min(LONGEST),
            Outcome::Lost => AGAIN,
        };
        self.rounds += 1;
        self.not_before = Some(now + pause);
        if self.waiting.as_ref().is_none_or(|newer| *newer == Wish::Refresh) {
            if self.rounds >= ROUNDS {
                self.rounds = 0;
                self.not_before = Some(now);
                return true;
            }
            self.waiting = Some(wish);
        }
        false
    }

    /// They offer.
    ///
    /// # Errors
    /// Why it cannot be taken now.
    pub(super) fn theirs(&mut self) -> Result<(), Clash> {
        match self.turn {
            Turn::Nobodys => {
                self.turn = Turn::Theirs;
                Ok(())
            }
            Turn::Ours(_) => Err(Clash::WithOurs),
            Turn::Theirs => Err(Clash::WithTheirs),
        }
    }

    /// Theirs is answered, refused or withdrawn.
    pub(super) fn theirs_ended(&mut self) {
        if self.turn == Turn::Theirs {
            self.turn = Turn::Nobodys;
        }
    }
}

/// Pause after a glare, in steps of 10 ms: 2.1 to 4 s for the owner of the Call-ID, up to 2 s for the other
/// (RFC 3261, section 14.1).
pub(super) fn glare(owner: bool, chance: f64) -> Duration {
    let (least, span) = if owner { (2.1, 1.9) } else { (0.0, 2.0) };
    let hundredths = (least + span * chance.clamp(0.0, 1.0)) * 100.0;
    Duration::from_millis(hundredths.round() as u64 * 10)
}

#[cfg(test)]
mod tests;
