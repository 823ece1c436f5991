use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use secrecy::zeroize::Zeroizing;
use sign_in::{MemoryVault, SignInError, Vault};

use crate::ACCOUNT;

/// A vault that the test can look into.
#[derive(Clone, Default)]
pub struct OpenVault(pub Arc<MemoryVault>, pub Arc<Turn>);

/// Number of the write under way, and how long each takes.
#[derive(Default)]
pub struct Turn {
    pub write: AtomicUsize,
    pub takes: Duration,
}

impl Vault for OpenVault {
    fn get(&self, account: &str) -> Result<Option<Zeroizing<Vec<u8>>>, SignInError> {
        self.0.get(account)
    }

    fn set(&self, account: &str, entry: &[u8]) -> Result<(), SignInError> {
        self.1.write.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(self.1.takes);
        self.0.set(account, entry)
    }

    fn delete(&self, account: &str) -> Result<(), SignInError> {
        self.0.delete(account)
    }
}

impl OpenVault {
    pub fn text(&self) -> Option<String> {
        self.0.get(ACCOUNT).unwrap().map(|entry| String::from_utf8(entry.to_vec()).unwrap())
    }
}
