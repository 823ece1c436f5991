//! What an administrator settles for every user of a machine, and the one table of what can be settled: the reader,
//! the templates for Windows and the page for people are all made of it.
//!
//! Each key is *preset*, so that it holds until a user chooses otherwise, or *locked*.

#![deny(clippy::indexing_slicing, clippy::string_slice)]

mod place;
mod read;
mod table;
pub mod templates;

use std::collections::BTreeMap;

pub use place::of_machine;
#[cfg(any(test, not(windows)))]
pub use read::read_file;
pub use read::{Fault, Raw, Reading, parse, sort};
pub use table::{KEYS, Key, Kind};

/// What can be settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Name {
    /// PBX server of the wizard.
    Server,
    /// SIP domain of the wizard.
    Domain,
    /// Ways to sign in that are offered.
    Ways,
    /// Transport of SIP.
    Transport,
    /// Whether calls are encrypted.
    Srtp,
    /// Codecs, best first.
    Codecs,
    /// Outbound proxy of every account.
    Proxy,
    /// Web proxy of REST, WSS and newer versions.
    WebProxy,
    /// Files of certificates that are trusted as roots.
    Authorities,
    /// Certificates trusted for one server each.
    Pins,
    /// Whether the phone starts with the session.
    Autostart,
    /// Whether calls may be recorded.
    Recording,
    /// Whether newer versions are looked for.
    Updates,
    /// How much is logged.
    Log,
    /// Who settles all this, as users read it.
    Organisation,
    /// Where users find help.
    Help,
}

/// What a key is settled to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text, or one of several words.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// Several texts or words, in order.
    List(Vec<String>),
}

/// One key that is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// To what.
    pub value: Value,
    /// Users cannot choose otherwise.
    pub locked: bool,
}

/// All that is settled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy(BTreeMap<Name, Setting>);

impl Policy {
    /// Settles a key. What is locked stays as it is.
    pub fn settle(&mut self, name: Name, setting: Setting) {
        if self.0.get(&name).is_none_or(|known| setting.locked || !known.locked) {
            self.0.insert(name, setting);
        }
    }

    /// How a key is settled, if it is.
    pub fn get(&self, name: Name) -> Option<&Setting> {
        self.0.get(&name)
    }

    /// Whether users cannot choose otherwise.
    pub fn locks(&self, name: Name) -> bool {
        self.get(name).is_some_and(|setting| setting.locked)
    }

    /// A text or word.
    pub fn text(&self, name: Name) -> Option<&str> {
        match &self.get(name)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Yes or no.
    pub fn flag(&self, name: Name) -> Option<bool> {
        match self.get(name)?.value {
            Value::Flag(flag) => Some(flag),
            _ => None,
        }
    }

    /// Texts or words; none where nothing is settled.
    pub fn list(&self, name: Name) -> Option<&[String]> {
        match &self.get(name)?.value {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    /// Names of all keys that are locked.
    pub fn locked(&self) -> impl Iterator<Item = Name> {
        self.0.iter().filter(|(_, setting)| setting.locked).map(|(name, _)| *name)
    }

    /// Nothing is settled.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
