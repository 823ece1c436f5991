//! A page of another program's, a CRM's for example, that is opened for calls from outside.

use std::collections::BTreeMap;

use phone::{CallId, CallState, CallView, Direction, PopWhen, ScreenPop};
use tauri::Url;

/// Which pages are to be opened as calls go on: pure.
#[derive(Debug, Default)]
pub struct Pops(BTreeMap<CallId, Stage>);

/// How far a call from outside has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Ringing,
    Answered,
}

impl Pops {
    /// Takes a call as it stands now; gives the address that is to be opened for it. `account` is what was called.
    pub fn fold(&mut self, call: &CallView, account: &str, wanted: &ScreenPop) -> Option<Url> {
        if call.direction != Direction::Incoming {
            return None;
        }
        let before = self.0.get(&call.id).copied();
        let now = match (&call.state, before) {
            (CallState::Incoming, None) => {
                self.0.insert(call.id, Stage::Ringing);
                PopWhen::Ring
            }
            (CallState::Active { .. }, Some(Stage::Ringing)) => {
                self.0.insert(call.id, Stage::Answered);
                PopWhen::Answer
            }
            (CallState::Ended { .. }, Some(_)) => {
                self.0.remove(&call.id);
                PopWhen::End
            }
            _ => return None,
        };
        if now == wanted.when { address(&wanted.url, call, account) } else { None }
    }
}

/// The address with what it asks for in it. Only pages of the web: a caller's name must not start a program.
fn address(template: &str, call: &CallView, account: &str) -> Option<Url> {
    let name = call.peer.name.as_deref().unwrap_or_default();
    let id = call.id.0.to_string();
    let fields =
        [("%CALLER%", &*call.peer.number), ("%NAME%", name), ("%ACCOUNT%", account), ("%CALL%", id.as_str())];
    let mut filled = String::with_capacity(template.len());
    let mut rest = template.trim();
    while let Some(next) = rest.chars().next() {
        // What a caller sends is put in once and not looked through again.
        if let Some((field, value)) = fields.iter().find(|(field, _)| rest.starts_with(*field)) {
            filled.push_str(&encoded(value));
            rest = rest.get(field.len()..)?;
        } else {
            filled.push(next);
            rest = rest.get(next.len_utf8()..)?;
        }
    }
    let url = Url::parse(&filled).ok()?;
    let same_place = Url::parse(template.trim()).is_ok_and(|empty| empty.host() == url.host());
    (matches!(url.scheme(), "http" | "https") && same_place).then_some(url)
}

/// Percent-encoded, but for what RFC 3986 (section 2.3) leaves alone.
fn encoded(value: &str) -> String {
    value.bytes().fold(String::new(), |mut text, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(byte))
            }
            byte => text.push_str(&format!("%{byte:02X}")),
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use phone::{CallEnd, EndReason, PeerView, UnixMs};

    use super::*;
    use crate::desk::samples::call as sample;

    fn call(state: CallState, number: &str, name: Option<&str>) -> CallView {
        CallView {
            peer: PeerView { number: number.into(), name: name.map(str::to_owned), picture: None },
            ..sample(state)
        }
    }

    fn stages() -> [CallView; 3] {
        let ended = CallEnd { reason: EndReason::HungUpThere, status: None, lasted_s: Some(1) };
        [CallState::Incoming, CallState::Active { since: UnixMs(0) }, CallState::Ended { end: ended }]
            .map(|state| call(state, "+1 201", Some("Ann & Bob")))
    }

    #[test]
    fn a_page_is_opened_once_when_it_is_wanted() {
        for (when, at) in [(PopWhen::Ring, 0), (PopWhen::Answer, 1), (PopWhen::End, 2)] {
            let wanted = ScreenPop { when, url: "https://crm.test.io/?n=%CALLER%".into() };
            let mut pops = Pops::default();
            let opened: Vec<bool> = stages()
                .iter()
                .flat_map(|c| [c, c])
                .map(|c| pops.fold(c, "101", &wanted).is_some())
                .collect();
            assert_eq!(opened.iter().position(|&opened| opened), Some(2 * at), "{when:?}");
            assert_eq!(opened.iter().filter(|&&opened| opened).count(), 1, "{when:?}");
        }
    }

    #[test]
    fn what_callers_send_stays_a_value() {
        let address = |template: &str, number: &str, name: &str| {
            address(template, &call(CallState::Incoming, number, Some(name)), "101").map(String::from)
        };
        assert_eq!(
            address(
                "https://crm.test.io/%CALL%?n=%CALLER%&who=%NAME%&to=%ACCOUNT%",
                "+1 201",
                "A&b=%CALL%/é"
            ),
            Some("https://crm.test.io/7?n=%2B1%20201&who=A%26b%3D%25CALL%25%2F%C3%A9&to=101".into())
        );
        assert_eq!(address("%CALLER%", "https://evil.example/", ""), None);
        assert_eq!(address("https://%CALLER%/", "evil.example", ""), None);
        for template in ["", "file:///%CALLER%", "calc.exe", "javascript:alert(1)", "sip:%CALLER%"] {
            assert_eq!(address(template, "102", ""), None, "{template}");
        }
    }
}
