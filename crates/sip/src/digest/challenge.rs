use secrecy::ExposeSecret;

use super::{Algorithm, Asker, Credentials};
use crate::header::{elements, parameters, parts, quote};

/// Challenges read from one header value. More of them are no server's honest wish.
const MOST: usize = 8;

/// What of a request the digest covers (RFC 7616, section 3.4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protection {
    /// RFC 2069: method and URI, and no count.
    Old,
    /// Method and URI.
    Auth,
    /// The body as well.
    AuthInt,
}

/// One challenge of a `WWW-Authenticate` or `Proxy-Authenticate` that can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(super) asker: Asker,
    pub(super) realm: String,
    pub(super) stale: bool,
    pub(super) algorithm: Algorithm,
    pub(super) nonce: String,
    opaque: Option<String>,
    named_algorithm: bool,
    protection: Protection,
    hides_user: bool,
}

/// What the digest of one request is made over.
pub(super) struct Subject<'a> {
    pub method: &'a str,
    pub uri: &'a str,
    pub body: &'a [u8],
    /// How often the nonce has been used, this time included.
    pub count: u32,
    pub cnonce: &'a str,
    /// The client nonce of the nonce's first use, which the `-sess` algorithms hold on to.
    pub first_cnonce: &'a str,
}

impl Challenge {
    /// Reads a header value, which may hold several challenges. Those whose scheme, algorithm or protection is
    /// none of ours are left out.
    pub(crate) fn all(asker: Asker, value: &str) -> Vec<Self> {
        let mut lists: Vec<(String, Vec<String>)> = Vec::new();
        for part in parts(value, ',') {
            match scheme(&part) {
                Some((scheme, first)) => lists.push((scheme.to_owned(), vec![first.to_owned()])),
                None => {
                    if let Some((_, list)) = lists.last_mut() {
                        list.push(part);
                    }
                }
            }
        }
        lists
            .into_iter()
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("digest"))
            .filter_map(|(_, list)| Self::read(asker, &list.join(",")))
            .take(MOST)
            .collect()
    }

    fn read(asker: Asker, list: &str) -> Option<Self> {
        let list = parameters(list, ',');
        let get = |name: &str| list.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let algorithm = get("algorithm").filter(|name| !name.is_empty());
        let protection = match get("qop").filter(|offers| !offers.trim().is_empty()) {
            None => Protection::Old,
            Some(offers) => {
                let offers = elements(&offers);
                let offered = |name: &str| offers.iter().any(|offer| offer.eq_ignore_ascii_case(name));
                // A body may be changed by servers on the way, so it is covered only where it must be.
                if offered("auth") {
                    Protection::Auth
                } else if offered("auth-int") {
                    Protection::AuthInt
                } else {
                    return None;
                }
            }
        };
        let is_true = |name: &str| get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        Some(Self {
            asker,
            realm: get("realm")?,
            nonce: get("nonce")?,
            opaque: get("opaque"),
            algorithm: algorithm.as_deref().map_or(Some(Algorithm::MD5), Algorithm::parse)?,
            named_algorithm: algorithm.is_some(),
            protection,
            stale: is_true("stale"),
            hides_user: is_true("userhash"),
        })
    }

    /// Whether credentials for the one are credentials for the other.
    pub(super) fn is_for_same_as(&self, other: &Self) -> bool {
        self.asker == other.asker && self.realm == other.realm
    }

    /// The same challenge with another nonce.
    pub(super) fn renewed(&self, nonce: String) -> Self {
        Self { nonce, stale: false, ..self.clone() }
    }

    /// The value of the header that answers it.
    pub(super) fn answer(&self, who: &Credentials, subject: &Subject<'_>) -> String {
        let Self { realm, nonce, algorithm, .. } = self;
        let Subject { method, uri, body, count, cnonce, first_cnonce } = subject;
        let hash = |text: String| algorithm.hash(text);
        let mut ha1 = hash(format!("{}:{realm}:{}", who.user, who.password.expose_secret()));
        if algorithm.is_session() {
            ha1 = hash(format!("{ha1}:{nonce}:{first_cnonce}"));
        }
        let ha2 = match self.protection {
            Protection::AuthInt => hash(format!("{method}:{uri}:{}", algorithm.hash(body))),
            Protection::Old | Protection::Auth => hash(format!("{method}:{uri}")),
        };
        let qop = match self.protection {
            Protection::Old => None,
            Protection::Auth => Some("auth"),
            Protection::AuthInt => Some("auth-int"),
        };
        let response = match qop {
            Some(qop) => hash(format!("{ha1}:{nonce}:{count:08x}:{cnonce}:{qop}:{ha2}")),
            None => hash(format!("{ha1}:{nonce}:{ha2}")),
        };
        let user = if self.hides_user { hash(format!("{}:{realm}", who.user)) } else { who.user.clone() };
        let mut header = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{response}\"",
            quote(&user),
            quote(realm),
            quote(nonce),
            quote(uri)
        );
        if self.named_algorithm {
            header.push_str(&format!(", algorithm={}", algorithm.name()));
        }
        if let Some(opaque) = &self.opaque {
            header.push_str(&format!(", opaque={}", quote(opaque)));
        }
        if let Some(qop) = qop {
            header.push_str(&format!(", qop={qop}, nc={count:08x}, cnonce={}", quote(cnonce)));
        } else if algorithm.is_session() {
            header.push_str(&format!(", cnonce={}", quote(first_cnonce)));
        }
        if self.hides_user {
            header.push_str(", userhash=true");
        }
        header
    }
}

/// Splits the part of a list that begins a new challenge into its scheme and its first parameter.
fn scheme(part: &str) -> Option<(&str, &str)> {
    let (scheme, first) = part.split_once(char::is_whitespace)?;
    let first = first.trim_start();
    let is_token = scheme.chars().all(|c| c.is_ascii_alphanumeric() || "-.!%*_+`'~".contains(c));
    (is_token && !first.starts_with('=')).then_some((scheme, first))
}
