//! What a call's headers say of who calls, for whom, by way of whom, and how it shall ring.

use std::time::Duration;

use rsipstack::sip::{HasHeaders, HeadersExt, Request};

use crate::header::{elements, parameters, percent_decode};
use crate::message::{from_of, to_of};
use crate::{Invitation, Party};

/// Most forwarders told; more are not looked at.
const FORWARDERS: usize = 16;
/// Longest wait for an answer by itself that is believed.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What an INVITE says of the call, but for its session description.
pub(crate) fn invitation_of(invite: &Request) -> Invitation {
    Invitation {
        from: caller_of(invite),
        to: Party::parse(&to_of(invite)),
        diverted_by: diverted_by(invite),
        auto_answer: auto_answer(invite),
        alert: alert(invite),
        ..Invitation::default()
    }
}

/// What an INVITE that did not come by way of the phone system says of the call: nobody vouches for more than the
/// sender's own word, and others have no say in how it is taken.
pub(crate) fn invitation_of_stranger(invite: &Request) -> Invitation {
    Invitation {
        from: Party::parse(&from_of(invite)),
        to: Party::parse(&to_of(invite)),
        alert: alert(invite),
        ..Invitation::default()
    }
}

/// Who sent a request: as the network vouches (P-Asserted-Identity, RFC 3325; Remote-Party-ID in older systems), or as
/// they say. Who wants to stay anonymous (RFC 3323), stays so.
pub(crate) fn caller_of(request: &impl HeadersExt) -> Party {
    let claimed = Party::parse(&from_of(request));
    match identity_of(request) {
        Some(party) if party.is_anonymous() || claimed.is_anonymous() => party,
        Some(party) => Party { display_name: party.display_name.or(claimed.display_name), ..party },
        None => claimed,
    }
}

/// Whom the network says a message is from, where it says so.
pub(crate) fn identity_of(message: &impl HasHeaders) -> Option<Party> {
    if wants_privacy(message) {
        return Some(anonymous());
    }
    let mut asserted = values(message, "P-Asserted-Identity").into_iter().map(|value| Party::parse(&value));
    // A telephone number beside a SIP URI says the same in other words.
    let asserted = asserted.find(|party| !party.number.is_empty());
    asserted.or_else(|| {
        let value = values(message, "Remote-Party-ID").into_iter().next()?;
        let list = parameters(value.rsplit_once('>').map_or("", |(_, after)| after), ';');
        let get = |name: &str| list.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let private = get("privacy").is_some_and(|privacy| !privacy.eq_ignore_ascii_case("off"));
        let party = if private { anonymous() } else { Party::parse(&value) };
        (!party.number.is_empty()).then_some(party)
    })
}

/// The identity of one who withholds it (RFC 3323, section 4.1.1.3).
fn anonymous() -> Party {
    Party { number: "anonymous".into(), host: "anonymous.invalid".into(), display_name: None }
}

fn wants_privacy(message: &impl HasHeaders) -> bool {
    values(message, "Privacy")
        .iter()
        .flat_map(|value| value.split(';'))
        .any(|wish| ["id", "user", "full"].iter().any(|known| wish.trim().eq_ignore_ascii_case(known)))
}

/// Who forwarded the call here, last first.
fn diverted_by(invite: &Request) -> Vec<Party> {
    let mut diversions: Vec<Party> =
        values(invite, "Diversion").iter().map(|value| withheld(value, Party::parse(value))).collect();
    if diversions.is_empty() {
        diversions = forwarders_of_history(invite);
    }
    diversions.retain(|party| !party.number.is_empty());
    diversions.truncate(FORWARDERS);
    diversions
}

/// A diversion may want privacy of its own (RFC 5806).
fn withheld(value: &str, party: Party) -> Party {
    let list = parameters(value.rsplit_once('>').map_or("", |(_, after)| after), ';');
    let private = list.iter().any(|(name, value)| name == "privacy" && !value.eq_ignore_ascii_case("off"));
    if private { anonymous() } else { party }
}

