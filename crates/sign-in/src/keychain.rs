use keyring::v1::{Entry, Error};
use pbx_api::Cause;
use secrecy::zeroize::Zeroizing;

use crate::{SignInError, Vault};

/// Service under which entries are filed unless another is chosen.
pub const SERVICE: &str = "Carillon";

/// The operating system's keychain: Secret Service on Linux, Credential Manager on Windows, Keychain on macOS.
///
/// One entry per account: its service is [`SERVICE`] (or the name given), its user the account
/// (`user@domain`), its secret a JSON object with `v` (2), and, each where there is one, `access`, `refresh`,
/// `expires_at` (seconds since 1970-01-01 UTC), `dialect` (`auth`, `oauth`, `cookie`, `token`) and
/// `sip_password`; a plain SIP account has the last only. Entries of version 1, which had no `dialect`, are
/// read. Windows holds no more than 2560 bytes in one entry; what does not fit is refused with
/// [`SignInError::KeychainFailed`].
#[derive(Debug)]
pub struct Keychain {
    service: String,
}

impl Keychain {
    /// A keychain that files its entries under a service.
    pub fn new(service: impl Into<String>) -> Self {
        Self { service: service.into() }
    }

    fn entry(&self, account: &str) -> Result<Entry, SignInError> {
        // The store is opened once per process. Why it could not be is told here only: `Entry::new` knows no
        // more than that there is none.
        match Entry::store_status() {
            Ok(()) => Entry::new(&self.service, account).map_err(failure),
            Err(error @ Error::NoStorageAccess(_)) => {
                Err(SignInError::KeychainLocked { cause: text_of(error) })
            }
            Err(error) => Err(SignInError::KeychainAbsent { cause: text_of(error) }),
        }
    }
}

impl Vault for Keychain {
    fn get(&self, account: &str) -> Result<Option<Zeroizing<Vec<u8>>>, SignInError> {
        match self.entry(account)?.get_secret() {
            Ok(entry) => Ok(Some(Zeroizing::new(entry))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(failure(error)),
        }
    }

    fn set(&self, account: &str, entry: &[u8]) -> Result<(), SignInError> {
        self.entry(account)?.set_secret(entry).map_err(failure)
    }

    fn delete(&self, account: &str) -> Result<(), SignInError> {
        match self.entry(account)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(failure(error)),
        }
    }
}

fn failure(error: Error) -> SignInError {
    match error {
        Error::NoStorageAccess(cause) => SignInError::KeychainLocked { cause: Cause::new(cause) },
        Error::NoDefaultStore => SignInError::KeychainAbsent { cause: Cause::new(Error::NoDefaultStore) },
        // These carry the secret itself.
        Error::BadEncoding(_) | Error::BadDataFormat(..) => {
            SignInError::KeychainFailed { cause: text_of(&error) }
        }
        other => SignInError::KeychainFailed { cause: Cause::new(other) },
    }
}

fn text_of(error: &Error) -> Cause {
    Cause::new(error.to_string())
}
