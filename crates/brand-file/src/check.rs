//! What the values of a brand may be.

use crate::written::{self, FieldIs, Way};
use crate::{Brand, Colour, Links, MAX_CHROMA, Preset, SignIn, Updates};

/// The key and what its value has to be.
type Refused = (&'static str, &'static str);

/// Schemes that belong to others, or that the window itself is made of.
const FOREIGN_SCHEMES: &[&str] = &[
    "about",
    "blob",
    "callto",
    "data",
    "file",
    "ftp",
    "http",
    "https",
    "ipc",
    "javascript",
    "mailto",
    "sip",
    "sips",
    "tauri",
    "tel",
    "ws",
    "wss",
];

pub(crate) fn brand(file: written::File) -> Result<Brand, Refused> {
    Ok(Brand {
        name: words("name", file.name)?,
        identifier: identifier(file.identifier)?,
        program: program(file.program)?,
        scheme: scheme(file.scheme)?,
        keychain: words("keychain", file.keychain)?,
        user_agent: user_agent(file.user_agent)?,
        colour: colour(file.colour)?,
        links: Links {
            website: link("links.website", file.links.website)?,
            help: link("links.help", file.links.help)?,
            privacy: link("links.privacy", file.links.privacy)?,
        },
        updates: file.updates.map(updates).transpose()?,
        sign_in: SignIn {
            ways: ways(file.sign_in.ways)?,
            domain: preset("sign_in.domain", file.sign_in.domain)?,
            server: preset("sign_in.server", file.sign_in.server)?,
        },
    })
}

/// A logo: one SVG element that the content security policy lets stand within the page.
pub(crate) fn logo(text: &str) -> Result<(), &'static str> {
    let text = text.trim();
    if !(text.starts_with("<svg ") && text.ends_with("</svg>")) {
        return Err("has to be one <svg> element and nothing beside it");
    }
    if !text.contains("viewBox=\"0 0 ") {
        return Err("needs a viewBox that begins at 0 0");
    }
    let text = text.to_ascii_lowercase();
    let active = ["<script", "<style", " style=", " on", "href", "<foreignobject", "<image", "url("];
    if active.iter().any(|part| text.contains(part)) {
        return Err("may hold shapes only: no style, script, link, picture or event");
    }
    Ok(())
}

fn words(key: &'static str, text: String) -> Result<String, Refused> {
    let fits = !text.is_empty() && text.chars().count() <= 40;
    let plain = text.chars().all(|c| c.is_alphanumeric() || " -.,&'+".contains(c));
    if fits && plain && text.trim() == text && text.starts_with(char::is_alphanumeric) {
        Ok(text)
    } else {
        Err((key, "has to be 1 to 40 letters, digits, spaces or one of -.,&'+, a letter or digit first"))
    }
}

fn identifier(text: String) -> Result<String, Refused> {
    let part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    if text.len() <= 100 && text.split('.').count() >= 2 && text.split('.').all(part) {
        Ok(text)
    } else {
        Err(("identifier", "has to be like `com.example.phone`: lower-case letters and digits between dots"))
    }
}

fn program(text: String) -> Result<String, Refused> {
    if text.len() <= 32 && starts_with_letter_then(&text, b"-") && !text.ends_with("-cli") {
        Ok(text)
    } else {
        Err(("program", "has to be up to 32 lower-case letters, digits and -, a letter first"))
    }
}

fn scheme(text: String) -> Result<String, Refused> {
    if text.len() > 32 || !starts_with_letter_then(&text, b"+-.") {
        return Err(("scheme", "has to be up to 32 lower-case letters, digits and +-., a letter first"));
    }
    if FOREIGN_SCHEMES.contains(&text.as_str()) {
        return Err(("scheme", "belongs to others"));
    }
    Ok(text)
}

fn starts_with_letter_then(text: &str, beside: &[u8]) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || beside.contains(&b))
}

fn user_agent(text: String) -> Result<String, Refused> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if !text.is_empty() && text.len() <= 40 && text.bytes().all(token) {
        Ok(text)
    } else {
        Err(("user_agent", "has to be one product name without a space or a version"))
    }
}

fn colour(colour: written::Colour) -> Result<Colour, Refused> {
    let written::Colour { hue, chroma } = colour;
    if !(0.0..360.0).contains(&hue) {
        return Err(("colour.hue", "has to be from 0 to below 360"));
    }
    if !(0.0..=MAX_CHROMA).contains(&chroma) {
        return Err(("colour.chroma", "has to be from 0 to 0.13"));
    }
    Ok(Colour { hue, chroma })
}

fn link(key: &'static str, link: Option<String>) -> Result<Option<String>, Refused> {
    let fits = |link: &String| {
        let rest = link.strip_prefix("https://").unwrap_or_default();
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        host.contains('.')
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:".contains(&b))
            && link.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b))
    };
    if link.as_ref().is_none_or(fits) { Ok(link) } else { Err((key, "has to be an https:// address")) }
}

fn updates(updates: written::Updates) -> Result<Updates, Refused> {
    let written::Updates { manifest, key } = updates;
    let manifest = link("updates.manifest", Some(manifest))?.unwrap_or_default();
    // 32 bytes: 43 characters and one that fills up.
    let letters = |b: u8| b.is_ascii_alphanumeric() || b"+/".contains(&b);
    match key.strip_suffix('=') {
        Some(rest) if rest.len() == 43 && rest.bytes().all(letters) => Ok(Updates { manifest, key }),
        _ => Err(("updates.key", "has to be a public key of Ed25519 in base64, 44 characters")),
    }
}

fn ways(ways: Vec<Way>) -> Result<Vec<Way>, Refused> {
    let twice = ways.iter().enumerate().any(|(n, way)| ways.iter().skip(n + 1).any(|other| other == way));
    if ways.is_empty() || twice {
        return Err(("sign_in.ways", "has to name at least one way, and each once"));
    }
    Ok(ways)
}

fn preset(key: &'static str, preset: written::Preset) -> Result<Preset, Refused> {
    let written::Preset { is, value } = preset;
    if is != FieldIs::Free && value.is_empty() {
        return Err((key, "has to have a value, for nobody can type one"));
    }
    if value.len() > 253 || !value.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b)) {
        return Err((key, "has to be a host name or an address; a server may have :port behind it"));
    }
    Ok(Preset { is, value })
}
