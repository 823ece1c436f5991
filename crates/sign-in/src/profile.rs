//! The profile file of a user (`GET /blobs/{profile}`), searched for the extension's SIP password.
//!
//! Its format is published nowhere: seen are an XML template without a password and, from older PBXs, JSON
//! with `extension_password`. So any XML or JSON is searched for an element or field of a likely name.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use serde_json::Value;

/// Largest profile looked into, bytes.
const LIMIT: usize = 256 * 1024;

/// Deepest nesting looked into.
const DEPTH: usize = 64;

/// Names of the password without its separators, in lower case, best first.
const NAMES: [&str; 4] = ["extensionpassword", "sippassword", "extensionpwd", "sippwd"];

/// What is plainly called a password is the extension's where it stands inside the account.
const PLAIN: &str = "password";
const AROUND_PLAIN: [&str; 3] = ["account", "sipaccount", "extension"];

/// The extension's SIP password, where the profile holds one.
pub(crate) fn sip_password(file: &[u8]) -> Option<SecretString> {
    if file.len() > LIMIT {
        return None;
    }
    let text = std::str::from_utf8(file).ok()?.trim_start_matches('\u{feff}').trim_start();
    let mut best = Best(None);
    if text.starts_with('<') {
        search_xml(text, &mut best)?;
    } else {
        search_json(&serde_json::from_str(text).ok()?, "", &mut best, DEPTH);
    }
    best.0.map(|(_, password)| SecretString::from(password.as_str()))
}

/// The likeliest password so far: the first of the best rank.
struct Best(Option<(usize, Zeroizing<String>)>);

impl Best {
    fn offer(&mut self, around: &str, name: &str, value: &str) {
        // A template that was not filled in.
        if value.is_empty() || value.len() > 1024 || value.contains("{{") {
            return;
        }
        let name = folded(name);
        let rank = match NAMES.iter().position(|known| *known == name) {
            Some(rank) => rank,
            None if name == PLAIN && AROUND_PLAIN.contains(&folded(around).as_str()) => NAMES.len(),
            None => return,
        };
        if self.0.as_ref().is_none_or(|(best, _)| rank < *best) {
            self.0 = Some((rank, Zeroizing::new(value.to_owned())));
        }
    }
}

fn folded(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Nothing for XML that is broken: half a password is worse than none.
fn search_xml(text: &str, best: &mut Best) -> Option<()> {
    let mut reader = Reader::from_str(text);
    let mut path: Vec<String> = Vec::new();
    let mut value = Zeroizing::new(String::new());
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                if path.len() >= DEPTH {
                    return None;
                }
                path.push(start.local_name().as_ref().to_owned());
                value.clear();
            }
            Event::End(_) => {
                let name = path.pop()?;
                best.offer(path.last().map_or("", String::as_str), &name, value.trim());
                value.clear();
            }
            Event::Text(part) => value.push_str(&part),
            Event::CData(part) => value.push_str(&part),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().ok()? {
                Some(letter) => value.push(letter),
                None => value.push_str(resolve_predefined_entity(&reference)?),
            },
            Event::Eof => return path.is_empty().then_some(()),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

fn search_json(value: &Value, around: &str, best: &mut Best, depth: usize) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) => best.offer(around, name, text),
                    value => search_json(value, name, best, depth),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| search_json(item, around, best, depth)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};
    use secrecy::ExposeSecret;

    use super::sip_password;

    fn found(file: &str) -> Option<String> {
        sip_password(file.as_bytes()).map(|password| password.expose_secret().to_owned())
    }

    #[test]
    fn xml() {
        let template = |inner: &str| {
            format!(
                "\u{feff}<?xml version=\"1.0\"?>\n<root><Version>3</Version><Account><AccessToken>t</AccessToken>\
                 <ExtensionNumber>101</ExtensionNumber>{inner}<PrivateToken>p</PrivateToken></Account>\
                 <Feature><Contacts /></Feature></root>"
            )
        };
        for (inner, expected) in [
            ("", None),
            ("<ExtensionPassword>s3</ExtensionPassword>", Some("s3")),
            ("<extension_password> a&amp;b&#33; </extension_password>", Some("a&b!")),
            ("<Password>plain</Password><SIPPassword><![CDATA[<s3>]]></SIPPassword>", Some("<s3>")),
            ("<Password>plain</Password>", Some("plain")),
            ("<Portal><Password>other</Password></Portal>", None),
            ("<ExtensionPassword>{{.password}}</ExtensionPassword>", None),
            ("<ExtensionPassword/>", None),
            ("<ExtensionPassword>&unknown;</ExtensionPassword>", None),
            ("<x:ExtensionPassword xmlns:x=\"y\">s3</x:ExtensionPassword>", Some("s3")),
        ] {
            assert_eq!(found(&template(inner)).as_deref(), expected, "{inner}");
        }
        for broken in
            ["<", "<a>", "<a></b>", "<Account><Password>half", "<a/><b", "<!DOCTYPE a [<!ENTITY x \"y\">]>"]
        {
            assert_eq!(found(broken), None, "{broken}");
        }
    }

    #[test]
    fn json() {
        for (file, expected) in [
            (r#"{"extension_number":"101","extension_password":"s3"}"#, Some("s3")),
            (r#"{"account":{"password":"s3"},"web_access_password":"web"}"#, Some("s3")),
            (r#"[{"x":[{"sipPassword":"s3"}]}]"#, Some("s3")),
            (r#"{"password":"portal"}"#, None),
            (r#"{"extension_password":7}"#, None),
            ("{", None),
            ("", None),
        ] {
            assert_eq!(found(file).as_deref(), expected, "{file}");
        }
    }

    #[test]
    fn bounds() {
        let deep =
            format!("{}<ExtensionPassword>s3</ExtensionPassword>{}", "<a>".repeat(100), "</a>".repeat(100));
        assert_eq!(found(&deep), None);
        let deep = format!("{}{{\"sip_password\":\"s3\"}}{}", "[".repeat(100), "]".repeat(100));
        assert_eq!(found(&deep), None);
        let large = format!("<a><ExtensionPassword>s3</ExtensionPassword>{}</a>", " ".repeat(super::LIMIT));
        assert_eq!(found(&large), None);
        assert!(sip_password(b"\xff\xfe<").is_none());
    }

    proptest! {
        #[test]
        fn any_file(file in any::<Vec<u8>>(), text in "[<>/&;#a-z{}\\[\\]\":,! -]{0,200}") {
            let _ = sip_password(&file);
            let _ = sip_password(text.as_bytes());
            let _ = sip_password(format!("<{text}").as_bytes());
            let _ = sip_password(format!("{{{text}").as_bytes());
        }

        #[test]
        fn any_password(password in "[a-zA-Z0-9!#$%'()*+,./:;=?@^_`|~-]{1,64}") {
            let xml = format!("<root><Account><ExtensionPassword>{password}</ExtensionPassword></Account></root>");
            prop_assert_eq!(found(&xml), Some(password));
        }
    }
}
