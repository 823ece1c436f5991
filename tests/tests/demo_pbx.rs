//! The phone without a window against the demo PBX: signing in and out, an echo call, a PBX that dies and
//! comes back, and everything that can go wrong on the way, each with its code and exit status.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::time::Duration;

use system_tests::{Cli, Demo, Place, Session, Speech, Voice, free_port, score};

const SOON: Duration = Duration::from_secs(20);
/// Longer than any wait of the phone's between two tries in the first minute.
const PATIENTLY: Duration = Duration::from_secs(60);
const ECHO: &str = "9196";

#[test]
fn sign_in_call_the_echo_and_sign_out() {
    let (demo, session) = (Demo::start(&[]), Session::bare().with_keychain());
    sign_in(&demo, &session);
    assert!(!session.keychain_entries().is_empty(), "nothing is in the keychain");

    let mut whoami = Cli::start(&session, &["whoami", "--ca", demo.ca()]);
    whoami.assert_exit(0, SOON);
    assert!(whoami.log().contains("alice"), "{}", whoami.log());

    let mut accounts = Cli::start(&session, &["accounts"]);
    let account = accounts.wait_for("account", SOON);
    assert!(account.text("account").contains("test.io"), "{account:?}");
    accounts.assert_exit(0, SOON);

    let (say, hear) = (Speech::spoken(Voice::Second, 48_000), session.path("echo.wav"));
    let arguments = ["call", ECHO, "--ca", demo.ca(), "--duration", "11", "--play"];
    let mut call = Cli::start(&session, &[&arguments[..], &[path(&say), "--record", path(&hear)]].concat());
    call.wait_for("registered", SOON);
    let answered = call.wait_for("answered", SOON);
    assert_eq!(answered.text("codec"), "opus");
    assert_eq!(call.wait_for("ended", SOON).text("reason"), "hungUpHere");
    call.assert_exit(0, SOON);
    score(&Speech::reference(Voice::Second), &hear).assert_clean("echo", 3.5, 0.75);

    let mut out = Cli::start(&session, &["sign-out", "--ca", demo.ca()]);
    out.assert_exit(0, SOON);
    assert_eq!(session.keychain_entries(), Vec::<String>::new());
    let mut whoami = Cli::start(&session, &["whoami", "--ca", demo.ca()]);
    assert_ne!(whoami.wait_exit(SOON), 0, "still signed in\n{}", whoami.log());
}

#[test]
fn comes_back_by_itself_over_tcp() {
    comes_back("tcp");
}

#[test]
fn comes_back_by_itself_over_udp() {
    comes_back("udp");
}

fn comes_back(transport: &str) {
    let (mut demo, session) = (Demo::start(&[]), Session::bare());
    let mut cli = Cli::with_account(&session, &Place::Here, &demo.alice_sip(transport), &["register"]);
    cli.wait_for("registered", SOON);
    demo.kill();
    cli.wait_for("registration_failed", PATIENTLY);
    demo.start_again();
    cli.wait_for("registered", PATIENTLY);
    cli.interrupt();
    cli.assert_exit(0, SOON);
}

#[test]
fn a_call_ends_with_a_reason_when_the_pbx_dies() {
    let (mut demo, session) = (Demo::start(&[]), Session::bare());
    let (say, hear) = (Speech::spoken(Voice::First, 16_000), session.path("heard.wav"));
    let arguments = ["call", ECHO, "--play", path(&say), "--record", path(&hear)];
    let mut cli = Cli::with_account(&session, &Place::Here, &demo.alice_sip("udp"), &arguments);
    cli.wait_for("answered", SOON);
    demo.kill();
    let ended = cli.wait_for("ended", PATIENTLY);
    assert_eq!(ended.text("reason"), "connectionLost");
    cli.assert_exit(4, SOON);
}

