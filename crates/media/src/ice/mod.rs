//! Interactive Connectivity Establishment (RFC 8445): which way packets really pass between two phones.

mod agent;
mod candidate;
mod checks;

use std::fmt;

use rand::Rng;
use rand::distr::Alphanumeric;

pub(crate) use agent::{Agent, Base, State};
pub(crate) use candidate::priority;
pub use candidate::{Candidate, Kind};

/// What checks are authenticated with (RFC 8839, section 5.4).
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User name fragment, 4 to 256 characters.
    pub ufrag: String,
    /// Password, 22 to 256 characters.
    pub pwd: String,
}

impl Credentials {
    /// New ones, which nobody can guess.
    pub fn random() -> Self {
        let text = |length| rand::rng().sample_iter(Alphanumeric).take(length).map(char::from).collect();
        Self { ufrag: text(8), pwd: text(24) }
    }

    /// Takes what a description says, where it has the form of credentials.
    pub(crate) fn of(ufrag: &str, pwd: &str) -> Option<Self> {
        let fits = |text: &str, least| {
            (least..=256).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
        };
        (fits(ufrag, 4) && fits(pwd, 22)).then(|| Self { ufrag: ufrag.into(), pwd: pwd.into() })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("ufrag", &self.ufrag).finish_non_exhaustive()
    }
}

/// What an offer and its answer settled about ICE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// Ours.
    pub local: Credentials,
    /// Theirs.
    pub remote: Credentials,
    /// Their candidates for RTP, with RTCP on the same port.
    pub candidates: Vec<Candidate>,
    /// We nominate the pair that is used: we made the first offer, or the other side is lite.
    pub controlling: bool,
}

#[cfg(test)]
mod tests;
