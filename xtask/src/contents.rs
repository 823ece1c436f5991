//! What is in a package: the libraries as an SBOM (CycloneDX 1.5), and the licences of all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::brand::Edition;
use crate::shell::{cargo, root};

/// The programs a package is made of.
const PROGRAMS: &[&str] = &["carillon", "carillon-cli", "launcher"];
/// Packages of npm that become part of the pages, beside those the UI says it depends on.
const COMPILED_IN: &[&str] = &["svelte"];
/// How the files begin that hold a licence, in lower case.
const LICENCE_FILES: &[&str] = &["license", "licence", "copying", "notice", "unlicense", "copyright"];
/// Where else they lie in packages that bring C sources along.
const ALSO_IN: &[&str] = &["opus", "LICENSES"];

/// One library.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Library {
    kind: &'static str,
    name: String,
    version: String,
    licence: String,
    folder: PathBuf,
}

/// Writes `sbom.cdx.json` and `licences.txt` of what is built for `triple`, programs `also` beside the usual ones, into
/// `folder`; the product's version.
///
/// # Errors
/// Cargo or npm does not say what there is, or a file cannot be written.
pub fn write(edition: &Edition, triple: &str, also: &[&str], folder: &Path) -> Result<String, String> {
    let metadata = metadata(triple)?;
    let version = package(&metadata, "carillon")
        .and_then(|p| p["version"].as_str())
        .ok_or("carillon has no version")?;
    let mut libraries = crates(&metadata, also);
    libraries.extend(pages()?);
    let put = |name: &str, text: String| {
        fs::write(folder.join(name), text).map_err(|e| format!("{}: {e}", folder.join(name).display()))
    };
    put("sbom.cdx.json", format!("{:#}\n", bill(&edition.brand.name, version, &libraries)))?;
    put("licences.txt", licences(&edition.brand.name, version, &libraries))?;
    Ok(version.to_owned())
}

/// Lets the SBOM in `folder` say that it is of another version, as it is for a package that only tests upgrades.
///
/// # Errors
/// It is not there.
pub fn name(folder: &Path, version: &str) -> Result<(), String> {
    change(folder, |bill| bill["metadata"]["component"]["version"] = json!(version))
}

/// Adds packages of Debian, each a name and a version, to the SBOM in `folder`.
///
/// # Errors
/// It is not there.
pub fn add_debian(folder: &Path, packages: &[(String, String)]) -> Result<(), String> {
    let component = |(name, version): &(String, String)| {
        json!({
            "type": "library",
            "name": name,
            "version": version,
            "purl": format!("pkg:deb/debian/{name}@{}?arch=amd64", version.replace('+', "%2B").replace(':', "%3A")),
        })
    };
    change(folder, |bill| {
        if let Some(components) = bill["components"].as_array_mut() {
            components.extend(packages.iter().map(component));
        }
    })
}

fn change(folder: &Path, change: impl FnOnce(&mut Value)) -> Result<(), String> {
    let file = folder.join("sbom.cdx.json");
    let problem = |e: &dyn std::fmt::Display| format!("{}: {e}", file.display());
    let text = fs::read_to_string(&file).map_err(|e| problem(&e))?;
    let mut bill: Value = serde_json::from_str(&text).map_err(|e| problem(&e))?;
    change(&mut bill);
    fs::write(&file, format!("{bill:#}\n")).map_err(|e| problem(&e))
}

fn metadata(triple: &str) -> Result<Value, String> {
    let output = cargo(&["metadata", "--format-version", "1", "--filter-platform", triple])
        .output()
        .map_err(|e| format!("cargo metadata: {e}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|e| format!("cargo metadata: {e}"))
}

fn package<'a>(metadata: &'a Value, name: &str) -> Option<&'a Value> {
    let mut own = metadata["packages"].as_array()?.iter().filter(|package| package["source"].is_null());
    own.find(|package| package["name"] == name)
}

/// Every crate that the programs are linked from, without those of the project.
fn crates(metadata: &Value, also: &[&str]) -> BTreeSet<Library> {
    let list = |value: &'static str, of: &'_ Value| of[value].as_array().cloned().unwrap_or_default();
    let nodes = list("nodes", &metadata["resolve"]);
    let node = |id: &Value| nodes.iter().find(|node| node["id"] == *id);
    let programs = PROGRAMS.iter().chain(also);
    let mut open: Vec<Value> =
        programs.filter_map(|name| Some(package(metadata, name)?["id"].clone())).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !seen.insert(id.as_str().unwrap_or_default().to_owned()) {
            continue;
        }
        for dependency in node(&id).map(|node| list("deps", node)).unwrap_or_default() {
            // What only builds or tests is in no program.
            if list("dep_kinds", &dependency).iter().any(|kind| kind["kind"].is_null()) {
                open.push(dependency["pkg"].clone());
            }
        }
    }
    let packages = list("packages", metadata);
    let linked = packages.iter().filter(|package| {
        !package["source"].is_null() && package["id"].as_str().is_some_and(|id| seen.contains(id))
    });
    linked
        .filter_map(|package| {
            library("cargo", package, Path::new(package["manifest_path"].as_str()?).parent()?)
        })
        .collect()
}

