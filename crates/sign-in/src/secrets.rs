use std::time::{Duration, SystemTime};

use pbx_api::{Cause, Tokens};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::SignInError;

/// Room for the entry as JSON, so that it does not grow by copying and leave unwiped copies behind.
const ROOM: usize = 16 * 1024;

/// Shape of the entry written.
const VERSION: u8 = 1;

/// The secrets of one account. They are stored as one vault entry, so that both tokens are replaced at once.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// Access token.
    pub access: SecretString,
    /// Refresh token, where the session has one.
    pub refresh: Option<SecretString>,
    /// When the access token ends.
    pub expires_at: SystemTime,
    /// The extension's SIP password, once known.
    pub sip_password: Option<SecretString>,
}

#[derive(Serialize)]
struct Written<'a> {
    v: u8,
    access: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<&'a str>,
    /// Seconds since 1970-01-01 UTC.
    expires_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sip_password: Option<&'a str>,
}

#[derive(Deserialize)]
struct Read {
    v: u8,
    access: SecretString,
    #[serde(default)]
    refresh: Option<SecretString>,
    expires_at: u64,
    #[serde(default)]
    sip_password: Option<SecretString>,
}

impl Secrets {
    /// The secrets of a session whose tokens were given at `now`.
    pub fn new(tokens: Tokens, sip_password: Option<SecretString>, now: SystemTime) -> Self {
        let expires_at = now.checked_add(tokens.expires_in).unwrap_or(now);
        Self { access: tokens.access, refresh: tokens.refresh, expires_at, sip_password }
    }

    /// The vault entry.
    pub(crate) fn to_entry(&self) -> Result<Zeroizing<Vec<u8>>, SignInError> {
        let mut entry = Zeroizing::new(Vec::with_capacity(ROOM));
        let written = Written {
            v: VERSION,
            access: self.access.expose_secret(),
            refresh: self.refresh.as_ref().map(ExposeSecret::expose_secret),
            expires_at: self.expires_at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs(),
            sip_password: self.sip_password.as_ref().map(ExposeSecret::expose_secret),
        };
        serde_json::to_writer(&mut *entry, &written)
            .map_err(|error| SignInError::KeychainFailed { cause: Cause::new(error) })?;
        Ok(entry)
    }

    /// Reads a vault entry.
    pub(crate) fn from_entry(entry: &[u8]) -> Result<Self, SignInError> {
        let not_ours = || SignInError::KeychainFailed { cause: Cause::new("the entry is not one of ours") };
        // serde_json's own words may quote the entry.
        let read: Read = serde_json::from_slice(entry).map_err(|_| not_ours())?;
        let expires_at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(read.expires_at));
        match expires_at {
            Some(expires_at) if read.v == VERSION => Ok(Self {
                access: read.access,
                refresh: read.refresh,
                expires_at,
                sip_password: read.sip_password,
            }),
            _ => Err(not_ours()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use proptest::prelude::{any, proptest};
    use secrecy::ExposeSecret;

    use super::Secrets;

    #[test]
    fn there_and_back() {
        for sip_password in [None, Some("p\"w".into())] {
            let secrets = Secrets {
                access: "a".into(),
                refresh: Some("r".into()),
                expires_at: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
                sip_password,
            };
            let back = Secrets::from_entry(&secrets.to_entry().unwrap()).unwrap();
            assert_eq!(back.access.expose_secret(), "a");
            assert_eq!(back.refresh.as_ref().unwrap().expose_secret(), "r");
            assert_eq!(back.expires_at, secrets.expires_at);
            let passwords = [&back, &secrets]
                .map(|one| one.sip_password.as_ref().map(|word| word.expose_secret().to_owned()));
            assert_eq!(passwords[0], passwords[1]);
        }
    }

    #[test]
    fn what_is_not_ours_is_refused_without_quoting_it() {
        for entry in [
            "",
            "sesame",
            r#"{"v":2,"access":"sesame","refresh":"sesame","expires_at":1}"#,
            r#"{"v":1,"access":"sesame"}"#,
            r#"{"v":1,"access":"sesame","refresh":"sesame","expires_at":"sesame"}"#,
            r#"{"v":1,"access":"sesame","refresh":"sesame","expires_at":18446744073709551615}"#,
        ] {
            let error = Secrets::from_entry(entry.as_bytes()).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("sesame"), "{error:?}");
        }
    }

    proptest! {
        #[test]
        fn any_entry(entry in any::<Vec<u8>>()) {
            let _ = Secrets::from_entry(&entry);
        }
    }
}
