//! A Windows that is none: Wine, with a drive and a registry of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::paths::workspace;
use crate::{Process, Session, target_dir};

/// A fresh installation of Wine. Gone, with all that was installed, when it goes out of scope.
pub struct Wine {
    session: Session,
    folder: TempDir,
}

/// Values of a key, by name; the key's own under an empty one. All are text, numbers as `dword:00000001`.
pub type Values = BTreeMap<String, String>;

/// Keys in lower case, and what they hold.
#[derive(Debug, Clone, Default)]
pub struct Registry(BTreeMap<String, Values>);

const LIMIT: Duration = Duration::from_secs(300);

impl Wine {
    /// Sets it up.
    pub fn new() -> Self {
        let folder = TempDir::with_prefix_in("wine-", target_dir()).unwrap();
        let wine = Self { session: Session::bare().with_display(), folder };
        fs::create_dir(wine.home()).unwrap();
        let mut boot = wine.command("wineboot");
        boot.arg("--init");
        Process::run_within("wineboot", boot, LIMIT);
        wine.settle();
        // A folder in place of the link to the real one, so that shortcuts stay in here.
        let desktop = wine.user().join("Desktop");
        let _ = fs::remove_file(&desktop);
        fs::create_dir_all(&desktop).unwrap();
        wine.add_missing_library();
        wine
    }

    fn add_missing_library(&self) {
        let source = workspace().join("tests/wine/bcryptprimitives.c");
        let mut compiler = Command::new("x86_64-w64-mingw32-gcc-posix");
        let library = self.drive().join("windows/system32/bcryptprimitives.dll");
        compiler.args(["-O2", "-shared", "-o"]).arg(library).arg(source).arg("-ladvapi32");
        Process::run("mingw", compiler);
    }

    /// A command that runs a program of Windows, by its name or its path in here.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = self.session.command("wine");
        command.arg(program.as_ref()).env("HOME", self.home());
        command.env("WINEPREFIX", self.prefix()).env("WINEARCH", "win64").env("WINEDEBUG", "-all");
        // Neither menus of the desktop outside, nor what Wine would fetch from the net.
        command.env("WINEDLLOVERRIDES", "winemenubuilder.exe=d;mscoree=d;mshtml=d");
        command
    }

    /// Runs the installer silently, and gives its exit status: 0 where it did what it was asked for.
    pub fn msiexec(&self, action: &str, package: &Path, properties: &[&str]) -> i32 {
        let mut command = self.command("msiexec");
        command.args([action, &Self::path(package), "/qn"]).args(properties);
        let mut installer = Process::start("msiexec", command);
        installer.close_stdin();
        let status = installer.wait_exit(LIMIT);
        self.settle();
        status
    }

    /// Waits until nothing runs in here any more, so that the registry is in its files.
    pub fn settle(&self) {
        let mut server = self.session.command("wineserver");
        server.arg("-w").env("HOME", self.home()).env("WINEPREFIX", self.prefix());
        Process::run_within("wineserver", server, LIMIT);
    }

    /// A file of this machine, as programs in here call it.
    pub fn path(file: &Path) -> String {
        format!("Z:{}", file.display()).replace('/', "\\")
    }

    /// Drive C.
    pub fn drive(&self) -> PathBuf {
        self.prefix().join("drive_c")
    }

    /// The user's own folder.
    pub fn user(&self) -> PathBuf {
        let users = fs::read_dir(self.drive().join("users")).unwrap().map(|entry| entry.unwrap().path());
        users.filter(|user| user.is_dir()).find(|user| !user.ends_with("Public")).unwrap()
    }

    /// Every file below a folder that ends so.
    pub fn files(below: &Path, end: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in fs::read_dir(below).into_iter().flatten().filter_map(Result::ok) {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            if kind.is_dir() {
                found.extend(Self::files(&path, end));
            } else if path.to_string_lossy().ends_with(end) {
                found.push(path);
            }
        }
        found
    }

    /// What the machine's part of the registry holds.
    pub fn machine_registry(&self) -> Registry {
        Registry::read(&self.prefix().join("system.reg"))
    }

    /// What the user's part holds.
    pub fn user_registry(&self) -> Registry {
        Registry::read(&self.prefix().join("user.reg"))
    }

    /// A session for what runs outside.
    pub fn session(&self) -> &Session {
        &self.session
    }

    fn prefix(&self) -> PathBuf {
        self.folder.path().join("prefix")
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }
}

impl Default for Wine {
    fn default() -> Self {
        Self::new()
    }
}

impl Registry {
    /// Reads a file of Wine's.
    fn read(file: &Path) -> Self {
        let text = String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned();
        let (mut all, mut key) = (BTreeMap::new(), None);
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix('[') {
                let name = rest.rsplit_once(']').unwrap().0;
                key = Some(unescaped(name).to_lowercase());
                all.entry(key.clone().unwrap()).or_insert_with(Values::new);
            } else if let Some((name, value)) = value(line)
                && let Some(values) = key.as_ref().and_then(|key| all.get_mut(key))
            {
                values.insert(name, value);
            }
        }
        Self(all)
    }

    /// A value; an empty name is the key's own.
    pub fn get(&self, key: &str, name: &str) -> Option<&str> {
        Some(self.0.get(&key.to_lowercase())?.get(name)?.as_str())
    }

    /// Every key below this one, and it itself, that there is.
    pub fn keys_below(&self, key: &str) -> Vec<&str> {
        let key = key.to_lowercase();
        let below = format!("{key}\\");
        self.0.keys().filter(|name| **name == key || name.starts_with(&below)).map(String::as_str).collect()
    }

    /// Keys that hold a value of this name and content.
    pub fn keys_with(&self, name: &str, content: &str) -> Vec<&str> {
        let holds = |values: &&Values| values.get(name).is_some_and(|value| value == content);
        self.0.iter().filter(|(_, values)| holds(values)).map(|(key, _)| key.as_str()).collect()
    }
}

/// `"name"="value"`, `@="value"` or `"name"=dword:00000001`.
fn value(line: &str) -> Option<(String, String)> {
    let (name, rest) = match line.strip_prefix('@') {
        Some(rest) => (String::new(), rest),
        None => {
            let quoted = line.strip_prefix('"')?;
            let end = end_of_text(quoted)?;
            (unescaped(quoted.get(..end)?), quoted.get(end + 1..)?)
        }
    };
    let content = rest.strip_prefix('=')?;
    let content = match content.strip_prefix('"') {
        Some(quoted) => unescaped(quoted.get(..end_of_text(quoted)?)?),
        None => content.to_owned(),
    };
    Some((name, content))
}

/// Where a text ends that a quotation mark closes.
fn end_of_text(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let end = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        end.then_some(at)
    })
}

fn unescaped(text: &str) -> String {
    let mut all = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        all.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_wine_writes_them() {
        let read = |line| value(line);
        let pair = |name: &str, value: &str| Some((name.to_owned(), value.to_owned()));
        assert_eq!(read(r#"@="\"C:\\a.exe\" \"%1\"""#), pair("", r#""C:\a.exe" "%1""#));
        assert_eq!(read(r#""Start"=dword:00000001"#), pair("Start", "dword:00000001"));
        assert_eq!(read("#time=1d"), None);
    }
}
