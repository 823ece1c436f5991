//! From a file or a registry to a [`Policy`]. What cannot be meant is left out and told, and the rest holds.

use std::fmt;
#[cfg(any(test, not(windows)))]
use std::{fs, io::ErrorKind, path::Path};

use crate::{KEYS, Key, Kind, Policy, Setting, Value};

/// Largest file that is read, bytes.
#[cfg(any(test, not(windows)))]
const LARGEST: u64 = 256 * 1024;

/// What was read, and what of it could not be meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// What is settled.
    pub policy: Policy,
    /// What could not be read or meant.
    pub faults: Vec<Fault>,
}

/// Something that could not be read or meant. `Display` says it for the log and for the administrator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The file is there and cannot be read; nothing of it holds.
    #[error("{place}: {why}")]
    Unreadable {
        /// Which file or key.
        place: String,
        /// Why.
        why: String,
    },
    /// There is no such key.
    #[error("there is no key {key}")]
    Unknown {
        /// As it was written.
        key: String,
    },
    /// What the key is to be settled to cannot be meant; the key does not hold.
    #[error("{key} must be {wanted}")]
    Wrong {
        /// The key.
        key: &'static str,
        /// What it can be.
        wanted: String,
    },
}

/// A value as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raw {
    /// A text.
    Text(String),
    /// A number; 0 and 1 mean no and yes.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// Texts.
    List(Vec<String>),
    /// Something else.
    Other,
}

/// Reads a file; one that is not there settles nothing.
#[cfg(any(test, not(windows)))]
pub fn read_file(path: &Path) -> Reading {
    let unreadable = |why: String| Reading {
        policy: Policy::default(),
        faults: vec![Fault::Unreadable { place: path.display().to_string(), why }],
    };
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Reading::default(),
        Ok(file) if file.len() > LARGEST => return unreadable(format!("larger than {LARGEST} bytes")),
        _ => {}
    }
    match fs::read_to_string(path).map_err(|error| error.to_string()).and_then(|text| parse(&text)) {
        Ok(reading) => reading,
        Err(why) => unreadable(why),
    }
}

/// Reads the text of a file: two tables, `locked` and `preset`, of the same keys.
///
/// # Errors
/// It is no TOML; where, and why.
pub fn parse(text: &str) -> Result<Reading, String> {
    let file: toml::Table = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
    let mut reading = Reading::default();
    for (name, content) in file {
        match (name.as_str(), content) {
            ("locked" | "preset", toml::Value::Table(keys)) => {
                let keys = keys.into_iter().map(|(key, value)| (key, Raw::from(value)));
                sort(&mut reading, name == "locked", keys);
            }
            _ => reading.faults.push(Fault::Unknown { key: name }),
        }
    }
    Ok(reading)
}

/// Adds keys and values, as they were found, to what was read.
pub fn sort(reading: &mut Reading, locked: bool, found: impl IntoIterator<Item = (String, Raw)>) {
    for (name, raw) in found {
        // The registry does not tell letters apart by their case.
        match KEYS.iter().find(|key| key.key.eq_ignore_ascii_case(&name)) {
            None => reading.faults.push(Fault::Unknown { key: name }),
            Some(key) => match value(key.kind, raw) {
                Some(value) => reading.policy.settle(key.name, Setting { value, locked }),
                None => reading.faults.push(wrong(key)),
            },
        }
    }
}

fn value(kind: Kind, raw: Raw) -> Option<Value> {
    let word = |words: &[&str], text: &str| {
        let known = words.iter().find(|word| word.eq_ignore_ascii_case(text.trim()));
        known.map(|word| (*word).to_owned())
    };
    match (kind, raw) {
        (Kind::Text, Raw::Text(text)) => written(&text).map(Value::Text),
        (Kind::Flag, Raw::Flag(flag)) => Some(Value::Flag(flag)),
        (Kind::Flag, Raw::Number(number @ (0 | 1))) => Some(Value::Flag(number == 1)),
        (Kind::Choice(words), Raw::Text(text)) => word(words, &text).map(Value::Text),
        (Kind::Choices(words), raw) => {
            let chosen: Option<Vec<String>> = texts(raw)?.iter().map(|text| word(words, text)).collect();
            chosen.filter(|chosen| !chosen.is_empty()).map(Value::List)
        }
        (Kind::Texts, raw) => {
            let texts: Option<Vec<String>> = texts(raw)?.iter().map(|text| written(text)).collect();
            texts.map(Value::List)
        }
        _ => None,
    }
}

/// Several texts, or one alone.
fn texts(raw: Raw) -> Option<Vec<String>> {
    match raw {
        Raw::List(texts) => Some(texts),
        Raw::Text(text) => Some(vec![text]),
        _ => None,
    }
}

