//! The pairs of candidates and how far the checks of each are (RFC 8445, section 6.1.2).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::stun::TransactionId;

/// Pairs that are checked (RFC 8445, section 6.1.2.5).
const MOST_PAIRS: usize = 100;
/// Requests whose answers are waited for.
const MOST_PENDING: usize = 256;
/// An answer after this long is none (RFC 8489, section 6.2.1: 39.5 s).
const PATIENCE: Duration = Duration::from_secs(40);
/// First time between two checks of a pair; each doubles it (RFC 8445, section 14.3), up to the longest.
const RTO: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(2);
/// Unanswered checks after which a pair has failed.
const TRIES: u32 = 5;

/// How far the checks of a pair are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Not begun.
    Waiting,
    /// Sent this many times; again at `next`.
    Asked { tries: u32, next: Instant },
    /// Answered, last at this time.
    Valid { confirmed: Instant },
    /// Never answered, or refused.
    Failed,
}

/// An address of ours with one of theirs.
#[derive(Debug)]
pub(super) struct Pair {
    pub local: usize,
    pub remote: usize,
    pub priority: u64,
    pub progress: Progress,
    /// The controlling side wants this one.
    pub nominated: bool,
    /// Our address as the other side sees it.
    pub mapped: Option<std::net::SocketAddr>,
}

impl Pair {
    pub fn is_valid(&self) -> bool {
        matches!(self.progress, Progress::Valid { .. })
    }

    /// It may yet become valid.
    pub fn is_open(&self) -> bool {
        matches!(self.progress, Progress::Waiting | Progress::Asked { .. })
    }
}

/// A request whose answer is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pending {
    pub id: TransactionId,
    pub pair: usize,
    pub sent: Instant,
    /// It nominated the pair.
    pub nominates: bool,
    /// The role it was sent in.
    pub controlling: bool,
}

/// All pairs. An index of a pair stays what it is.
#[derive(Debug, Default)]
pub(super) struct Checklist {
    pub pairs: Vec<Pair>,
    /// Pairs that the other side checks just now (RFC 8445, section 6.1.4.1).
    triggered: VecDeque<usize>,
    pending: VecDeque<Pending>,
}

impl Checklist {
    /// Adds a pair unless there are too many; its index.
    pub fn add(&mut self, local: usize, remote: usize, priority: u64) -> Option<usize> {
        if let Some(known) = self.pairs.iter().position(|pair| (pair.local, pair.remote) == (local, remote)) {
            return Some(known);
        }
        if self.pairs.len() == MOST_PAIRS {
            return None;
        }
        let progress = Progress::Waiting;
        self.pairs.push(Pair { local, remote, priority, progress, nominated: false, mapped: None });
        Some(self.pairs.len() - 1)
    }

    pub fn get(&mut self, index: usize) -> Option<&mut Pair> {
        self.pairs.get_mut(index)
    }

    /// Checks a pair next.
    pub fn trigger(&mut self, index: usize) {
        if !self.triggered.contains(&index) {
            self.triggered.push_back(index);
        }
    }

    /// The pair that is to be checked at the next turn: one the other side checks, else the best that waits.
    pub fn next(&mut self) -> Option<usize> {
        self.triggered.pop_front().or_else(|| self.best(|pair| pair.progress == Progress::Waiting))
    }

    /// Whether a turn is wanted.
    pub fn has_next(&self) -> bool {
        !self.triggered.is_empty() || self.pairs.iter().any(|pair| pair.progress == Progress::Waiting)
    }

    /// A pair whose check is to be repeated. One that was asked too often fails.
    pub fn overdue(&mut self, now: Instant) -> Option<usize> {
        for (index, pair) in self.pairs.iter_mut().enumerate() {
            match pair.progress {
                Progress::Asked { tries, next } if next <= now && tries < TRIES => return Some(index),
                Progress::Asked { next, .. } if next <= now => pair.progress = Progress::Failed,
                _ => {}
            }
        }
        None
    }

    /// When [`overdue`](Self::overdue) has something to do.
    pub fn next_overdue(&self) -> Option<Instant> {
        let next = |pair: &Pair| match pair.progress {
            Progress::Asked { next, .. } => Some(next),
            _ => None,
        };
        self.pairs.iter().filter_map(next).min()
    }

    /// Notes that a pair was asked.
    pub fn asked(&mut self, pending: Pending) {
        let now = pending.sent;
        if self.pending.len() == MOST_PENDING {
            self.pending.pop_front();
        }
        self.pending.push_back(pending);
        let Some(pair) = self.pairs.get_mut(pending.pair) else { return };
        let tries = match pair.progress {
            Progress::Valid { .. } => return,
            Progress::Asked { tries, .. } => tries + 1,
            Progress::Waiting | Progress::Failed => 1,
        };
        pair.progress =
            Progress::Asked { tries, next: now + (RTO * 2u32.pow(tries.min(TRIES) - 1)).min(LONGEST) };
    }

    /// The request that this answers.
    pub fn answered(&mut self, now: Instant, id: TransactionId) -> Option<Pending> {
        self.pending.retain(|pending| now.saturating_duration_since(pending.sent) < PATIENCE);
        let place = self.pending.iter().position(|pending| pending.id == id)?;
        self.pending.remove(place)
    }

    /// The pair of the highest priority among some.
    pub fn best(&self, of: impl Fn(&Pair) -> bool) -> Option<usize> {
        let some = self.pairs.iter().enumerate().filter(|(_, pair)| of(pair));
        some.max_by_key(|(index, pair)| (pair.priority, std::cmp::Reverse(*index))).map(|(index, _)| index)
    }

    /// Whether every pair has failed.
    pub fn are_over(&self) -> bool {
        !self.pairs.is_empty() && self.pairs.iter().all(|pair| pair.progress == Progress::Failed)
    }

    /// Everything is to be checked anew.
    pub fn reset(&mut self) {
        for pair in &mut self.pairs {
            (pair.progress, pair.nominated) = (Progress::Waiting, false);
        }
        self.triggered.clear();
    }
}
