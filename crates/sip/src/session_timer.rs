//! Session timers (RFC 4028): a session that is not refreshed in time is over, so that nobody holds on to one whose
//! other end is gone. Pure: what was said and the time go in, what to do and when comes out.

use std::time::{Duration, Instant};

/// What we ask for.
pub(crate) const INTERVAL: Duration = Duration::from_secs(1800);
/// Less is refused, theirs and ours (RFC 4028, section 4).
pub(crate) const LEAST: Duration = Duration::from_secs(90);
/// More makes no difference to anybody.
const MOST: Duration = Duration::from_secs(7 * 24 * 3600);
/// The session ends this long before it expires, or a third of the interval (section 10).
const MARGIN: Duration = Duration::from_secs(32);
/// Least pause before a refresh that failed is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// Which end of a request refreshes: the one that sent it or the one that answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Caller,
    Callee,
}

/// A `Session-Expires` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    pub interval: Duration,
    pub refresher: Option<Role>,
}

impl Terms {
    /// Reads the header's value.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let (seconds, parameters) = value.split_once(';').unwrap_or((value, ""));
        let interval = Duration::from_secs(seconds.trim().parse::<u32>().ok()?.into());
        let refresher =
            crate::header::parameters(parameters, ';').into_iter().find_map(|(name, value)| {
                match (name.as_str(), value.to_ascii_lowercase().as_str()) {
                    ("refresher", "uac") => Some(Role::Caller),
                    ("refresher", "uas") => Some(Role::Callee),
                    _ => None,
                }
            });
        Some(Self { interval, refresher })
    }
}

impl std::fmt::Display for Terms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.interval.as_secs())?;
        match self.refresher {
            Some(Role::Caller) => f.write_str(";refresher=uac"),
            Some(Role::Callee) => f.write_str(";refresher=uas"),
            None => Ok(()),
        }
    }
}

/// What is to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Refresh the session, and tell what came of it.
    Refresh,
    /// Nobody did in time: it is over.
    Over,
}

#[derive(Debug, Clone, Copy)]
struct Running {
    interval: Duration,
    /// When it counts as over.
    end: Instant,
    ours: bool,
    /// When we refresh; nothing while a refresh is under way.
    refresh: Option<Instant>,
}

/// The timer of one dialog.
#[derive(Debug, Clone)]
pub(crate) struct SessionTimer {
    minimum: Duration,
    running: Option<Running>,
}

impl SessionTimer {
    pub(crate) fn new() -> Self {
        Self { minimum: LEAST, running: None }
    }

    /// What a request of ours asks for.
    pub(crate) fn ask(&self) -> Terms {
        match self.running {
            Some(running) => {
                let refresher = if running.ours { Role::Caller } else { Role::Callee };
                Terms { interval: running.interval.max(self.minimum), refresher: Some(refresher) }
            }
            None => Terms { interval: INTERVAL.max(self.minimum), refresher: None },
        }
    }

    /// The `Min-SE` to send with it: what somebody on the way has insisted on.
    pub(crate) fn least(&self) -> Option<Duration> {
        (self.minimum > LEAST).then_some(self.minimum)
    }

    /// Somebody on the way wants a longer interval (422). False where that is no more than was asked for.
    pub(crate) fn too_brief(&mut self, minimum: Duration) -> bool {
        let asked = self.ask().interval;
        if minimum <= asked {
            return false;
        }
        self.minimum = minimum.min(MOST);
        true
    }

    /// A request of ours was accepted, on these terms or on none.
    pub(crate) fn accepted(&mut self, terms: Option<Terms>, now: Instant) {
        self.run(terms, Role::Caller, now);
    }

    /// The terms on which a request of theirs is to be accepted.
    ///
    /// # Errors
    /// They know session timers and ask for less than we take part in (422).
    pub(crate) fn judge(&self, asked: Option<Terms>, they_know: bool) -> Result<Option<Terms>, Duration> {
        let Some(asked) = asked else {
            // What is agreed stays so, and they may not know how to refresh.
            let terms = self.running.filter(|_| they_know);
            return Ok(
                terms.map(|running| Terms { interval: running.interval, refresher: Some(Role::Callee) })
            );
        };
        if asked.interval < LEAST {
            if they_know {
                return Err(LEAST);
            }
            return Ok(Some(Terms { interval: LEAST, refresher: Some(Role::Callee) }));
        }
        let refresher = match asked.refresher {
            Some(role) if they_know => role,
            _ => Role::Callee,
        };
        Ok(Some(Terms { interval: asked.interval.min(MOST), refresher: Some(refresher) }))
    }

    /// A request of theirs was accepted on these terms.
    pub(crate) fn accept(&mut self, terms: Option<Terms>, now: Instant) {
        self.run(terms, Role::Callee, now);
    }

    fn run(&mut self, terms: Option<Terms>, here: Role, now: Instant) {
        self.running = terms.map(|terms| {
            let interval = terms.interval.clamp(LEAST, MOST);
            let end = now + interval - MARGIN.min(interval / 3);
            // A refresher that is not named is made sure of here.
            let ours = terms.refresher.is_none_or(|role| role == here);
            Running { interval, end, ours, refresh: ours.then_some(now + interval / 2) }
        });
    }

    /// When [`due`](Self::due) has something.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let running = self.running?;
        Some(running.refresh.map_or(running.end, |refresh| refresh.min(running.end)))
    }

    /// What is to be done.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Due> {
        let running = self.running.as_mut()?;
        if running.end <= now {
            self.running = None;
            return Some(Due::Over);
        }
        if running.refresh.is_some_and(|refresh| refresh <= now) {
            running.refresh = None;
            return Some(Due::Refresh);
        }
        None
    }

    /// A refresh came to nothing; there may be time for another.
    pub(crate) fn failed(&mut self, now: Instant) {
        if let Some(running) =
            self.running.as_mut().filter(|running| running.ours && running.refresh.is_none())
        {
            let left = running.end.saturating_duration_since(now);
            running.refresh = Some(now + (left / 2).max(AGAIN));
        }
    }
}

#[cfg(test)]
mod tests;
