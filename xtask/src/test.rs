//! `cargo xtask test`: the whole test suite, and what CI runs.

use std::fs;

use serde_json::Value;

use crate::brand::Edition;
use crate::build::{TestProgram, everything};
use crate::machine::{Purpose, prepare, scoring_python};
use crate::report::{Counts, Report, count_every_libtest, count_last_libtest};
use crate::shell::{cargo, keep, npm, root, target};
use crate::windows::Profile;
use crate::{appimage, asterisk, deb, judges, macos, msi, tools, ui};

/// System tests that need neither foreign peers nor a window.
const FAST_SYSTEM_TESTS: &[&str] = &["demo_pbx", "system_tests"];

/// Runs all steps, whatever fails on the way; whether nothing failed.
///
/// # Errors
/// The machine lacks something.
pub fn run(fast: bool) -> Result<bool, String> {
    let mut purposes = vec![Purpose::Build, Purpose::FastTest];
    if !fast {
        let packages =
            [Purpose::Debian, Purpose::DebianTest, Purpose::AppImage, Purpose::Windows, Purpose::WindowsTest];
        purposes.push(Purpose::Test);
        purposes.extend(packages);
    }
    prepare(&purposes)?;
    let mut report = Report::default();
    report.judge("scoring: Python and PESQ", || scoring_python().map(|()| (ONE, String::new())));
    if let Some(install) = ui::install() {
        report.step("ui: npm ci", install);
    }
    report.step("ui: build", ui::build());
    report.step("ui: budget", npm(&["run", "budget"]));
    if !fast {
        report.judge("Asterisk of Debian 11", || asterisk::install().map(|()| (ONE, String::new())));
        second_brand(&mut report);
    }
    report.step("cargo fmt", cargo(&["fmt", "--all", "--", "--check"]));
    let mut programs = Vec::new();
    report.judge("build: programs and tests", || {
        programs = everything()?;
        Ok((ONE, String::new()))
    });
    report.step(
        "cargo clippy",
        cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    );
    report.step("ui: types and lint", npm(&["run", "check"]));
    vitest(&mut report);
    report.step("ui: every scene looks as it did", npm(&["run", "looks"]));
    tools::deny(&mut report);
    let fuzzed = root().join("fuzz/Cargo.toml").display().to_string();
    let locked = ["tree", "--quiet", "--locked", "--depth", "0", "--manifest-path", &fuzzed];
    report.step("fuzz: lock file", cargo(&locked));
    if !fast {
        report.judge("types for macOS", || {
            let outcome = keep(macos::checking()?)?;
            if outcome.status.success() { Ok((ONE, String::new())) } else { Err(outcome.output) }
        });
        packages(&mut report);
    }
    let (system, own): (Vec<_>, Vec<_>) = programs.into_iter().partition(|p| p.package == "tests");
    for program in own {
        libtest(&mut report, &program);
    }
    report.tests("doc tests", cargo(&["test", "--quiet", "--workspace", "--doc"]), count_every_libtest);
    for program in system {
        if !fast || FAST_SYSTEM_TESTS.contains(&program.target.as_str()) {
            libtest(&mut report, &program);
        }
    }
    if !fast {
        report.judge("README: the judges' table", || judges::check().map(|()| (ONE, String::new())));
    }
    Ok(report.close())
}

/// Builds the second brand, before everything else: what Cargo leaves in the usual places is Carillon then.
fn second_brand(report: &mut Report) {
    let edition = match Edition::read("harbour") {
        Ok(edition) => edition,
        Err(problem) => {
            report.judge("brand harbour", || Err(problem));
            return;
        }
    };
    report.step("brand harbour: ui", edition.ui());
    report.judge("brand harbour: programs", || {
        let outcome = keep(edition.programs(true)?)?;
        if !outcome.status.success() {
            return Err(outcome.output);
        }
        edition.collect(true)?;
        Ok((ONE, String::new()))
    });
}

/// What `tests/tests/{deb,appimage,msi}.rs` install.
fn packages(report: &mut Report) {
    let done = |()| (ONE, String::new());
    report.judge("package for Debian", || deb::for_tests().map(done));
    report.judge("AppImage", || appimage::for_tests().map(done));
    report.judge("packages for Windows", || msi::for_tests(Profile::Trial, false).map(done));
}

fn libtest(report: &mut Report, program: &TestProgram) {
    let kind = if program.integration { " (integration)" } else { "" };
    report.tests(
        &format!("{}: {}{kind}", program.package, program.target),
        program.command(),
        count_last_libtest,
    );
}

fn vitest(report: &mut Report) {
    let results = target("vitest.json");
    let _ = fs::remove_file(&results);
    let file = format!("--outputFile.json={}", results.display());
    let run = npm(&["run", "test", "--", "--reporter=default", "--reporter=json", &file]);
    report.tests("ui: tests", run, |_| {
        let text = fs::read_to_string(&results).unwrap_or_default();
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        let count = |key: &str| value[key].as_u64().and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        Counts { passed: count("numPassedTests"), failed: count("numFailedTests") }
    });
}

const ONE: Counts = Counts { passed: 1, failed: 0 };
