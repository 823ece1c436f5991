//! Digest authentication (RFC 7616 and 8760, as used by RFC 3261, section 22): MD5 and SHA-256, with and
//! without `-sess`, `qop=auth` or none. Nonces are kept and counted, so that later requests need no challenge.

use md5::Md5;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::header::{elements, parameters, quote};

/// Rounds in which a server may call the nonce stale before that counts as a refusal.
const STALE_ROUNDS: u8 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    Md5,
    Md5Sess,
    Sha256,
    Sha256Sess,
}

impl Algorithm {
    fn parse(name: &str) -> Option<Self> {
        [Self::Md5, Self::Md5Sess, Self::Sha256, Self::Sha256Sess]
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Md5Sess => "MD5-sess",
            Self::Sha256 => "SHA-256",
            Self::Sha256Sess => "SHA-256-sess",
        }
    }

    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 | Self::Md5Sess => hexadecimal(&<Md5 as md5::Digest>::digest(text)),
            Self::Sha256 | Self::Sha256Sess => hexadecimal(&<Sha256 as sha2::Digest>::digest(text)),
        }
    }

    fn is_session(self) -> bool {
        matches!(self, Self::Md5Sess | Self::Sha256Sess)
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Who asks for credentials: the server a request is for (401) or a proxy on the way (407).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    Server,
    Proxy,
}

/// One `WWW-Authenticate` or `Proxy-Authenticate` that can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    asker: Asker,
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    named_algorithm: bool,
    qop: bool,
    stale: bool,
}

impl Challenge {
    /// Reads a header value; `None` where its scheme, algorithm or protection is not one of ours.
    pub(crate) fn parse(asker: Asker, value: &str) -> Option<Self> {
        let (scheme, list) = value.trim().split_once(char::is_whitespace)?;
        if !scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let list = parameters(list, ',');
        let get = |name: &str| list.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let algorithm = get("algorithm").filter(|name| !name.is_empty());
        let qop = get("qop").filter(|offers| !offers.trim().is_empty());
        if let Some(offers) = &qop
            && !elements(offers).iter().any(|offer| offer.eq_ignore_ascii_case("auth"))
        {
            return None;
        }
        Some(Self {
            asker,
            realm: get("realm")?,
            nonce: get("nonce")?,
            opaque: get("opaque"),
            algorithm: algorithm.as_deref().map_or(Some(Algorithm::Md5), Algorithm::parse)?,
            named_algorithm: algorithm.is_some(),
            qop: qop.is_some(),
            stale: get("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }

    fn is_for_same_as(&self, other: &Self) -> bool {
        self.asker == other.asker && self.realm == other.realm
    }

    fn answer(&self, who: &Credentials, method: &str, uri: &str, count: u32, cnonce: &str) -> String {
        let Self { realm, nonce, algorithm, .. } = self;
        let hash = |text: &str| algorithm.hash(text);
        let mut ha1 = hash(&format!("{}:{realm}:{}", who.user, who.password.expose_secret()));
        if algorithm.is_session() {
            ha1 = hash(&format!("{ha1}:{nonce}:{cnonce}"));
        }
        let ha2 = hash(&format!("{method}:{uri}"));
        let response = if self.qop {
            hash(&format!("{ha1}:{nonce}:{count:08x}:{cnonce}:auth:{ha2}"))
        } else {
            hash(&format!("{ha1}:{nonce}:{ha2}"))
        };
        let mut header = format!(
            "Digest username={}, realm={}, nonce={}, uri=\"{uri}\", response=\"{response}\"",
            quote(&who.user),
            quote(realm),
            quote(nonce)
        );
        if self.named_algorithm {
            header.push_str(&format!(", algorithm={}", algorithm.name()));
        }
        if let Some(opaque) = &self.opaque {
            header.push_str(&format!(", opaque={}", quote(opaque)));
        }
        if self.qop {
            header.push_str(&format!(", qop=auth, nc={count:08x}, cnonce=\"{cnonce}\""));
        } else if algorithm.is_session() {
            header.push_str(&format!(", cnonce=\"{cnonce}\""));
        }
        header
    }
}

#[derive(Debug, Clone)]
struct Credentials {
    user: String,
    password: SecretString,
}

/// Answers challenges with one user's credentials and remembers their nonces.
#[derive(Debug, Clone)]
pub(crate) struct Authenticator {
    credentials: Credentials,
    known: Vec<(Challenge, u32)>,
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
        Self { credentials: Credentials { user: user.to_owned(), password }, known: Vec::new() }
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
            match rounds.0.iter_mut().find(|(answered, _)| answered.is_for_same_as(&challenge)) {
                Some((_, count)) if challenge.stale && *count < STALE_ROUNDS => *count += 1,
                Some(_) => return Verdict::Refused,
                None => rounds.0.push((challenge.clone(), 1)),
            }
            self.known.retain(|(known, _)| !known.is_for_same_as(&challenge));
            self.known.push((challenge, 0));
        }
        Verdict::Retry
    }

    /// Values of the `Authorization` and `Proxy-Authorization` headers to send with a request.
    pub(crate) fn answers(&mut self, method: &str, uri: &str, cnonce: &str) -> Vec<(Asker, String)> {
        let Self { credentials, known } = self;
        known
            .iter_mut()
            .map(|(challenge, count)| {
                *count += 1;
                (challenge.asker, challenge.answer(credentials, method, uri, *count, cnonce))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
