//! The UI's packages and its build.

use std::fs;
use std::time::SystemTime;

use crate::shell::{npm, root};

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
