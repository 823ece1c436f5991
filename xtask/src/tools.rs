//! Tools of Cargo's that a fresh machine lacks, built once into the target folder.

use std::path::PathBuf;

use crate::report::{Counts, Report};
use crate::shell::{cargo, command, keep, target};

const DENY: &str = "0.20.2";

/// Licences, bans, sources and, where the advisory database can be reached, known faults.
pub fn deny(report: &mut Report) {
    let program = match cargo_deny() {
        Ok(program) => program,
        Err(problem) => {
            report.judge("cargo deny", || Err(problem));
            return;
        }
    };
    let deny = |what: &[&str]| {
        let mut command =
            command(&program, &["--workspace", "--all-features", "check", "--hide-inclusion-graph"]);
        command.args(what);
        command
    };
    report.step("cargo deny: bans, licences, sources", deny(&["bans", "licenses", "sources"]));
    let advisories = keep(deny(&["advisories"]));
    if let Ok(outcome) = &advisories
        && outcome.output.contains("failed to fetch advisory database")
    {
        println!("--      cargo deny: advisories: not checked, the advisory database cannot be reached");
        return;
    }
    report.judge("cargo deny: advisories", || {
        let outcome = advisories?;
        let ok = outcome.status.success();
        Ok((Counts { passed: ok.into(), failed: (!ok).into() }, outcome.output))
    });
}

fn cargo_deny() -> Result<PathBuf, String> {
    let root = target("tools");
    let program = root.join("bin").join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX));
    if program.is_file() {
        return Ok(program);
    }
    // A debug build takes a third of the time, and there is little for it to do.
    let (root, build) = (root.display().to_string(), root.join("build").display().to_string());
    let version = format!("cargo-deny@{DENY}");
    let arguments =
        ["install", "--quiet", "--locked", "--debug", "--root", &root, "--target-dir", &build, &version];
    let outcome = keep(cargo(&arguments))?;
    if outcome.status.success() { Ok(program) } else { Err(outcome.output) }
}
