//! What cannot be begun ends the command at once, with the status scripts rely on.

#![allow(clippy::unwrap_used)]

use std::process::{Command, Output, Stdio};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_carillon-cli"))
        .args(arguments)
        .env("CARILLON_SIP_PASSWORD", "secret")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn a_proxy_that_is_no_host_ends_every_verb() {
    let dir = tempfile::tempdir().unwrap();
    let account = ["--sip-user", "101", "--sip-domain", "test.io", "--proxy", "no host"];
    let place = ["--json", "--data-dir", dir.path().to_str().unwrap()];
    for verb in [&["register"][..], &["call", "102"], &["answer"]] {
        let output = run(&[verb, &account, &place].concat());
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(2), "{verb:?}: {said}");
        assert!(said.contains("\"serverInvalid\""), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
}

#[test]
fn certificates_that_cannot_be_read_are_bad_usage() {
    let dir = tempfile::tempdir().unwrap();
    let garbage = dir.path().join("garbage.pem");
    std::fs::write(&garbage, "no certificate").unwrap();
    for file in [garbage.to_str().unwrap(), "/nowhere/ca.pem"] {
        assert_eq!(run(&["whoami", "--ca", file]).status.code(), Some(2), "{file}");
    }
}