#[test]
fn wrong_password() {
    let (demo, session) = (Demo::start(&[]), Session::bare().with_keychain());
    let mut cli =
        Cli::sign_in(&session, demo.server(), "test.io", ("alice", "wrong"), Some(Path::new(demo.ca())));
    cli.assert_refused("wrongCredentials", 3, SOON);
    assert!(session.keychain_entries().is_empty());
}

#[test]
fn wrong_domain() {
    let (demo, session) = (Demo::start(&[]), Session::bare().with_keychain());
    let mut cli = Cli::sign_in(&session, demo.server(), "other.io", demo.alice(), Some(Path::new(demo.ca())));
    cli.assert_refused("domainUnknown", 3, SOON);
}

#[test]
fn wrong_server() {
    let session = Session::bare().with_keychain();
    let nobody = format!("127.0.0.1:{}", free_port());
    let mut cli = Cli::sign_in(&session, &nobody, "test.io", ("alice", "any"), None);
    cli.assert_refused("serverRefused", 4, SOON);
    let mut cli = Cli::sign_in(&session, "nobody.invalid", "test.io", ("alice", "any"), None);
    cli.assert_refused("serverNotFound", 4, PATIENTLY);
    let mut cli = Cli::sign_in(&session, "not a server", "test.io", ("alice", "any"), None);
    cli.assert_refused("serverInvalid", 2, SOON);
}

#[test]
fn a_certificate_nobody_trusts() {
    let (demo, session) = (Demo::start(&[]), Session::bare().with_keychain());
    let mut cli = Cli::sign_in(&session, demo.server(), "test.io", demo.alice(), None);
    cli.assert_refused("certificateUntrusted", 4, SOON);
}

#[test]
fn answers_that_are_none() {
    let session = Session::bare().with_keychain();
    for (fault, code) in [
        (r#"{"rest":{"kind":"garbage"}}"#, "notUnderstood"),
        (r#"{"rest":{"kind":"huge"}}"#, "answerTooLarge"),
        (r#"{"rest":{"kind":"redirect","to":"https://192.0.2.1/api/info"}}"#, "redirectRefused"),
        (r#"{"rest":{"kind":"status","status":503}}"#, "serverFailed"),
        (r#"{"rest":{"kind":"drop"}}"#, "serverSilent"),
    ] {
        let demo = Demo::start(&[]);
        demo.fault(fault);
        let mut cli =
            Cli::sign_in(&session, demo.server(), "test.io", demo.alice(), Some(Path::new(demo.ca())));
        cli.assert_refused(code, 4, PATIENTLY);
    }
    assert!(session.keychain_entries().is_empty());
}

#[test]
fn no_keychain() {
    let (demo, session) = (Demo::start(&[]), Session::bare());
    let mut cli = Cli::sign_in(&session, demo.server(), "test.io", demo.alice(), Some(Path::new(demo.ca())));
    // Without a window the session would be gone with the process.
    cli.assert_refused("keychainAbsent", 4, SOON);
}

#[test]
fn a_locked_keychain() {
    let (demo, session) = (Demo::start(&[]), Session::bare().with_keychain());
    session.lock_keychain();
    let mut cli = Cli::sign_in(&session, demo.server(), "test.io", demo.alice(), Some(Path::new(demo.ca())));
    cli.assert_refused("keychainLocked", 4, PATIENTLY);
}

#[test]
fn no_microphone() {
    let (demo, session) = (Demo::start(&[]), Session::bare());
    let hear = session.path("heard.wav");
    let arguments = ["call", ECHO, "--record", path(&hear)];
    let mut cli = Cli::with_account(&session, &Place::Here, &demo.alice_sip("udp"), &arguments);
    cli.assert_refused("noMicrophone", 4, SOON);
}

fn sign_in(demo: &Demo, session: &Session) {
    let mut cli = demo.sign_in_alice(session);
    let signed_in = cli.wait_for("signed_in", SOON);
    assert_eq!(signed_in.text("extension"), "101");
    cli.assert_exit(0, SOON);
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
