//! Digest authentication: MD5 with qop=auth (RFC 2617, RFC 3261 section 22). Pure.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use md5::{Digest, Md5};
use secrecy::{ExposeSecret, SecretString};

use super::message::split_list;
use crate::tenant::opaque;
use crate::tls::hex;

/// What a request's credentials are worth.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// They are right, and this is whose they are.
    Good(String),
    /// None, or wrong ones.
    Bad,
    /// Right ones over a nonce that is too old, unknown, or used before.
    Stale,
}

struct Nonce {
    made: Instant,
    count: u32,
}

/// Makes challenges and checks answers.
pub(crate) struct Gate {
    realm: String,
    lifetime: Duration,
    nonces: HashMap<String, Nonce>,
}

impl Gate {
    /// A gate for one realm.
    pub fn new(realm: &str, lifetime: Duration) -> Self {
        Self { realm: realm.into(), lifetime, nonces: HashMap::new() }
    }

    /// Value of a WWW-Authenticate or Proxy-Authenticate header with a new nonce.
    pub fn challenge(&mut self, stale: bool, now: Instant) -> String {
        let lifetime = self.lifetime;
        self.nonces.retain(|_, nonce| now.duration_since(nonce.made) < lifetime);
        let nonce = opaque(32);
        let stale = if stale { ", stale=true" } else { "" };
        let value =
            format!("Digest realm=\"{}\", nonce=\"{nonce}\", algorithm=MD5, qop=\"auth\"{stale}", self.realm);
        self.nonces.insert(nonce, Nonce { made: now, count: 0 });
        value
    }

    /// Are these credentials for this PBX's realm?
    pub fn is_own(&self, credentials: &str) -> bool {
        Fields::parse(credentials).is_some_and(|fields| fields.get("realm") == Some(self.realm.as_str()))
    }

    /// Checks the credentials of a request with this method. `password` finds a user's password.
    pub fn check<'a>(
        &mut self,
        credentials: &str,
        method: &str,
        password: impl Fn(&str) -> Option<&'a SecretString>,
        now: Instant,
    ) -> Verdict {
        let Some(user) = self.verify(credentials, method, password) else {
            return Verdict::Bad;
        };
        let fields = Fields::parse(credentials);
        let field = |name| fields.as_ref().and_then(|f| f.get(name)).unwrap_or_default();
        let count = u32::from_str_radix(field("nc"), 16).unwrap_or_default();
        match self.nonces.get_mut(field("nonce")) {
            Some(nonce) if now.duration_since(nonce.made) < self.lifetime && count > nonce.count => {
                nonce.count = count;
                Verdict::Good(user)
            }
            _ => Verdict::Stale,
        }
    }

    /// The user, if the response was computed with that user's password.
    fn verify<'a>(
        &self,
        credentials: &str,
        method: &str,
        password: impl Fn(&str) -> Option<&'a SecretString>,
    ) -> Option<String> {
        let fields = Fields::parse(credentials)?;
        let get = |name| fields.get(name);
        let md5 = get("algorithm").is_none_or(|a| a.eq_ignore_ascii_case("MD5"));
        if get("realm")? != self.realm || get("qop")? != "auth" || !md5 {
            return None;
        }
        let user = get("username")?;
        let ha1 = hash(&[user, &self.realm, password(user)?.expose_secret()]);
        let ha2 = hash(&[method, get("uri")?]);
        let expected = hash(&[&ha1, get("nonce")?, get("nc")?, get("cnonce")?, "auth", &ha2]);
        get("response")?.eq_ignore_ascii_case(&expected).then(|| user.to_string())
    }
}

/// MD5 over the parts joined by colons, in lower-case hexadecimal.
fn hash(parts: &[&str]) -> String {
    hex(&Md5::digest(parts.join(":").as_bytes()))
}

/// The name=value pairs of a Digest header.
struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    fn parse(value: &'a str) -> Option<Self> {
        let (scheme, rest) = value.trim().split_once(char::is_whitespace)?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let pairs = split_list(rest).map(|pair| pair.split_once('='));
        let pairs: Option<Vec<_>> =
            pairs.map(|p| p.map(|(name, value)| (name.trim(), value.trim().trim_matches('"')))).collect();
        pairs.map(Self)
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// Credentials a phone would answer a challenge with.
#[cfg(test)]
pub(super) fn answer_for_test(challenge: &str, user: &str, password: &str, nc: &str, method: &str) -> String {
    let fields = Fields::parse(challenge).unwrap();
    let (realm, nonce) = (fields.get("realm").unwrap(), fields.get("nonce").unwrap());
    let ha1 = hash(&[user, realm, password]);
    let ha2 = hash(&[method, "sip:test.io"]);
    let response = hash(&[&ha1, nonce, nc, "c", "auth", &ha2]);
    format!(
        "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"sip:test.io\", \
         response=\"{response}\", cnonce=\"c\", qop=auth, nc={nc}, algorithm=MD5"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_2617_section_3_5() {
        let password = SecretString::from("Circle Of Life");
        let gate = Gate::new("testrealm@host.com", Duration::from_secs(60));
        let credentials = "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", \
            nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", qop=auth, nc=00000001, \
            cnonce=\"0a4f113b\", response=\"6629fae49393a05397450978507c4ef1\", \
            opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        assert_eq!(gate.verify(credentials, "GET", |_| Some(&password)).as_deref(), Some("Mufasa"));
        assert_eq!(gate.verify(credentials, "PUT", |_| Some(&password)), None);
    }

    #[test]
    fn good_bad_stale_and_replayed() {
        let password = SecretString::from("right");
        let find = |user: &str| (user == "101").then_some(&password);
        let mut gate = Gate::new("test.io", Duration::from_secs(60));
        let t0 = Instant::now();
        let challenge = gate.challenge(false, t0);
        let good = answer_for_test(&challenge, "101", "right", "00000001", "REGISTER");
        assert_eq!(gate.check(&good, "REGISTER", find, t0), Verdict::Good("101".into()));
        assert_eq!(gate.check(&good, "REGISTER", find, t0), Verdict::Stale);
        let next = answer_for_test(&challenge, "101", "right", "00000002", "REGISTER");
        assert_eq!(gate.check(&next, "INVITE", find, t0), Verdict::Bad);
        assert_eq!(gate.check(&next, "REGISTER", find, t0), Verdict::Good("101".into()));
        let late = answer_for_test(&challenge, "101", "right", "00000003", "REGISTER");
        assert_eq!(gate.check(&late, "REGISTER", find, t0 + Duration::from_secs(60)), Verdict::Stale);
        let wrong = answer_for_test(&challenge, "101", "wrong", "00000004", "REGISTER");
        assert_eq!(gate.check(&wrong, "REGISTER", find, t0), Verdict::Bad);
        let stranger = answer_for_test(&challenge, "999", "right", "00000005", "REGISTER");
        assert_eq!(gate.check(&stranger, "REGISTER", find, t0), Verdict::Bad);
        assert!(gate.challenge(true, t0).ends_with("stale=true"));
    }
}
