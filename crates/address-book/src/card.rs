//! One vCard (RFC 6350, RFC 2426), as far as a phone needs it. Pure.

use crate::{Contact, Kind, Number};

/// Characters of a value that are kept, and of a note.
const LONGEST: usize = 1_000;
const LONGEST_NOTE: usize = 10_000;
/// Numbers of one contact that are kept.
const MOST_NUMBERS: usize = 20;

/// A content line: what stands before the colon, and the value, still escaped.
struct Line {
    name: String,
    /// Values of the `TYPE` parameter, and bare ones as in vCard 2.1; upper case.
    types: Vec<String>,
    value: String,
}

impl Line {
    /// Section 3.3: `[group.]name *(;param) : value`.
    fn read(text: &str) -> Option<Self> {
        let mut quoted = false;
        let colon = text.find(|c| {
            quoted ^= c == '"';
            c == ':' && !quoted
        })?;
        let (before, value) = (text.get(..colon)?, text.get(colon + 1..)?);
        let mut parts = before.split(';');
        let name = parts.next()?.rsplit('.').next()?.trim().to_ascii_uppercase();
        let types = parts
            .filter_map(|part| match part.split_once('=') {
                Some((key, types)) if key.eq_ignore_ascii_case("TYPE") => Some(types),
                Some(_) => None,
                None => Some(part),
            })
            .flat_map(|types| types.trim_matches('"').split(','))
            .map(|kind| kind.trim().to_ascii_uppercase())
            .collect();
        Some(Self { name, types, value: value.to_owned() })
    }

    fn is(&self, kind: &str) -> bool {
        self.types.iter().any(|known| known == kind)
    }

    fn text(&self) -> Option<String> {
        told(unescaped(&self.value), LONGEST)
    }

    /// The components of a structured value.
    fn parts(&self) -> Vec<Option<String>> {
        let mut parts = vec![String::new()];
        let mut escaped = false;
        for c in self.value.chars() {
            match parts.last_mut() {
                Some(_) if c == ';' && !escaped => parts.push(String::new()),
                Some(last) => last.push(c),
                None => {}
            }
            escaped = c == '\\' && !escaped;
        }
        parts.into_iter().map(|part| told(unescaped(&part), LONGEST)).collect()
    }

    /// The number of a `TEL` line, or the address of one that names a SIP address.
    fn number(&self) -> Option<Number> {
        let text = self.text()?;
        let number = match text.split_once(':') {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("tel") => {
                rest.split(';').next().unwrap_or_default().to_owned()
            }
            Some((scheme, _)) if is_sip(scheme) => text,
            _ if self.name == "X-SIP" => format!("sip:{text}"),
            _ if self.name == "IMPP" => return None,
            _ => text,
        };
        let kind = match (self.is("FAX"), self.is("HOME")) {
            (true, true) => Kind::HomeFax,
            (true, false) => Kind::WorkFax,
            _ if self.is("CELL") => Kind::Mobile,
            (false, true) => Kind::Home,
            _ if self.is("WORK") => Kind::Work,
            _ => Kind::Other,
        };
        (!number.is_empty() && !self.is("PAGER") && !self.is("TELEX")).then_some(Number { kind, number })
    }
}

/// What the card says of somebody.
pub(crate) fn read(text: &str) -> Option<Contact> {
    let (mut contact, mut formatted, mut parts_of_name) = (Contact::default(), None, None);
    let mut numbers: Vec<(bool, Number)> = Vec::new();
    for line in unfolded(text).iter().filter_map(|line| Line::read(line)) {
        match line.name.as_str() {
            "UID" => contact.id = line.text().unwrap_or_default(),
            "FN" => formatted = formatted.or_else(|| line.text()),
            "N" => parts_of_name = parts_of_name.or_else(|| Some(line.parts())),
            "TEL" | "X-SIP" | "IMPP" if numbers.len() < MOST_NUMBERS => {
                numbers.extend(line.number().map(|number| (!line.is("PREF"), number)));
            }
            "EMAIL" => keep(&mut contact.email, || line.text()),
            "ORG" => {
                let mut parts = line.parts().into_iter();
                keep(&mut contact.company, || parts.next().flatten());
                keep(&mut contact.department, || parts.next().flatten());
            }
            "TITLE" | "ROLE" => keep(&mut contact.title, || line.text()),
            "ADR" => keep(&mut contact.address, || {
                let parts: Vec<_> = line.parts().into_iter().flatten().collect();
                (!parts.is_empty()).then(|| parts.join(", ").replace('\n', ", "))
            }),
            "NOTE" => keep(&mut contact.notes, || told(unescaped(&line.value), LONGEST_NOTE)),
            "X-EVOLUTION-LIST" if line.value.trim().eq_ignore_ascii_case("TRUE") => return None,
            "KIND" if line.value.trim().eq_ignore_ascii_case("group") => return None,
            _ => {}
        }
    }
    // The one that is preferred, then as one would try them, then as they were written.
    numbers.sort_by_key(|(behind, number)| (*behind, number.kind));
    contact.numbers = numbers.into_iter().map(|(_, number)| number).collect();
    contact.name = formatted
        .or_else(|| parts_of_name.and_then(spoken))
        .or_else(|| contact.company.clone())
        .or_else(|| contact.numbers.first().map(|number| number.number.clone()))
        .or_else(|| contact.email.clone())?;
    (!contact.id.is_empty()).then_some(contact)
}

/// Section 3.2: a line that begins with a blank goes on where the one before ended.
fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// Section 3.4.
fn unescaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => text.push('\n'),
                Some(other) => text.push(other),
                None => {}
            },
            c => text.push(c),
        }
    }
    text
}

