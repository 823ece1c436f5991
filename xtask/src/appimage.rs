//! `cargo xtask appimage`: one file for any Linux, with everything in it that a desktop may lack.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::brand::Edition;
use crate::libraries;
use crate::machine::{Purpose, prepare};
use crate::shell::{cargo, command, show, target};
use crate::tree::{Tree, paper};
use crate::{contents, ui};

const TRIPLE: &str = "x86_64-unknown-linux-gnu";
/// What makes an ELF file an AppImage of type 2, and where it stands.
const MARK: (usize, [u8; 3]) = (8, *b"AI\x02");
/// How the file ends: `crates/appimage/src/image.rs`.
const END: &[u8; 8] = b"AppImg1\n";
/// The settings without which GTK ends the phone where it asks for a file.
const SCHEMAS: &str = "/usr/share/glib-2.0/schemas";
const OF_GTK: &str = "org.gtk.Settings.";

/// How hard it is packed.
const MOST: &str = "19";
const LEAST: &str = "1";

/// Builds the programs of a brand and packs them, or packs those that are in `built`; prints where the file is.
///
/// # Errors
/// Something is missing, does not build or cannot be packed.
pub fn run(name: &str, built: Option<&str>) -> Result<bool, String> {
    prepare(&[Purpose::Build, Purpose::AppImage])?;
    let edition = Edition::read(name)?;
    let release = target("release");
    let built = match built {
        Some(folder) => Path::new(folder),
        None => {
            if let Some(install) = ui::install() {
                show(install)?;
            }
            show(edition.ui())?;
            show(edition.programs(false)?)?;
            &release
        }
    };
    let image = pack(&edition, built, MOST)?;
    let size = fs::metadata(&image).map_err(|e| e.to_string())?.len();
    println!("{}: {:.1} MB", image.display(), size as f64 / 1e6);
    Ok(true)
}

/// What `tests/tests/appimage.rs` starts, of the programs that the other tests use.
///
/// # Errors
/// They are not built, or cannot be packed.
pub fn for_tests() -> Result<(), String> {
    pack(&Edition::read("carillon")?, &target("debug"), LEAST).map(drop)
}

fn pack(edition: &Edition, built: &Path, level: &str) -> Result<PathBuf, String> {
    let (program, identifier) = (&edition.brand.program, &edition.brand.identifier);
    let runtime = runtime(edition)?;
    let tree = Tree::new(target("appimage").join(&edition.name))?;
    for (from, to) in [("carillon", program.clone()), ("carillon-cli", format!("{program}-cli"))] {
        tree.program(&built.join(from), &format!("usr/bin/{to}"))?;
    }
    let packages = libraries::take(&tree, &format!("usr/bin/{program}"))?;
    settings(&tree)?;
    let doc = format!("usr/share/doc/{program}");
    tree.folder(&doc)?;
    let doc = tree.0.join(doc);
    let version = contents::write(edition, TRIPLE, &["appimage"], &doc)?;
    contents::add_debian(&doc, &packages)?;
    tree.papers(edition, &version)?;
    // What a desktop looks for at the top.
    tree.write(&format!("{identifier}.desktop"), &paper(edition, &version, "phone.desktop")?)?;
    let icon = format!("usr/share/icons/hicolor/256x256/apps/{identifier}.png");
    for name in [format!("{identifier}.png"), ".DirIcon".to_owned()] {
        tree.copy(&tree.0.join(&icon), &name, 0o644)?;
    }
    tree.copy(&runtime, "AppRun", 0o755)?;
    let packages = target("packages");
    fs::create_dir_all(&packages).map_err(|e| format!("{}: {e}", packages.display()))?;
    let image = packages.join(format!("{program}-{version}-x86_64.AppImage"));
    seal(&runtime, &squash(&tree, level)?, &image)?;
    Ok(image)
}

/// The program at the beginning of the file. It runs where even the C library is another.
fn runtime(edition: &Edition) -> Result<PathBuf, String> {
    let mut build =
        cargo(&["build", "--quiet", "--release", "--package", "appimage", "--target", TRIPLE, "--locked"]);
    edition.prepare(&mut build)?;
    build.env("RUSTFLAGS", "-C target-feature=+crt-static");
    show(build)?;
    Ok(target(TRIPLE).join("release/appimage"))
}

/// The schemas of GTK's own settings.
fn settings(tree: &Tree) -> Result<(), String> {
    let problem = |e: std::io::Error| format!("{SCHEMAS}: {e}");
    let to = "usr/share/glib-2.0/schemas";
    for entry in fs::read_dir(SCHEMAS).map_err(problem)? {
        let file = entry.map_err(problem)?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(OF_GTK) {
            tree.copy(&file, &format!("{to}/{name}"), 0o644)?;
        }
    }
    show(command("glib-compile-schemas", &["--strict", &tree.0.join(to).display().to_string()]))
}

/// The file system of everything in `tree`.
fn squash(tree: &Tree, level: &str) -> Result<PathBuf, String> {
    let system = tree.0.with_extension("squashfs");
    let _ = fs::remove_file(&system);
    let (from, to) = (tree.0.display().to_string(), system.display().to_string());
    show(command(
        "mksquashfs",
        &[
            &from,
            &to,
            "-noappend",
            "-all-root",
            "-no-xattrs",
            "-quiet",
            "-no-progress",
            "-b",
            "1M",
            "-comp",
            "zstd",
            "-Xcompression-level",
            level,
        ],
    ))?;
    Ok(system)
}

/// Program, file system, and what says that the file is whole.
fn seal(runtime: &Path, system: &Path, image: &Path) -> Result<(), String> {
    let read = |file: &Path| fs::read(file).map_err(|e| format!("{}: {e}", file.display()));
    let (mut bytes, system) = (read(runtime)?, read(system)?);
    let (at, mark) = MARK;
    bytes.get_mut(at..at + mark.len()).ok_or("the program is too short")?.copy_from_slice(&mark);
    let offset = bytes.len() as u64;
    bytes.extend(&system);
    bytes.extend(offset.to_le_bytes());
    bytes.extend((system.len() as u64).to_le_bytes());
    bytes.extend(Sha256::digest(&system));
    bytes.extend(END);
    // One that runs is not written over.
    let _ = fs::remove_file(image);
    fs::write(image, bytes).map_err(|e| format!("{}: {e}", image.display()))?;
    show(command("chmod", &["755", &image.display().to_string()]))
}