/// Every package of npm in the pages.
fn pages() -> Result<BTreeSet<Library>, String> {
    let ui = root().join("ui");
    let read = |path: &Path| -> Result<Value, String> {
        let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
    };
    let (own, lock) = (read(&ui.join("package.json"))?, read(&ui.join("package-lock.json"))?);
    let names =
        |value: &Value| value.as_object().map(|all| all.keys().cloned().collect()).unwrap_or_default();
    let mut open: Vec<String> = names(&own["dependencies"]);
    open.extend(COMPILED_IN.iter().map(|name| (*name).to_owned()));
    let (mut seen, mut found) = (BTreeSet::new(), BTreeSet::new());
    while let Some(name) = open.pop() {
        let place = format!("node_modules/{name}");
        let locked = &lock["packages"][&place];
        if locked.is_null() || !seen.insert(name.clone()) {
            continue;
        }
        open.extend(names(&locked["dependencies"]));
        let mut package = locked.clone();
        package["name"] = json!(name);
        found.extend(library("npm", &package, &ui.join(place)));
    }
    Ok(found)
}

fn library(kind: &'static str, package: &Value, folder: &Path) -> Option<Library> {
    let text = |name: &str| package[name].as_str().map(str::to_owned);
    // Cargo's older way to say "or" is a stroke.
    let licence = text("license").unwrap_or_default().replace('/', " OR ");
    Some(Library { kind, name: text("name")?, version: text("version")?, licence, folder: folder.to_owned() })
}

fn bill(product: &str, version: &str, libraries: &BTreeSet<Library>) -> Value {
    let components: Vec<Value> = libraries
        .iter()
        .map(|library| {
            let Library { kind, name, version, licence, .. } = library;
            let mut component = json!({
                "type": "library",
                "name": name,
                "version": version,
                // What stands before a package's name in npm is escaped (package URL, "Rules for each component").
                "purl": format!("pkg:{kind}/{}@{version}", name.replace('@', "%40")),
            });
            if !licence.is_empty() {
                component["licenses"] = json!([{ "expression": licence }]);
            }
            component
        })
        .collect();
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": { "type": "application", "name": product, "version": version } },
        "components": components,
    })
}

/// Every text once, with the libraries it is for.
fn licences(product: &str, version: &str, libraries: &BTreeSet<Library>) -> String {
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut all =
        format!("{product} {version} is made with these libraries. Their licences follow the list.\n\n");
    for library in libraries {
        let name = format!("{} {}", library.name, library.version);
        all.push_str(&format!("{name}: {}\n", library.licence));
        for text in texts_in(&library.folder) {
            texts.entry(text).or_default().push(name.clone());
        }
    }
    for (text, of) in texts {
        all.push_str(&format!("\n{}\n{}\n\n{text}\n", "=".repeat(78), of.join(", ")));
    }
    // Whoever opens it on Windows may do so with an editor that knows no other line ends.
    all.replace('\n', "\r\n")
}

fn texts_in(folder: &Path) -> BTreeSet<String> {
    let folders = [folder.to_owned()].into_iter().chain(ALSO_IN.iter().map(|below| folder.join(below)));
    let files = folders.filter_map(|folder| fs::read_dir(folder).ok()).flatten().filter_map(Result::ok);
    let wanted = files.filter(|file| {
        let name = file.file_name().to_string_lossy().to_lowercase();
        LICENCE_FILES.iter().any(|begin| name.starts_with(begin)) && !name.ends_with(".rs")
    });
    wanted
        .filter_map(|file| fs::read_to_string(file.path()).ok())
        .map(|text| text.replace("\r\n", "\n").trim().to_owned())
        .filter(|text| !text.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_linked_is_listed_with_its_licence() {
        let found = crates(&metadata("x86_64-pc-windows-gnu").unwrap(), &[]);
        let has = |name: &str| found.iter().any(|library| library.name == name);
        assert!(has("rustls") && has("opusic-sys") && has("webview2-com"));
        assert!(!has("phone") && !has("fantoccini") && !has("webkit2gtk") && !has("cc"));
        let silent: Vec<_> = found.iter().filter(|library| library.licence.is_empty()).collect();
        assert!(silent.is_empty(), "{silent:?}");
        assert!(pages().unwrap().iter().any(|library| library.name == "svelte"));
    }

    #[test]
    fn a_licence_of_c_sources_is_found_with_the_crate() {
        let found = crates(&metadata("x86_64-pc-windows-gnu").unwrap(), &[]);
        let opus = found.iter().find(|library| library.name == "opusic-sys").unwrap();
        assert!(texts_in(&opus.folder).iter().any(|text| text.contains("Xiph.Org")), "{opus:?}");
    }
}
