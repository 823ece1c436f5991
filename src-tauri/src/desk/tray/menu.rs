//! The tray's menu as Linux panels read it: com.canonical.dbusmenu.

use std::collections::HashMap;

use zbus::fdo;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{OwnedValue, Value};

use super::{Entry, entries};
use crate::desk::Orders;
use crate::desk::model::Face;

type Properties = HashMap<String, Value<'static>>;
type Layout = (i32, Properties, Vec<Value<'static>>);

/// The menu. Its root is 0, its entries are counted from 1.
pub struct Menu {
    face: Face,
    revision: u32,
    orders: Orders,
}

impl Menu {
    /// As it stands with this face.
    pub fn new(face: Face, orders: Orders) -> Self {
        Self { face, revision: 1, orders }
    }

    /// Takes another face; gives the number of the layout.
    pub fn show(&mut self, face: Face) -> u32 {
        self.face = face;
        self.revision = self.revision.wrapping_add(1);
        self.revision
    }

    fn numbered(&self) -> impl Iterator<Item = (i32, Entry)> {
        (1..).zip(entries(&self.face))
    }

    fn properties(&self, id: i32) -> Option<Properties> {
        if id == 0 {
            return Some(HashMap::from([("children-display".to_owned(), Value::from("submenu"))]));
        }
        self.numbered().find(|(known, _)| *known == id).map(|(_, entry)| properties(entry))
    }

    fn press(&self, id: i32, event: &str) {
        if event != "clicked" {
            return;
        }
        if let Some((_, Entry::Deed { order, .. })) = self.numbered().find(|(known, _)| *known == id) {
            self.orders.send(order);
        }
    }
}

fn properties(entry: Entry) -> Properties {
    match entry {
        Entry::Separator => HashMap::from([("type".to_owned(), Value::from("separator"))]),
        Entry::Deed { label, checked, .. } => {
            // An underscore would mark a key.
            let mut of = HashMap::from([("label".to_owned(), Value::from(label.replace('_', "__")))]);
            if let Some(checked) = checked {
                of.insert("toggle-type".to_owned(), Value::from("checkmark"));
                of.insert("toggle-state".to_owned(), Value::from(i32::from(checked)));
            }
            of
        }
    }
}

#[zbus::interface(name = "com.canonical.dbusmenu")]
impl Menu {
    fn get_layout(&self, parent_id: i32, depth: i32, _names: Vec<String>) -> fdo::Result<(u32, Layout)> {
        let of = self.properties(parent_id).ok_or_else(unknown)?;
        let mut children = Vec::new();
        if parent_id == 0 && depth != 0 {
            let child = |(id, entry)| Value::from((id, properties(entry), Vec::<Value<'static>>::new()));
            children.extend(self.numbered().map(child));
        }
        Ok((self.revision, (parent_id, of, children)))
    }

    fn get_group_properties(&self, ids: Vec<i32>, _names: Vec<String>) -> Vec<(i32, Properties)> {
        let all = ids.is_empty();
        self.numbered()
            .filter(|(id, _)| all || ids.contains(id))
            .map(|(id, entry)| (id, properties(entry)))
            .collect()
    }

    fn get_property(&self, id: i32, name: String) -> fdo::Result<Value<'static>> {
        self.properties(id).and_then(|mut of| of.remove(&name)).ok_or_else(unknown)
    }

    fn event(&self, id: i32, event_id: String, _data: OwnedValue, _timestamp: u32) {
        self.press(id, &event_id);
    }

    fn event_group(&self, events: Vec<(i32, String, OwnedValue, u32)>) -> Vec<i32> {
        events.iter().for_each(|(id, event, ..)| self.press(*id, event));
        let known = |id: i32| self.properties(id).is_some();
        events.iter().map(|(id, ..)| *id).filter(|id| !known(*id)).collect()
    }

    fn about_to_show(&self, _id: i32) -> bool {
        false
    }

    fn about_to_show_group(&self, _ids: Vec<i32>) -> (Vec<i32>, Vec<i32>) {
        (Vec::new(), Vec::new())
    }

    #[zbus(property)]
    fn version(&self) -> u32 {
        3
    }

    #[zbus(property)]
    fn text_direction(&self) -> &'static str {
        "ltr"
    }

    #[zbus(property)]
    fn status(&self) -> &'static str {
        "normal"
    }

    #[zbus(property)]
    fn icon_theme_path(&self) -> Vec<String> {
        Vec::new()
    }

    #[zbus(signal)]
    pub async fn layout_updated(emitter: &SignalEmitter<'_>, revision: u32, parent: i32) -> zbus::Result<()>;
}

fn unknown() -> fdo::Error {
    fdo::Error::InvalidArgs("there is no such entry".to_owned())
}
