//! Access and refresh tokens: opaque, random, and short-lived. Pure: the time is handed in.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::issued::Issued;
use crate::tenant::opaque;

/// What a successful sign-in or refresh hands out.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub access: String,
    pub refresh: String,
    pub expires_in: Duration,
}

struct Access {
    user: String,
    expires: Instant,
}

struct Refresh {
    user: String,
    access: String,
}

/// All tokens in force.
pub(crate) struct Sessions {
    lifetime: Duration,
    access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
    issued: Issued,
}

impl Sessions {
    /// No session yet; access tokens will live for `lifetime`.
    pub fn new(lifetime: Duration) -> Self {
        Self { lifetime, access: HashMap::new(), refresh: HashMap::new(), issued: Issued::default() }
    }

    /// Opens a session for a user.
    pub fn open(&mut self, user: &str, now: Instant) -> Tokens {
        let access = self.issue_access(user, now);
        let refresh = opaque(48);
        self.issued.note(&refresh);
        self.refresh.insert(refresh.clone(), Refresh { user: user.into(), access: access.clone() });
        Tokens { access, refresh, expires_in: self.lifetime }
    }

    /// An access token alone, as a profile file carries one.
    pub fn issue_access(&mut self, user: &str, now: Instant) -> String {
        self.access.retain(|_, a| a.expires > now);
        let token = opaque(48);
        self.issued.note(&token);
        self.access.insert(
            token.clone(),
            Access { user: user.into(), expires: now.checked_add(self.lifetime).unwrap_or(now) },
        );
        token
    }

    /// Every token that was issued.
    pub fn issued(&self) -> &Issued {
        &self.issued
    }

    /// How long access tokens issued now will live.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// The user id behind an access token, if it is still in force.
    pub fn user(&self, access: &str, now: Instant) -> Option<&str> {
        self.access.get(access).filter(|a| a.expires > now).map(|a| a.user.as_str())
    }

    /// Swaps a refresh token for new tokens. The old pair is void from here on.
    pub fn refresh(&mut self, refresh: &str, now: Instant) -> Option<Tokens> {
        let old = self.refresh.remove(refresh)?;
        self.access.remove(&old.access);
        Some(self.open(&old.user, now))
    }

    /// Ends the session an access token belongs to. False when there is none.
    pub fn close(&mut self, access: &str, now: Instant) -> bool {
        let known = self.user(access, now).is_some();
        self.access.remove(access);
        self.refresh.retain(|_, r| r.access != access);
        known
    }

    /// Makes every access token expire now; refresh tokens stay good.
    pub fn expire_access(&mut self) {
        self.access.clear();
    }

    /// Makes every refresh token void; access tokens stay good.
    pub fn revoke_refresh(&mut self) {
        self.refresh.clear();
    }

    /// Lifetime of access tokens issued from now on.
    pub fn set_lifetime(&mut self, lifetime: Duration) {
        self.lifetime = lifetime;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(1800);

    #[test]
    fn an_access_token_ends_with_its_lifetime() {
        let t0 = Instant::now();
        let mut sessions = Sessions::new(LIFE);
        let tokens = sessions.open("u1", t0);
        assert_eq!(sessions.user(&tokens.access, t0 + LIFE - Duration::from_secs(1)), Some("u1"));
        assert_eq!(sessions.user(&tokens.access, t0 + LIFE), None);
        assert_eq!(sessions.user("other", t0), None);
    }

    #[test]
    fn a_refresh_token_works_once_and_voids_the_old_pair() {
        let t0 = Instant::now();
        let mut sessions = Sessions::new(LIFE);
        let first = sessions.open("u1", t0);
        let second = sessions.refresh(&first.refresh, t0).unwrap();
        assert_ne!(first.refresh, second.refresh);
        assert!(sessions.refresh(&first.refresh, t0).is_none());
        assert_eq!(sessions.user(&first.access, t0), None);
        assert_eq!(sessions.user(&second.access, t0), Some("u1"));
        // An expired access token does not void its refresh token.
        assert!(sessions.refresh(&second.refresh, t0 + LIFE * 10).is_some());
    }

    #[test]
    fn closing_ends_both_tokens_of_that_session_only() {
        let t0 = Instant::now();
        let mut sessions = Sessions::new(LIFE);
        let (a, b) = (sessions.open("u1", t0), sessions.open("u1", t0));
        assert!(sessions.close(&a.access, t0));
        assert!(!sessions.close(&a.access, t0));
        assert!(sessions.refresh(&a.refresh, t0).is_none());
        assert_eq!(sessions.user(&b.access, t0), Some("u1"));
    }
}
