//! Asterisk for the tests. Debian 12 has none, so that of Debian 11 is unpacked into a root of its own below the
//! target folder, with everything it needs, and run there by chroot. Nothing of the machine's own changes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::shell::{command, keep, root, target};

/// What goes into the root, besides all that these need.
const PACKAGES: [&str; 2] = ["asterisk", "asterisk-voicemail"];
const RELEASE: &str = "bullseye";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Where Debian 11 is to be had, besides the machine's own mirror; the archive keeps it for good.
const MIRRORS: [&str; 2] = ["http://deb.debian.org/debian", "http://archive.debian.org/debian"];

/// Makes the root, once.
///
/// # Errors
/// We are not root, or the packages cannot be had.
pub fn install() -> Result<(), String> {
    let home = target("asterisk");
    let stamp = home.join("done");
    let wanted = format!("{RELEASE} {}", PACKAGES.join(" "));
    if fs::read_to_string(&stamp).is_ok_and(|done| done == wanted) {
        return Ok(());
    }
    let problem = |e: io::Error| format!("{}: {e}", home.display());
    if home.exists() {
        fs::remove_dir_all(&home).map_err(problem)?;
    }
    let mut said = String::new();
    for mirror in mirrors() {
        match download(&home.join("apt"), &mirror) {
            Ok(packages) => {
                unpack(&packages, &home.join("root"))?;
                fs::remove_dir_all(home.join("apt")).map_err(problem)?;
                return fs::write(&stamp, wanted).map_err(problem);
            }
            Err(problem) => said.push_str(&format!("{mirror}: {problem}\n")),
        }
    }
    Err(said)
}

/// The mirror this machine itself uses comes first: it surely is within reach.
fn mirrors() -> Vec<String> {
    let mut sources = vec![PathBuf::from("/etc/apt/sources.list")];
    let more = fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().filter_map(Result::ok);
    sources.extend(more.map(|entry| entry.path()));
    let text: String = sources.iter().filter_map(|file| fs::read_to_string(file).ok()).collect();
    let mut mirrors = own_mirrors(&text);
    mirrors.extend(MIRRORS.map(str::to_owned));
    let mut seen = Vec::new();
    mirrors.retain(|mirror| {
        !seen.contains(mirror) && {
            seen.push(mirror.clone());
            true
        }
    });
    mirrors
}

/// Addresses of Debian's main archive in the text of apt's sources.
fn own_mirrors(sources: &str) -> Vec<String> {
    let lines = sources.lines().filter(|line| !line.trim_start().starts_with('#'));
    let words = lines.flat_map(str::split_whitespace).map(|word| word.trim_end_matches('/'));
    words.filter(|word| word.starts_with("http") && word.ends_with("/debian")).map(str::to_owned).collect()
}

/// Has apt fetch the packages and all they need as if nothing were installed; it checks Debian's signatures.
fn download(folder: &Path, mirror: &str) -> Result<Vec<PathBuf>, String> {
    for below in ["lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(folder.join(below)).map_err(|e| e.to_string())?;
    }
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).map_err(|e| e.to_string());
    write("sources.list", &format!("deb [signed-by={KEYRING}] {mirror} {RELEASE} main\n"))?;
    write("status", "")?;
    let here = folder.display();
    let options = [
        format!("Dir::Etc::SourceList={here}/sources.list"),
        "Dir::Etc::SourceParts=/dev/null".to_owned(),
        format!("Dir::State::Lists={here}/lists"),
        format!("Dir::State::Status={here}/status"),
        format!("Dir::Cache={here}/cache"),
        "APT::Sandbox::User=root".to_owned(),
        "Acquire::Retries=3".to_owned(),
    ];
    let apt = |arguments: &[&str]| {
        let mut apt = command("apt-get", &["-qq"]);
        for option in &options {
            apt.args(["-o", option]);
        }
        apt.args(arguments);
        let outcome = keep(apt)?;
        if outcome.status.success() { Ok(()) } else { Err(outcome.output) }
    };
    apt(&["update"])?;
    apt(&[&["install", "--download-only", "--no-install-recommends", "-y"][..], &PACKAGES].concat())?;
    let found = fs::read_dir(folder.join("cache/archives")).map_err(|e| e.to_string())?;
    let files = found.filter_map(Result::ok).map(|entry| entry.path());
    let packages: Vec<_> = files.filter(|file| file.extension().is_some_and(|end| end == "deb")).collect();
    if packages.is_empty() { Err("apt fetched nothing".to_owned()) } else { Ok(packages) }
}

/// Unpacks without configuring: programs and libraries are all that is wanted.
fn unpack(packages: &[PathBuf], into: &Path) -> Result<(), String> {
    fs::create_dir_all(into).map_err(|e| e.to_string())?;
    let run = |program: &str, arguments: &[&str]| {
        let outcome = keep(command(program, arguments))?;
        if outcome.status.success() { Ok(()) } else { Err(outcome.output) }
    };
    let place = into.display().to_string();
    for package in packages {
        run("dpkg-deb", &["--extract", &package.display().to_string(), &place])?;
    }
    for (device, minor) in [("null", "3"), ("random", "8"), ("urandom", "9")] {
        let file = into.join("dev").join(device);
        if !file.exists() {
            fs::create_dir_all(into.join("dev")).map_err(|e| e.to_string())?;
            run("mknod", &["-m", "666", &file.display().to_string(), "c", "1", minor])?;
        }
    }
    fs::create_dir_all(into.join("tmp")).map_err(|e| e.to_string())?;
    run("chroot", &[&place, "/usr/sbin/asterisk", "-V"])
        .map_err(|said| format!("Asterisk does not run in {place}, seen from {}: {said}", root().display()))
}

#[cfg(test)]
mod tests {
    use super::own_mirrors;

    #[test]
    fn the_machines_own_mirror_is_found_in_both_forms_of_apts_sources() {
        let sources = "Types: deb\n# http://snapshot.test/debian\nURIs: http://mirror.test/debian/\n\
                       URIs: http://mirror.test/debian-security\n\
                       deb [signed-by=/k] https://other.test/debian bookworm main\n";
        assert_eq!(own_mirrors(sources), ["http://mirror.test/debian", "https://other.test/debian"]);
    }
}
