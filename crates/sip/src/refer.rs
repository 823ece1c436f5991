//! What a REFER and its notifications say (RFC 3515, 3892, 4488).

use rsipstack::sip::{HasHeaders, Header, Request, StatusCode, Uri};

use crate::header::{elements, percent_decode};
use crate::message::{event_of, kind_of, other, value};
use crate::replaces::Replaces;
use crate::target::parse;

/// Media type of the news of a referral.
pub(crate) const SIPFRAG: &str = "message/sipfrag;version=2.0";

/// Whom to call, and whose place to take there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReferTo {
    pub uri: Uri,
    pub replaces: Option<Replaces>,
}

impl ReferTo {
    /// Reads a `Refer-To`; `None` where it asks for anything but a call to a SIP URI.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let [one] = <[String; 1]>::try_from(elements(value)).ok()?;
        let text = match one.rsplit_once('<') {
            Some((_, rest)) => rest.split('>').next().unwrap_or_default().trim(),
            // Without brackets, whatever follows a semicolon is the header's (RFC 3261, section 20.10).
            None => one.split(';').next().unwrap_or_default().trim(),
        };
        let (address, headers) = text.split_once('?').unwrap_or((text, ""));
        if !address.chars().all(|c| c.is_ascii_graphic()) {
            return None;
        }
        let (address, parameters) = address.split_once(';').unwrap_or((address, ""));
        let mut kept = String::new();
        for parameter in parameters.split(';').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some((name, method)) if name.eq_ignore_ascii_case("method") => {
                    if !method.eq_ignore_ascii_case("INVITE") {
                        return None;
                    }
                }
                _ => kept.push_str(&format!(";{parameter}")),
            }
        }
        let uri = parse(&format!("{address}{kept}"))?;
        // Other headers in the URI are not for strangers to set.
        let replaces = headers
            .split('&')
            .filter_map(|header| header.split_once('='))
            .find(|(name, _)| percent_decode(name).eq_ignore_ascii_case("Replaces"))
            .map(|(_, value)| Replaces::parse(&percent_decode(value)));
        match replaces {
            Some(None) => None,
            Some(replaces) => Some(Self { uri, replaces }),
            None => Some(Self { uri, replaces: None }),
        }
    }
}

impl std::fmt::Display for ReferTo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.replaces {
            Some(replaces) => write!(f, "<{}?Replaces={}>", self.uri, escaped(&replaces.to_string())),
            None => write!(f, "<{}>", self.uri),
        }
    }
}

