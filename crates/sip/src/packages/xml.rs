//! Reading of small XML documents from the network: elements, attributes and text within bounds, no document type
//! and so no entities of its own.

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// Deepest nesting looked into.
const DEPTH: usize = 24;
/// Most elements looked into.
const ELEMENTS: usize = 4000;

/// An element. Names are without their prefix: what a document calls `rpid:busy` is `busy`.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub name: String,
    attributes: Vec<(String, String)>,
    pub text: String,
    pub children: Vec<Element>,
}

impl Element {
    /// Reads a document; `None` where it is no sound XML, holds a document type or goes beyond the bounds.
    pub(super) fn parse(document: &str) -> Option<Self> {
        let mut reader = Reader::from_str(document.trim_start_matches('\u{feff}').trim_start());
        let mut open = vec![Self::default()];
        let mut count = 0;
        loop {
            let event = reader.read_event().ok()?;
            if matches!(event, Event::Start(_) | Event::Empty(_)) {
                count += 1;
                if count > ELEMENTS || open.len() > DEPTH {
                    return None;
                }
            }
            let current = open.last_mut()?;
            match event {
                Event::Start(start) => open.push(Self::of(&start)?),
                Event::Empty(start) => current.children.push(Self::of(&start)?),
                Event::End(_) => {
                    let closed = open.pop()?;
                    open.last_mut()?.children.push(closed);
                }
                Event::Text(part) => current.text.push_str(&part),
                Event::CData(part) => current.text.push_str(&part),
                Event::GeneralRef(reference) => match reference.resolve_char_ref().ok()? {
                    Some(letter) => current.text.push(letter),
                    None => current.text.push_str(resolve_predefined_entity(&reference)?),
                },
                Event::DocType(_) => return None,
                Event::Eof => break,
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
        // Nothing but the document is left open, and it holds one element.
        let document = open.pop().filter(|_| open.is_empty())?;
        let [root] = <[Self; 1]>::try_from(document.children).ok()?;
        Some(root)
    }

    fn of(start: &BytesStart<'_>) -> Option<Self> {
        let name: &str = start.local_name().into_inner();
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.ok()?;
            let name: &str = attribute.key.local_name().into_inner();
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned();
            attributes.push((name.to_owned(), value));
        }
        Some(Self { name: name.to_owned(), attributes, ..Self::default() })
    }

    /// Value of an attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The children of this name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Text without the white space around it, where there is any.
    pub(super) fn words(&self) -> Option<&str> {
        Some(self.text.trim()).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_attributes_and_text() {
        let root = Element::parse(
            "<?xml version=\"1.0\"?>\n<!-- x --><a:b x='1&amp;2'><c>d &lt;<![CDATA[&]]>&#x20ac;</c><c/></a:b>\n",
        )
        .unwrap();
        assert_eq!((root.name.as_str(), root.attribute("x")), ("b", Some("1&2")));
        assert_eq!(root.all("c").map(Element::words).collect::<Vec<_>>(), [Some("d <&€"), None]);
    }

    #[test]
    fn nothing_hostile_is_read() {
        for hostile in [
            "<!DOCTYPE a [<!ENTITY b 'bbbb'>]><a>&b;</a>".to_owned(),
            "<a>&b;</a>".to_owned(),
            "<a><b></a></b>".to_owned(),
            "<a>".to_owned(),
            "<a/><b/>".to_owned(),
            "<a x='1' x='2'/>".to_owned(),
            "<a>".repeat(100) + &"</a>".repeat(100),
            format!("<a>{}</a>", "<b/>".repeat(ELEMENTS)),
            String::new(),
        ] {
            assert!(Element::parse(&hostile).is_none(), "{hostile}");
        }
    }
}
