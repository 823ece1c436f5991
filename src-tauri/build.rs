//! Checks the configuration and, where the UI is not built yet, puts a page in its place that says so.

use std::path::Path;
use std::{env, fs, io};

use tauri_build::{AppManifest, Attributes};

const PLACEHOLDER: &str = "<!doctype html><title>Carillon</title>\
    <p>The user interface is not built. Run <code>npm ci && npm run build</code> in <code>ui</code>, \
    then build again.</p>\n";

fn main() -> io::Result<()> {
    let dist = Path::new("../ui/dist");
    if !dist.join("index.html").exists() {
        if env::var("PROFILE").is_ok_and(|profile| profile == "release") {
            return Err(io::Error::other(
                "ui/dist/index.html is missing: run `npm ci && npm run build` in ui first",
            ));
        }
        fs::create_dir_all(dist)?;
        fs::write(dist.join("index.html"), PLACEHOLDER)?;
        println!("cargo:warning=ui/dist is missing: the window will only say how to build it");
    }
    // Named here, commands need a permission like any other; see capabilities/main.json.
    let commands = AppManifest::new().commands(&["send", "picture"]);
    tauri_build::try_build(Attributes::new().app_manifest(commands))
        .map_err(|e| io::Error::other(format!("{e:#}")))
}
