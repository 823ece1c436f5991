//! The unpacked copy in the user's cache: made once for each image, whole or not there, and locked while a phone runs
//! from it.

use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use brand::BRAND;
use rustix::fs::syncfs;
use rustix::io::{FdFlags, fcntl_setfd};

use crate::image::Image;
use crate::unpack;

/// Ending of a copy that is being made.
const PART: &str = "part";
const LOCK: &str = "lock";

/// A copy that is whole. Nobody removes it while this lock is open, here or in the program that takes this one's place.
#[derive(Debug)]
pub struct Kept {
    /// Where it lies.
    pub folder: PathBuf,
    _lock: File,
}

/// The copy of an image, made if there is none; those of other images go where nobody uses them.
///
/// # Errors
/// There is no place for it, or the image is damaged.
pub fn keep(image: &Image) -> Result<Kept, String> {
    let cache = cache().ok_or("there is no folder for it: neither XDG_CACHE_HOME nor HOME names one")?;
    keep_in(&cache.join(BRAND.program).join("appimage"), image, unpack::unpack)
}

/// XDG Base Directory Specification.
fn cache() -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))
}

fn keep_in(
    cache: &Path,
    image: &Image,
    unpack: impl Fn(&Image, &Path) -> Result<(), String>,
) -> Result<Kept, String> {
    let problem = |e: io::Error| format!("{}: {e}", cache.display());
    DirBuilder::new().recursive(true).mode(0o700).create(cache).map_err(problem)?;
    let name = image.name();
    let folder = cache.join(&name);
    let lock = lock(cache, &name).map_err(problem)?;
    loop {
        lock.lock_shared().map_err(problem)?;
        if folder.is_dir() {
            // It stays locked in what takes this program's place.
            fcntl_setfd(&lock, FdFlags::empty()).map_err(|e| problem(e.into()))?;
            return Ok(Kept { folder, _lock: lock });
        }
        lock.unlock().map_err(problem)?;
        lock.lock().map_err(problem)?;
        // Who waited may find it made.
        if !folder.is_dir() {
            make(&folder, image, &unpack)?;
            remove_others(cache, &name);
        }
        lock.unlock().map_err(problem)?;
    }
}

/// Makes the copy. Its name comes last, after the disk has everything.
fn make(
    folder: &Path,
    image: &Image,
    unpack: &impl Fn(&Image, &Path) -> Result<(), String>,
) -> Result<(), String> {
    let part = folder.with_extension(PART);
    let _ = fs::remove_dir_all(&part);
    let made = image.verify().and_then(|()| unpack(image, &part)).and_then(|()| {
        let finish = || -> io::Result<()> {
            syncfs(File::open(&part)?)?;
            fs::rename(&part, folder)
        };
        finish().map_err(|e| format!("{}: {e}", folder.display()))
    });
    if made.is_err() {
        let _ = fs::remove_dir_all(&part);
    }
    made
}

/// Copies of other versions, and what is left of those that never were whole.
fn remove_others(cache: &Path, own: &str) {
    let folders = fs::read_dir(cache).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    for folder in folders.filter(|path| path.is_dir()) {
        let name = folder.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if name == own {
            continue;
        }
        if let Ok(lock) = lock(cache, &name)
            && lock.try_lock().is_ok()
        {
            // Not whole from the first file on that goes.
            let part = folder.with_extension(PART);
            if folder == part || fs::rename(&folder, &part).is_ok() {
                let _ = fs::remove_dir_all(&part);
            }
        }
    }
}

/// The file that is locked for a copy. It stays: who has opened it must lock the same one as who comes later.
fn lock(cache: &Path, name: &str) -> io::Result<File> {
    let file = cache.join(name).with_extension(LOCK);
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(file)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;
    use crate::image::tests::packed;

    fn image(folder: &Path, content: &[u8]) -> Image {
        let path = folder.join("image");
        packed(&path, content);
        Image::open(&path).unwrap()
    }

    fn one_file(_: &Image, to: &Path) -> Result<(), String> {
        fs::create_dir(to).and_then(|()| fs::write(to.join("file"), "whole")).map_err(|e| e.to_string())
    }

    #[test]
    fn many_starts_at_once_unpack_once() {
        let folder = tempfile::tempdir().unwrap();
        let (image, cache) = (image(folder.path(), b"a"), folder.path().join("cache"));
        let made = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let kept = keep_in(&cache, &image, |image, to| {
                        made.fetch_add(1, Ordering::SeqCst);
                        one_file(image, to)
                    });
                    assert_eq!(fs::read(kept.unwrap().folder.join("file")).unwrap(), b"whole");
                });
            }
        });
        assert_eq!(made.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn half_a_copy_is_never_used() {
        let folder = tempfile::tempdir().unwrap();
        let (image, cache) = (image(folder.path(), b"a"), folder.path().join("cache"));
        let fails = |_: &Image, to: &Path| {
            fs::create_dir(to).unwrap();
            Err("the disk is full".to_owned())
        };
        assert_eq!(keep_in(&cache, &image, fails).unwrap_err(), "the disk is full");
        assert!(fs::read_dir(&cache).unwrap().all(|entry| !entry.unwrap().path().is_dir()));
        // As a power cut leaves it.
        let part = cache.join(image.name()).with_extension(PART);
        fs::create_dir(&part).unwrap();
        let kept = keep_in(&cache, &image, one_file).unwrap();
        assert!(kept.folder.join("file").is_file() && !part.exists());
    }

    #[test]
    fn older_copies_go_unless_they_run() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("cache");
        let idle = keep_in(&cache, &image(folder.path(), b"idle"), one_file).unwrap().folder;
        let runs = keep_in(&cache, &image(folder.path(), b"runs"), one_file).unwrap();
        assert!(!idle.exists());
        let new = keep_in(&cache, &image(folder.path(), b"new"), one_file).unwrap();
        assert!(runs.folder.exists() && new.folder.exists());
    }
}
