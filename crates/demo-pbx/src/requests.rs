//! Counters: how often each endpoint and each SIP method was asked for.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Requests seen so far, by name: `GET /info`, `POST /auth/sign_in`, `SIP REGISTER`.
#[derive(Debug, Default)]
pub(crate) struct Requests(Mutex<BTreeMap<String, u64>>);

impl Requests {
    pub fn count(&self, name: String) {
        *lock(&self.0).entry(name).or_default() += 1;
    }

    pub fn all(&self) -> BTreeMap<String, u64> {
        lock(&self.0).clone()
    }
}

/// Locks, also after a panic elsewhere: nothing here is left half-done by one.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
