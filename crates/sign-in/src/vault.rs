use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use secrecy::zeroize::Zeroizing;

use crate::SignInError;

/// A place for secrets, one entry per account. Calls may block for as long as the vault's owner thinks; a
/// [`Keeper`](crate::Keeper) makes them from a thread of its own.
pub trait Vault: Send + 'static {
    /// Reads an entry; `None` where there is none.
    ///
    /// # Errors
    /// One of the keychain errors of [`SignInError`].
    fn get(&self, account: &str) -> Result<Option<Zeroizing<Vec<u8>>>, SignInError>;

    /// Writes an entry in one step; what was there before is gone.
    ///
    /// # Errors
    /// One of the keychain errors of [`SignInError`].
    fn set(&self, account: &str, entry: &[u8]) -> Result<(), SignInError>;

    /// Deletes an entry, whether or not it is there.
    ///
    /// # Errors
    /// One of the keychain errors of [`SignInError`].
    fn delete(&self, account: &str) -> Result<(), SignInError>;
}

/// A vault that forgets everything when it is dropped.
#[derive(Default)]
pub struct MemoryVault(Mutex<HashMap<String, Zeroizing<Vec<u8>>>>);

impl Vault for MemoryVault {
    fn get(&self, account: &str) -> Result<Option<Zeroizing<Vec<u8>>>, SignInError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(account).cloned())
    }

    fn set(&self, account: &str, entry: &[u8]) -> Result<(), SignInError> {
        let entry = Zeroizing::new(entry.to_vec());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(account.to_owned(), entry);
        Ok(())
    }

    fn delete(&self, account: &str) -> Result<(), SignInError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(account);
        Ok(())
    }
}