fn written(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

fn wrong(key: &Key) -> Fault {
    let wanted = match key.kind {
        Kind::Text => "a text".to_owned(),
        Kind::Flag => "true or false".to_owned(),
        Kind::Choice(words) => format!("one of {}", words.join(", ")),
        Kind::Choices(words) => format!("a list of some of {}", words.join(", ")),
        Kind::Texts => "a list of texts".to_owned(),
    };
    Fault::Wrong { key: key.key, wanted }
}

impl From<toml::Value> for Raw {
    fn from(value: toml::Value) -> Self {
        match value {
            toml::Value::String(text) => Self::Text(text),
            toml::Value::Integer(number) => Self::Number(number),
            toml::Value::Boolean(flag) => Self::Flag(flag),
            toml::Value::Array(items) => {
                let texts: Option<Vec<String>> =
                    items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
                texts.map_or(Self::Other, Self::List)
            }
            _ => Self::Other,
        }
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<String> = self.faults.iter().map(ToString::to_string).collect();
        f.write_str(&faults.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;
    use crate::Name;

    #[test]
    fn every_key_is_read_as_its_example_has_it_locked_and_preset() {
        for (table, locked) in [("locked", true), ("preset", false)] {
            for key in KEYS {
                let reading = parse(&format!("[{table}]\n{} = {}\n", key.key, key.example)).unwrap();
                assert_eq!(reading.faults, [], "{}", key.key);
                let setting = reading.policy.get(key.name).unwrap();
                assert_eq!(setting.locked, locked, "{}", key.key);
                assert_eq!(reading.policy.locks(key.name), locked);
                let fits = matches!(
                    (key.kind, &setting.value),
                    (Kind::Text | Kind::Choice(_), Value::Text(_))
                        | (Kind::Flag, Value::Flag(_))
                        | (Kind::Choices(_) | Kind::Texts, Value::List(_))
                );
                assert!(fits, "{}", key.key);
            }
        }
    }

    #[test]
    fn what_is_locked_outranks_what_is_preset() {
        for text in [
            "[locked]\nserver = \"a\"\n[preset]\nserver = \"b\"\n",
            "[preset]\nserver = \"b\"\n[locked]\nserver = \"a\"\n",
        ] {
            let policy = parse(text).unwrap().policy;
            assert_eq!((policy.text(Name::Server), policy.locks(Name::Server)), (Some("a"), true));
        }
    }

    #[test]
    fn a_wrong_value_is_told_and_the_rest_holds() {
        let text = "[locked]\nsrtp = \"sometimes\"\nservr = \"x\"\ncodecs = [\"opus\", \"mp3\"]\ndomain = \"d\"\n\
                    autostart = \"yes\"\nways = []\nserver = \"\"\n[other]\n";
        let reading = parse(text).unwrap();
        assert_eq!(reading.policy.locked().collect::<Vec<_>>(), [Name::Domain]);
        let said = reading.to_string();
        for part in
            ["srtp must be one of off, prefer, require", "no key servr", "codecs must be", "no key other"]
        {
            assert!(said.contains(part), "{said}");
        }
        assert_eq!(reading.faults.len(), 7, "{said}");
    }

    #[test]
    fn a_broken_file_settles_nothing_and_says_where() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("policy.toml");
        assert_eq!(read_file(&file), Reading::default());
        fs::write(&file, "[locked]\nserver = \"a\nsrtp =\n").unwrap();
        let reading = read_file(&file);
        assert!(reading.policy.is_empty());
        let said = reading.to_string();
        assert!(said.contains("policy.toml") && said.contains("line 2"), "{said}");
        fs::write(&file, vec![b'#'; 300_000]).unwrap();
        assert!(matches!(read_file(&file).faults[..], [Fault::Unreadable { .. }]));
    }

    #[test]
    fn the_registry_knows_neither_case_nor_booleans() {
        let mut reading = Reading::default();
        let found = [
            ("AutoStart", Raw::Number(1)),
            ("SRTP", Raw::Text("Require".into())),
            ("Recording", Raw::Number(2)),
        ];
        sort(&mut reading, true, found.map(|(key, raw)| (key.to_owned(), raw)));
        assert_eq!(reading.policy.flag(Name::Autostart), Some(true));
        assert_eq!(reading.policy.text(Name::Srtp), Some("require"));
        assert_eq!(reading.faults.len(), 1);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,80}", number in any::<i64>()) {
            let _ = parse(&text);
            let _ = parse(&format!("[locked]\nserver = {number}\nways = [{number}]\n"));
        }
    }
}
