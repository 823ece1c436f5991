//! The files of an MSI package packed with LZX instead of what Debian's wixl knows, which is larger.

use std::fs;
use std::path::{Path, PathBuf};

use cabinet::{Effort, Packed, cabinet};

use crate::shell::{command, keep, show, target};

/// What the cabinet is called in the package.
const CABINET: &str = "phone.cab";

/// Repacks the packages of the same files.
pub struct Repacker {
    folder: PathBuf,
    effort: Effort,
    /// What the last cabinet holds: names in it, and files.
    packed: Vec<(String, String)>,
}

impl Repacker {
    /// Of files in this folder.
    pub fn new(folder: &Path, effort: Effort) -> Self {
        Self { folder: folder.into(), effort, packed: Vec::new() }
    }

    /// Puts a smaller cabinet into a package, in the place of its own.
    ///
    /// # Errors
    /// The package cannot be read or written, or a file of it is not there.
    pub fn repack(&mut self, package: &Path) -> Result<(), String> {
        let package = package.display().to_string();
        let table = keep(command("msiinfo", &["export", &package, "File"]))?;
        if !table.status.success() {
            return Err(table.output);
        }
        let files = in_order(&table.output)?;
        let out = target("packages").join(CABINET);
        if self.packed != files {
            fs::write(&out, self.pack(&files)?).map_err(|e| format!("{}: {e}", out.display()))?;
            self.packed = files;
        }
        show(command("msibuild", &[&package, "-a", CABINET, &out.display().to_string()]))
    }

    fn pack(&self, files: &[(String, String)]) -> Result<Vec<u8>, String> {
        let read = |(key, name): &(String, String)| {
            let file = self.folder.join(name);
            let bytes = fs::read(&file).map_err(|e| format!("{}: {e}", file.display()))?;
            Ok((key.clone(), bytes))
        };
        let all = files.iter().map(read).collect::<Result<Vec<_>, String>>()?;
        let all: Vec<_> = all.iter().map(|(name, bytes)| Packed { name, bytes }).collect();
        cabinet(&all, self.effort).map_err(|e| e.to_string())
    }
}

/// Keys and names of the files in what `msiinfo export` says of the table `File`, in the order of the cabinet.
fn in_order(table: &str) -> Result<Vec<(String, String)>, String> {
    let mut files = Vec::new();
    // Names, types and keys of the columns come first.
    for row in table.lines().skip(3) {
        let fields: Vec<&str> = row.trim_end_matches('\r').split('\t').collect();
        let [key, _, name, _, _, _, _, sequence] = fields.as_slice() else {
            return Err(format!("the table of files is another: {row}"));
        };
        let sequence: u32 = sequence.parse().map_err(|e| format!("{row}: {e}"))?;
        // Behind its short form.
        let name = name.rsplit('|').next().unwrap_or(name);
        files.push((sequence, ((*key).to_owned(), name.to_owned())));
    }
    files.sort();
    Ok(files.into_iter().map(|(_, file)| file).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_taken_in_the_order_of_the_cabinet() {
        let table = "File\tComponent_\tFileName\tFileSize\tVersion\tLanguage\tAttributes\tSequence\r\n\
                     s72\ts72\tl255\ti4\tS72\tS20\tI2\ti4\r\nFile\tFile\r\n\
                     Cli\tC\tPHONE-~1.EXE|phone-cli.exe\t2\t\t\t512\t2\r\nPhone\tP\tphone.exe\t1\t\t\t512\t1\r\n";
        let own = |key: &str, name: &str| (key.to_owned(), name.to_owned());
        assert_eq!(in_order(table).unwrap(), [own("Phone", "phone.exe"), own("Cli", "phone-cli.exe")]);
        assert!(in_order("a\nb\nc\nd").is_err());
    }
}
