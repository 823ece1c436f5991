//! `cargo xtask brand NAME`: the whole product under another name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use brand_file::{Brand, ICONS};
use serde_json::{Value, json};

use crate::machine::{Purpose, prepare};
use crate::shell::{cargo, root, show, target};
use crate::ui;

/// Builds the product of a brand, as it is shipped or for debugging, into `target/brand/NAME`.
///
/// # Errors
/// There is no such brand, it is not right, or something is missing or does not build.
pub fn run(name: &str, debug: bool) -> Result<bool, String> {
    let edition = Edition::read(name)?;
    prepare(&[Purpose::Build])?;
    if let Some(install) = ui::install() {
        show(install)?;
    }
    show(edition.ui())?;
    show(edition.programs(debug)?)?;
    let folder = edition.collect(debug)?;
    println!("{} is built: {}", edition.brand.name, folder.display());
    Ok(true)
}

/// A brand that is to be built.
pub struct Edition {
    /// Name of its folder.
    pub name: String,
    /// What stands there.
    pub brand: Brand,
}

impl Edition {
    /// The brand of this name.
    ///
    /// # Errors
    /// There is none, or it is not right.
    pub fn read(name: &str) -> Result<Self, String> {
        let folder = root().join("brand");
        if !is_folder_name(name) || !folder.join(name).is_dir() {
            return Err(format!("There is no brand {name:?} in {}.", folder.display()));
        }
        let brand = brand_file::read(&folder.join(name)).map_err(|fault| fault.to_string())?;
        Ok(Self { name: name.to_owned(), brand })
    }

    /// What builds its pages.
    pub fn ui(&self) -> Command {
        let mut build = ui::build();
        build.args(["--", "--emptyOutDir", "--outDir"]).arg(self.folder().join("ui"));
        build.env("CARILLON_BRAND", &self.name);
        build
    }

    /// What builds its programs.
    ///
    /// # Errors
    /// The window's configuration cannot be read.
    pub fn programs(&self, debug: bool) -> Result<Command, String> {
        let mut build = cargo(&["build", "--bin", "carillon", "--bin", "carillon-cli"]);
        if debug {
            // A test among them, so that the libraries get the features that the build of everything gives
            // them, and are built once.
            build.args(["--workspace", "--test", "brand"]);
        } else {
            build.args(["--package", "carillon", "--package", "carillon-cli", "--release"]);
        }
        self.prepare(&mut build)?;
        Ok(build)
    }

    /// Lets a build of programs be one of this brand.
    ///
    /// # Errors
    /// The window's configuration cannot be read.
    pub fn prepare(&self, build: &mut Command) -> Result<(), String> {
        build.env("CARILLON_BRAND", &self.name);
        build.env("TAURI_CONFIG", self.window()?.to_string());
        Ok(())
    }

    /// Copies the programs to where they are not built over, and gives them the brand's names; where that is.
    ///
    /// # Errors
    /// They are not there, or cannot be copied.
    pub fn collect(&self, debug: bool) -> Result<PathBuf, String> {
        let profile = if debug { "debug" } else { "release" };
        let program = &self.brand.program;
        for (built, name) in [("carillon", program.clone()), ("carillon-cli", format!("{program}-cli"))] {
            let exe = std::env::consts::EXE_SUFFIX;
            let (from, to) =
                (target(profile).join(format!("{built}{exe}")), self.folder().join(format!("{name}{exe}")));
            // Cargo's own is a hard link; a new file is never written into it.
            let _ = fs::remove_file(&to);
            fs::copy(&from, &to).map_err(|e| format!("{}: {e}", from.display()))?;
        }
        Ok(self.folder())
    }

    fn folder(&self) -> PathBuf {
        target("brand").join(&self.name)
    }

    /// What of the window's configuration is the brand's.
    fn window(&self) -> Result<Value, String> {
        let file = root().join("src-tauri/tauri.conf.json");
        let problem = |e: &dyn std::fmt::Display| format!("{}: {e}", file.display());
        let text = fs::read_to_string(&file).map_err(|e| problem(&e))?;
        let usual: Value = serde_json::from_str(&text).map_err(|e| problem(&e))?;
        Ok(window(&self.name, &self.brand, &usual, &self.folder().join("ui")))
    }
}

/// What goes over `usual`. A list is replaced as a whole, so the windows are repeated.
fn window(name: &str, brand: &Brand, usual: &Value, pages: &Path) -> Value {
    let mut windows = usual["app"]["windows"].clone();
    for window in windows.as_array_mut().into_iter().flatten() {
        window["title"] = json!(brand.name);
    }
    json!({
        "productName": brand.name,
        "identifier": brand.identifier,
        "mainBinaryName": brand.program,
        "build": { "frontendDist": pages },
        "app": { "windows": windows },
        "plugins": { "deep-link": { "desktop": { "schemes": [&brand.scheme, "tel", "sip", "sips", "callto"] } } },
        "bundle": {
            "homepage": brand.links.website,
            "icon": ICONS.map(|icon| format!("../brand/{name}/icons/{icon}")),
        },
    })
}

fn is_folder_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_the_brands_and_otherwise_as_usual() {
        let harbour = Edition::read("harbour").unwrap();
        let usual = json!({ "app": { "windows": [{ "title": "Carillon", "width": 1100 }] } });
        let over = window("harbour", &harbour.brand, &usual, Path::new("pages"));
        assert_eq!(over["app"]["windows"], json!([{ "title": "Harbour Voice", "width": 1100 }]));
        assert_eq!(over["productName"], "Harbour Voice");
        assert_eq!(over["build"]["frontendDist"], "pages");
        let schemes = &over["plugins"]["deep-link"]["desktop"]["schemes"];
        assert_eq!(*schemes, json!(["harbour-voice", "tel", "sip", "sips", "callto"]));
        assert_eq!(over["bundle"]["icon"][0], "../brand/harbour/icons/32x32.png");
    }

    #[test]
    fn a_brand_that_is_not_there_is_named() {
        for name in ["nobody", "", "../icons", "Harbour"] {
            assert!(Edition::read(name).err().unwrap().contains(&format!("{name:?}")));
        }
    }
}
