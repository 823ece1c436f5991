//! Calls of another extension (RFC 4235).

use super::Reading;
use super::xml::Element;
use crate::{News, OtherCall, OtherCallState, Party};

/// Calls kept of one extension; more are not looked at.
const MOST: usize = 100;

/// All calls of one extension, as its notifications told them.
#[derive(Debug, Default)]
pub(super) struct Dialogs {
    version: Option<u64>,
    calls: Vec<OtherCall>,
}

impl Dialogs {
    /// Takes a document in; `None` where it cannot be read.
    pub(super) fn read(&mut self, text: &str) -> Option<Reading> {
        let root = Element::parse(text).filter(|root| root.name == "dialog-info")?;
        let version = root.attribute("version").and_then(|version| version.trim().parse::<u64>().ok());
        let partial = root.attribute("state") == Some("partial");
        let mut gap = false;
        if partial {
            match (self.version, version) {
                // Told already (section 4.3).
                (Some(known), Some(version)) if version <= known => {
                    return Some(Reading { news: None, gap: false });
                }
                (Some(known), Some(version)) => gap = version - known > 1,
                // A part of a whole that was never told.
                _ => gap = true,
            }
        } else {
            self.calls.clear();
        }
        self.version = version;
        for dialog in root.all("dialog") {
            let full = self.calls.len() >= MOST;
            let Some(call) = call(dialog) else { continue };
            match self.calls.iter_mut().find(|known| known.id == call.id) {
                Some(known) => *known = merged(known, call),
                None if full => {}
                None => self.calls.push(call),
            }
        }
        let news = News::Dialogs(self.calls.clone());
        // Who listens hears once of a call that is over.
        self.calls.retain(|call| call.state != OtherCallState::Terminated);
        Some(Reading { news: Some(news), gap })
    }
}

/// A partial notification may leave out what has not changed.
fn merged(known: &OtherCall, call: OtherCall) -> OtherCall {
    OtherCall {
        party: call.party.or_else(|| known.party.clone()),
        dialog: call.dialog.or_else(|| known.dialog.clone()),
        ..call
    }
}

fn call(dialog: &Element) -> Option<OtherCall> {
    let attribute = |name| dialog.attribute(name).filter(|value| !value.is_empty()).map(str::to_owned);
    let state = match dialog.child("state")?.words()?.to_ascii_lowercase().as_str() {
        "trying" | "proceeding" | "early" => OtherCallState::Early,
        "confirmed" => OtherCallState::Confirmed,
        "terminated" => OtherCallState::Terminated,
        _ => return None,
    };
    let named = (attribute("call-id"), attribute("local-tag"), attribute("remote-tag"));
    Some(OtherCall {
        id: attribute("id")?,
        state,
        incoming: dialog.attribute("direction") == Some("recipient"),
        party: dialog.child("remote").and_then(party),
        dialog: match named {
            (Some(call_id), Some(local), Some(remote)) => Some((call_id, local, remote)),
            _ => None,
        },
    })
}

fn party(remote: &Element) -> Option<Party> {
    let identity = remote.child("identity");
    let target = remote.child("target").and_then(|target| target.attribute("uri"));
    let uri = identity.and_then(Element::words).or(target)?;
    let party = Party::parse(uri);
    let display = identity.and_then(|identity| identity.attribute("display")).map(str::trim);
    let display_name = display.filter(|name| !name.is_empty()).map(str::to_owned).or(party.display_name);
    (!party.number.is_empty()).then_some(Party { number: party.number, host: party.host, display_name })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) const SAMPLE: &str = r#"<?xml version="1.0"?>
<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="7" state="full" entity="sip:102@bell.test">
  <dialog id="as7d" call-id="a84b" local-tag="19283" remote-tag="4568" direction="recipient">
    <state event="x" code="180">early</state>
    <local><identity display="Bob">sip:102@bell.test</identity></local>
    <remote><identity display="Ann &lt;A&gt;">sip:103@bell.test</identity><target uri="sip:103@192.0.2.3"/></remote>
  </dialog>
</dialog-info>"#;

    fn document(version: &str, state: &str, dialogs: &[(&str, &str)]) -> String {
        let dialogs: String = dialogs
            .iter()
            .map(|(id, state)| format!("<dialog id=\"{id}\"><state>{state}</state></dialog>"))
            .collect();
        format!(
            "<dialog-info version=\"{version}\" state=\"{state}\" entity=\"sip:a@b\">{dialogs}</dialog-info>"
        )
    }

    fn told(reading: &Reading) -> Vec<(&str, OtherCallState)> {
        match &reading.news {
            Some(News::Dialogs(calls)) => calls.iter().map(|call| (call.id.as_str(), call.state)).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn a_call_that_rings() {
        let reading = Dialogs::default().read(SAMPLE).unwrap();
        let Some(News::Dialogs(calls)) = reading.news else { panic!() };
        assert_eq!(
            calls,
            [OtherCall {
                id: "as7d".into(),
                state: OtherCallState::Early,
                incoming: true,
                party: Some(Party {
                    number: "103".into(),
                    host: "bell.test".into(),
                    display_name: Some("Ann <A>".into())
                }),
                dialog: Some(("a84b".into(), "19283".into(), "4568".into())),
            }]
        );
        assert!(!reading.gap);
    }

    #[test]
    fn parts_are_put_together() {
        use OtherCallState::{Confirmed, Early, Terminated};
        let mut dialogs = Dialogs::default();
        let mut read = |version, state, calls: &[_]| dialogs.read(&document(version, state, calls)).unwrap();
        assert_eq!(
            told(&read("0", "full", &[("a", "early"), ("b", "confirmed")])),
            [("a", Early), ("b", Confirmed)]
        );
        assert_eq!(
            told(&read("1", "partial", &[("a", "terminated")])),
            [("a", Terminated), ("b", Confirmed)]
        );
        assert_eq!(told(&read("2", "partial", &[("c", "trying")])), [("b", Confirmed), ("c", Early)]);
        // Again, and from the past.
        for old in ["2", "1"] {
            let again = read(old, "partial", &[("c", "terminated")]);
            assert_eq!((again.news, again.gap), (None, false));
        }
        let later = read("5", "partial", &[("c", "confirmed")]);
        assert_eq!((told(&later), later.gap), (vec![("b", Confirmed), ("c", Confirmed)], true));
        let whole = read("6", "full", &[]);
        assert_eq!((told(&whole), whole.gap), (vec![], false));
    }

    #[test]
    fn a_part_of_an_unknown_whole_is_a_gap() {
        assert!(Dialogs::default().read(&document("3", "partial", &[("a", "early")])).unwrap().gap);
    }

    #[test]
    fn what_is_no_dialog_info() {
        assert!(Dialogs::default().read("<presence/>").is_none());
        let odd = Dialogs::default().read(&document("x", "full", &[("a", "asleep"), ("", "early")])).unwrap();
        assert_eq!(odd.news, Some(News::Dialogs(Vec::new())));
    }
}
