//! The files behind `/api/blobs/`: the tenant's picture and the users' profile files.

use std::time::Instant;

use secrecy::ExposeSecret;

use crate::pbx::Shared;
use crate::requests::lock;
use crate::tenant::{User, opaque};

/// Digest of the tenant's picture.
pub(crate) const AVATAR: &str = "6f1c0b7a52de4b3d9a4e8c2175f03b96";

/// A file to download.
pub(crate) struct Blob {
    pub name: &'static str,
    pub mime: &'static str,
    pub bytes: Vec<u8>,
}

/// The file with this digest.
pub(crate) fn blob(shared: &Shared, digest: &str) -> Option<Blob> {
    if digest == AVATAR {
        return Some(Blob { name: "avatar.svg", mime: "image/svg+xml", bytes: PICTURE.into() });
    }
    let user = shared.tenant.users.iter().find(|user| user.profile == digest)?;
    let access = lock(&shared.sessions).issue_access(&user.id, Instant::now());
    let text = profile(user, &shared.tenant.domain, &access, shared.config.hand_over_password);
    Some(Blob { name: "profile.xml", mime: "application/xml", bytes: text.into_bytes() })
}

/// The sign-in QR code of a v22 PBX for one user: plain JSON, no port, no password.
pub(crate) fn qr_payload(shared: &Shared, user: &User) -> String {
    let way = if shared.config.bind.is_ipv4() { "pri4" } else { "pri6" };
    serde_json::json!({
        "v": 220,
        "path": format!("/api/blobs/{}", user.profile),
        "info": [{ way: shared.config.bind.to_string(), "prefer": true }],
    })
    .to_string()
}

/// The profile file in the shape of the vendor's `app_local.xml`. No documented element carries the
/// extension password; `ExtensionPassword` is this PBX's own, and only there when it hands it over.
fn profile(user: &User, domain: &str, access: &str, hand_over: bool) -> String {
    let password = if hand_over {
        let password = escape(user.extension_password.expose_secret());
        format!("<ExtensionPassword>{password}</ExtensionPassword>")
    } else {
        String::new()
    };
    format!(
        "<root><Version>3</Version>\n <Account><AccessToken>{access}</AccessToken>\
         <TenantDomain>{domain}</TenantDomain>\n <ExtensionNumber>{extension}</ExtensionNumber>{password}\
         <UniqueID>{id}</UniqueID><PrivateToken>{private}</PrivateToken></Account>\n \
         <Feature><Contacts /></Feature></root>\n",
        domain = escape(domain),
        extension = escape(&user.extension),
        id = user.id,
        private = opaque(32),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

const PICTURE: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" width="96" height="96"><rect width="96" height="96" rx="20" fill="#24506b"/><path d="M22 30h52v10H53v30H43V40H22z" fill="#f4f7f9"/><circle cx="71" cy="64" r="7" fill="#f2b84b"/></svg>
"##;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::{Passwords, Tenant};

    #[test]
    fn the_profile_file_carries_the_password_only_when_told_to() {
        let passwords = Passwords { user: None, extension: Some("a<b&c".into()) };
        let tenant = Tenant::test_works(&passwords);
        let user = tenant.by_extension("101").unwrap();
        let with = profile(user, "test.io", "tok", true);
        assert!(with.contains("<ExtensionPassword>a&lt;b&amp;c</ExtensionPassword>"));
        assert!(with.contains("<AccessToken>tok</AccessToken>"));
        assert!(with.contains("<ExtensionNumber>101</ExtensionNumber>"));
        assert!(!profile(user, "test.io", "tok", false).contains("Password"));
    }
}
