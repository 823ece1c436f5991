//! Sign-ins that wait for an e-mailed code. Pure: the time is handed in.

use std::time::{Duration, Instant};

use rand::Rng;

use crate::issued::Issued;
use crate::tickets::Tickets;

/// How long a half-done sign-in waits.
const SIGN_IN_LIFETIME: Duration = Duration::from_secs(1800);
/// How long a code is good.
const CODE_LIFETIME: Duration = Duration::from_secs(600);
/// How many codes may be tried against one that was sent.
const TRIES: u32 = 5;

struct Waiting {
    user: String,
    code: Option<Code>,
}

struct Code {
    digits: String,
    expires: Instant,
    tries_left: u32,
}

/// Why a code is not accepted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotVerified {
    /// No sign-in waits under this token.
    NoSignIn,
    /// The code is wrong, too old, or was tried too often.
    Code,
}

/// All half-done sign-ins.
pub(crate) struct SecondFactor(Tickets<Waiting>);

impl SecondFactor {
    /// None yet.
    pub fn new() -> Self {
        Self(Tickets::new(SIGN_IN_LIFETIME))
    }

    /// Every token that was issued.
    pub fn issued(&self) -> &Issued {
        self.0.issued()
    }

    /// A session token for a user whose password was right.
    pub fn begin(&mut self, user: &str, now: Instant) -> String {
        self.0.issue(Waiting { user: user.into(), code: None }, now)
    }

    /// A fresh code, and whose it is; an earlier one is void.
    pub fn send(&mut self, token: &str, now: Instant) -> Option<(String, String)> {
        let waiting = self.0.get_mut(token, now)?;
        let digits = format!("{:06}", rand::rng().random_range(0..1_000_000));
        waiting.code = Some(Code { digits: digits.clone(), expires: now + CODE_LIFETIME, tries_left: TRIES });
        Some((waiting.user.clone(), digits))
    }

    /// The user whose code this is. Token and code are used up by it.
    pub fn verify(&mut self, token: &str, code: &str, now: Instant) -> Result<String, NotVerified> {
        let waiting = self.0.get_mut(token, now).ok_or(NotVerified::NoSignIn)?;
        let sent = waiting.code.as_mut().ok_or(NotVerified::Code)?;
        if sent.expires <= now || sent.tries_left == 0 {
            return Err(NotVerified::Code);
        }
        sent.tries_left -= 1;
        if sent.digits != code {
            return Err(NotVerified::Code);
        }
        self.0.take(token, now).map(|waiting| waiting.user).ok_or(NotVerified::NoSignIn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(now: Instant) -> (SecondFactor, String, String) {
        let mut all = SecondFactor::new();
        let token = all.begin("carol", now);
        let (user, code) = all.send(&token, now).unwrap();
        assert_eq!((user.as_str(), code.len()), ("carol", 6));
        (all, token, code)
    }

    fn other(code: &str) -> &'static str {
        if code == "000000" { "000001" } else { "000000" }
    }

    #[test]
    fn a_code_works_once() {
        let now = Instant::now();
        let (mut all, token, code) = sent(now);
        assert_eq!(all.verify(&token, other(&code), now), Err(NotVerified::Code));
        assert_eq!(all.verify(&token, &code, now), Ok("carol".into()));
        assert_eq!(all.verify(&token, &code, now), Err(NotVerified::NoSignIn));
        assert_eq!(all.send(&token, now), None);
    }

    #[test]
    fn it_ends_after_ten_minutes_and_after_five_tries() {
        let now = Instant::now();
        let (mut all, token, code) = sent(now);
        assert_eq!(all.verify(&token, &code, now + CODE_LIFETIME), Err(NotVerified::Code));
        let (mut all, token, code) = sent(now);
        for _ in 0..TRIES {
            assert_eq!(all.verify(&token, other(&code), now), Err(NotVerified::Code));
        }
        assert_eq!(all.verify(&token, &code, now), Err(NotVerified::Code));
        let (_, again) = all.send(&token, now).unwrap();
        assert_eq!(all.verify(&token, &again, now), Ok("carol".into()));
    }
}
