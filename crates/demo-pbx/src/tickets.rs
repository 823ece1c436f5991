//! Opaque tokens that stand for something for a while. Pure: the time is handed in.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::issued::Issued;
use crate::tenant::opaque;

/// Tokens of one kind, each with what it stands for.
pub(crate) struct Tickets<T> {
    lifetime: Duration,
    all: HashMap<String, (T, Instant)>,
    issued: Issued,
}

impl<T> Tickets<T> {
    /// None yet; each will be good for `lifetime`.
    pub fn new(lifetime: Duration) -> Self {
        Self { lifetime, all: HashMap::new(), issued: Issued::default() }
    }

    /// A fresh token for this.
    pub fn issue(&mut self, value: T, now: Instant) -> String {
        self.all.retain(|_, (_, expires)| *expires > now);
        let token = opaque(40);
        self.issued.note(&token);
        self.all.insert(token.clone(), (value, now + self.lifetime));
        token
    }

    /// Every token that was issued.
    pub fn issued(&self) -> &Issued {
        &self.issued
    }

    /// What a token stands for.
    pub fn get(&self, token: &str, now: Instant) -> Option<&T> {
        self.all.get(token).filter(|(_, expires)| *expires > now).map(|(value, _)| value)
    }

    /// The same, to change it.
    pub fn get_mut(&mut self, token: &str, now: Instant) -> Option<&mut T> {
        self.all.get_mut(token).filter(|(_, expires)| *expires > now).map(|(value, _)| value)
    }

    /// Uses a token up.
    pub fn take(&mut self, token: &str, now: Instant) -> Option<T> {
        self.all.remove(token).filter(|(_, expires)| *expires > now).map(|(value, _)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_once_and_for_its_time() {
        let (start, life) = (Instant::now(), Duration::from_secs(60));
        let mut tickets = Tickets::new(life);
        let (one, two) = (tickets.issue(1, start), tickets.issue(2, start));
        assert_eq!(tickets.take(&one, start), Some(1));
        assert_eq!(tickets.take(&one, start), None);
        assert_eq!(tickets.get(&two, start + life), None);
        assert_eq!(tickets.take(&two, start + life), None);
    }
}
