//! The tenant and its users: who may sign in, and which extension is whose.

use rand::Rng;
use secrecy::{ExposeSecret, SecretString};

/// One user of the PBX, with the two passwords a PortSIP user has.
#[derive(Debug, Clone)]
pub struct User {
    /// Opaque id, as `/user` gives it.
    pub id: String,
    /// Name to sign in with.
    pub username: String,
    /// Password of the user: for REST and the portal.
    pub password: SecretString,
    /// Name shown to others.
    pub display_name: String,
    /// Mail address.
    pub email: String,
    /// Extension number: SIP user name and digest user name.
    pub extension: String,
    /// Password of the extension: for SIP only.
    pub extension_password: SecretString,
    /// Digest of the profile file below `/api/blobs/`.
    pub profile: String,
}

/// A tenant: one SIP domain with its users.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// Name shown at sign-in.
    pub name: String,
    /// SIP domain; also the digest realm.
    pub domain: String,
    /// Everyone who has an extension.
    pub users: Vec<User>,
}

/// Passwords chosen by the caller; those not chosen are made fresh.
#[derive(Debug, Clone, Default)]
pub struct Passwords {
    /// The same user password for everyone.
    pub user: Option<SecretString>,
    /// The same extension password for everyone.
    pub extension: Option<SecretString>,
}

impl Tenant {
    /// "Test Works" at `test.io`, with alice (101) and bob (102).
    pub fn test_works(passwords: &Passwords) -> Self {
        let user = |username: &str, extension: &str, display_name: &str| User {
            id: opaque(16),
            username: username.into(),
            password: passwords.user.clone().unwrap_or_else(|| opaque(12).into()),
            display_name: display_name.into(),
            email: format!("{username}@test.io"),
            extension: extension.into(),
            extension_password: passwords.extension.clone().unwrap_or_else(|| opaque(12).into()),
            profile: opaque(32),
        };
        Self {
            name: "Test Works".into(),
            domain: "test.io".into(),
            users: vec![user("alice", "101", "Alice Martin"), user("bob", "102", "Bob Chen")],
        }
    }

    /// The user who signs in with this name and password.
    pub fn authenticate(&self, username: &str, password: &str) -> Option<&User> {
        self.users.iter().find(|u| u.username == username && u.password.expose_secret() == password)
    }

    /// The user with this opaque id.
    pub fn by_id(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|u| u.id == id)
    }

    /// The user with this extension number.
    pub fn by_extension(&self, extension: &str) -> Option<&User> {
        self.users.iter().find(|u| u.extension == extension)
    }

    /// Is this the tenant's SIP domain? Domains are compared without regard to case.
    pub fn is_domain(&self, domain: &str) -> bool {
        self.domain.eq_ignore_ascii_case(domain)
    }
}

/// A random string of lower-case letters and digits without look-alikes.
pub(crate) fn opaque(length: usize) -> String {
    const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let mut rng = rand::rng();
    (0..length)
        .filter_map(|_| ALPHABET.get(rng.random_range(0..ALPHABET.len())))
        .map(|b| char::from(*b))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_passwords_differ_and_chosen_ones_are_kept() {
        let fresh = Tenant::test_works(&Passwords::default());
        let secrets: std::collections::BTreeSet<_> = fresh
            .users
            .iter()
            .flat_map(|u| [u.password.expose_secret(), u.extension_password.expose_secret()])
            .collect();
        assert_eq!(secrets.len(), 4);

        let chosen = Tenant::test_works(&Passwords { user: Some("pw".into()), extension: None });
        assert!(chosen.authenticate("bob", "pw").is_some());
        assert!(chosen.authenticate("bob", "PW").is_none());
        assert!(chosen.authenticate("Bob", "pw").is_none());
    }

    #[test]
    fn debug_hides_passwords() {
        let tenant = Tenant::test_works(&Passwords { user: Some("open-sesame".into()), extension: None });
        assert!(!format!("{tenant:?}").contains("open-sesame"));
    }
}
