//! Taking the place of a dialog (RFC 3891).

use rsipstack::sip::{Header, Request};

use crate::dialog::Identity;
use crate::header::parameters;

/// The value of a `Replaces` header, as its receiver sees the dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replaces {
    pub call_id: String,
    /// The receiver's own tag.
    pub to_tag: String,
    pub from_tag: String,
    /// Only while it rings.
    pub early_only: bool,
}

impl Replaces {
    /// Reads a value; `None` where it names no dialog.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let list = parameters(value, ';');
        let get = |name: &str| list.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        // Not through `parameters`: a Call-ID may hold what looks like one, and its case counts.
        let call_id = value.split(';').next().unwrap_or_default().trim().to_owned();
        let early_only = get("early-only").is_some();
        let read = Self { call_id, to_tag: get("to-tag")?, from_tag: get("from-tag")?, early_only };
        read.is_sound().then_some(read)
    }

    /// Whether it can be part of a message.
    pub(crate) fn is_sound(&self) -> bool {
        let sound = |text: &String| !text.is_empty() && text.chars().all(is_in_words);
        [&self.call_id, &self.to_tag, &self.from_tag].into_iter().all(sound)
    }

    /// What the other end of one of our dialogs is to be told.
    pub(crate) fn of_theirs(dialog: &Identity) -> Self {
        Self {
            call_id: dialog.call_id.clone(),
            to_tag: dialog.remote_tag.clone(),
            from_tag: dialog.local_tag.clone(),
            early_only: false,
        }
    }

    /// Whether it names this dialog of ours.
    pub(crate) fn names(&self, dialog: &Identity) -> bool {
        // Phones without tags are told as 0 (section 3).
        let same = |named: &str, tag: &str| named == tag || named == "0" && tag.is_empty();
        self.call_id == dialog.call_id
            && same(&self.to_tag, &dialog.local_tag)
            && same(&self.from_tag, &dialog.remote_tag)
    }
}

impl std::fmt::Display for Replaces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let early_only = if self.early_only { ";early-only" } else { "" };
        write!(f, "{};to-tag={};from-tag={}{early_only}", self.call_id, self.to_tag, self.from_tag)
    }
}

/// What an INVITE wants to replace.
///
/// # Errors
/// It says so, yet not in one readable header.
pub(crate) fn replaces_of(invite: &Request) -> Result<Option<Replaces>, ()> {
    let mut values = invite.headers.iter().filter_map(|header| match header {
        Header::Replaces(value) => Some(value.value()),
        _ => None,
    });
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => Replaces::parse(value).map(Some).ok_or(()),
        (Some(_), Some(_)) => Err(()),
    }
}

/// Characters of a Call-ID or tag (RFC 3261, section 25.1, `word` and `@`).
fn is_in_words(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-.!%*_+`'~()<>:\\\"/[]?{}@".contains(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dialog(call_id: &str, local: &str, remote: &str) -> Identity {
        Identity { call_id: call_id.into(), local_tag: local.into(), remote_tag: remote.into() }
    }

    #[test]
    fn values_and_what_they_name() {
        let read = Replaces::parse("Abc@192.0.2.1 ; To-Tag=x1;from-tag=Y2 ;early-only").unwrap();
        assert_eq!(read.to_string(), "Abc@192.0.2.1;to-tag=x1;from-tag=Y2;early-only");
        assert!(read.names(&dialog("Abc@192.0.2.1", "x1", "Y2")));
        for other in
            [("abc@192.0.2.1", "x1", "Y2"), ("Abc@192.0.2.1", "Y2", "x1"), ("Abc@192.0.2.1", "x1", "")]
        {
            assert!(!read.names(&dialog(other.0, other.1, other.2)));
        }
        let old = Replaces::parse("a;from-tag=0;to-tag=1").unwrap();
        assert!(old.names(&dialog("a", "1", "")) && old.names(&dialog("a", "1", "0")));
    }

    #[test]
    fn each_end_sees_it_the_other_way_round() {
        let told = Replaces::of_theirs(&dialog("c", "ours", "theirs"));
        assert!(told.names(&dialog("c", "theirs", "ours")));
    }

    #[test]
    fn what_names_no_dialog() {
        for nonsense in
            ["", "a", "a;to-tag=1", "a;from-tag=1", ";to-tag=1;from-tag=2", "a b;to-tag=1;from-tag=2"]
        {
            assert_eq!(Replaces::parse(nonsense), None, "{nonsense}");
        }
        assert_eq!(Replaces::parse("a;to-tag=\"1\r\nX: y\";from-tag=2"), None);
        let twice = "INVITE sip:a@h SIP/2.0\r\nReplaces: a;to-tag=1;from-tag=2\r\nReplaces: b;to-tag=1;from-tag=2\r\n\
                     Content-Length: 0\r\n\r\n";
        assert_eq!(replaces_of(&Request::try_from(twice).unwrap()), Err(()));
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_the_same(text in "[a-z0-9@.]{1,9};to-tag=[a-z0-9]{1,9};from-tag=[a-z0-9]{1,9}(;early-only)?") {
            prop_assert_eq!(Replaces::parse(&text).unwrap().to_string(), text);
        }

        #[test]
        fn nothing_breaks_out_of_its_header(text in "\\PC{0,60}|[a-c;=\"\r\n@to\\-tagfrom]{0,60}") {
            if let Some(read) = Replaces::parse(&text) {
                prop_assert!(!read.to_string().contains(['\r', '\n', ' ', ',']));
            }
        }
    }
}
