//! Presence (PIDF, RFC 3863) with activities (RPID, RFC 4480).

use quick_xml::escape::escape;

use super::xml::Element;
use crate::{Activity, Presence};

/// Media type of a presence document.
pub(crate) const PIDF: &str = "application/pidf+xml";
/// Longest note read or written, characters.
const NOTE: usize = 500;

/// Reads a presence document; `None` where it is none.
pub(super) fn read(text: &str) -> Option<Presence> {
    let root = Element::parse(text).filter(|root| root.name == "presence")?;
    let tuples = || root.all("tuple");
    let persons = || root.all("person");
    let open = tuples().any(|tuple| {
        let basic = tuple.child("status").and_then(|status| status.child("basic"));
        basic.and_then(Element::words).is_some_and(|basic| basic.eq_ignore_ascii_case("open"))
    });
    // Some put activities into the person, some into the tuple or its status.
    let places = || persons().chain(tuples()).chain(tuples().filter_map(|tuple| tuple.child("status")));
    let activity = places()
        .flat_map(|place| place.all("activities"))
        .flat_map(|activities| &activities.children)
        .filter_map(activity)
        .max_by_key(|activity| weight(*activity));
    let note = persons()
        .chain(tuples())
        .chain([&root])
        .chain(places().flat_map(|place| place.all("activities")))
        .flat_map(|place| place.all("note"))
        .find_map(Element::words);
    Some(Presence {
        open,
        activity: activity.unwrap_or_default(),
        note: note.map(|note| note.chars().take(NOTE).collect()),
    })
}

fn activity(element: &Element) -> Option<Activity> {
    let other = match element.name.as_str() {
        "other" => element.words().unwrap_or_default(),
        name => name,
    };
    let folded: String = other.chars().filter(char::is_ascii_alphabetic).collect();
    Some(match folded.to_ascii_lowercase().as_str() {
        "onthephone" => Activity::OnThePhone,
        "donotdisturb" | "dnd" => Activity::DoNotDisturb,
        "busy" | "appointment" | "meeting" | "presentation" | "performance" | "steering" => Activity::Busy,
        "away" | "breakfast" | "dinner" | "holiday" | "intransit" | "lunch" | "meal" | "permanentabsence"
        | "shopping" | "sleeping" | "travel" | "vacation" | "worship" => Activity::Away,
        _ => return None,
    })
}

/// Of several activities the one that keeps from calling most is shown.
fn weight(activity: Activity) -> u8 {
    match activity {
        Activity::Unknown => 0,
        Activity::Away => 1,
        Activity::Busy => 2,
        Activity::OnThePhone => 3,
        Activity::DoNotDisturb => 4,
    }
}

/// The document that says so of `entity`, a SIP URI. `device` names this phone among those of the user.
pub(crate) fn write(presence: &Presence, entity: &str, device: &str) -> String {
    let activity = match presence.activity {
        Activity::Unknown => "",
        Activity::Away => "<rpid:away/>",
        Activity::Busy => "<rpid:busy/>",
        Activity::OnThePhone => "<rpid:on-the-phone/>",
        // RFC 4480 has no word of its own for it.
        Activity::DoNotDisturb => "<rpid:busy/><rpid:other>do-not-disturb</rpid:other>",
    };
    let activities = match activity {
        "" => String::new(),
        activity => format!("<rpid:activities>{activity}</rpid:activities>"),
    };
    // Control characters cannot be part of XML, escaped or not.
    let note: Option<String> = presence.note.as_deref().map(|note| {
        note.chars().filter(|c| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}')).take(NOTE).collect()
    });
    let note = note.filter(|note: &String| !note.trim().is_empty());
    let note_in = |name: &str| {
        note.as_deref().map(|note| format!("<{name}>{}</{name}>", escape(note))).unwrap_or_default()
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\
         <presence xmlns=\"urn:ietf:params:xml:ns:pidf\" xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" \
         xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\" entity=\"{}\">\r\n\
         <tuple id=\"t{device}\"><status><basic>{}</basic></status>{}</tuple>\r\n\
         <dm:person id=\"p{device}\">{activities}{}</dm:person>\r\n</presence>\r\n",
        escape(entity),
        if presence.open { "open" } else { "closed" },
        note_in("note"),
        note_in("dm:note"),
    )
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) const SAMPLE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"
  xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="sip:102@bell.test">
  <tuple id="a"><status><basic>open</basic></status></tuple>
  <dm:person id="p"><rpid:activities><rpid:away/><rpid:on-the-phone/></rpid:activities>
  <dm:note>Back &amp; forth</dm:note></dm:person>
</presence>"#;

    #[test]
    fn a_document() {
        let want = Presence { open: true, activity: Activity::OnThePhone, note: Some("Back & forth".into()) };
        assert_eq!(read(SAMPLE), Some(want));
    }

    #[test]
    fn documents_of_other_kinds() {
        let within = |inner: &str| read(&format!("<presence entity='x'>{inner}</presence>"));
        assert_eq!(within(""), Some(Presence::default()));
        let closed = within("<tuple id='a'><status><basic>closed</basic></status><note>Gone</note></tuple>");
        assert_eq!(closed, Some(Presence { note: Some("Gone".into()), ..Presence::default() }));
        let inside =
            within("<tuple><status><basic>open</basic><activities><busy/></activities></status></tuple>");
        assert_eq!(inside.unwrap().activity, Activity::Busy);
        let custom = within("<person><activities><other>Do Not Disturb</other></activities></person>");
        assert_eq!(custom.unwrap().activity, Activity::DoNotDisturb);
        assert_eq!(read("<dialog-info/>"), None);
    }

    #[test]
    fn what_is_published() {
        let presence = Presence { open: true, activity: Activity::DoNotDisturb, note: Some("a<b".into()) };
        insta::assert_snapshot!(write(&presence, "sip:101@bell.test", "x1"), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="sip:101@bell.test">
        <tuple id="tx1"><status><basic>open</basic></status><note>a&lt;b</note></tuple>
        <dm:person id="px1"><rpid:activities><rpid:busy/><rpid:other>do-not-disturb</rpid:other></rpid:activities><dm:note>a&lt;b</dm:note></dm:person>
        </presence>
        "#);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            open in any::<bool>(),
            activity in prop::sample::select(vec![
                Activity::Unknown, Activity::Away, Activity::Busy, Activity::OnThePhone, Activity::DoNotDisturb,
            ]),
            note in proptest::option::of("\\PC{0,40}[a-z]"),
        ) {
            let note = note.map(|note| note.trim().to_owned());
            let presence = Presence { open, activity, note };
            prop_assert_eq!(read(&write(&presence, "sip:a&b@h", "d")), Some(presence));
        }
    }
}
