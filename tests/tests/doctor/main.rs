//! The doctor before phones that are broken on purpose, each in one way: whatever else is missing on the way, it names
//! that one. Beside the demo PBX there are servers that nobody here wrote: Kamailio, coturn, dnsmasq, Python's web
//! server, gnome-keyring, PulseAudio and the kernel's packet filter and NAT.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rows;
mod ward;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rows::{ROWS, Row};

const SOON: Duration = Duration::from_secs(120);
/// Phones that are looked at at once: they wait most of the time.
const AT_ONCE: usize = 6;

#[test]
fn the_one_cause_is_named() {
    let (next, wrong) = (AtomicUsize::new(0), std::sync::Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(row) = ROWS.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(said) = look(row) {
                        wrong.lock().unwrap().push(said);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), ROWS.len(), wrong.join("\n"));
}

/// One row: what was named instead, where it is another cause or another exit status.
fn look(row: &Row) -> Result<(), String> {
    let Row { broken, cause, exit, ward } = row;
    let mut ward = ward();
    let said = ward.cli.wait_until("the diagnosis", SOON, |event| event.name == "diagnosis");
    let status = ward.cli.wait_exit(SOON);
    match (said.text("diagnosis"), status) {
        (named, status) if named == *cause && status == *exit => Ok(()),
        (named, status) => Err(format!(
            "{broken}: {named:?}, exit {status}, instead of {cause:?}, exit {exit}\n{}",
            ward.cli.log()
        )),
    }
}

#[test]
fn every_row_stands_in_the_readme() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(file).unwrap();
    let missing: Vec<String> = ROWS
        .iter()
        .map(|row| {
            let cause = if row.cause.is_empty() { "nothing wrong" } else { row.cause };
            format!("| {} | {cause} |", row.broken)
        })
        .filter(|line| !readme.contains(line.as_str()))
        .collect();
    assert!(missing.is_empty(), "README.md lacks:\n{}", missing.join("\n"));
}