/// Given name, middle names and family name, out of the five parts of `N`.
fn spoken(parts: Vec<Option<String>>) -> Option<String> {
    let mut parts = parts.into_iter();
    let (family, given, middle) = (parts.next().flatten(), parts.next().flatten(), parts.next().flatten());
    let named: Vec<String> = [given, middle, family].into_iter().flatten().collect();
    (!named.is_empty()).then(|| named.join(" "))
}

fn is_sip(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("sip") || scheme.eq_ignore_ascii_case("sips")
}

/// The text, at most so long; nothing where it is blank.
fn told(text: String, most: usize) -> Option<String> {
    let text: String = text.trim().chars().filter(|c| *c == '\n' || !c.is_control()).take(most).collect();
    (!text.is_empty()).then_some(text)
}

/// The first of several counts.
fn keep(slot: &mut Option<String>, value: impl FnOnce() -> Option<String>) {
    if slot.is_none() {
        *slot = value();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn card(lines: &str) -> Option<Contact> {
        read(&format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:7\r\n{lines}\r\nEND:VCARD\r\n"))
    }

    fn numbers(lines: &str) -> Vec<(Kind, String)> {
        card(&format!("FN:Anna\r\n{lines}"))
            .unwrap()
            .numbers
            .into_iter()
            .map(|number| (number.kind, number.number))
            .collect()
    }

    #[test]
    fn a_card_is_read() {
        let anna = card(concat!(
            "FN:Anna Lindqvist\r\nN:Lindqvist;Anna;;;\r\nTEL;TYPE=WORK,VOICE:+44 20 7946 0312\r\n",
            "item1.EMAIL;TYPE=INTERNET:anna@fairwater.example\r\nEMAIL:other@fairwater.example\r\n",
            "ORG:Fairwater\\, Limited;Service\r\nTITLE:Head of\r\n  Service\r\n",
            "ADR;TYPE=WORK:;;1 Quay St\\nFloor 2;Leeds;;LS1;UK\r\nNOTE:one\\ntwo\\; three\r\nPHOTO;ENCODING=b:AAAA"
        ))
        .unwrap();
        let expected = Contact {
            id: "7".into(),
            name: "Anna Lindqvist".into(),
            numbers: vec![Number { kind: Kind::Work, number: "+44 20 7946 0312".into() }],
            email: Some("anna@fairwater.example".into()),
            company: Some("Fairwater, Limited".into()),
            title: Some("Head of Service".into()),
            department: Some("Service".into()),
            address: Some("1 Quay St, Floor 2, Leeds, LS1, UK".into()),
            notes: Some("one\ntwo; three".into()),
        };
        assert_eq!(anna, expected);
    }

    #[test]
    fn numbers_come_in_the_order_in_which_one_would_try_them() {
        let told = numbers(concat!(
            "TEL;TYPE=FAX;TYPE=WORK:1\r\nTEL;TYPE=HOME,FAX:2\r\nTEL;HOME;VOICE:3\r\nTEL;TYPE=\"work,voice\":4\r\n",
            "TEL;TYPE=CELL:5\r\nTEL:6\r\nTEL;TYPE=PAGER:7\r\nTEL;VALUE=uri;TYPE=home;TYPE=pref:tel:+44-20;ext=5\r\n",
            "X-SIP;TYPE=WORK:anna@fairwater.example\r\nIMPP:sip:a@b.example\r\nIMPP:xmpp:a@b.example\r\nTEL: "
        ));
        let expected = [
            (Kind::Home, "+44-20"),
            (Kind::Mobile, "5"),
            (Kind::Work, "4"),
            (Kind::Work, "sip:anna@fairwater.example"),
            (Kind::Home, "3"),
            (Kind::Other, "6"),
            (Kind::Other, "sip:a@b.example"),
            (Kind::WorkFax, "1"),
            (Kind::HomeFax, "2"),
        ];
        assert_eq!(told, expected.map(|(kind, number)| (kind, number.to_owned())));
    }

    #[test]
    fn who_has_no_name_is_called_by_what_there_is() {
        let name = |lines| card(lines).map(|contact| contact.name);
        assert_eq!(name("FN: \r\nN:van der Berg;Jan;M.;Dr.;").as_deref(), Some("Jan M. van der Berg"));
        assert_eq!(name("N:;;;;\r\nORG:Fairwater;").as_deref(), Some("Fairwater"));
        assert_eq!(name("TEL:0123").as_deref(), Some("0123"));
        assert_eq!(name("EMAIL:a@b.example").as_deref(), Some("a@b.example"));
        assert_eq!(name("NOTE:nobody"), None);
    }

    #[test]
    fn lists_and_cards_without_an_id_are_left_out() {
        assert_eq!(card("FN:Team\r\nX-EVOLUTION-LIST:TRUE"), None);
        assert_eq!(card("FN:Team\r\nKIND:group"), None);
        assert_eq!(read("BEGIN:VCARD\nFN:Anna\nEND:VCARD"), None);
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let long = "x".repeat(LONGEST_NOTE * 2);
        let many = "TEL:1\r\n".repeat(100);
        let contact = card(&format!("FN:{long}\r\nNOTE:{long}\r\n{many}")).unwrap();
        assert_eq!((contact.name.len(), contact.notes.unwrap().len()), (LONGEST, LONGEST_NOTE));
        assert_eq!(contact.numbers.len(), MOST_NUMBERS);
    }

    proptest! {
        #[test]
        fn no_text_is_a_danger(text in "(?s).{0,200}", lines in "((TEL|N|ORG|FN|ADR)[;:=,\"\\\\.A-Za-z0-9 \r\n\t]{0,30}){0,8}") {
            let _ = read(&text);
            if let Some(contact) = card(&lines) {
                prop_assert!(!contact.name.is_empty() && contact.numbers.iter().all(|number| !number.number.is_empty()));
            }
        }
    }
}
