use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use secrecy::zeroize::Zeroizing;
use serde_json::Value;

use super::ProfileInvalid;

/// Largest profile looked into, bytes.
pub(super) const LIMIT: usize = 256 * 1024;

/// Deepest nesting looked into.
const DEPTH: usize = 64;

/// A profile file, whichever language it is written in: what XML has as elements and attributes and JSON as
/// fields, by names without case and separators.
#[derive(Default)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) text: Zeroizing<String>,
    pub(super) children: Vec<Node>,
    pub(super) kind: Kind,
}

/// What a node was written as.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text, or an XML element that may hold anything.
    #[default]
    Text,
    /// A number, `true` or `false` in JSON.
    Scalar,
    /// An object or a list in JSON.
    Group,
}

impl Node {
    /// Reads XML or JSON.
    pub(super) fn parse(file: &[u8]) -> Result<Self, ProfileInvalid> {
        if file.len() > LIMIT {
            return Err(ProfileInvalid::new("it is too large"));
        }
        let text = std::str::from_utf8(file).map_err(|_| ProfileInvalid::new("it is not text"))?;
        let text = text.trim_start_matches('\u{feff}').trim_start();
        if text.starts_with('<') {
            return xml(text);
        }
        // serde_json's own words may quote the file.
        let mut value: Value = serde_json::from_str(text)
            .map_err(|error| ProfileInvalid::new(format!("line {} is neither XML nor JSON", error.line())))?;
        let tree = match &value {
            Value::Object(_) | Value::Array(_) => json("", &value, DEPTH),
            _ => Err(ProfileInvalid::new("it is neither XML nor a JSON object")),
        };
        wipe(&mut value);
        tree
    }

    /// The children of one of these names, best name first.
    pub(super) fn named<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a Self> {
        names.iter().flat_map(|name| self.children.iter().filter(move |child| child.name == *name))
    }

    /// This and everything below it, outermost first.
    pub(super) fn all(&self) -> Vec<&Self> {
        let mut found = vec![self];
        let mut next = 0;
        while let Some(node) = found.get(next).copied() {
            found.extend(&node.children);
            next += 1;
        }
        found
    }
}

pub(super) fn folded(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

fn xml(text: &str) -> Result<Node, ProfileInvalid> {
    let mut reader = Reader::from_str(text);
    let mut open = vec![Node::default()];
    let broken = |reader: &Reader<&[u8]>| {
        ProfileInvalid::new(format!("it is broken XML at byte {}", reader.buffer_position()))
    };
    loop {
        let event = reader.read_event().map_err(|_| broken(&reader))?;
        let Some(current) = open.last_mut() else { return Err(broken(&reader)) };
        match event {
            Event::Start(start) => {
                if open.len() > DEPTH {
                    return Err(ProfileInvalid::new("it is nested too deep"));
                }
                open.push(element(&start).ok_or_else(|| broken(&reader))?);
            }
            Event::Empty(start) => current.children.push(element(&start).ok_or_else(|| broken(&reader))?),
            Event::End(_) => {
                let closed = open.pop().ok_or_else(|| broken(&reader))?;
                open.last_mut().ok_or_else(|| broken(&reader))?.children.push(closed);
            }
            Event::Text(part) => current.text.push_str(&part),
            Event::CData(part) => current.text.push_str(&part),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(letter)) => current.text.push(letter),
                Ok(None) => {
                    let known = resolve_predefined_entity(&reference).ok_or_else(|| broken(&reader))?;
                    current.text.push_str(known);
                }
                Err(_) => return Err(broken(&reader)),
            },
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    // Nothing but the document is left open, and it holds one element.
    let document = open.pop().filter(|document| open.is_empty() && document.text.trim().is_empty());
    let [root] = <[Node; 1]>::try_from(document.map(|document| document.children).unwrap_or_default())
        .map_err(|_| ProfileInvalid::new("it is broken XML: not one closed element"))?;
    Ok(root)
}

/// An element with its attributes as children.
fn element(start: &BytesStart<'_>) -> Option<Node> {
    let mut node = Node { name: folded(start.local_name().as_ref()), ..Node::default() };
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        let name = folded(attribute.key.local_name().as_ref());
        let text = Zeroizing::new(attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned());
        node.children.push(Node { name, text, ..Node::default() });
    }
    Some(node)
}

/// The items of a list are called `item`.
fn json(name: &str, value: &Value, depth: usize) -> Result<Node, ProfileInvalid> {
    let depth = depth.checked_sub(1).ok_or_else(|| ProfileInvalid::new("it is nested too deep"))?;
    let mut node = Node { name: folded(name), ..Node::default() };
    match value {
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => {
            node.text = Zeroizing::new(value.to_string());
            node.kind = Kind::Scalar;
        }
        Value::String(text) => node.text = Zeroizing::new(text.clone()),
        Value::Object(fields) => {
            node.kind = Kind::Group;
            for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
                node.children.push(json(name, value, depth)?);
            }
        }
        Value::Array(items) => {
            node.kind = Kind::Group;
            for item in items {
                node.children.push(json("item", item, depth)?);
            }
        }
    }
    Ok(node)
}

fn wipe(value: &mut Value) {
    use secrecy::zeroize::Zeroize;
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
