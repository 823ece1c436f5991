//! The harness itself: two baresips talk through Kamailio, and what we would measure of our own phone is
//! measured of them. What is scored here is the ceiling for the tests beside it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::thread::sleep;
use std::time::Duration;

use system_tests::{Baresip, Browser, Kamailio, Network, Session, Speech, Voice, output_dir, score};

#[test]
fn two_baresips_hear_each_other() {
    let network = Network::new(2);
    let kamailio = Kamailio::at(&network.hub(), network.pbx());
    let phone = |n: usize, user: &str, transport: &str, voice: Voice| {
        Baresip::start(
            &network.phone(n).0,
            &kamailio.account(user, transport),
            "opus",
            &Speech::spoken(voice, 48_000),
        )
    };
    let mut caller = phone(0, "1001", "udp", Voice::First);
    let mut callee = phone(1, "1002", "tcp", Voice::Second);
    caller.dial("1002@bell.test");
    caller.wait_established();
    callee.wait_established();
    sleep(Duration::from_secs(10));
    caller.hang_up();
    callee.wait_closed();
    let heard = score(&Speech::reference(Voice::First), &callee.into_recording().path);
    heard.assert_clean("callee", 4.0, 0.9);
    let heard = score(&Speech::reference(Voice::Second), &caller.into_recording().path);
    heard.assert_clean("caller", 4.0, 0.9);
}

#[test]
fn the_cable_carries_speech() {
    let session = Session::bare().with_sound();
    let listening = session.listen();
    let mut speaking = session.speak(&Speech::reference(Voice::First));
    speaking.close_stdin();
    assert_eq!(speaking.wait_exit(Duration::from_secs(20)), 0);
    let (mouth, ear) = listening.stop();
    score(&Speech::reference(Voice::First), &mouth).assert_clean("mouth", 4.4, 0.99);
    let ear = score(&Speech::reference(Voice::First), &ear);
    assert!(ear.correlation < 0.3, "nobody plays into the speaker, yet: {ear}");
}

#[test]
fn the_keychain_can_be_seen_filled_emptied_and_locked() {
    let session = Session::bare().with_keychain();
    assert!(session.keychain_entries().is_empty());
    let mut store = session.command("secret-tool");
    store.args(["store", "--label=trial", "service", "trial"]);
    let mut store = system_tests::Process::start("secret-tool", store);
    store.type_line("secret");
    store.close_stdin();
    assert_eq!(store.wait_exit(Duration::from_secs(10)), 0, "{}", store.log());
    assert_eq!(session.keychain_entries().len(), 1);
    session.lock_keychain();
    let mut look = session.command("secret-tool");
    look.args(["lookup", "service", "trial"]);
    let out = look.output().unwrap();
    assert!(!String::from_utf8_lossy(&out.stdout).contains("secret"), "a locked keychain told its secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_browser_opens_what_the_system_is_asked_to_open() {
    let session = Session::bare().with_browser();
    let page = "data:text/html,<body><input data-testid=name><button data-testid=go \
                onclick=\"document.body.append('hello '+document.querySelector('input').value)\">go</button>";
    let mut open = session.command("sh");
    open.args(["-c", "\"$BROWSER\" \"$1\"", "sh", page]);
    assert_eq!(system_tests::Process::run("the system's browser", open), "");
    let browser = Browser::open(&output_dir("harness")).await;
    browser.go_to(&session.opened(1)).await;
    browser.type_into("name", "erin").await;
    browser.click("go").await;
    browser.tells("hello erin").await;
    browser.close().await;
}
