use std::time::{Duration, SystemTime};

use pbx_api::{Cause, Dialect, Tokens};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::SignInError;

/// Room for the entry as JSON, so that it does not grow by copying and leave unwiped copies behind.
const ROOM: usize = 16 * 1024;

/// Shape of the entry written.
const VERSION: u8 = 2;

/// Lifetime assumed of a session that can be renewed (the shorter of the two documented examples).
const ASSUMED_LIFETIME: Duration = Duration::from_secs(1800);

/// The secrets of one account. They are stored as one vault entry, so that both tokens are replaced at once.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// The session at the PBX; a plain SIP account has none.
    pub session: Option<SessionSecrets>,
    /// The extension's SIP password, once known.
    pub sip_password: Option<SecretString>,
}

/// The secrets of a session at the PBX.
#[derive(Debug, Clone)]
pub struct SessionSecrets {
    /// Access token.
    pub access: SecretString,
    /// Refresh token, where the dialect has one.
    pub refresh: Option<SecretString>,
    /// When the access token ends, where the PBX said so.
    pub expires_at: Option<SystemTime>,
    /// How the session is renewed and ended.
    pub dialect: Dialect,
}

#[derive(Serialize)]
struct Written<'a> {
    v: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<&'a str>,
    /// Seconds since 1970-01-01 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dialect: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sip_password: Option<&'a str>,
}

/// Version 1 knew no dialect but the newest, and no account without a session.
#[derive(Deserialize)]
struct Read {
    v: u8,
    #[serde(default)]
    access: Option<SecretString>,
    #[serde(default)]
    refresh: Option<SecretString>,
    #[serde(default)]
    expires_at: Option<u64>,
    #[serde(default)]
    dialect: Option<String>,
    #[serde(default)]
    sip_password: Option<SecretString>,
}

impl Secrets {
    /// The secrets of an account with a session.
    pub fn new(session: SessionSecrets, sip_password: Option<SecretString>) -> Self {
        Self { session: Some(session), sip_password }
    }

    /// The secrets of a plain SIP account.
    pub fn plain(sip_password: SecretString) -> Self {
        Self { session: None, sip_password: Some(sip_password) }
    }

    /// The vault entry.
    pub(crate) fn to_entry(&self) -> Result<Zeroizing<Vec<u8>>, SignInError> {
        let mut entry = Zeroizing::new(Vec::with_capacity(ROOM));
        let session = self.session.as_ref();
        let written = Written {
            v: VERSION,
            access: session.map(|session| session.access.expose_secret()),
            refresh: session.and_then(|session| session.refresh.as_ref()).map(ExposeSecret::expose_secret),
            expires_at: session.and_then(|session| session.expires_at).map(seconds),
            dialect: session.map(|session| name(session.dialect)),
            sip_password: self.sip_password.as_ref().map(ExposeSecret::expose_secret),
        };
        serde_json::to_writer(&mut *entry, &written)
            .map_err(|error| SignInError::KeychainFailed { cause: Cause::new(error) })?;
        Ok(entry)
    }

    /// Reads a vault entry, of this version or the one before.
    pub(crate) fn from_entry(entry: &[u8]) -> Result<Self, SignInError> {
        // serde_json's own words may quote the entry.
        let read: Read = serde_json::from_slice(entry).map_err(|_| not_ours())?;
        let expires_at = match read.expires_at.map(Duration::from_secs) {
            Some(since) => Some(SystemTime::UNIX_EPOCH.checked_add(since).ok_or_else(not_ours)?),
            None => None,
        };
        let dialect = match (read.v, read.dialect.as_deref()) {
            (1, None) if read.access.is_some() && read.refresh.is_some() && expires_at.is_some() => {
                Some(Dialect::Auth)
            }
            (VERSION, None) if read.access.is_none() => None,
            (VERSION, Some(told)) => Some(dialect(told).ok_or_else(not_ours)?),
            _ => return Err(not_ours()),
        };
        let session = match (dialect, read.access) {
            (Some(dialect), Some(access)) => {
                Some(SessionSecrets { access, refresh: read.refresh, expires_at, dialect })
            }
            (None, None) if read.sip_password.is_some() => None,
            _ => return Err(not_ours()),
        };
        Ok(Self { session, sip_password: read.sip_password })
    }
}

impl SessionSecrets {
    /// The secrets of a session whose tokens were given at `now`. A session that can be renewed is, in time, where
    /// nothing was said of its end; one that cannot then lasts until it is refused.
    pub fn new(dialect: Dialect, tokens: Tokens, now: SystemTime) -> Self {
        let Tokens { access, refresh, expires_in, .. } = tokens;
        let untold = expires_in == Duration::MAX && refresh.is_some();
        let expires_in = if untold { ASSUMED_LIFETIME } else { expires_in };
        Self { access, refresh, expires_at: now.checked_add(expires_in), dialect }
    }
}

fn not_ours() -> SignInError {
    SignInError::KeychainFailed { cause: Cause::new("the entry is not one of ours") }
}

fn seconds(at: SystemTime) -> u64 {
    at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Auth => "auth",
        Dialect::OAuth => "oauth",
        Dialect::Cookie => "cookie",
        Dialect::Token => "token",
    }
}

fn dialect(told: &str) -> Option<Dialect> {
    [Dialect::Auth, Dialect::OAuth, Dialect::Cookie, Dialect::Token]
        .into_iter()
        .find(|dialect| name(*dialect) == told)
}

#[cfg(test)]
mod tests;
