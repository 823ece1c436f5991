//! A log on disk that never grows beyond a bound: when the file is full it becomes the former one, and the one before
//! that is forgotten.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Largest file, bytes.
const LARGEST: u64 = 1024 * 1024;
/// Names of the files, the newest first.
const NAMES: [&str; 3] = ["log.txt", "log.1.txt", "log.2.txt"];
/// Folder of the files in the data directory.
const FOLDER: &str = "logs";

/// The log of a program.
#[derive(Debug)]
pub struct LogFile {
    folder: PathBuf,
    file: File,
    written: u64,
}

impl LogFile {
    /// Goes on with the log below `data_dir`.
    ///
    /// # Errors
    /// The folder cannot be made or the file not opened.
    pub fn open(data_dir: &Path) -> io::Result<Self> {
        let folder = data_dir.join(FOLDER);
        fs::create_dir_all(&folder)?;
        let [newest, ..] = NAMES;
        let file = OpenOptions::new().create(true).append(true).open(folder.join(newest))?;
        let written = file.metadata()?.len();
        Ok(Self { folder, file, written })
    }

    /// All that is kept of the log below `data_dir`, oldest first; at most so many bytes of its end.
    pub fn tail(data_dir: &Path, most: usize) -> String {
        let folder = data_dir.join(FOLDER);
        let read = |name: &&str| fs::read(folder.join(name)).unwrap_or_default();
        let all: Vec<u8> = NAMES.iter().rev().flat_map(read).collect();
        let end = all.get(all.len().saturating_sub(most)..).unwrap_or_default();
        let text = String::from_utf8_lossy(end);
        match all.len() > most {
            // A line that is cut says nothing.
            true => text.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default(),
            false => text.into_owned(),
        }
    }

    fn turn(&mut self) -> io::Result<()> {
        for pair in NAMES.windows(2).rev() {
            let [newer, older] = pair else { continue };
            let _ = fs::rename(self.folder.join(newer), self.folder.join(older));
        }
        let [newest, ..] = NAMES;
        self.file = OpenOptions::new().create(true).append(true).open(self.folder.join(newest))?;
        self.written = self.file.metadata()?.len();
        Ok(())
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.written >= LARGEST {
            self.turn()?;
        }
        let length = self.file.write(bytes)?;
        self.written += u64::try_from(length).unwrap_or_default();
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_bounded_and_its_end_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = LogFile::open(dir.path()).unwrap();
        let line = format!("{}\n", "x".repeat(9_999));
        (0..600).for_each(|_| log.write_all(line.as_bytes()).unwrap());
        log.write_all(b"the end\n").unwrap();
        let sizes: u64 = fs::read_dir(dir.path().join(FOLDER))
            .unwrap()
            .map(|file| file.unwrap().metadata().unwrap().len())
            .sum();
        assert!(sizes <= 3 * (LARGEST + 10_000), "{sizes}");
        let tail = LogFile::tail(dir.path(), 25_000);
        assert!(
            tail.ends_with("the end\n") && tail.len() < 25_000 && tail.starts_with("xxx"),
            "{}",
            tail.len()
        );
    }

    #[test]
    fn a_log_goes_on_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        for word in ["first\n", "second\n"] {
            LogFile::open(dir.path()).unwrap().write_all(word.as_bytes()).unwrap();
        }
        assert_eq!(LogFile::tail(dir.path(), 1_000), "first\nsecond\n");
        assert_eq!(LogFile::tail(&dir.path().join("nowhere"), 1_000), "");
    }
}
