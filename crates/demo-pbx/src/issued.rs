//! What was handed out as a secret, so that a test can search for it where it must not be. Pure.

use std::collections::VecDeque;

/// Most tokens remembered of one kind.
const MOST: usize = 1000;

/// Tokens of one kind in the order they were handed out, in force or not, the oldest forgotten first.
#[derive(Default)]
pub(crate) struct Issued(VecDeque<String>);

impl Issued {
    /// Remembers a token.
    pub fn note(&mut self, token: &str) {
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(token.to_owned());
    }

    /// All that are remembered.
    pub fn all(&self) -> impl Iterator<Item = String> + '_ {
        self.0.iter().cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten_first() {
        let mut issued = Issued::default();
        (0..=MOST).for_each(|number| issued.note(&number.to_string()));
        let all: Vec<String> = issued.all().collect();
        assert_eq!((all.len(), all[0].as_str(), all[MOST - 1].as_str()), (MOST, "1", "1000"));
    }
}
