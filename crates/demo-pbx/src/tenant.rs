//! The tenant and its users: who may sign in, and which extension is whose.

use rand::Rng;
use secrecy::SecretString;

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
    /// Digest of the profile file below `/api/blobs/`, until it is reset.
    pub profile: String,
    /// What is particular about signing in.
    pub way: Way,
}

/// What is particular about signing a user in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// User name and password, or the QR code.
    Password,
    /// A code is e-mailed after the password.
    SecondFactor,
    /// The password must be changed first.
    MustChange,
    /// Known to the make-believe Microsoft 365, under the e-mail address.
    Microsoft,
}

impl Way {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Password => "password or QR code",
            Self::SecondFactor => "password, then the code in the outbox",
            Self::MustChange => "password, to be changed at once",
            Self::Microsoft => "Microsoft 365",
        }
    }
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
    /// "Test Works" at `test.io`: alice (101), bob (102), carol (103) with a second factor, dave (104) who must
    /// change the password, and erin (105) of Microsoft 365.
    pub fn test_works(passwords: &Passwords) -> Self {
        let user = |username: &str, extension: &str, display_name: &str, way: Way| User {
            id: opaque(16),
            username: username.into(),
            password: passwords.user.clone().unwrap_or_else(|| opaque(12).into()),
            display_name: display_name.into(),
            email: format!("{username}@test.io"),
            extension: extension.into(),
            extension_password: passwords.extension.clone().unwrap_or_else(|| opaque(12).into()),
            profile: opaque(32),
            way,
        };
        Self {
            name: "Test Works".into(),
            domain: "test.io".into(),
            users: vec![
                user("alice", "101", "Alice Martin", Way::Password),
                user("bob", "102", "Bob Chen", Way::Password),
                user("carol", "103", "Carol Nakamura", Way::SecondFactor),
                user("dave", "104", "Dave Okafor", Way::MustChange),
                user("erin", "105", "Erin Larsen", Way::Microsoft),
            ],
        }
    }

    /// The user of this name.
    pub fn by_username(&self, username: &str) -> Option<&User> {
        self.users.iter().find(|u| u.username == username)
    }

    /// The user with this mail address, without regard to case.
    pub fn by_email(&self, email: &str) -> Option<&User> {
        self.users.iter().find(|u| u.email.eq_ignore_ascii_case(email.trim()))
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
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn fresh_passwords_differ_and_chosen_ones_are_kept() {
        let fresh = Tenant::test_works(&Passwords::default());
        let secrets: std::collections::BTreeSet<_> = fresh
            .users
            .iter()
            .flat_map(|u| [u.password.expose_secret(), u.extension_password.expose_secret()])
            .collect();
        assert_eq!(secrets.len(), 10);

        let chosen = Tenant::test_works(&Passwords { user: Some("pw".into()), extension: None });
        assert_eq!(chosen.by_username("bob").unwrap().password.expose_secret(), "pw");
        assert!(chosen.by_username("Bob").is_none());
    }

    #[test]
    fn debug_hides_passwords() {
        let tenant = Tenant::test_works(&Passwords { user: Some("open-sesame".into()), extension: None });
        assert!(!format!("{tenant:?}").contains("open-sesame"));
    }
}
