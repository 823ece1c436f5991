use rsipstack::sip::{Host, Scheme, Uri};

use crate::header::percent_decode;

/// Makes a Request-URI out of what was dialled: a whole `sip:` URI, `user@host`, a `tel:` URI or a user part.
/// A user part gets `domain`. `None` where no SIP URI comes of it.
pub(crate) fn request_uri(target: &str, domain: &str) -> Option<Uri> {
    let target = target.trim();
    let (scheme, rest) = match target.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("sip") => ("sip", rest),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tel") => ("tel", rest),
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("sips") => return None,
        _ => ("", target),
    };
    let text = match (scheme, rest.rsplit_once('@')) {
        ("tel", _) => format!("sip:{}@{domain}", user_part(rest.split(';').next()?)?),
        (_, Some((user, host))) => format!("sip:{}@{}", user_part(user)?, host_part(host)?),
        ("sip", None) => format!("sip:{}", host_part(rest)?),
        _ => format!("sip:{}@{domain}", user_part(rest)?),
    };
    parse(&text)
}

/// A SIP URI, refused where its host is empty.
pub(crate) fn parse(text: &str) -> Option<Uri> {
    let mut uri = Uri::try_from(text).ok()?;
    unescape_user(&mut uri);
    let empty = matches!(&uri.host_with_port.host, Host::Domain(name) if name.0.is_empty());
    (!empty && uri.scheme == Some(Scheme::Sip)).then_some(uri)
}

/// Undoes the escapes in the user part: the stack keeps them when it reads a URI, yet escapes when it writes one.
pub(crate) fn unescape_user(uri: &mut Uri) {
    if let Some(auth) = &mut uri.auth {
        auth.user = percent_decode(&auth.user);
        auth.password = auth.password.as_deref().map(percent_decode);
    }
}

/// Escapes a user part (RFC 3261, section 25.1). Separators people write into telephone numbers are left out.
pub(crate) fn user_part(user: &str) -> Option<String> {
    let is_number = user.chars().any(|c| c.is_ascii_digit())
        && user.chars().all(|c| c.is_ascii_digit() || "+*# -./()\u{a0}".contains(c));
    let mut escaped = String::with_capacity(user.len());
    for c in user.chars() {
        if c.is_control() {
            return None;
        }
        let separates = is_number && !c.is_ascii_digit() && !matches!(c, '+' | '*' | '#');
        if separates {
            continue;
        }
        if c.is_ascii_alphanumeric() || "-_.!~*'()&=+$,/%".contains(c) {
            escaped.push(c);
        } else {
            let mut utf8 = [0; 4];
            for byte in c.encode_utf8(&mut utf8).bytes() {
                escaped.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    (!escaped.is_empty()).then_some(escaped)
}

/// Passes a host with optional port and parameters that cannot break out of a header.
pub(crate) fn host_part(host: &str) -> Option<&str> {
    let honest = |c: char| c.is_ascii_alphanumeric() || "-._:[];=%~+".contains(c);
    let name = host.split(';').next().unwrap_or_default();
    (!name.is_empty() && host.chars().all(honest)).then_some(host)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_people_dial() {
        for (dialled, want) in [
            ("102", "sip:102@test.io"),
            (" +49 (30) 123-45 ", "sip:+493012345@test.io"),
            ("*97#", "sip:*97%23@test.io"),
            ("bob@other.test:5080", "sip:bob@other.test:5080"),
            ("SIP:bob@other.test", "sip:bob@other.test"),
            ("sip:conference.test", "sip:conference.test"),
            ("tel:+49-30;phone-context=x", "sip:+4930@test.io"),
            ("jörg", "sip:j%C3%B6rg@test.io"),
        ] {
            assert_eq!(request_uri(dialled, "test.io").map(|uri| uri.to_string()).as_deref(), Some(want));
        }
    }

    #[test]
    fn what_cannot_be_called() {
        for nonsense in
            ["", "  ", "sip:", "bob@", "@host", "sips:a@b", "a@b c", "a\r\nVia: x", "a@b>\r\nX: y"]
        {
            assert_eq!(request_uri(nonsense, "test.io"), None, "{nonsense:?}");
        }
    }

    proptest! {
        #[test]
        fn no_target_breaks_out_of_its_header(text in "\\PC{0,40}|[@:;<>\\r\\n\\[\\]0-9a-b ]{0,30}") {
            if let Some(uri) = request_uri(&text, "test.io") {
                prop_assert!(!uri.to_string().contains(['\r', '\n', '<', '>', ' ']));
            }
        }
    }
}
