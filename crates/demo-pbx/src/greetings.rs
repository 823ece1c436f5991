//! Files that users upload, and the greetings they make of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::tenant::opaque;

/// Largest file taken, bytes.
const LARGEST: usize = 16 * 1024 * 1024;
/// Uploads of a user at once.
const UPLOADS: usize = 8;

/// A file under way.
struct Upload {
    id: String,
    /// Allows the next step.
    token: String,
    name: String,
    bytes: Vec<u8>,
}

/// A greeting of somebody's.
struct Greeting {
    id: String,
    enabled: bool,
    name: String,
    digest: String,
    bytes: Vec<u8>,
}

/// All files and greetings, by the ids of their users.
#[derive(Default)]
pub(crate) struct Greetings {
    uploads: BTreeMap<String, Vec<Upload>>,
    /// Files that are whole: name and bytes by their ids.
    files: BTreeMap<(String, String), (String, Vec<u8>)>,
    greetings: BTreeMap<String, Vec<Greeting>>,
}

impl Greetings {
    /// Opens an upload; its id and its token.
    pub fn open(&mut self, user: &str, name: &str) -> (String, String) {
        let (id, token) = (opaque(16), opaque(24));
        let mine = self.uploads.entry(user.to_owned()).or_default();
        if mine.len() == UPLOADS {
            mine.remove(0);
        }
        mine.push(Upload { id: id.clone(), token: token.clone(), name: name.into(), bytes: Vec::new() });
        (id, token)
    }

    /// Takes a piece of a file; the token for the next step. Nothing where the upload or its token is unknown.
    pub fn append(&mut self, user: &str, id: &str, token: &str, piece: &[u8]) -> Option<String> {
        let mine = self.uploads.get_mut(user)?;
        let upload = mine.iter_mut().find(|upload| upload.id == id && upload.token == token)?;
        if upload.bytes.len() + piece.len() > LARGEST {
            return None;
        }
        upload.bytes.extend_from_slice(piece);
        upload.token = opaque(24);
        Some(upload.token.clone())
    }

    /// Closes an upload; the file's id. Nothing where the upload or its token is unknown.
    pub fn complete(&mut self, user: &str, id: &str, token: &str, piece: &[u8]) -> Option<String> {
        self.append(user, id, token, piece)?;
        let mine = self.uploads.get_mut(user)?;
        let place = mine.iter().position(|upload| upload.id == id)?;
        let upload = mine.remove(place);
        let file = opaque(16);
        self.files.insert((user.to_owned(), file.clone()), (upload.name, upload.bytes));
        Some(file)
    }

    /// Makes a greeting of a file; its id. Nothing where there is no such file, or it is no WAV file.
    pub fn add(&mut self, user: &str, file: &str) -> Option<String> {
        let (name, bytes) = self.files.get(&(user.to_owned(), file.to_owned()))?.clone();
        if !bytes.starts_with(b"RIFF") {
            return None;
        }
        let id = opaque(16);
        let greeting = Greeting { id: id.clone(), enabled: false, name, digest: opaque(32), bytes };
        self.greetings.entry(user.to_owned()).or_default().push(greeting);
        Some(id)
    }

    /// A user's greetings.
    pub fn list(&self, user: &str) -> Vec<Value> {
        self.greetings.get(user).into_iter().flatten().map(picture).collect()
    }

    /// Uses a greeting in place of another, or no longer; whether there is such a one.
    pub fn enable(&mut self, user: &str, id: &str, enabled: bool) -> bool {
        let Some(mine) = self.greetings.get_mut(user) else { return false };
        let known = mine.iter().any(|one| one.id == id);
        for one in mine.iter_mut().filter(|_| known) {
            one.enabled = if one.id == id { enabled } else { one.enabled && !enabled };
        }
        known
    }

    /// Deletes a greeting; whether there was one.
    pub fn delete(&mut self, user: &str, id: &str) -> bool {
        let Some(mine) = self.greetings.get_mut(user) else { return false };
        let before = mine.len();
        mine.retain(|one| one.id != id);
        mine.len() < before
    }

    /// The sound behind a digest.
    pub fn sound(&self, digest: &str) -> Option<Vec<u8>> {
        self.greetings.values().flatten().find(|one| one.digest == digest).map(|one| one.bytes.clone())
    }
}

fn picture(one: &Greeting) -> Value {
    json!({
        "id": one.id,
        "enabled": one.enabled,
        "file_name": one.name,
        "file_size": one.bytes.len(),
        "file_url": format!("/api/blobs/{}", one.digest),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_uploaded_in_steps_and_becomes_the_one_greeting() {
        let mut all = Greetings::default();
        let mut make = |bytes: &[u8]| {
            let (id, token) = all.open("u", "hello.wav");
            assert_eq!(all.append("u", &id, "wrong", b"RI"), None);
            assert_eq!(all.append("v", &id, &token, b"RI"), None, "somebody else's");
            let next = all.append("u", &id, &token, bytes).unwrap();
            assert_eq!(all.complete("u", &id, &token, b""), None, "a token is good once");
            let file = all.complete("u", &id, &next, b"FF").unwrap();
            all.add("u", &file)
        };
        let (first, second) = (make(b"RI").unwrap(), make(b"RI").unwrap());
        assert_eq!(make(b"no"), None);
        assert!(all.enable("u", &first, true) && all.enable("u", &second, true));
        assert!(!all.enable("v", &first, true));
        let used =
            |all: &Greetings| all.list("u").iter().map(|one| one["enabled"] == true).collect::<Vec<_>>();
        assert_eq!(used(&all), [false, true]);
        assert!(all.enable("u", &second, false));
        assert_eq!(used(&all), [false, false]);
        let told = all.list("u");
        let digest = told[0]["file_url"].as_str().unwrap().strip_prefix("/api/blobs/").unwrap().to_owned();
        assert_eq!(all.sound(&digest).unwrap(), b"RIFF");
        assert!(all.delete("u", &first) && !all.delete("u", &first) && all.sound(&digest).is_none());
    }
}
