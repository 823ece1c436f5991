//! The libraries of the window, as they go into an AppImage: everything that WebKitGTK needs but what belongs to the
//! desktop it will run on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::shell::{command, output, show};
use crate::tree::Tree;

/// Where Debian has them. The path stands in the libraries themselves: of WebKit's other programs, of GTK's modules.
const FROM: &str = "/usr/lib/x86_64-linux-gnu";
/// What takes its place, no longer and no shorter: the same from `usr`, where the phone is started.
const HERE: &str = "././/lib/x86_64-linux-gnu";
const INTO: &str = "usr/lib/x86_64-linux-gnu";
/// WebKit's other programs, and the library they load.
const HELPERS: &[&str] = &[
    "webkit2gtk-4.1/WebKitWebProcess",
    "webkit2gtk-4.1/WebKitNetworkProcess",
    "webkit2gtk-4.1/WebKitGPUProcess",
];
/// What is loaded by name at run time. Folders are taken whole.
const LOADED: &[&str] =
    &["webkit2gtk-4.1/injected-bundle", "gdk-pixbuf-2.0/2.10.0/loaders", "gtk-3.0/3.0.0/immodules"];
/// What says which of them there are.
const CACHES: &[&str] = &["gdk-pixbuf-2.0/2.10.0/loaders.cache", "gtk-3.0/3.0.0/immodules.cache"];
/// What every desktop has, and has to be of one piece with its kernel, its drivers, its display, its sound or its
/// fonts: the C and C++ libraries, which drivers want as new as they are; OpenGL; X11's and Wayland's connection, which
/// the drivers share; ALSA, whose plug-ins and settings are the system's; fontconfig, whose settings are.
const OF_THE_DESKTOP: &[&str] = &[
    "ld-linux-x86-64.so.2",
    "libc.so.6",
    "libdl.so.2",
    "libm.so.6",
    "libpthread.so.0",
    "libresolv.so.2",
    "librt.so.1",
    "libgcc_s.so.1",
    "libstdc++.so.6",
    "libEGL.so.1",
    "libGL.so.1",
    "libGLX.so.0",
    "libGLdispatch.so.0",
    "libGLESv2.so.2",
    "libOpenGL.so.0",
    "libdrm.so.2",
    "libgbm.so.1",
    "libX11.so.6",
    "libX11-xcb.so.1",
    "libxcb.so.1",
    "libwayland-client.so.0",
    "libwayland-server.so.0",
    "libasound.so.2",
    "libexpat.so.1",
    "libfontconfig.so.1",
    "libfreetype.so.6",
    "libz.so.1",
];

/// Takes along what `program` needs, and what that needs, with the licences; the packages of Debian it is out of, with
/// their versions.
///
/// # Errors
/// Something is missing, or the tools say why not.
pub fn take(tree: &Tree, program: &str) -> Result<Vec<(String, String)>, String> {
    let mut taken = Taken { tree, from: BTreeMap::new() };
    let mut open = needed(&tree.0.join(program))?;
    search_in(&tree.0.join(program), "$ORIGIN/../lib/x86_64-linux-gnu")?;
    for helper in HELPERS {
        let file = Path::new(FROM).join(helper);
        open.extend(needed(&file)?);
        let to = format!("{INTO}/{helper}");
        tree.copy(&file, &to, 0o755)?;
        search_in(&tree.0.join(to), "$ORIGIN/..")?;
        taken.from.insert((*helper).to_owned(), file);
    }
    for folder in LOADED {
        let problem = |e: std::io::Error| format!("{FROM}/{folder}: {e}");
        for entry in fs::read_dir(Path::new(FROM).join(folder)).map_err(problem)? {
            let name = entry.map_err(problem)?.file_name().to_string_lossy().into_owned();
            open.extend(taken.library(&format!("{folder}/{name}"))?);
        }
    }
    while let Some(name) = open.pop_first() {
        if !OF_THE_DESKTOP.contains(&name.as_str()) && !taken.from.contains_key(&name) {
            open.extend(taken.library(&name)?);
        }
    }
    for cache in CACHES {
        let file = Path::new(FROM).join(cache);
        let text = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
        tree.write(&format!("{INTO}/{cache}"), &text.replace(FROM, HERE))?;
    }
    taken.papers()
}