/// The targets that calls were forwarded from (RFC 7044): an entry whose successor was reached by forwarding, or that
/// carries the reason of it.
fn forwarders_of_history(invite: &Request) -> Vec<Party> {
    let entries = values(invite, "History-Info");
    let mut found: Vec<Party> = Vec::new();
    for entry in &entries {
        let (uri, after) = entry.rsplit_once('>').unwrap_or((entry, ""));
        let headers = uri.rsplit_once('?').map_or("", |(_, headers)| headers);
        let header = |name: &str| {
            headers.split('&').filter_map(|header| header.split_once('=')).find_map(|(key, value)| {
                key.eq_ignore_ascii_case(name).then(|| percent_decode(value).to_ascii_lowercase())
            })
        };
        // A phone that did not answer in a hunt group has a reason, too, but other statuses.
        let left = header("Reason").is_some_and(|reason| {
            let cause = parameters(&reason, ';').into_iter().find(|(name, _)| name == "cause");
            cause.is_some_and(|(_, cause)| {
                matches!(cause.as_str(), "301" | "302" | "408" | "480" | "486" | "487")
            })
        });
        let retargeted = uri.split(';').any(|parameter| {
            parameter.split('?').next().is_some_and(|parameter| parameter.starts_with("cause="))
        });
        let private = header("Privacy").is_some_and(|privacy| privacy.contains("history"));
        let party = if private { anonymous() } else { Party::parse(entry) };
        let mapped = parameters(after, ';').into_iter().any(|(name, _)| name == "mp");
        if left && !found.contains(&party) {
            found.push(party);
        } else if (retargeted || mapped) && found.is_empty() {
            // Forwarded to here: by the entry before.
            let before = entries.iter().take_while(|other| *other != entry).last();
            found.extend(before.map(|before| Party::parse(before)));
        }
    }
    found.reverse();
    found
}

/// How long after its arrival the call is to be answered by itself, where the phone system wants that.
fn auto_answer(invite: &Request) -> Option<Duration> {
    let wait = |text: &str| {
        let seconds = text.trim().parse::<u32>().ok()?;
        Some(Duration::from_secs(seconds.into()).min(LONGEST_WAIT))
    };
    for value in values(invite, "Call-Info") {
        for (name, value) in parameters(after_address(&value), ';') {
            if let Some(wait) = wait(&value).filter(|_| name == "answer-after") {
                return Some(wait);
            }
        }
    }
    for value in values(invite, "Alert-Info") {
        let folded = value.to_ascii_lowercase();
        let list = parameters(after_address(&value), ';');
        let get = |name: &str| list.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        if let Some(wait) = get("answer-after").and_then(wait) {
            return Some(wait);
        }
        let info = get("info").unwrap_or_default().to_ascii_lowercase();
        let named =
            ["alert-autoanswer", "auto answer", "auto-answer", "autoanswer", "ring-answer", "intercom"];
        if named.contains(&info.trim()) || named.iter().any(|name| folded.trim().trim_matches('"') == *name) {
            let delay = get("delay").and_then(wait);
            return Some(delay.unwrap_or_default());
        }
    }
    // RFC 5373: manual answering is what happens anyway.
    let mode = |name| values(invite, name).into_iter().next();
    let modes = [mode("Answer-Mode"), mode("Priv-Answer-Mode")];
    let automatic = modes
        .iter()
        .flatten()
        .any(|mode| mode.split(';').next().is_some_and(|mode| mode.trim().eq_ignore_ascii_case("Auto")));
    automatic.then_some(Duration::ZERO)
}

/// What follows the URI of a header such as `Alert-Info: <http://x>;info=y`, or all of it where there is none.
fn after_address(value: &str) -> &str {
    value.rsplit_once('>').map_or(value, |(_, after)| after)
}

/// How the call shall ring.
fn alert(invite: &Request) -> Option<String> {
    values(invite, "Alert-Info").into_iter().find(|value| !value.is_empty())
}

