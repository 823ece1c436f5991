//! The profile file of a user (`GET /blobs/{profile}`): the account it is for, and what it settles.
//!
//! Its format is published nowhere: seen are an XML template with an account but no password and, from older
//! PBXs, JSON with `extension_password`. So XML and JSON are read alike, by names without case and separators,
//! wherever the names stand. What is unknown is passed over; what is known and cannot be right is refused.

mod enforced;
mod tree;

use std::fmt;

use pbx_api::SipDomain;
use secrecy::SecretString;

pub use enforced::{Enforced, Theme};

use self::tree::{Kind, Node};
use crate::extension::is_sip_user;

/// Longest token, password or id believed, bytes.
const LONGEST: usize = 8 * 1024;

/// Names of the SIP password, best first.
const PASSWORD: [&str; 4] = ["extensionpassword", "sippassword", "extensionpwd", "sippwd"];

/// Elements that hold the account. What is plainly called a password or a domain is the extension's only there.
const ACCOUNT: [&str; 3] = ["account", "sipaccount", "extension"];

/// A profile file that is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the profile file cannot be used: {what}")]
pub struct ProfileInvalid {
    /// What is wrong, by its place; never a value.
    pub what: String,
}

impl ProfileInvalid {
    fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }
}

/// What a profile file says. What it does not say is `None`.
#[derive(Clone, Default)]
pub struct Profile {
    /// Access token of the PBX's REST API.
    pub access: Option<SecretString>,
    /// SIP domain of the tenant.
    pub tenant_domain: Option<SipDomain>,
    /// The extension's number.
    pub extension_number: Option<String>,
    /// The user's id.
    pub unique_id: Option<String>,
    /// `PrivateToken`; what it is for is not documented.
    pub private: Option<SecretString>,
    /// The extension's SIP password.
    pub sip_password: Option<SecretString>,
    /// What it settles for the user.
    pub enforced: Enforced,
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("access", &self.access.is_some())
            .field("sip_password", &self.sip_password.is_some())
            .field("enforced", &self.enforced)
            .finish_non_exhaustive()
    }
}

impl Profile {
    /// Reads a profile file.
    ///
    /// # Errors
    /// [`ProfileInvalid`] for a file that is neither XML nor JSON, or broken; for a template that was not filled
    /// in; and for something known that cannot be right.
    pub fn parse(file: &[u8]) -> Result<Self, ProfileInvalid> {
        let tree = Node::parse(file)?;
        let all = tree.all();
        if let Some(version) = tree.named(&["version"]).next() {
            let version = plain("Version", version, 16)?.unwrap_or_default();
            if !version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
                return Err(ProfileInvalid::new("Version is not a version"));
            }
        }
        let accounts: Vec<&Node> = all
            .iter()
            .copied()
            .filter(|node| ACCOUNT.contains(&&*node.name) && node.text.trim().is_empty())
            .collect();
        let find = |anywhere: &'static [&'static str], in_account: &'static [&'static str]| {
            let filled = |node: &&Node| {
                node.kind == Kind::Group || !node.children.is_empty() || !node.text.trim().is_empty()
            };
            let called = |name: &&str| all.iter().copied().filter(filled).find(|node| node.name == **name);
            // Short names may also be those of what holds the account.
            let worded = |node: &&Node| node.children.is_empty() && !node.text.trim().is_empty();
            let inside = || accounts.iter().flat_map(|account| account.named(in_account)).find(worded);
            anywhere.iter().find_map(called).or_else(inside)
        };
        let secret = |place: &str, node: Option<&Node>| match node {
            None => Ok(None),
            Some(node) if node.kind == Kind::Scalar => {
                Err(ProfileInvalid::new(format!("{place} is not text")))
            }
            Some(node) => Ok(plain(place, node, LONGEST)?.map(SecretString::from)),
        };
        let text = |place: &str, node: Option<&Node>| match node {
            None => Ok(None),
            Some(node) => Ok(plain(place, node, LONGEST)?.map(str::to_owned)),
        };
        let token = |place: &str, node: Option<&Node>| match secret(place, node) {
            Ok(Some(token)) if !is_token(&token) => {
                Err(ProfileInvalid::new(format!("{place} is not a token")))
            }
            token => token,
        };
        let tenant_domain = text("TenantDomain", find(&["tenantdomain", "sipdomain"], &["domain"]))?
            .map(|domain| domain.parse().map_err(|_| ProfileInvalid::new("TenantDomain is not a domain")))
            .transpose()?;
        let extension_number = text("ExtensionNumber", find(&["extensionnumber"], &["extension", "number"]))?;
        if extension_number.as_deref().is_some_and(|number| !is_sip_user(number)) {
            return Err(ProfileInvalid::new("ExtensionNumber is not a SIP user"));
        }
        Ok(Self {
            access: token("AccessToken", find(&["accesstoken"], &["token"]))?,
            tenant_domain,
            extension_number,
            unique_id: text("UniqueID", find(&["uniqueid"], &["id"]))?,
            private: token("PrivateToken", find(&["privatetoken"], &[]))?,
            sip_password: secret("ExtensionPassword", find(&PASSWORD, &["password"]))?,
            enforced: Enforced::read(&tree)?,
        })
    }
}

/// The text of something known; `None` where empty.
fn plain<'a>(place: &str, node: &'a Node, longest: usize) -> Result<Option<&'a str>, ProfileInvalid> {
    let text = node.text.trim();
    let wrong = |what: &str| Err(ProfileInvalid::new(format!("{place} {what}")));
    if text.contains("{{") {
        wrong("is still a template")
    } else if node.kind == Kind::Group || text.is_empty() && !node.children.is_empty() {
        wrong("is not text")
    } else if text.len() > longest || text.chars().any(char::is_control) {
        wrong("is no text that it can be")
    } else {
        Ok(Some(text).filter(|text| !text.is_empty()))
    }
}

/// What fits into a header.
fn is_token(token: &SecretString) -> bool {
    use secrecy::ExposeSecret;
    token.expose_secret().bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests;
