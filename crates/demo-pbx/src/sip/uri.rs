//! The parts of SIP URIs, addresses and Via values a proxy needs (RFC 3261 sections 19.1, 20.10, 20.42).

/// A `sip:` URI taken apart, borrowing from its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Uri<'a> {
    pub user: &'a str,
    pub host: &'a str,
    pub port: Option<u16>,
}

impl<'a> Uri<'a> {
    /// Reads a `sip:` or `sips:` URI.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        if !scheme.eq_ignore_ascii_case("sip") && !scheme.eq_ignore_ascii_case("sips") {
            return None;
        }
        let rest = rest.split('?').next().unwrap_or_default();
        let (userinfo, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
        let hostport = rest.split(';').next().unwrap_or_default();
        let (host, port) = split_port(hostport)?;
        let user = userinfo.split(':').next().unwrap_or_default().split(';').next().unwrap_or_default();
        (!host.is_empty()).then_some(Self { user, host, port })
    }
}

/// A name-addr or addr-spec with its header parameters: From, To, Contact, Route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Address<'a> {
    /// The URI's text, without brackets.
    pub uri: &'a str,
    params: &'a str,
}

impl<'a> Address<'a> {
    /// Reads the value of such a header.
    pub fn parse(text: &'a str) -> Option<Self> {
        let text = skip_quoted(text.trim())?;
        if let Some((_, rest)) = text.split_once('<') {
            let (uri, after) = rest.split_once('>')?;
            let params = after.trim_start().strip_prefix(';').unwrap_or_default();
            return Some(Self { uri, params });
        }
        // Without brackets, parameters belong to the header (RFC 3261 section 20.10).
        let (uri, params) = text.split_once(';').unwrap_or((text, ""));
        Some(Self { uri: uri.trim(), params })
    }

    /// Value of a header parameter; empty for one without a value.
    pub fn param(&self, name: &str) -> Option<&'a str> {
        param(self.params, name)
    }

    /// The `tag` parameter.
    pub fn tag(&self) -> Option<&'a str> {
        self.param("tag")
    }
}

/// The topmost Via taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Via<'a> {
    pub host: &'a str,
    pub port: Option<u16>,
    params: &'a str,
}

impl<'a> Via<'a> {
    /// Reads one Via value.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (protocol, rest) = text.split_once(char::is_whitespace)?;
        if !protocol.starts_with("SIP/2.0/") {
            return None;
        }
        let (sent_by, params) = rest.split_once(';').unwrap_or((rest, ""));
        let (host, port) = split_port(sent_by.trim())?;
        Some(Self { host, port, params })
    }

    /// Value of a Via parameter; empty for one without a value.
    pub fn param(&self, name: &str) -> Option<&'a str> {
        param(self.params, name)
    }
}

/// The tag of a From or To value; empty when there is none.
pub(crate) fn tag(value: Option<&str>) -> &str {
    value.and_then(Address::parse).and_then(|a| a.tag()).unwrap_or_default()
}

fn param<'a>(params: &'a str, name: &str) -> Option<&'a str> {
    params.split(';').find_map(|one| {
        let (key, value) = one.split_once('=').unwrap_or((one, ""));
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Leaves a quoted display name behind.
fn skip_quoted(text: &str) -> Option<&str> {
    let Some(inside) = text.strip_prefix('"') else {
        return Some(text);
    };
    let mut escaped = false;
    let end = inside.find(|c| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes
    })?;
    inside.get(end + 1..)
}

fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    let after_host = text.rfind(']').map_or(0, |at| at + 1);
    match text.get(after_host..)?.rfind(':') {
        Some(at) => {
            let at = after_host + at;
            Some((text.get(..at)?, Some(text.get(at + 1..)?.parse().ok()?)))
        }
        None => Some((text, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris() {
        let uri = Uri::parse("sip:101;x=y:pw@[::1]:5062;transport=tcp;lr?h=v").unwrap();
        assert_eq!((uri.user, uri.host, uri.port), ("101", "[::1]", Some(5062)));
        let plain = Uri::parse("sip:test.io").unwrap();
        assert_eq!((plain.user, plain.host, plain.port), ("", "test.io", None));
        for bad in ["", "tel:123", "sip:", "sip:a@h:port", "sip:a@h:70000"] {
            assert_eq!(Uri::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn addresses() {
        let quoted = Address::parse("\"a \\\" <b>\" <sip:101@test.io;ob>;tag=x;expires=60").unwrap();
        assert_eq!(
            (quoted.uri, quoted.tag(), quoted.param("expires")),
            ("sip:101@test.io;ob", Some("x"), Some("60"))
        );
        let bare = Address::parse("sip:101@test.io;tag=z").unwrap();
        assert_eq!((bare.uri, bare.tag()), ("sip:101@test.io", Some("z")));
        assert_eq!(Address::parse("\"open"), None);
    }

    #[test]
    fn vias() {
        let via = Via::parse("SIP/2.0/UDP 10.0.0.1:5062;rport;branch=z9hG4bKx").unwrap();
        assert_eq!((via.host, via.port, via.param("rport")), ("10.0.0.1", Some(5062), Some("")));
        assert_eq!(via.param("branch"), Some("z9hG4bKx"));
        assert_eq!(Via::parse("HTTP/1.1 a"), None);
    }
}
