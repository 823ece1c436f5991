//! The UI's packages and its build.

use std::fs;
use std::time::SystemTime;

use crate::machine::{Purpose, prepare};
use crate::shell::{npm, root, show};

/// What has to run so that the UI has its packages: nothing where they are in step with the lock file.
pub fn install() -> Option<std::process::Command> {
    let ui = root().join("ui");
    let time =
        |path| fs::metadata(ui.join(path)).and_then(|m| m.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    // npm leaves a copy of the lock in the folder each time it has brought it into step.
    let in_step = time("node_modules/.package-lock.json");
    (in_step < time("package-lock.json")).then(|| npm(&["ci", "--no-audit", "--no-fund"]))
}

/// Builds the pages the window shows.
pub fn build() -> std::process::Command {
    npm(&["run", "build"])
}

/// Takes a picture of every scene, or of those named, in all forms, with a page that shows them.
///
/// # Errors
/// The machine lacks something, or a scene has a fault.
pub fn gallery(scenes: &[&str]) -> Result<bool, String> {
    prepare(&[Purpose::Build, Purpose::FastTest])?;
    if let Some(install) = install() {
        show(install)?;
    }
    show(npm(&[&["run", "gallery", "--"], scenes].concat()))?;
    Ok(true)
}