/// What has been taken along: names below the folder of libraries, and where they lay.
struct Taken<'a> {
    tree: &'a Tree,
    from: BTreeMap<String, PathBuf>,
}

impl Taken<'_> {
    /// Takes a library along; what it needs.
    fn library(&mut self, name: &str) -> Result<BTreeSet<String>, String> {
        let file = Path::new(FROM).join(name);
        let problem = |e: std::io::Error| format!("{}: {e}", file.display());
        let file = fs::canonicalize(&file).map_err(problem)?;
        let bytes = moved(fs::read(&file).map_err(problem)?);
        let to = format!("{INTO}/{name}");
        self.tree.put(&to, &bytes, 0o644)?;
        let copy = self.tree.0.join(to).display().to_string();
        // A path of its own would hide the one of the program.
        if !output(command("patchelf", &["--print-rpath", &copy]))?.trim().is_empty() {
            show(command("patchelf", &["--remove-rpath", &copy]))?;
        }
        let needs = needed(&file)?;
        self.from.insert(name.to_owned(), file);
        Ok(needs)
    }

    /// Takes the licences along; the packages.
    fn papers(&self) -> Result<Vec<(String, String)>, String> {
        let mut owners = BTreeSet::new();
        for file in self.from.values() {
            let usr = file.display().to_string();
            // Older packages know their files by the names they had before /lib was /usr/lib.
            let names = [usr.trim_start_matches("/usr"), usr.as_str()];
            let owner = names.into_iter().find_map(|name| output(command("dpkg-query", &["-S", name])).ok());
            let owner = owner.and_then(|said| Some(said.split_once(": ")?.0.to_owned()));
            owners.insert(owner.ok_or_else(|| format!("{usr} is of no package"))?);
        }
        let mut packages = Vec::new();
        for owner in &owners {
            let version = output(command("dpkg-query", &["-W", "-f", "${Version}", owner]))?;
            let name = owner.split(':').next().unwrap_or(owner);
            let paper = format!("/usr/share/doc/{name}/copyright");
            self.tree.copy(Path::new(&paper), paper.trim_start_matches('/'), 0o644)?;
            packages.push((name.to_owned(), version.trim().to_owned()));
        }
        Ok(packages)
    }
}

/// Lets a program look for its libraries, and for theirs, in a folder of the image first: its own processes only, unlike
/// a variable of the environment, which a browser the phone opens would inherit.
fn search_in(program: &Path, folder: &str) -> Result<(), String> {
    show(command("patchelf", &["--force-rpath", "--set-rpath", folder, &program.display().to_string()]))
}

fn needed(file: &Path) -> Result<BTreeSet<String>, String> {
    let names = output(command("patchelf", &["--print-needed", &file.display().to_string()]))?;
    Ok(names.lines().map(str::to_owned).collect())
}

/// The bytes of a library with every mention of the libraries' folder replaced.
fn moved(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| find(rest, FROM.as_bytes())) {
        at += found;
        if let Some(there) = bytes.get_mut(at..at + HERE.len()) {
            there.copy_from_slice(HERE.as_bytes());
        }
        at += HERE.len();
    }
    bytes
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    let first = *what.first()?;
    let mut at = 0;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == first)?;
        if bytes.get(at..)?.starts_with(what) {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_libraries_are_replaced_where_they_stand() {
        let before = format!("a\0/usr/bin\0{FROM}/webkit2gtk-4.1\0{FROM}\0/");
        let after = moved(before.clone().into_bytes());
        assert_eq!(after.len(), before.len());
        assert_eq!(
            String::from_utf8(after).unwrap(),
            format!("a\0/usr/bin\0{HERE}/webkit2gtk-4.1\0{HERE}\0/")
        );
    }
}
