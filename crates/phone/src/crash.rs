//! What a crash leaves for people to read: one small text, and no picture of the memory, which would hold secrets.

use std::backtrace::Backtrace;
use std::fmt::Write;
use std::fs;
use std::io;
use std::panic::PanicHookInfo;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::calls::now;

const FILE: &str = "crash.txt";
/// Most of it that is read again, bytes.
const LARGEST: usize = 64 * 1024;

/// The report of the last crash, in the directory of the settings.
pub struct CrashReport;

impl CrashReport {
    /// Writes down a panic, in place of what was there.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn of_a_panic(dir: &Path, info: &PanicHookInfo<'_>, backtrace: &Backtrace) -> io::Result<()> {
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("without a name");
        Self::write(dir, &format!("In the thread {thread}: {info}\n\n{backtrace}"))
    }

    /// Writes down that the phone ended without a word, unless it has written since `began` itself.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn of_a_signal(dir: &Path, began: SystemTime) -> io::Result<()> {
        let written = fs::metadata(dir.join(FILE)).and_then(|file| file.modified());
        // A file system may keep time less finely than the clock does.
        if written.is_ok_and(|written| written + Duration::from_secs(1) >= began) {
            return Ok(());
        }
        Self::write(
            dir,
            "It ended without a word: by a signal, such as a segmentation fault, or the system ended it.",
        )
    }

    /// The report, where there was a crash.
    pub fn read(dir: &Path) -> Option<String> {
        let bytes = fs::read(dir.join(FILE)).ok()?;
        Some(String::from_utf8_lossy(bytes.get(..LARGEST).unwrap_or(&bytes)).into_owned())
    }

    fn write(dir: &Path, what: &str) -> io::Result<()> {
        let mut text = String::new();
        let _ = writeln!(text, "{}", brand::BRAND.user_agent(env!("CARGO_PKG_VERSION")));
        let _ = writeln!(text, "{} {}, {}", std::env::consts::OS, std::env::consts::ARCH, now());
        let _ = writeln!(text, "{what}");
        fs::write(dir.join(FILE), text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_says_more_than_that_it_ended() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(CrashReport::read(dir.path()), None);
        let began = SystemTime::now();
        CrashReport::write(dir.path(), "In the thread main: at a.rs:1").unwrap();
        CrashReport::of_a_signal(dir.path(), began).unwrap();
        assert!(CrashReport::read(dir.path()).unwrap().contains("a.rs:1"));
        let later = SystemTime::now() + Duration::from_secs(60);
        CrashReport::of_a_signal(dir.path(), later).unwrap();
        let read = CrashReport::read(dir.path()).unwrap();
        assert!(read.contains("by a signal") && !read.contains("a.rs:1"), "{read}");
    }
}
