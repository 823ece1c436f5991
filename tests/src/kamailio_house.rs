//! What every Kamailio of the tests lives in, whatever it is configured for. Tests of other crates include this file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A folder with its users, its run files and, once [written](Self::configure), its configuration.
pub struct House(TempDir);

impl House {
    /// Builds one for these users of `bell.test`, each with a [`password`] of their own.
    pub fn new(users: impl IntoIterator<Item = String>) -> Self {
        let house = Self(TempDir::with_prefix("kamailio-").unwrap());
        fs::create_dir(house.database()).unwrap();
        fs::create_dir(house.run()).unwrap();
        let row = |user: String| format!("{user}:bell.test:{}\n", password(&user));
        let rows: String = users.into_iter().map(row).collect();
        let table = format!("username(string) domain(string) password(string)\n{rows}");
        fs::write(house.database().join("subscriber"), table).unwrap();
        house
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Tables of db_text.
    pub fn database(&self) -> PathBuf {
        self.path().join("db")
    }

    /// Writes the configuration, in which each `@NAME@` becomes its value; `@MODULES@`, `@DB@` and `@DIR@` are known.
    pub fn configure(&self, text: &str, values: &[(&str, &str)]) {
        let own = [
            ("MODULES", modules().display().to_string()),
            ("DB", self.database().display().to_string()),
            ("DIR", self.path().display().to_string()),
        ];
        let own = own.iter().map(|(name, value)| (*name, value.as_str()));
        let put = |text: String, (name, value): (&str, &str)| text.replace(&format!("@{name}@"), value);
        fs::write(self.file(), values.iter().copied().chain(own).fold(text.to_owned(), put)).unwrap();
    }

    /// Arguments that run it, with so many MiB of memory shared by its processes, and for each of them.
    pub fn inhabit(&self, command: &mut Command, shared: u32, each: u32) {
        command.args(["-DD", "-E", "-m", &shared.to_string(), "-M", &each.to_string(), "-f"]);
        command.arg(self.file()).arg("-Y").arg(self.run());
    }

    fn file(&self) -> PathBuf {
        self.path().join("kamailio.cfg")
    }

    fn run(&self) -> PathBuf {
        self.path().join("run")
    }
}

/// Password of a user.
pub fn password(user: &str) -> String {
    format!("secret-of-{user}")
}

fn modules() -> PathBuf {
    let places = fs::read_dir("/usr/lib").into_iter().flatten().filter_map(Result::ok);
    let mut found = places.map(|e| e.path().join("kamailio/modules")).filter(|p| p.join("tm.so").is_file());
    found.next().expect("kamailio and its modules are missing: install the package kamailio")
}