/// Values of all headers of a name, each element of a list by itself.
fn values(message: &impl HasHeaders, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    for header in message.headers().iter() {
        if header.name().eq_ignore_ascii_case(name) {
            found.extend(elements(header.value()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn invite(headers: &str) -> Request {
        let text = format!(
            "INVITE sip:101@h SIP/2.0\r\nFrom: \"Bob\" <sip:102@bell.test>;tag=1\r\nTo: <sip:*500@bell.test>\r\n{headers}\
             Content-Length: 0\r\n\r\n"
        );
        Request::try_from(text.as_str()).unwrap()
    }

    fn numbers(parties: &[Party]) -> Vec<&str> {
        parties.iter().map(|party| party.number.as_str()).collect()
    }

    #[test]
    fn who_calls_and_whom() {
        for (headers, number, name) in [
            ("", "102", Some("Bob")),
            ("P-Asserted-Identity: <sip:1102@bell.test>\r\n", "1102", Some("Bob")),
            ("P-Asserted-Identity: \"R\" <sip:1102@bell.test>, <tel:+491102>\r\n", "1102", Some("R")),
            ("P-Asserted-Identity: <tel:+491102>\r\n", "+491102", Some("Bob")),
            ("Remote-Party-ID: \"R\" <sip:1102@bell.test>;party=calling;privacy=off\r\n", "1102", Some("R")),
            ("Remote-Party-ID: \"R\" <sip:1102@bell.test>;party=calling;privacy=full\r\n", "anonymous", None),
            ("Privacy: id\r\nP-Asserted-Identity: <sip:1102@bell.test>\r\n", "anonymous", None),
            ("Privacy: critical; User\r\n", "anonymous", None),
            ("Privacy: none\r\nP-Asserted-Identity: <sip:1102@bell.test>\r\n", "1102", Some("Bob")),
            ("P-Asserted-Identity: \r\n", "102", Some("Bob")),
        ] {
            let read = invitation_of(&invite(headers));
            assert_eq!(
                (read.from.number.as_str(), read.from.display_name.as_deref()),
                (number, name),
                "{headers}"
            );
            assert_eq!(read.to.number, "*500");
        }
    }

    #[test]
    fn by_way_of_whom() {
        for (headers, want) in [
            ("", vec![]),
            (
                "Diversion: <sip:201@h>;reason=no-answer, <sip:202@h>;reason=unconditional;counter=1\r\nDiversion: <sip:203@h>\r\n",
                vec!["201", "202", "203"],
            ),
            ("Diversion: <sip:201@h>;privacy=full\r\n", vec!["anonymous"]),
            (
                "History-Info: <sip:201@h?Reason=SIP%3Bcause%3D302>;index=1, <sip:202@h?Reason=SIP%3Bcause%3D486%3Btext%3D%22Busy%22>;index=1.1\r\n\
                 History-Info: <sip:101@h;cause=486>;index=1.1.1;mp=1.1\r\n",
                vec!["202", "201"],
            ),
            ("History-Info: <sip:201@h>;index=1, <sip:101@h;cause=302>;index=1.1;mp=1\r\n", vec!["201"]),
            ("History-Info: <sip:101@h>;index=1\r\n", vec![]),
        ] {
            assert_eq!(numbers(&invitation_of(&invite(headers)).diverted_by), want, "{headers}");
        }
    }

    #[test]
    fn calls_that_answer_themselves() {
        let seconds = |n| Some(Duration::from_secs(n));
        for (headers, want) in [
            ("", None),
            ("Call-Info: <sip:bell.test>;answer-after=0\r\n", seconds(0)),
            ("Call-Info: <http://h/x.png>;purpose=icon, <sip:h>;Answer-After=3\r\n", seconds(3)),
            ("Call-Info: ;answer-after=0\r\n", seconds(0)),
            ("Call-Info: <sip:h>;answer-after=99999\r\n", Some(LONGEST_WAIT)),
            ("Call-Info: <sip:h>;answer-after=soon\r\n", None),
            ("Alert-Info: <http://www.notused.com>;info=alert-autoanswer;delay=2\r\n", seconds(2)),
            ("Alert-Info: info=alert-autoanswer\r\n", seconds(0)),
            ("Alert-Info: <http://h>;info=\"Auto Answer\"\r\n", seconds(0)),
            ("Alert-Info: Auto Answer\r\n", seconds(0)),
            ("Alert-Info: ring-answer\r\n", seconds(0)),
            ("Alert-Info: <http://h>;answer-after=1\r\n", seconds(1)),
            ("Alert-Info: <urn:alert:service:call-waiting>\r\n", None),
            ("Answer-Mode: Auto;require\r\n", seconds(0)),
            ("Priv-Answer-Mode: auto\r\n", seconds(0)),
            ("Answer-Mode: Manual\r\n", None),
        ] {
            assert_eq!(invitation_of(&invite(headers)).auto_answer, want, "{headers}");
        }
        let alert = invitation_of(&invite("Alert-Info: <urn:alert:tone:internal>\r\n")).alert;
        assert_eq!(alert.as_deref(), Some("<urn:alert:tone:internal>"));
    }

    proptest! {
        #[test]
        fn nothing_panics(
            name in prop::sample::select(vec![
                "P-Asserted-Identity", "Remote-Party-ID", "Privacy", "Diversion", "History-Info", "Alert-Info", "Call-Info",
                "Answer-Mode",
            ]),
            value in "[\\PC&&[^\r\n]]{0,80}|[<>?;=&%,@:sip0-9Reason\" ]{0,80}",
        ) {
            if let Ok(invite) = Request::try_from(
                format!("INVITE sip:a@h SIP/2.0\r\n{name}: {value}\r\nContent-Length: 0\r\n\r\n").as_str(),
            ) {
                let _ = (invitation_of(&invite), identity_of(&invite));
            }
        }
    }
}
