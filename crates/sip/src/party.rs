use crate::Party;
use crate::header::{parameters, percent_decode, unquote};

impl Party {
    /// Who they are is withheld (RFC 3323, section 4.1.1.3).
    pub(crate) fn is_anonymous(&self) -> bool {
        self.number.eq_ignore_ascii_case("anonymous") || self.host.eq_ignore_ascii_case("anonymous.invalid")
    }

    /// Reads a `name-addr` or `addr-spec` (RFC 3261, section 25.1). What cannot be read leaves fields empty.
    pub(crate) fn parse(value: &str) -> Self {
        let (display_name, uri) = name_and_uri(value.trim());
        let (scheme, rest) = uri.split_once(':').unwrap_or(("", uri.as_str()));
        let address = rest.split(['?', ';']).next().unwrap_or_default();
        let (user, host) = match (scheme.to_ascii_lowercase().as_str(), rest.rsplit_once('@')) {
            ("tel", _) => (address, ""),
            ("sip" | "sips", Some((user, host))) => (
                user.split(';').next().unwrap_or_default(),
                host.split(['?', ';']).next().unwrap_or_default(),
            ),
            ("sip" | "sips", None) => ("", address),
            _ => (uri.as_str(), ""),
        };
        let user = user.split_once(':').map_or(user, |(user, _password)| user);
        let number = if user.is_empty() { host } else { user };
        Self {
            number: percent_decode(number),
            host: without_port(host).to_owned(),
            display_name: display_name.filter(|name| !name.is_empty()),
        }
    }
}

/// The `tag` parameter of a From or To header.
pub(crate) fn tag(value: &str) -> Option<String> {
    let after_uri = match value.rsplit_once('>') {
        Some((_, parameters)) => parameters,
        None => value.split_once(';').map_or("", |(_, parameters)| parameters),
    };
    parameters(after_uri, ';').into_iter().find(|(name, _)| name == "tag").map(|(_, tag)| tag)
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    }
}

fn name_and_uri(value: &str) -> (Option<String>, String) {
    if value.starts_with('"') {
        let mut escaped = false;
        let mut quotes = 0;
        let name: String = value
            .chars()
            .take_while(|&c| {
                if quotes == 2 {
                    return false;
                }
                if c == '"' && !escaped {
                    quotes += 1;
                }
                escaped = c == '\\' && !escaped;
                true
            })
            .collect();
        let rest = value.strip_prefix(name.as_str()).unwrap_or_default();
        return (Some(unquote(&name)), bracketed(rest));
    }
    match value.split_once('<') {
        Some((name, _)) => (Some(name.trim().to_owned()), bracketed(value)),
        None => (None, value.split(';').next().unwrap_or_default().trim().to_owned()),
    }
}

fn bracketed(value: &str) -> String {
    let inner = value.split_once('<').map_or(value, |(_, inner)| inner);
    inner.split('>').next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn party(number: &str, host: &str, name: Option<&str>) -> Party {
        Party { number: number.into(), host: host.into(), display_name: name.map(Into::into) }
    }

    #[test]
    fn name_addr_in_its_forms() {
        for (text, want) in [
            (
                r#""Bob <B> \"x\"" <sip:102@test.io:5060;a=b>;tag=1"#,
                party("102", "test.io", Some("Bob <B> \"x\"")),
            ),
            ("Bob  <sips:bob@[2001:db8::1]:5061>", party("bob", "[2001:db8::1]", Some("Bob"))),
            ("<sip:%2B49%23:pw@h>", party("+49#", "h", None)),
            ("sip:102@test.io;tag=9", party("102", "test.io", None)),
            ("<tel:+4930123;phone-context=x>", party("+4930123", "", None)),
            ("<sip:gateway.test>", party("gateway.test", "gateway.test", None)),
            ("<sip:+49;npdi=yes@h;user=phone>", party("+49", "h", None)),
        ] {
            assert_eq!(Party::parse(text), want, "{text}");
        }
    }

    #[test]
    fn tags_are_found_outside_the_uri_only() {
        assert_eq!(tag("<sip:a@b;tag=no>;x;TAG=yes").as_deref(), Some("yes"));
        assert_eq!(tag("sip:a@b;tag=7").as_deref(), Some("7"));
        assert_eq!(tag("<sip:a@b;tag=no>"), None);
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "\\PC{0,60}|[\"<>:;@%?\\\\\\[\\] a-c]{0,40}") {
            let _ = (Party::parse(&text).is_anonymous(), tag(&text));
        }
    }
}
