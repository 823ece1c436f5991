//! Digest authentication (RFC 7616 and 8760, as used by RFC 3261, section 22): MD5, SHA-256 and SHA-512-256, with
//! and without `-sess`, `qop=auth`, `auth-int` or none. Nonces are kept and counted over all requests of an account,
//! so that later ones need no challenge.

mod algorithm;
mod challenge;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rsipstack::sip::{Header, Response};
use secrecy::SecretString;

use crate::header::parameters;
use algorithm::Algorithm;
pub(crate) use challenge::Challenge;
use challenge::Subject;

/// Rounds in which a server may call the nonce stale before that counts as a refusal.
const STALE_ROUNDS: u8 = 3;
/// Realms that one request may be challenged for.
const MOST_REALMS: usize = 4;

/// Who asks for credentials: the server a request is for (401) or a proxy on the way (407).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    Server,
    Proxy,
}

#[derive(Debug)]
struct Credentials {
    user: String,
    password: SecretString,
}

/// A server's nonce and how often it has been used.
#[derive(Debug)]
struct Nonce {
    challenge: Challenge,
    used: AtomicU32,
    first_cnonce: OnceLock<String>,
}

impl Nonce {
    fn new(challenge: Challenge) -> Arc<Self> {
        Arc::new(Self { challenge, used: AtomicU32::new(0), first_cnonce: OnceLock::new() })
    }
}

/// Nonces that have been accepted, at most one a realm.
type Known = Arc<Mutex<Vec<Arc<Nonce>>>>;

/// Answers challenges with one user's credentials. Clones share the nonces that servers have accepted, and their
/// counts; a challenge just received is answered first by the clone that received it, so that nobody else's request
/// can get ahead of it and make a right password look wrong.
#[derive(Debug, Clone)]
pub(crate) struct Authenticator {
    credentials: Arc<Credentials>,
    servers: Known,
    proxies: Known,
    own: Vec<Arc<Nonce>>,
    /// What the last request was sent with.
    sent: Vec<Arc<Nonce>>,
}

/// What to do about a 401 or 407.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Send the request again, with [`Authenticator::answers`].
    Retry,
    /// Credentials were sent and refused.
    Refused,
    /// No challenge among them can be answered.
    NotUnderstood,
}

/// Challenges already answered for one request.
#[derive(Debug, Default)]
pub(crate) struct Rounds(Vec<(Challenge, u8)>);

impl Authenticator {
    pub(crate) fn new(user: &str, password: SecretString) -> Self {
        Self {
            credentials: Arc::new(Credentials { user: user.to_owned(), password }),
            servers: Known::default(),
            proxies: Known::default(),
            own: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// One for requests to another server behind the same proxies: what the registrar asked for is nothing for
    /// those who are called, who would get material to guess the password from.
    pub(crate) fn apart(&self) -> Self {
        Self { servers: Known::default(), own: Vec::new(), sent: Vec::new(), ..self.clone() }
    }

    /// Takes the challenges of a 401 or 407, the strongest of each realm.
    pub(crate) fn learn(&mut self, mut challenges: Vec<Challenge>, rounds: &mut Rounds) -> Verdict {
        challenges.sort_by_key(|challenge| std::cmp::Reverse(challenge.algorithm));
        let mut strongest: Vec<Challenge> = Vec::new();
        for challenge in challenges {
            if !strongest.iter().any(|other| other.is_for_same_as(&challenge)) {
                strongest.push(challenge);
            }
        }
        if strongest.is_empty() {
            return Verdict::NotUnderstood;
        }
        for challenge in strongest {
            let more = rounds.0.len() < MOST_REALMS;
            match rounds.0.iter_mut().find(|(answered, _)| answered.is_for_same_as(&challenge)) {
                Some((_, count)) if challenge.stale && *count < STALE_ROUNDS => *count += 1,
                None if more => rounds.0.push((challenge.clone(), 1)),
                _ => return Verdict::Refused,
            }
            put(&mut self.own, Nonce::new(challenge));
        }
        Verdict::Retry
    }

    /// Values of the `Authorization` and `Proxy-Authorization` headers to send with a request.
    pub(crate) fn answers(
        &mut self,
        method: &str,
        uri: &str,
        body: &[u8],
        cnonce: &str,
    ) -> Vec<(Asker, String)> {
        let mut nonces = list(&self.servers).clone();
        nonces.extend(list(&self.proxies).iter().cloned());
        for own in &self.own {
            put(&mut nonces, own.clone());
        }
        let answers = nonces.iter().map(|nonce| {
            let count = nonce.used.fetch_add(1, Ordering::Relaxed).saturating_add(1);
            let first_cnonce = nonce.first_cnonce.get_or_init(|| cnonce.to_owned());
            let subject = Subject { method, uri, body, count, cnonce, first_cnonce };
            (nonce.challenge.asker, nonce.challenge.answer(&self.credentials, &subject))
        });
        let answers = answers.collect();
        self.sent = nonces;
        answers
    }

    /// Takes note of the final answer to the request last sent: what it was sent with may be used by every other
    /// request from now on, unless the server has named its next nonce (RFC 7616, section 3.5).
    pub(crate) fn answered(&mut self, response: &Response) {
        let status = response.status_code.code();
        if matches!(status, 401 | 403 | 407) {
            return;
        }
        for own in std::mem::take(&mut self.own) {
            if self.sent.iter().any(|sent| Arc::ptr_eq(sent, &own)) {
                self.share(own);
            }
        }
        for (asker, nonce) in next_nonces(response) {
            let mut of_asker = self.sent.iter().filter(|sent| sent.challenge.asker == asker);
            // It names no realm, so it must be the only one.
            if let (Some(sent), None) = (of_asker.next(), of_asker.next()) {
                let next = Nonce::new(sent.challenge.renewed(nonce));
                self.share(next);
            }
        }
    }

    fn share(&self, nonce: Arc<Nonce>) {
        match nonce.challenge.asker {
            Asker::Server => put(&mut list(&self.servers), nonce),
            Asker::Proxy => put(&mut list(&self.proxies), nonce),
        }
    }
}

fn list(known: &Known) -> std::sync::MutexGuard<'_, Vec<Arc<Nonce>>> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts a nonce in the place of an earlier one of its realm.
fn put(nonces: &mut Vec<Arc<Nonce>>, nonce: Arc<Nonce>) {
    nonces.retain(|other| !other.challenge.is_for_same_as(&nonce.challenge));
    if nonces.len() >= MOST_REALMS {
        nonces.remove(0);
    }
    nonces.push(nonce);
}

/// What `Authentication-Info` and `Proxy-Authentication-Info` say of the next nonce.
fn next_nonces(response: &Response) -> Vec<(Asker, String)> {
    let mut found = Vec::new();
    for header in response.headers.iter() {
        let (asker, value) = match header {
            Header::AuthenticationInfo(value) => (Asker::Server, value.value()),
            Header::Other(name, value) if name.eq_ignore_ascii_case("Proxy-Authentication-Info") => {
                (Asker::Proxy, value.as_str())
            }
            _ => continue,
        };
        let next = parameters(value, ',').into_iter().find(|(name, _)| name == "nextnonce");
        found.extend(next.map(|(_, nonce)| (asker, nonce)));
    }
    found
}

#[cfg(test)]
mod tests;
