//! The file this program is the beginning of.
//!
//! Program, file system (SquashFS 4.0), and 56 bytes: where the file system begins, how long it is (each in 8 bytes,
//! little-endian), its SHA-256, and `AppImg1\n`. A file that was cut off does not end like that.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use sha2::{Digest, Sha256};

const END: u64 = 56;
const MAGIC: &[u8; 8] = b"AppImg1\n";
/// A piece that is read at once.
const PIECE: usize = 1 << 20;

/// An AppImage that is as long as it says.
#[derive(Debug)]
pub struct Image {
    file: File,
    offset: u64,
    length: u64,
    digest: [u8; 32],
}

impl Image {
    /// Opens the one at `path`.
    ///
    /// # Errors
    /// It cannot be read, or is not whole.
    pub fn open(path: &Path) -> Result<Self, String> {
        let whole = |file: File| -> io::Result<Option<Self>> {
            let size = file.metadata()?.len();
            let mut end = [0; END as usize];
            let Some(at) = size.checked_sub(END) else { return Ok(None) };
            (&file).seek(SeekFrom::Start(at))?;
            (&file).read_exact(&mut end)?;
            Ok(Self::read(file, &end, at))
        };
        File::open(path)
            .and_then(whole)
            .map_err(|e| format!("{}: {e}", path.display()))?
            .ok_or_else(|| not_whole(path))
    }

    /// What the last bytes say, which begin at `at`.
    fn read(file: File, end: &[u8; END as usize], at: u64) -> Option<Self> {
        let (offset, rest) = end.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first_chunk::<8>()?;
        let (digest, magic) = rest.split_first_chunk::<32>()?;
        let (offset, length) = (u64::from_le_bytes(*offset), u64::from_le_bytes(*length));
        let whole = magic == MAGIC && offset.checked_add(length) == Some(at);
        whole.then_some(Self { file, offset, length, digest: *digest })
    }

    /// Where the file system begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// A name no other image has.
    pub fn name(&self) -> String {
        self.digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The file, from its beginning on.
    ///
    /// # Errors
    /// What the system says.
    pub fn file(&self) -> io::Result<File> {
        let file = self.file.try_clone()?;
        (&file).seek(SeekFrom::Start(0))?;
        Ok(file)
    }

    /// Whether the file system is the one that was packed.
    ///
    /// # Errors
    /// It cannot be read, or is another.
    pub fn verify(&self) -> Result<(), String> {
        let sum = || -> io::Result<[u8; 32]> {
            let mut file = self.file()?;
            file.seek(SeekFrom::Start(self.offset))?;
            let (mut rest, mut sum, mut piece) = (file.take(self.length), Sha256::new(), vec![0; PIECE]);
            loop {
                let read = rest.read(&mut piece)?;
                match piece.get(..read) {
                    Some(bytes) if !bytes.is_empty() => sum.update(bytes),
                    _ => return Ok(sum.finalize().into()),
                }
            }
        };
        if sum().map_err(|e| e.to_string())? == self.digest {
            return Ok(());
        }
        Err("the file is damaged; please get it again".to_owned())
    }
}

fn not_whole(path: &Path) -> String {
    format!("{} is not whole: part of it is missing; please get it again", path.display())
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;

    use super::*;

    /// A file as it is packed, with this in the file system's place.
    pub fn packed(path: &Path, content: &[u8]) {
        let mut bytes = b"program".to_vec();
        let digest = Sha256::digest(content);
        bytes.extend(content);
        bytes.extend(7_u64.to_le_bytes());
        bytes.extend((content.len() as u64).to_le_bytes());
        bytes.extend(digest);
        bytes.extend(MAGIC);
        fs::write(path, bytes).unwrap();
    }

    #[test]
    fn whole_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image");
        packed(&path, b"content");
        let image = Image::open(&path).unwrap();
        assert_eq!((image.offset(), image.length, image.name().len()), (7, 7, 32));
        image.verify().unwrap();
    }

    #[test]
    fn a_file_cut_off_anywhere_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image");
        packed(&path, b"content");
        let bytes = fs::read(&path).unwrap();
        for length in 0..bytes.len() {
            fs::write(&path, bytes.get(..length).unwrap()).unwrap();
            let problem = Image::open(&path).unwrap_err();
            assert!(problem.contains("is not whole"), "{length}: {problem}");
        }
    }

    #[test]
    fn a_changed_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image");
        packed(&path, b"content");
        let mut bytes = fs::read(&path).unwrap();
        *bytes.get_mut(8).unwrap() ^= 1;
        fs::write(&path, bytes).unwrap();
        assert!(Image::open(&path).unwrap().verify().unwrap_err().contains("damaged"));
    }
}
