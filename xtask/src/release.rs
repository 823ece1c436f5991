//! `cargo xtask release URL`: what a release says of itself, for people and for phones that look for it.

use std::env;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::brand::Edition;
use crate::shell::{command, output, target};

/// A file with the maker's private key (Ed25519, PEM).
const KEY: &str = "CARILLON_RELEASE_KEY";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Writes `SHA256SUMS` and `manifest.json` of a brand's packages beside them, and the manifest's signature where there
/// is a key. `from` is the address of the folder in which the packages will be had.
///
/// # Errors
/// There are no packages, the address cannot be one, or the key cannot sign.
pub fn run(name: &str, from: &str) -> Result<bool, String> {
    if !from.starts_with("https://") {
        return Err(format!("{from:?} is no https:// address."));
    }
    let edition = Edition::read(name)?;
    let folder = target("packages");
    let (mut sums, mut packages) = (String::new(), Vec::new());
    for (kind, file) in files(&edition.brand.program) {
        let path = folder.join(&file);
        if !path.is_file() {
            println!("{kind}: there is no {}", path.display());
            continue;
        }
        let bytes = fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let sum: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        sums.push_str(&format!("{sum}  {file}\n"));
        packages.push(package(kind, &format!("{}/{file}", from.trim_end_matches('/')), bytes.len(), &sum));
    }
    if packages.is_empty() {
        return Err("There are no packages: `cargo xtask msi`, `cargo xtask deb` and `cargo xtask appimage` build them.".to_owned());
    }
    let manifest = json!({ "product": edition.brand.name, "version": VERSION, "packages": packages });
    put(&folder.join("SHA256SUMS"), &sums)?;
    put(&folder.join("manifest.json"), &format!("{manifest:#}\n"))?;
    match env::var_os(KEY).filter(|file| !file.is_empty()) {
        None => println!("Not signed: {KEY} names no key, and no phone will follow it."),
        Some(key) => sign(&folder, Path::new(&key))?,
    }
    Ok(true)
}

/// Kinds of packages, and what their files are called.
fn files(program: &str) -> [(&'static str, String); 4] {
    [
        ("windows-x64", format!("{program}-{VERSION}-x64.msi")),
        ("windows-x64-user", format!("{program}-{VERSION}-x64-user.msi")),
        ("debian-amd64", format!("{program}_{VERSION}_amd64.deb")),
        ("linux-x64-appimage", format!("{program}-{VERSION}-x86_64.AppImage")),
    ]
}

fn package(kind: &str, url: &str, size: usize, sha256: &str) -> Value {
    json!({ "kind": kind, "url": url, "size": size, "sha256": sha256 })
}

/// Writes the signature of the manifest, as base64, beside it.
fn sign(folder: &Path, key: &Path) -> Result<(), String> {
    let (manifest, raw) = (folder.join("manifest.json"), folder.join("manifest.raw"));
    let mut sign = command("openssl", &["pkeyutl", "-sign", "-rawin"]);
    sign.arg("-inkey").arg(key).arg("-in").arg(&manifest).arg("-out").arg(&raw);
    output(sign)?;
    let mut encode = command("openssl", &["base64", "-A"]);
    encode.arg("-in").arg(&raw);
    put(&folder.join("manifest.json.sig"), &output(encode)?)?;
    fs::remove_file(&raw).map_err(|e| format!("{}: {e}", raw.display()))
}

fn put(path: &Path, text: &str) -> Result<(), String> {
    println!("{}", path.display());
    fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}