/// Escapes a header value for the header part of a URI (RFC 3261, section 25.1, `hvalue`).
fn escaped(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len() + 12);
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'!' | b'~' | b'*' => {
                escaped.push(char::from(byte));
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

/// Whom a REFER asks us to call.
pub(crate) fn refer_to_of(refer: &Request) -> Option<ReferTo> {
    let mut values = refer.headers.iter().filter_map(|header| match header {
        Header::ReferTo(value) => Some(value.value()),
        _ => None,
    });
    match (values.next(), values.next()) {
        (Some(value), None) => ReferTo::parse(value),
        _ => None,
    }
}

/// Value of `Referred-By`, where there is one.
pub(crate) fn referred_by_of(refer: &Request) -> Option<String> {
    value(refer, |header| match header {
        Header::ReferredBy(value) => Some(value.value()),
        _ => None,
    })
    .filter(|value| !value.trim().is_empty() && !value.contains(['\r', '\n']))
}

/// Whether a message says that no notifications shall or will come of a REFER (RFC 4488).
pub(crate) fn without_news(message: &impl HasHeaders) -> bool {
    other(message, "Refer-Sub")
        .is_some_and(|value| value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("false"))
}

/// Whether a NOTIFY is about a referral.
pub(crate) fn is_of_referral(notify: &Request) -> bool {
    let event = event_of(notify).unwrap_or_default();
    event.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("refer")
}

/// The status that a notification brings.
pub(crate) fn status_of(notify: &Request) -> Option<u16> {
    let kind = kind_of(notify)?;
    if !kind.split(';').next()?.trim().eq_ignore_ascii_case("message/sipfrag") {
        return None;
    }
    let line = notify.body.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
    let mut words = std::str::from_utf8(line.get(..line.len().min(200))?).ok()?.split_ascii_whitespace();
    let (version, status) = (words.next()?, words.next()?);
    let status = status.parse().ok().filter(|status| (100..700).contains(status));
    status.filter(|_| version.eq_ignore_ascii_case("SIP/2.0"))
}

/// The body that brings a status.
pub(crate) fn fragment(status: u16) -> String {
    format!("SIP/2.0 {}\r\n", StatusCode::from(status))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn notify(kind: &str, body: &[u8]) -> Request {
        let text = format!(
            "NOTIFY sip:a@h SIP/2.0\r\nEvent: Refer;id=2\r\nContent-Type: {kind}\r\nContent-Length: 0\r\n\r\n"
        );
        let mut request = Request::try_from(text.as_str()).unwrap();
        request.body = body.to_vec();
        request
    }

    #[test]
    fn whom_to_call() {
        for (value, want) in [
            ("<sip:103@bell.test>", "<sip:103@bell.test>"),
            ("\"Ann\" <sip:103@bell.test;method=INVITE>;x=y", "<sip:103@bell.test>"),
            ("sip:103@bell.test;method=invite", "<sip:103@bell.test>"),
            (
                "<sip:103@h:5080;transport=tcp?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2&Require=replaces>",
                "<sip:103@h:5080;transport=TCP?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>",
            ),
            ("<sip:%2a97%23@h>", "<sip:*97%23@h>"),
        ] {
            assert_eq!(ReferTo::parse(value).map(|to| to.to_string()).as_deref(), Some(want), "{value}");
        }
    }

    #[test]
    fn what_is_not_followed() {
        for value in [
            "",
            "<>",
            "<tel:+4930>",
            "<https://bell.test/>",
            "<sip:a@h>, <sip:b@h>",
            "<sip:a@h;method=BYE>",
            "<sip:a@h;method=SUBSCRIBE?Event=dialog>",
            "<sip:a@h?Replaces=nonsense>",
            "<sip:a@h?Replaces=a%0D%0AX%3Ay%3Bto-tag%3D1%3Bfrom-tag%3D2>",
            "<sip:a@h\r\nX: y>",
        ] {
            assert_eq!(ReferTo::parse(value), None, "{value}");
        }
    }

    #[test]
    fn how_it_goes() {
        assert!(is_of_referral(&notify("x/y", b"")));
        for (kind, body, status) in [
            ("message/sipfrag", b"SIP/2.0 100 Trying\r\n".as_slice(), Some(100)),
            ("message/sipfrag;version=2.0", b"SIP/2.0 200 OK", Some(200)),
            ("Message/SIPfrag", b"sip/2.0 603\r\nTo: x\r\n\r\n", Some(603)),
            ("message/sipfrag", b"INVITE sip:a@b SIP/2.0\r\n", None),
            ("message/sipfrag", b"SIP/2.0 99 No\r\n", None),
            ("message/sipfrag", b"SIP/2.0 1000 No\r\n", None),
            ("message/sipfrag", b"\xff\xfe 100", None),
            ("text/plain", b"SIP/2.0 200 OK", None),
            ("message/sipfrag", b"", None),
        ] {
            assert_eq!(status_of(&notify(kind, body)), status, "{kind} {body:?}");
        }
        assert_eq!(fragment(180), "SIP/2.0 180 Ringing\r\n");
    }

    proptest! {
        #[test]
        fn nothing_breaks_out_of_its_header(text in "\\PC{0,80}|[<>?;=&%,@:sip0-9A\r\n Replaces]{0,80}") {
            if let Some(to) = ReferTo::parse(&text) {
                let written = to.to_string();
                prop_assert!(!written.contains(['\r', '\n', ' ']), "{}", written);
                prop_assert_eq!(ReferTo::parse(&written), Some(to));
            }
        }

        #[test]
        fn no_fragment_makes_it_stumble(body in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = status_of(&notify("message/sipfrag", &body));
        }
    }
}
