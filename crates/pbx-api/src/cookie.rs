//! The sign-in of the oldest servers: a cookie session, which tells the access token.

use std::time::SystemTime;

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use crate::auth::{credentials, wrong_credentials};
use crate::json::Object;
use crate::request::{Answer, JSON_LIMIT};
use crate::{ApiError, Client, SipDomain, Tokens, timestamp};

/// Longest `Cookie` header sent, bytes.
const COOKIES_LIMIT: usize = 8 * 1024;

impl Client {
    /// `POST /login`, then `GET /login` with the cookies it gave: user name and password for an access token, at
    /// a PBX older than 22.2. Nothing comes with it to renew it by. The password is sent exactly once.
    ///
    /// # Errors
    /// [`ApiError::WrongCredentials`] where user name or password is refused; [`ApiError::NotFound`] from a PBX
    /// that does not know it; [`ApiError::NotUnderstood`] where no session comes of it.
    pub async fn sign_in_cookie(
        &self,
        domain: &SipDomain,
        username: &str,
        password: &SecretString,
    ) -> Result<Tokens, ApiError> {
        let fields = credentials(domain, username, password);
        let answer = self.post(self.url("login")).json(&fields)?.answer(JSON_LIMIT).await;
        let session = self.cookie_session(&answer.map_err(wrong_credentials)?).await?;
        session.ok_or_else(|| ApiError::NotUnderstood { what: "login gave no cookie".into() })
    }

    /// `GET /login` with the cookies of an answer; `None` where it has none.
    pub(crate) async fn cookie_session(&self, answer: &Answer) -> Result<Option<Tokens>, ApiError> {
        let Some(cookies) = cookies(answer.set_cookies()) else { return Ok(None) };
        let answer = self.get(self.url("login")).cookies(&cookies)?.answer(JSON_LIMIT).await?;
        read(&answer.bytes, answer.date()).map(Some)
    }
}

/// What to send back of `Set-Cookie` lines (RFC 6265, section 5.2): the last pair of each name, in the order of
/// the names' first mention. All of them belong to the one server there is, so their attributes say nothing but
/// that a cookie is taken back.
pub(crate) fn cookies<'a>(lines: impl Iterator<Item = &'a str>) -> Option<SecretString> {
    let mut pairs = Vec::<(&str, Option<&str>)>::new();
    for line in lines {
        let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
        let Some((name, value)) = pair.split_once('=') else { continue };
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() {
            continue;
        }
        let value = Some(value).filter(|_| !taken_back(attributes));
        match pairs.iter_mut().find(|(known, _)| *known == name) {
            Some(known) => known.1 = value,
            None => pairs.push((name, value)),
        }
    }
    let mut header = Zeroizing::new(String::with_capacity(COOKIES_LIMIT));
    for (name, value) in pairs {
        let Some(value) = value else { continue };
        if header.len() + name.len() + value.len() + 3 > COOKIES_LIMIT {
            return None;
        }
        if !header.is_empty() {
            header.push_str("; ");
        }
        header.push_str(name);
        header.push('=');
        header.push_str(value);
    }
    Some(SecretString::from(header.as_str())).filter(|header| !header.expose_secret().is_empty())
}

/// `Max-Age` of zero or less: how a cookie is withdrawn.
fn taken_back(attributes: &str) -> bool {
    attributes.split(';').filter_map(|one| one.split_once('=')).any(|(name, value)| {
        name.trim().eq_ignore_ascii_case("max-age") && value.trim().parse::<i64>().is_ok_and(|age| age <= 0)
    })
}

/// Reads `GET /login`; `now` by the clock that wrote it, for an answer that tells the end and not the lifetime.
pub(crate) fn read(bytes: &[u8], now: SystemTime) -> Result<Tokens, ApiError> {
    let mut answer = Object::parse("login", bytes)?;
    // Of another type than documented it says nothing, and the session stands all the same.
    let ends = if answer.has("expires_in") { None } else { answer.text("expires_at").ok().flatten() };
    let mut tokens = Tokens::read(&mut answer)?;
    if let Some(ends) = ends.and_then(|ends| timestamp::parse(&ends)) {
        tokens.limit(ends.duration_since(now).unwrap_or_default());
    }
    // There is no operation that would take one.
    tokens.refresh = None;
    Ok(tokens)
}
