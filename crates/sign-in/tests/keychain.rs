//! The keychain against a real Secret Service, gnome-keyring, on a session bus of its own
//! (Debian: `dbus`, `gnome-keyring`). Each trial is a child process of this very test program, because the
//! keychain is opened once per process.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use pbx_api::Dialect;
use secrecy::ExposeSecret;
use sign_in::{Keeper, Secrets, SessionSecrets, SignInError};

const ACCOUNT: &str = "alice@test.io";
const SERVICE: &str = "Carillon trial";

/// Runs one of the trials below inside a bus of the given kind.
fn run(mode: &str, dir: &Path, trial: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keychain.sh");
    let mut command = Command::new(script);
    command.arg(mode).arg(dir).arg(std::env::current_exe().unwrap());
    finish(command, trial);
}

fn finish(mut command: Command, trial: &str) {
    let output = command.args(["--exact", trial, "--ignored", "--nocapture"]).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.contains("1 passed"), "{trial}: {said}");
}

fn secrets(access: &str) -> Secrets {
    let expires_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let session = SessionSecrets {
        access: access.into(),
        refresh: Some("refresh".into()),
        expires_at: Some(expires_at),
        dialect: Dialect::Auth,
    };
    Secrets::new(session, Some("sip".into()))
}

fn session(secrets: Option<Secrets>) -> SessionSecrets {
    secrets.unwrap().session.unwrap()
}

/// A child's own keeper and runtime.
fn with_keeper<T>(trial: impl AsyncFnOnce(&Keeper) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(trial(&Keeper::keychain(SERVICE)))
}

#[test]
fn stored_read_replaced_deleted() {
    let dir = tempfile::tempdir().unwrap();
    run("unlocked", dir.path(), "trial_store");
    run("unlocked", dir.path(), "trial_read_and_delete");
    run("unlocked", dir.path(), "trial_nothing_left");
}

#[test]
#[ignore = "a child of another test"]
fn trial_store() {
    with_keeper(async |keeper| {
        assert!(keeper.load(ACCOUNT).await.unwrap().is_none());
        keeper.save(ACCOUNT, &secrets("first")).await.unwrap();
        keeper.save(ACCOUNT, &secrets("second")).await.unwrap();
        assert!(!keeper.in_memory(ACCOUNT));
    });
}

#[test]
#[ignore = "a child of another test"]
fn trial_read_and_delete() {
    with_keeper(async |keeper| {
        let found = keeper.load(ACCOUNT).await.unwrap().unwrap();
        assert_eq!(found.sip_password.as_ref().unwrap().expose_secret(), "sip");
        let found = session(Some(found));
        assert_eq!(found.access.expose_secret(), "second");
        assert_eq!(found.expires_at, session(Some(secrets(""))).expires_at);
        assert!(keeper.load("bob@test.io").await.unwrap().is_none());
        keeper.delete(ACCOUNT).await.unwrap();
        keeper.delete(ACCOUNT).await.unwrap();
    });
}

#[test]
#[ignore = "a child of another test"]
fn trial_nothing_left() {
    with_keeper(async |keeper| assert!(keeper.load(ACCOUNT).await.unwrap().is_none()));
}

#[test]
fn locked() {
    let dir = tempfile::tempdir().unwrap();
    run("unlocked", dir.path(), "trial_store");
    run("locked", dir.path(), "trial_locked");
    // Nothing was lost by it.
    run("unlocked", dir.path(), "trial_read_and_delete");
}

#[test]
#[ignore = "a child of another test"]
fn trial_locked() {
    with_keeper(async |keeper| {
        let read = keeper.load(ACCOUNT).await;
        assert!(matches!(read, Err(SignInError::KeychainLocked { .. })), "{read:?}");
        let written = keeper.save(ACCOUNT, &secrets("third")).await;
        assert!(matches!(written, Err(SignInError::KeychainLocked { .. })), "{written:?}");
        assert!(keeper.in_memory(ACCOUNT));
        let found = session(keeper.load(ACCOUNT).await.unwrap());
        assert_eq!(found.access.expose_secret(), "third");
    });
}

#[test]
fn absent() {
    let dir = tempfile::tempdir().unwrap();
    run("none", dir.path(), "trial_absent");
    let mut no_bus = Command::new(std::env::current_exe().unwrap());
    let nowhere = dir.path().join("nowhere");
    no_bus.env("XDG_RUNTIME_DIR", &nowhere);
    no_bus.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", nowhere.join("bus").display()));
    finish(no_bus, "trial_absent");
}

#[test]
#[ignore = "a child of another test"]
fn trial_absent() {
    with_keeper(async |keeper| {
        let read = keeper.load(ACCOUNT).await;
        assert!(matches!(read, Err(SignInError::KeychainAbsent { .. })), "{read:?}");
        let written = keeper.save(ACCOUNT, &secrets("first")).await;
        assert!(matches!(written, Err(SignInError::KeychainAbsent { .. })), "{written:?}");
        assert!(keeper.in_memory(ACCOUNT));
        keeper.delete(ACCOUNT).await.unwrap();
        assert!(!keeper.in_memory(ACCOUNT));
    });
}
