//! What the other end takes part in, as its messages say, and what we do.

use rsipstack::sip::{HasHeaders, Header, Method, Request};

use crate::message::ALLOW;
use crate::session_timer::{LEAST, Role, SessionTimer, Terms};

/// Extensions the user agent takes part in (RFC 3262, 4028, 6228, 3891, 4488).
pub(crate) const SUPPORTED: &str = "100rel, timer, 199, replaces, norefersub";

/// Addresses found later (RFC 8840, section 10): an extension, and what INFO may be about (RFC 6086).
const TRICKLE: &str = "trickle-ice";

/// What a message that makes a dialog says of what we take. An INVITE is kept short where it can be, to pass in one
/// datagram: of addresses found later only one speaks whose description has ICE.
pub(crate) fn abilities(with_ice: bool) -> Vec<Header> {
    let supported = if with_ice { format!("{SUPPORTED}, {TRICKLE}") } else { SUPPORTED.to_owned() };
    let mut headers = vec![Header::Allow(ALLOW.into()), Header::Supported(supported.into())];
    headers.extend(with_ice.then(packages));
    headers
}

/// Whether a description has ICE.
pub(crate) fn has_ice(sdp: &str) -> bool {
    sdp.contains("\na=ice-ufrag:")
}

/// What INFO may be about.
pub(crate) fn packages() -> Header {
    Header::Other("Recv-Info".into(), TRICKLE.into())
}

/// Whether an INFO is about something that nobody here knows. Older ones say nothing of it.
pub(crate) fn is_of_unknown_package(info: &Request) -> bool {
    let package = info.headers.iter().find_map(|header| match header {
        Header::Other(name, value) if name.eq_ignore_ascii_case("Info-Package") => Some(value),
        _ => None,
    });
    package.is_some_and(|package| !has(TRICKLE, package.split(';').next().unwrap_or_default().trim()))
}

/// Whether a message says that its sender knows an extension.
pub(crate) fn knows(message: &impl HasHeaders, extension: &str) -> bool {
    any(message, extension, |header| match header {
        Header::Supported(list) => Some(list.value()),
        _ => None,
    }) || requires(message, extension)
}

/// Whether a message insists on an extension.
pub(crate) fn requires(message: &impl HasHeaders, extension: &str) -> bool {
    any(message, extension, |header| match header {
        Header::Require(list) => Some(list.value()),
        _ => None,
    })
}

/// Whether the sender of a message takes requests of this method; nothing where it does not say.
pub(crate) fn allows(message: &impl HasHeaders, method: Method) -> Option<bool> {
    let list = |header: &Header| matches!(header, Header::Allow(_));
    message.headers().iter().any(list).then(|| {
        any(message, &method.to_string(), |header| match header {
            Header::Allow(list) => Some(list.value()),
            _ => None,
        })
    })
}

/// Extensions a request insists on that are not known here.
pub(crate) fn unsupported(request: &Request) -> Option<String> {
    let mut unknown: Vec<&str> = Vec::new();
    for header in request.headers.iter() {
        if let Header::Require(list) = header {
            let tokens = list.value().split(',').map(str::trim);
            let strange = |token: &&str| !has(SUPPORTED, token) && !has(TRICKLE, token);
            unknown.extend(tokens.filter(|token| !token.is_empty()).filter(strange));
        }
    }
    (!unknown.is_empty()).then(|| unknown.join(", "))
}

/// Session timer headers of a request of ours.
pub(crate) fn asking(timer: &SessionTimer) -> Vec<Header> {
    let mut headers = vec![Header::SessionExpires(timer.ask().to_string().into())];
    if let Some(least) = timer.least() {
        headers.push(Header::MinSE(least.as_secs().to_string().into()));
    }
    headers
}

/// Session timer headers of a 2xx of ours to `request`.
pub(crate) fn agreeing(request: &Request, terms: Option<Terms>) -> Vec<Header> {
    let Some(terms) = terms else { return Vec::new() };
    let mut headers = vec![Header::SessionExpires(terms.to_string().into())];
    if terms.refresher == Some(Role::Caller) && knows(request, "timer") {
        headers.push(Header::Require("timer".into()));
    }
    headers
}

/// The session timer a message speaks of.
pub(crate) fn terms_of(message: &impl HasHeaders) -> Option<Terms> {
    message.headers().iter().find_map(|header| match header {
        Header::SessionExpires(value) => Terms::parse(value.value()),
        _ => None,
    })
}

/// The `Min-SE` to refuse a request with (422).
pub(crate) fn least() -> Header {
    Header::MinSE(LEAST.as_secs().to_string().into())
}

fn any(message: &impl HasHeaders, token: &str, pick: impl Fn(&Header) -> Option<&str>) -> bool {
    message.headers().iter().filter_map(pick).any(|list| has(list, token))
}

fn has(list: &str, token: &str) -> bool {
    list.split(',').any(|one| one.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn addresses_found_later_are_spoken_of_where_there_is_ice() {
        let words = |sdp: &str| abilities(has_ice(sdp)).iter().map(ToString::to_string).collect::<String>();
        assert!(!words("v=0\r\na=sendrecv\r\n").contains("trickle"));
        let with = words("v=0\r\na=ice-ufrag:abcd\r\n");
        assert!(
            with.contains("norefersub, trickle-ice") && with.contains("Recv-Info: trickle-ice"),
            "{with}"
        );
    }

    fn request(headers: &str) -> Request {
        let text = format!("INVITE sip:101@h SIP/2.0\r\n{headers}Content-Length: 0\r\n\r\n");
        Request::try_from(text.as_str()).unwrap()
    }

    #[test]
    fn lists_are_read_wherever_they_stand() {
        let request = request(
            "Supported: path\r\nk: Timer, x\r\nRequire: 100REL\r\nAllow: INVITE,ACK\r\nAllow: UPDATE\r\n",
        );
        assert!(knows(&request, "timer") && knows(&request, "100rel") && !knows(&request, "tim"));
        assert!(requires(&request, "100rel") && !requires(&request, "timer"));
        assert_eq!(allows(&request, Method::Update), Some(true));
        assert_eq!(allows(&request, Method::Refer), Some(false));
        assert_eq!(unsupported(&request), None);
    }

    #[test]
    fn what_is_not_known_is_named() {
        let request = request("Require: timer, brew\r\nRequire: , tea ,100rel\r\n");
        assert_eq!(unsupported(&request).as_deref(), Some("brew, tea"));
        assert_eq!(allows(&request, Method::Update), None);
    }

    #[test]
    fn timers_are_spoken_of_in_headers() {
        let mut timer = SessionTimer::new();
        let written = |headers: Vec<Header>| headers.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(written(asking(&timer)), ["Session-Expires: 1800"]);
        timer.too_brief(Duration::from_secs(2000));
        assert_eq!(written(asking(&timer)), ["Session-Expires: 2000", "Min-SE: 2000"]);
        let theirs = request("x: 600;refresher=uac\r\nSupported: timer\r\n");
        let terms = timer.judge(terms_of(&theirs), true).unwrap();
        assert_eq!(
            written(agreeing(&theirs, terms)),
            ["Session-Expires: 600;refresher=uac", "Require: timer"]
        );
        timer.accept(terms, Instant::now());
        assert!(timer.deadline().is_some());
        assert_eq!(written(agreeing(&theirs, None)), [""; 0]);
    }
}
