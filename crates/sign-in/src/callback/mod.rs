//! The phone's own side of a sign-in that goes on in the browser (RFC 8252).
//!
//! The PBX is given a callback address with a [`Nonce`] in it, at the loopback [`Listener`] or of the app's own
//! scheme ([`scheme_url`]). What comes back there goes through a [`Return`], which lets it in once, in time, with
//! the right nonce, and reads it as a [`Callback`].

mod link;
mod listener;
mod page;
mod parameters;
mod request;

use std::fmt;
use std::time::{Duration, Instant};

use pbx_api::Tokens;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

pub use link::{parse_link, reset_token, scheme_url};
pub use listener::Listener;
pub use page::{Pages, Words};
pub use parameters::Parameters;
pub use request::{Asked, RequestRefused, read_request};

/// What the browser was sent away for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Signing in elsewhere, Microsoft 365 say.
    SignIn,
    /// Choosing a new password by the link in an e-mail.
    Reset,
}

/// What the browser came back with.
#[derive(Debug, Clone)]
pub enum Callback {
    /// A session.
    Tokens(Tokens),
    /// A token that is none of the four of a session: of a second factor, or a bearer by itself.
    SessionToken {
        /// The token.
        token: SecretString,
        /// The PBX asks for an e-mailed code.
        second_factor: bool,
    },
    /// An authorization code, to be exchanged for a session.
    Code(SecretString),
    /// The token of a link to a new password.
    ResetToken(SecretString),
    /// The user, or who decides for them, said no.
    Denied,
    /// It did not work.
    Failed {
        /// Why, in the other side's words or ours; no secret.
        what: String,
    },
}

/// Why something that came back is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It carries no nonce, or not ours.
    #[error("the nonce is not the one given out")]
    Unknown,
    /// Somebody came back before.
    #[error("the way back was used already")]
    Used,
    /// The time limit is over.
    #[error("the time limit is over")]
    TooLate,
}

/// The number that tells our own browser from anybody else: 192 random bits, used once.
#[derive(Clone)]
pub struct Nonce(SecretString);

impl Nonce {
    /// A new one, from the system's random numbers.
    pub fn random() -> Self {
        let bits: [u8; 24] = rand::random();
        Self(bits.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into())
    }

    /// Its text, 48 hexadecimal digits, as it stands in the callback address.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether this is it, in a time that says nothing of where it differs.
    fn is(&self, given: &str) -> bool {
        self.expose().as_bytes().ct_eq(given.as_bytes()).into()
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(..)")
    }
}

/// The way back from the browser: open to one nonce, until a deadline, for one use. Pure.
#[derive(Debug)]
pub struct Return {
    purpose: Purpose,
    nonce: Nonce,
    deadline: Instant,
    used: bool,
}

impl Return {
    /// A way back that stays open for `limit` from `now`.
    pub fn new(purpose: Purpose, nonce: Nonce, now: Instant, limit: Duration) -> Self {
        Self { purpose, nonce, deadline: now.checked_add(limit).unwrap_or(now), used: false }
    }

    /// When it closes.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether somebody with this nonce would be let in.
    ///
    /// # Errors
    /// [`Refused`]; whoever does not know the nonce learns nothing beyond that.
    pub fn check(&self, nonce: &str, now: Instant) -> Result<(), Refused> {
        if !self.nonce.is(nonce) {
            return Err(Refused::Unknown);
        }
        if self.used {
            return Err(Refused::Used);
        }
        if now >= self.deadline { Err(Refused::TooLate) } else { Ok(()) }
    }

    /// Lets in what came back, once.
    ///
    /// # Errors
    /// As [`Return::check`].
    pub fn accept(
        &mut self,
        nonce: &str,
        parameters: &Parameters,
        now: Instant,
    ) -> Result<Callback, Refused> {
        self.check(nonce, now)?;
        self.used = true;
        Ok(parameters.read(self.purpose))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::{Duration, Instant};

    use super::{Callback, Nonce, Parameters, Purpose, Refused, Return};

    const LIMIT: Duration = Duration::from_secs(300);

    fn open(now: Instant) -> (Return, Nonce) {
        let nonce = Nonce::random();
        (Return::new(Purpose::SignIn, nonce.clone(), now, LIMIT), nonce)
    }

    #[test]
    fn nonces() {
        let many: HashSet<String> = (0..1000).map(|_| Nonce::random().expose().to_owned()).collect();
        assert_eq!(many.len(), 1000);
        assert!(many.iter().all(|nonce| nonce.len() == 48));
        assert_eq!(format!("{:?}", Nonce::random()), "Nonce(..)");
    }

    #[test]
    fn once_and_in_time_with_the_nonce() {
        let now = Instant::now();
        let (mut way, nonce) = open(now);
        let code = Parameters::parse("code=x");
        for wrong in ["", "0", &nonce.expose().to_uppercase(), &format!("{}0", nonce.expose())] {
            assert_eq!(way.accept(wrong, &code, now).unwrap_err(), Refused::Unknown, "{wrong}");
        }
        let last = now + LIMIT - Duration::from_nanos(1);
        assert_eq!(way.check(nonce.expose(), last), Ok(()));
        assert!(matches!(way.accept(nonce.expose(), &code, last), Ok(Callback::Code(_))));
        assert_eq!(way.accept(nonce.expose(), &code, last).unwrap_err(), Refused::Used);
        assert_eq!(way.accept("0", &code, last).unwrap_err(), Refused::Unknown);
        assert_eq!(way.accept(nonce.expose(), &code, now + LIMIT).unwrap_err(), Refused::Used);
    }

    #[test]
    fn the_limit() {
        let now = Instant::now();
        let (mut way, nonce) = open(now);
        let code = Parameters::parse("code=x");
        assert_eq!(way.deadline(), now + LIMIT);
        assert_eq!(way.accept(nonce.expose(), &code, now + LIMIT).unwrap_err(), Refused::TooLate);
        assert_eq!(way.accept("0", &code, now + LIMIT).unwrap_err(), Refused::Unknown);
    }
}
