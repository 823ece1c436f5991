//! Voicemails: who left what for whom, whether it was heard, and how it sounds.

use std::collections::BTreeMap;
use std::f32::consts::TAU;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::tenant::{Tenant, opaque};
use crate::timestamp::rfc3339;

/// Samples a second of a recorded message.
const RATE: u32 = 8_000;

/// What the first extension finds when the PBX begins: from whom, how many hours ago, seconds long, heard.
const FIRST: [(&str, u64, u32, bool); 3] =
    [("102", 1, 12, false), ("+442079460177", 26, 6, true), ("103", 75, 21, true)];

/// A message left for somebody.
struct Voicemail {
    id: String,
    sender: String,
    at: SystemTime,
    seconds: u32,
    read: bool,
    digest: String,
}

/// All messages, by the extension they were left for.
#[derive(Default)]
pub(crate) struct Voicemails(BTreeMap<String, Vec<Voicemail>>);

impl Voicemails {
    /// Those the PBX begins with.
    pub fn of(tenant: &Tenant) -> Self {
        let mut all = Self::default();
        if let Some(first) = tenant.users.first() {
            for (sender, hours, seconds, read) in FIRST {
                let at = SystemTime::now() - Duration::from_secs(3600 * hours);
                all.put(&first.extension, sender, at, seconds, read);
            }
        }
        all
    }

    /// Leaves a message; its id.
    pub fn leave(&mut self, extension: &str, sender: &str, seconds: u32) -> String {
        self.put(extension, sender, SystemTime::now(), seconds, false)
    }

    /// How many of an extension's were not heard yet, and how many were.
    pub fn counts(&self, extension: &str) -> (usize, usize) {
        let mine = self.0.get(extension).map(Vec::as_slice).unwrap_or_default();
        let heard = mine.iter().filter(|one| one.read).count();
        (mine.len() - heard, heard)
    }

    /// Some of an extension's, newest first, and how many they are in all.
    pub fn list(&self, extension: &str, skip: usize, top: usize) -> (usize, Vec<Value>) {
        let mine = self.0.get(extension).map(Vec::as_slice).unwrap_or_default();
        (mine.len(), mine.iter().rev().skip(skip).take(top).map(picture).collect())
    }

    /// One of an extension's.
    pub fn get(&self, extension: &str, id: &str) -> Option<Value> {
        self.0.get(extension)?.iter().find(|one| one.id == id).map(picture)
    }

    /// Marks one of an extension's; whether it is there.
    pub fn mark(&mut self, extension: &str, id: &str, read: bool) -> bool {
        let mine = self.0.get_mut(extension).into_iter().flatten();
        mine.filter(|one| one.id == id).map(|one| one.read = read).count() > 0
    }

    /// Deletes one of an extension's; whether it was there.
    pub fn delete(&mut self, extension: &str, id: &str) -> bool {
        let Some(mine) = self.0.get_mut(extension) else { return false };
        let before = mine.len();
        mine.retain(|one| one.id != id);
        mine.len() < before
    }

    /// The sound behind a digest: a WAV file.
    pub fn sound(&self, digest: &str) -> Option<Vec<u8>> {
        let found = self.0.values().flatten().find(|one| one.digest == digest)?;
        Some(sound(found.seconds))
    }

    fn put(&mut self, extension: &str, sender: &str, at: SystemTime, seconds: u32, read: bool) -> String {
        let id = opaque(16);
        let one = Voicemail { id: id.clone(), sender: sender.into(), at, seconds, read, digest: opaque(32) };
        let mine = self.0.entry(extension.to_owned()).or_default();
        mine.push(one);
        mine.sort_by_key(|one| one.at);
        id
    }
}

fn picture(one: &Voicemail) -> Value {
    json!({
        "id": one.id,
        "sender": one.sender,
        "created_at": rfc3339(one.at),
        "duration": one.seconds,
        "status": if one.read { "READ" } else { "UNREAD" },
        "file_name": format!("{}.wav", one.id),
        "file_size": 44 + 2 * RATE * one.seconds,
        "file_url": format!("/api/blobs/{}", one.digest),
    })
}

/// A WAV file of so many seconds: bursts of 700 Hz like syllables, 16 bit, mono.
fn sound(seconds: u32) -> Vec<u8> {
    let samples = RATE * seconds;
    let mut wav = Vec::with_capacity(44 + 2 * samples as usize);
    let word = |wav: &mut Vec<u8>, value: u32| wav.extend(value.to_le_bytes());
    wav.extend(b"RIFF");
    word(&mut wav, 36 + 2 * samples);
    wav.extend(b"WAVEfmt ");
    word(&mut wav, 16);
    // PCM, one channel.
    word(&mut wav, 0x0001_0001);
    word(&mut wav, RATE);
    word(&mut wav, 2 * RATE);
    // Two bytes, sixteen bits.
    word(&mut wav, 0x0010_0002);
    wav.extend(b"data");
    word(&mut wav, 2 * samples);
    for n in 0..samples {
        let t = n as f32 / RATE as f32;
        let loud = 0.25 + 0.2 * (TAU * 0.4 * t).sin();
        let syllable = (TAU * 2.3 * t).sin().max(0.0).sqrt();
        wav.extend(((32_767.0 * loud * syllable * (TAU * 700.0 * t).sin()) as i16).to_le_bytes());
    }
    wav
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::Passwords;

    #[test]
    fn a_message_is_left_marked_and_deleted() {
        let mut all = Voicemails::of(&Tenant::test_works(&Passwords::default()));
        assert_eq!((all.counts("101"), all.counts("102")), ((1, 2), (0, 0)));
        let id = all.leave("101", "104", 3);
        assert_eq!(all.counts("101"), (2, 2));
        let (count, newest) = all.list("101", 0, 1);
        assert_eq!(
            (count, newest[0]["id"].as_str(), &newest[0]["status"]),
            (4, Some(id.as_str()), &json!("UNREAD"))
        );
        assert!(all.mark("101", &id, true) && !all.mark("102", &id, true));
        assert_eq!(
            (all.counts("101"), all.get("101", &id).unwrap()["status"].as_str()),
            ((1, 3), Some("READ"))
        );
        assert!(all.delete("101", &id) && !all.delete("101", &id));
    }

    #[test]
    fn its_sound_is_as_long_as_it_says() {
        let mut all = Voicemails::default();
        let id = all.leave("101", "104", 2);
        let told = all.get("101", &id).unwrap();
        let digest = told["file_url"].as_str().unwrap().strip_prefix("/api/blobs/").unwrap();
        assert_eq!(all.sound(digest).unwrap().len() as u64, told["file_size"].as_u64().unwrap());
        assert_eq!(all.sound("none"), None);
    }
}
