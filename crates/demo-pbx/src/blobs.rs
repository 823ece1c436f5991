//! The files behind `/api/blobs/`: the pictures of the tenant and of users, the users' profile files, the sound of voicemails and
//! greetings.

use std::net::SocketAddr;
use std::time::Instant;

use secrecy::ExposeSecret;

use crate::config::{Config, Enforced, HTTPS_PORT};
use crate::pbx::Shared;
use crate::portraits;
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
    if let Some(bytes) = portraits::file(digest) {
        return Some(Blob { name: portraits::NAME, mime: "image/png", bytes });
    }
    if let Some(bytes) = lock(&shared.voicemails).sound(digest) {
        return Some(Blob { name: "voicemail.wav", mime: "audio/wav", bytes });
    }
    if let Some(bytes) = lock(&shared.greetings).sound(digest) {
        return Some(Blob { name: "greeting.wav", mime: "audio/wav", bytes });
    }
    let user = {
        let accounts = lock(&shared.accounts);
        shared.tenant.users.iter().find(|user| accounts.profile(user) == digest)?
    };
    let access = lock(&shared.sessions).issue_access(&user.id, Instant::now());
    let text = profile(user, &shared.tenant.domain, &access, &shared.config);
    Some(Blob { name: "profile.xml", mime: "application/xml", bytes: text.into_bytes() })
}

/// The sign-in QR code of a v22 PBX for one user: plain JSON, no password. A real one names no port; this one does
/// where it is not the usual, so that a PBX on any port can be tried.
pub(crate) fn qr_payload(shared: &Shared, user: &User) -> String {
    let bind = shared.config.bind;
    let address = SocketAddr::new(bind, shared.ports().https).to_string();
    let web = if shared.ports().https == HTTPS_PORT { bind.to_string() } else { address };
    let private = if bind.is_ipv4() { "pri4" } else { "pri6" };
    serde_json::json!({
        "v": 220,
        "path": format!("/api/blobs/{}", lock(&shared.accounts).profile(user)),
        "info": [{ "pbx_domain": web, "prefer": true }, { private: bind.to_string() }],
    })
    .to_string()
}

/// The QR code of a PBX before v22: the extension itself. Its applications read ports as text and as number.
pub(crate) fn legacy_qr_payload(shared: &Shared, user: &User) -> String {
    let ports = shared.ports();
    serde_json::json!({
        "extension_number": user.extension,
        "extension_password": user.extension_password.expose_secret(),
        "sip_domain": shared.tenant.domain,
        "display_name": user.display_name,
        "email": user.email,
        "pbx_public_ip": "",
        "pbx_private_ip": shared.config.bind.to_string(),
        "outbound_proxy": shared.config.bind.to_string(),
        "transports": [
            { "protocol": "UDP", "port": ports.sip_udp },
            { "protocol": "TCP", "port": ports.sip_tcp.to_string() },
        ],
    })
    .to_string()
}

/// The profile file in the shape of the vendor's `app_local.xml`. No documented element carries the
/// extension password; `ExtensionPassword` is this PBX's own, and only there when it hands it over.
fn profile(user: &User, domain: &str, access: &str, config: &Config) -> String {
    let password = if config.hand_over_password {
        let password = escape(user.extension_password.expose_secret());
        format!("<ExtensionPassword>{password}</ExtensionPassword>")
    } else {
        String::new()
    };
    format!(
        "<root><Version>3</Version>\n <Account><AccessToken>{access}</AccessToken>\
         <TenantDomain>{domain}</TenantDomain>\n <ExtensionNumber>{extension}</ExtensionNumber>{password}\
         <UniqueID>{id}</UniqueID><PrivateToken>{private}</PrivateToken></Account>\n \
         <Feature><Contacts />{settings}</Feature></root>\n",
        settings = settings(&config.enforced),
        domain = escape(domain),
        extension = escape(&user.extension),
        id = user.id,
        private = opaque(32),
    )
}

/// The settings a file enforces, as elements; nothing where it enforces none.
fn settings(enforced: &Enforced) -> String {
    let element = |name: &str, text: &str| format!("<{name}>{}</{name}>", escape(text));
    let group = |name: &str, inside: String| {
        if inside.is_empty() { inside } else { format!("\n  <{name}>{inside}</{name}>") }
    };
    let each = |name: &str, all: &[String]| all.iter().map(|one| element(name, one)).collect::<String>();
    let one = |name: &str, text: &Option<String>| {
        text.as_deref().map(|text| element(name, text)).unwrap_or_default()
    };
    let appearance = one("Theme", &enforced.theme) + &one("Language", &enforced.language);
    group("Codecs", each("Codec", &enforced.codecs))
        + &group("HiddenViews", each("View", &enforced.hidden))
        + &group("Appearance", appearance)
}

/// A text within XML or HTML.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
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
        let with = profile(user, "test.io", "tok", &Config { hand_over_password: true, ..Config::default() });
        assert!(with.contains("<ExtensionPassword>a&lt;b&amp;c</ExtensionPassword>"));
        assert!(with.contains("<AccessToken>tok</AccessToken>"));
        assert!(with.contains("<ExtensionNumber>101</ExtensionNumber>"));
        assert!(!profile(user, "test.io", "tok", &Config::default()).contains("Password"));
    }
}
