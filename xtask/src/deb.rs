//! `cargo xtask deb`: the package for Debian and its like.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::brand::Edition;
use crate::contents;
use crate::machine::{Purpose, prepare};
use crate::shell::{command, keep, root, show, target};
use crate::ui;

const TRIPLE: &str = "x86_64-unknown-linux-gnu";
/// Sizes of the icon, as its files are called and as the icon theme calls them.
const ICONS: &[(&str, &str)] = &[
    ("32x32.png", "32x32"),
    ("128x128.png", "128x128"),
    ("128x128@2x.png", "256x256"),
    ("icon.png", "512x512"),
];

/// Builds the programs of a brand and packs them; prints where the package is.
///
/// # Errors
/// Something is missing, does not build or cannot be packed.
pub fn run(name: &str) -> Result<bool, String> {
    prepare(&[Purpose::Build, Purpose::Debian])?;
    let edition = Edition::read(name)?;
    if let Some(install) = ui::install() {
        show(install)?;
    }
    show(edition.ui())?;
    show(edition.programs(false)?)?;
    let package = pack(&edition, &target("release"), "-z6")?;
    let size = fs::metadata(&package).map_err(|e| e.to_string())?.len();
    println!("{}: {:.1} MB", package.display(), size as f64 / 1e6);
    Ok(true)
}

/// The package that `tests/tests/deb.rs` installs, of the programs that the other tests use.
///
/// # Errors
/// They are not built, or cannot be packed.
pub fn for_tests() -> Result<(), String> {
    pack(&Edition::read("carillon")?, &target("debug"), "-z1").map(drop)
}

/// Packs the programs in `built`, without what only a debugger wants, as hard as `level` says; where the package is.
///
/// # Errors
/// One is missing, or the tools say why not.
fn pack(edition: &Edition, built: &Path, level: &str) -> Result<PathBuf, String> {
    let tree = Tree::new(target("debian").join(&edition.name))?;
    let (program, identifier) = (&edition.brand.program, &edition.brand.identifier);
    for (from, to) in [("carillon", program.clone()), ("carillon-cli", format!("{program}-cli"))] {
        let to = format!("usr/bin/{to}");
        tree.copy(&built.join(from), &to, 0o755)?;
        show(command("strip", &["--strip-unneeded", &tree.0.join(&to).display().to_string()]))?;
    }
    let doc = format!("usr/share/doc/{program}");
    tree.folder(&doc)?;
    let version = contents::write(edition, TRIPLE, &tree.0.join(&doc))?;
    fs::rename(tree.0.join(&doc).join("licences.txt"), tree.0.join(&doc).join("copyright"))
        .map_err(|e| format!("{doc}: {e}"))?;
    let fill = |text: &str| fill(edition, &version, text);
    let papers = [
        ("phone.desktop", format!("usr/share/applications/{identifier}.desktop")),
        ("phone.metainfo.xml", format!("usr/share/metainfo/{identifier}.metainfo.xml")),
        ("headset.rules", format!("usr/lib/udev/rules.d/70-{program}-headset.rules")),
    ];
    for (from, to) in papers {
        tree.write(&to, &fill(&read(&root().join("packaging").join(from))?))?;
    }
    let brand = root().join("brand").join(&edition.name);
    for (file, size) in ICONS {
        let to = format!("usr/share/icons/hicolor/{size}/apps/{identifier}.png");
        tree.copy(&brand.join("icons").join(file), &to, 0o644)?;
    }
    let scalable = format!("usr/share/icons/hicolor/scalable/apps/{identifier}.svg");
    tree.copy(&brand.join("app-icon.svg"), &scalable, 0o644)?;
    let control = control(edition, &version, &depends(&tree, program)?, tree.kilobytes()?);
    tree.write("DEBIAN/control", &control)?;
    let packages = target("packages");
    fs::create_dir_all(&packages).map_err(|e| format!("{}: {e}", packages.display()))?;
    let package = packages.join(format!("{program}_{version}_amd64.deb"));
    let (from, to) = (tree.0.display().to_string(), package.display().to_string());
    let mut dpkg = command("dpkg-deb", &["--root-owner-group", "-Zxz", level, "--build", &from, &to]);
    dpkg.stdout(Stdio::null());
    show(dpkg)?;
    Ok(package)
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

fn control(edition: &Edition, version: &str, depends: &str, kilobytes: u64) -> String {
    let brand = &edition.brand;
    let homepage = brand.links.website.as_ref().map(|page| format!("Homepage: {page}\n")).unwrap_or_default();
    format!(
        "Package: {}\nVersion: {version}\nArchitecture: amd64\nMaintainer: {} <packages@{}>\n\
         Installed-Size: {kilobytes}\nDepends: {depends}\n\
         Recommends: gnome-keyring | kwalletmanager, pulseaudio | pipewire-pulse, xdg-utils\n\
         Section: comm\nPriority: optional\n{homepage}\
         Description: softphone for PortSIP PBX and any SIP server\n \
         Sign in by user name, QR code or Microsoft 365; call, hold, transfer and\n confer; \
         be heard on a bad network. {}-cli is the same phone without a\n window.\n",
        brand.program,
        brand.name,
        brand.identifier.split('.').rev().collect::<Vec<_>>().join("."),
        brand.program,
    )
}

/// The packages whose libraries the programs are linked with, as dpkg finds them.
fn depends(tree: &Tree, program: &str) -> Result<String, String> {
    // It wants the folder of a source package around it.
    let around = target("debian");
    fs::create_dir_all(around.join("debian")).map_err(|e| format!("{}: {e}", around.display()))?;
    let control = around.join("debian/control");
    fs::write(&control, format!("Source: {program}\n\nPackage: {program}\nArchitecture: any\n"))
        .map_err(|e| format!("{}: {e}", control.display()))?;
    let mut find = command("dpkg-shlibdeps", &["-O"]);
    find.current_dir(&around);
    find.args([program.to_owned(), format!("{program}-cli")].map(|name| tree.0.join("usr/bin").join(name)));
    let found = keep(find)?;
    let depends = found.output.lines().find_map(|line| line.strip_prefix("shlibs:Depends="));
    depends.map(str::to_owned).ok_or(found.output)
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))
}

/// What the package will hold, as it will lie.
struct Tree(PathBuf);

impl Tree {
    fn new(at: PathBuf) -> Result<Self, String> {
        let _ = fs::remove_dir_all(&at);
        let tree = Self(at);
        tree.folder("DEBIAN")?;
        Ok(tree)
    }

    fn folder(&self, below: &str) -> Result<(), String> {
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

    fn copy(&self, from: &Path, to: &str, mode: u32) -> Result<(), String> {
        let bytes = fs::read(from).map_err(|e| format!("{}: {e}", from.display()))?;
        self.put(to, &bytes, mode)
    }

    fn write(&self, to: &str, text: &str) -> Result<(), String> {
        self.put(to, text.as_bytes(), 0o644)
    }

    fn put(&self, to: &str, bytes: &[u8], mode: u32) -> Result<(), String> {
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
    fn kilobytes(&self) -> Result<u64, String> {
        let counted = keep(command("du", &["-k", "-s", "--apparent-size", &self.0.display().to_string()]))?;
        counted.output.split_whitespace().next().and_then(|n| n.parse().ok()).ok_or(counted.output)
    }
}
