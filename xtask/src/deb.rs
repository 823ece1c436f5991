//! `cargo xtask deb`: the package for Debian and its like.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::brand::Edition;
use crate::contents;
use crate::machine::{Purpose, prepare};
use crate::shell::{command, keep, show, target};
use crate::tree::{Tree, paper};
use crate::ui;

const TRIPLE: &str = "x86_64-unknown-linux-gnu";

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
    tree.folder("DEBIAN")?;
    let program = &edition.brand.program;
    for (from, to) in [("carillon", program.clone()), ("carillon-cli", format!("{program}-cli"))] {
        let to = format!("usr/bin/{to}");
        tree.program(&built.join(from), &to)?;
    }
    let doc = format!("usr/share/doc/{program}");
    tree.folder(&doc)?;
    let version = contents::write(edition, TRIPLE, &[], &tree.0.join(&doc))?;
    fs::rename(tree.0.join(&doc).join("licences.txt"), tree.0.join(&doc).join("copyright"))
        .map_err(|e| format!("{doc}: {e}"))?;
    tree.papers(edition, &version)?;
    let rules = format!("usr/lib/udev/rules.d/70-{program}-headset.rules");
    tree.write(&rules, &paper(edition, &version, "headset.rules")?)?;
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
