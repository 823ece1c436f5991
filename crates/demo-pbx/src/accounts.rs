//! What changes about users while the PBX runs.

use std::collections::HashMap;

use secrecy::{ExposeSecret, SecretString};

use crate::tenant::{Tenant, User, Way, opaque};

struct Account {
    password: SecretString,
    must_change: bool,
    profile: String,
}

/// Every user's password and profile file as they are now.
pub(crate) struct Accounts(HashMap<String, Account>);

impl Accounts {
    /// As the tenant begins.
    pub fn of(tenant: &Tenant) -> Self {
        let account = |user: &User| Account {
            password: user.password.clone(),
            must_change: user.way == Way::MustChange,
            profile: user.profile.clone(),
        };
        Self(tenant.users.iter().map(|user| (user.id.clone(), account(user))).collect())
    }

    /// Is this the user's password?
    pub fn is_password(&self, user: &User, password: &str) -> bool {
        self.0.get(&user.id).is_some_and(|account| account.password.expose_secret() == password)
    }

    /// The user's password.
    pub fn password(&self, user: &User) -> SecretString {
        self.0.get(&user.id).map_or_else(|| user.password.clone(), |account| account.password.clone())
    }

    /// Sets a new one, which then need not be changed.
    pub fn set_password(&mut self, user: &User, password: SecretString) {
        if let Some(account) = self.0.get_mut(&user.id) {
            account.password = password;
            account.must_change = false;
        }
    }

    /// Whether the user has to change the password before anything else.
    pub fn must_change(&self, user: &User) -> bool {
        self.0.get(&user.id).is_some_and(|account| account.must_change)
    }

    /// Digest of the user's profile file.
    pub fn profile(&self, user: &User) -> String {
        self.0.get(&user.id).map(|account| account.profile.clone()).unwrap_or_default()
    }

    /// A new profile file; the old one is gone.
    pub fn renew_profile(&mut self, user: &User) {
        if let Some(account) = self.0.get_mut(&user.id) {
            account.profile = opaque(32);
        }
    }
}
