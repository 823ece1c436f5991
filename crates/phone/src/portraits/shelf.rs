//! Portraits on disk, each account's in a folder of its own, so that they are there before the PBX is and go with the
//! account.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::cut::{self, Cut};
use crate::AccountId;
use crate::history::store::private;

/// Portraits kept of one account; those not looked at for longest go first.
const MOST: usize = 512;
/// Largest file that is read back, bytes: a square of ours is far smaller.
const LARGEST: u64 = 256 * 1024;

/// The folder of all.
pub(super) struct Shelf {
    dir: PathBuf,
    most: usize,
    /// How often each account was forgotten: what was asked for before is not kept.
    forgotten: HashMap<AccountId, u32>,
}

impl Shelf {
    /// Portraits below this folder.
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { dir, most: MOST, forgotten: HashMap::new() }
    }

    /// Tells apart what is asked for before an account is forgotten from what is asked for after it.
    pub(super) fn age(&self, account: &AccountId) -> u32 {
        self.forgotten.get(account).copied().unwrap_or_default()
    }

    /// The portrait that is kept for a reference. A file that is none of ours is removed.
    pub(super) fn get(&self, account: &AccountId, reference: &str) -> Option<Cut> {
        let path = self.folder(account).join(name_of(reference));
        let mut file = File::options().read(true).write(true).open(&path).ok()?;
        let mut bytes = Vec::new();
        let read =
            (&mut file).take(LARGEST + 1).read_to_end(&mut bytes).is_ok_and(|read| read as u64 <= LARGEST);
        let kept = if read { cut::ours(bytes) } else { None };
        if kept.is_some() {
            // One whose time cannot be written goes earlier.
            let _ = file.set_modified(SystemTime::now());
        } else {
            drop(file);
            let _ = fs::remove_file(&path);
        }
        kept
    }

    /// Keeps a portrait, if its account was not forgotten since it was of this age. Whether it was not.
    pub(super) fn put(&self, account: &AccountId, age: u32, reference: &str, portrait: &Cut) -> bool {
        if self.age(account) != age {
            return false;
        }
        if let Err(error) = self.write(&self.folder(account), &name_of(reference), &portrait.bytes) {
            tracing::info!(%error, "a portrait is not kept");
        }
        true
    }

    /// Removes all that came with an account.
    pub(super) fn forget(&mut self, account: &AccountId) {
        *self.forgotten.entry(account.clone()).or_default() += 1;
        match fs::remove_dir_all(self.folder(account)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "portraits of an account that is gone cannot be removed");
            }
            _ => {}
        }
    }

    fn folder(&self, account: &AccountId) -> PathBuf {
        self.dir.join(name_of(&account.0))
    }

    fn write(&self, folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let beside = folder.join("new");
        private(&beside).map_err(io::Error::other)?;
        fs::write(&beside, bytes)?;
        fs::rename(&beside, folder.join(name))?;
        let mut kept = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            kept.push((entry.metadata()?.modified()?, entry.path()));
        }
        kept.sort();
        let too_many = kept.len().saturating_sub(self.most);
        kept.iter().take(too_many).try_for_each(|(_, path)| fs::remove_file(path))
    }
}

/// A name for a file that tells nothing.
fn name_of(what: &str) -> String {
    Sha256::digest(what).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn portrait() -> Cut {
        let mut file = io::Cursor::new(Vec::new());
        image::RgbImage::new(8, 8).write_to(&mut file, image::ImageFormat::Png).unwrap();
        cut::cut(&file.into_inner()).unwrap()
    }

    #[test]
    fn what_is_kept_is_found_and_a_file_of_others_is_not() {
        let (dir, alice) = (tempfile::tempdir().unwrap(), AccountId("alice".into()));
        let shelf = Shelf::new(dir.path().into());
        assert_eq!(shelf.get(&alice, "/api/blobs/1"), None);
        assert!(shelf.put(&alice, 0, "/api/blobs/1", &portrait()));
        assert_eq!(shelf.get(&alice, "/api/blobs/1"), Some(portrait()));
        assert_eq!(shelf.get(&AccountId("bob".into()), "/api/blobs/1"), None);
        let path = shelf.folder(&alice).join(name_of("/api/blobs/1"));
        for broken in [b"<svg/>".to_vec(), portrait().bytes[..200].to_vec(), vec![0; 300_000]] {
            fs::write(&path, broken).unwrap();
            assert_eq!(shelf.get(&alice, "/api/blobs/1"), None);
            assert!(!path.exists(), "it is loaded anew");
        }
    }

    #[test]
    fn the_one_not_looked_at_for_longest_goes_first() {
        let (dir, alice) = (tempfile::tempdir().unwrap(), AccountId("alice".into()));
        let shelf = Shelf { most: 2, ..Shelf::new(dir.path().into()) };
        let ago = |name: &str, seconds: u64| {
            let file = File::options().write(true).open(shelf.folder(&alice).join(name_of(name))).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
        };
        for (name, seconds) in [("a", 90), ("b", 60)] {
            shelf.put(&alice, 0, name, &portrait());
            ago(name, seconds);
        }
        assert!(shelf.get(&alice, "a").is_some(), "looked at just now");
        shelf.put(&alice, 0, "c", &portrait());
        let kept = ["a", "b", "c"].map(|name| shelf.get(&alice, name).is_some());
        assert_eq!(kept, [true, false, true]);
    }

    #[test]
    fn nothing_is_kept_for_an_account_that_went_meanwhile() {
        let (dir, alice) = (tempfile::tempdir().unwrap(), AccountId("alice".into()));
        let mut shelf = Shelf::new(dir.path().into());
        let age = shelf.age(&alice);
        assert!(shelf.put(&alice, age, "a", &portrait()));
        shelf.forget(&alice);
        assert_eq!(shelf.get(&alice, "a"), None);
        assert!(!shelf.put(&alice, age, "a", &portrait()));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(shelf.put(&alice, shelf.age(&alice), "a", &portrait()), "it is signed in once more");
    }
}
