//! What a package for Linux holds, as it will lie.

use std::fs;
use std::path::{Path, PathBuf};

use crate::brand::Edition;
use crate::shell::{command, keep, root, show};

/// Sizes of the icon, as its files are called and as the icon theme calls them.
const ICONS: &[(&str, &str)] = &[
    ("32x32.png", "32x32"),
    ("128x128.png", "128x128"),
    ("128x128@2x.png", "256x256"),
    ("icon.png", "512x512"),
];

/// One of the papers in `packaging/`, filled in.
///
/// # Errors
/// It is not there.
pub fn paper(edition: &Edition, version: &str, name: &str) -> Result<String, String> {
    let file = root().join("packaging").join(name);
    let text = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    Ok(fill(edition, version, &text))
}

fn fill(edition: &Edition, version: &str, text: &str) -> String {
    let brand = &edition.brand;
    let date = command("date", &["-u", "+%Y-%m-%d"]).output().map(|out| out.stdout).unwrap_or_default();
    [
        ("@NAME@", brand.name.as_str()),
        ("@PROGRAM@", &brand.program),
        ("@IDENTIFIER@", &brand.identifier),
        ("@SCHEME@", &brand.scheme),
        ("@VERSION@", version),
        ("@DATE@", String::from_utf8_lossy(&date).trim()),
    ]
    .iter()
    .fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// What the package will hold, as it will lie.
pub struct Tree(pub PathBuf);

impl Tree {
    /// An empty one.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn new(at: PathBuf) -> Result<Self, String> {
        let _ = fs::remove_dir_all(&at);
        let tree = Self(at);
        tree.folder("")?;
        Ok(tree)
    }

    /// A folder, and those above it.
    ///
    /// # Errors
    /// What the system says.
    pub fn folder(&self, below: &str) -> Result<(), String> {
        let mut at = self.0.clone();
        fs::create_dir_all(&at).map_err(|e| format!("{}: {e}", at.display()))?;
        for part in Path::new(below) {
            at.push(part);
            if !at.is_dir() {
                fs::create_dir(&at).map_err(|e| format!("{}: {e}", at.display()))?;
            }
            self.allow(&at, 0o755)?;
        }
        Ok(())
    }

    /// A copy of a file.
    ///
    /// # Errors
    /// What the system says.
    pub fn copy(&self, from: &Path, to: &str, mode: u32) -> Result<(), String> {
        let bytes = fs::read(from).map_err(|e| format!("{}: {e}", from.display()))?;
        self.put(to, &bytes, mode)
    }

    /// A file of text.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&self, to: &str, text: &str) -> Result<(), String> {
        self.put(to, text.as_bytes(), 0o644)
    }

    /// A copy of a program, without what only a debugger wants.
    ///
    /// # Errors
    /// It is not there, or is none.
    pub fn program(&self, from: &Path, to: &str) -> Result<(), String> {
        self.copy(from, to, 0o755)?;
        show(command("strip", &["--strip-unneeded", &self.0.join(to).display().to_string()]))
    }

    /// What tells desktops of the phone: its entry, its description and its icons.
    ///
    /// # Errors
    /// One is missing.
    pub fn papers(&self, edition: &Edition, version: &str) -> Result<(), String> {
        let identifier = &edition.brand.identifier;
        let entry = format!("usr/share/applications/{identifier}.desktop");
        self.write(&entry, &paper(edition, version, "phone.desktop")?)?;
        let description = format!("usr/share/metainfo/{identifier}.metainfo.xml");
        self.write(&description, &paper(edition, version, "phone.metainfo.xml")?)?;
        let brand = root().join("brand").join(&edition.name);
        for (file, size) in ICONS {
            let to = format!("usr/share/icons/hicolor/{size}/apps/{identifier}.png");
            self.copy(&brand.join("icons").join(file), &to, 0o644)?;
        }
        let scalable = format!("usr/share/icons/hicolor/scalable/apps/{identifier}.svg");
        self.copy(&brand.join("app-icon.svg"), &scalable, 0o644)
    }

    /// A file of bytes.
    ///
    /// # Errors
    /// What the system says.
    pub fn put(&self, to: &str, bytes: &[u8], mode: u32) -> Result<(), String> {
        if let Some(above) = Path::new(to).parent().and_then(Path::to_str) {
            self.folder(above)?;
        }
        let file = self.0.join(to);
        fs::write(&file, bytes).map_err(|e| format!("{}: {e}", file.display()))?;
        self.allow(&file, mode)
    }

    fn allow(&self, file: &Path, mode: u32) -> Result<(), String> {
        show(command("chmod", &[&format!("{mode:o}"), &file.display().to_string()]))
    }

    /// What it takes on the disk, as dpkg counts.
    ///
    /// # Errors
    /// `du` does not say.
    pub fn kilobytes(&self) -> Result<u64, String> {
        let counted = keep(command("du", &["-k", "-s", "--apparent-size", &self.0.display().to_string()]))?;
        counted.output.split_whitespace().next().and_then(|n| n.parse().ok()).ok_or(counted.output)
    }
}
