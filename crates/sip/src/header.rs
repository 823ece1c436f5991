//! Reading of header values that came from the network. Nothing here panics, whatever comes.

/// Elements of a comma-separated header value; commas in quotes and in angle brackets do not separate.
pub(crate) fn elements(value: &str) -> Vec<String> {
    split(value, ',', true)
}

/// Parts of a list separated by `separator`, in which only quotes protect it.
pub(crate) fn parts(value: &str, separator: char) -> Vec<String> {
    split(value, separator, false)
}

/// `name` or `name=value` parameters of a list separated by `separator`; names in lower case, values unquoted.
pub(crate) fn parameters(value: &str, separator: char) -> Vec<(String, String)> {
    parts(value, separator)
        .iter()
        .map(|parameter| match parameter.split_once('=') {
            Some((name, value)) => (name.trim().to_ascii_lowercase(), unquote(value.trim())),
            None => (parameter.to_ascii_lowercase(), String::new()),
        })
        .collect()
}

/// Takes the quotes and escapes off a quoted string; anything else is returned as it is.
pub(crate) fn unquote(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else { return value.to_owned() };
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let mut plain = String::with_capacity(inner.len());
    let mut escaped = false;
    for c in inner.chars() {
        if c == '\\' && !escaped {
            escaped = true;
        } else {
            plain.push(c);
            escaped = false;
        }
    }
    plain
}

/// Puts a string in quotes (RFC 3261, `quoted-string`); control characters are left out.
pub(crate) fn quote(plain: &str) -> String {
    let mut quoted = String::with_capacity(plain.len() + 2);
    quoted.push('"');
    for c in plain.chars().filter(|c| !c.is_control()) {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// Undoes percent-encoding; what is not valid stays as it is.
pub(crate) fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let digits = (byte == b'%').then(|| (ahead.next().and_then(hex), ahead.next().and_then(hex)));
        if let Some((Some(high), Some(low))) = digits {
            bytes.push(high * 16 + low);
            rest = ahead;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

fn split(value: &str, separator: char, brackets: bool) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut quoted, mut escaped, mut bracketed) = (false, false, false);
    for c in value.chars() {
        let inside = quoted || bracketed;
        if c == separator && !inside {
            parts.push(String::new());
            continue;
        }
        match c {
            '"' if !escaped && !bracketed => quoted = !quoted,
            '<' if brackets && !quoted => bracketed = true,
            '>' if brackets && !quoted => bracketed = false,
            _ => {}
        }
        escaped = quoted && c == '\\' && !escaped;
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn commas_in_quotes_and_brackets_do_not_separate() {
        assert_eq!(
            elements(r#""Doe, Jane" <sip:jane@a;x=1,2>, <sip:b@c>"#),
            [r#""Doe, Jane" <sip:jane@a;x=1,2>"#, "<sip:b@c>"]
        );
    }

    #[test]
    fn parameters_are_unquoted() {
        assert_eq!(
            parameters(r#"Realm="a \"b\", c", stale=TRUE , opaque"#, ','),
            [
                ("realm".into(), r#"a "b", c"#.into()),
                ("stale".into(), "TRUE".into()),
                ("opaque".into(), String::new())
            ]
        );
    }

    #[test]
    fn percent_decoding_leaves_nonsense_alone() {
        assert_eq!(percent_decode("%23%2A9%C3%BC"), "#*9ü");
        assert_eq!(percent_decode("100%"), "100%");
        assert_eq!(percent_decode("%zz%4"), "%zz%4");
        assert_eq!(percent_decode("%ff"), "%ff");
    }

    proptest! {
        #[test]
        fn quoting_is_undone_by_unquoting(text in "[^\\p{C}]{0,40}") {
            prop_assert_eq!(unquote(&quote(&text)), text);
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,60}|[\\x00-\\x7f]{0,60}") {
            let _ = (elements(&text), parameters(&text, ';'), unquote(&text), percent_decode(&text));
        }
    }
}
