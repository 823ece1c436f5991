//! The program is started a second time, as the system does to open a link: the phone that runs gets it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::time::Duration;

use system_tests::{Process, Session, product};

const LINK: &str = "carillon://callback/0123456789abcdef?access_token=hush-hush";
const LIMIT: Duration = Duration::from_secs(60);

fn start(session: &Session, name: &str, settings: &Path, link: &str) -> Process {
    let mut command = session.command(product("carillon"));
    command.envs([("NO_AT_BRIDGE", "1"), ("GTK_A11Y", "none"), ("GDK_BACKEND", "x11")]);
    command.env("LIBGL_ALWAYS_SOFTWARE", "1").env("RUST_LOG", "trace");
    command.arg("--data-dir").arg(settings).arg(link);
    Process::start(name, command)
}

fn wait_for_link(phone: &mut Process) {
    phone.wait_for("a link", LIMIT, |line| line.text.contains("a link was opened").then_some(()));
}

#[test]
fn a_second_start_hands_its_link_over_and_ends() {
    let session = Session::bare().with_keychain().with_display();
    let settings = session.path("settings");
    let mut first = start(&session, "the first", &settings, LINK);
    wait_for_link(&mut first);

    let mut second = start(&session, "the second", &settings, LINK);
    assert_eq!(second.wait_exit(LIMIT), 0, "{}", second.log());
    wait_for_link(&mut first);
    // The same settings by another name.
    let mut third = start(&session, "the third", &session.path("home/../settings/."), "CARILLON:x");
    assert_eq!(third.wait_exit(LIMIT), 0, "{}", third.log());
    wait_for_link(&mut first);

    let mut other = start(&session, "another phone", &session.path("elsewhere"), LINK);
    wait_for_link(&mut other);
    assert_eq!(first.lines_with("a link was opened").len(), 3, "{}", first.log());
    for phone in [&first, &second, &third, &other] {
        assert!(phone.lines_with("hush").is_empty(), "a link was logged\n{}", phone.log());
    }
}

#[test]
fn a_link_of_another_scheme_is_refused_and_not_repeated() {
    let session = Session::bare().with_display();
    let mut phone =
        start(&session, "carillon", &session.path("settings"), "https://test.io/?token=hush-hush");
    assert_eq!(phone.wait_exit(LIMIT), 2, "{}", phone.log());
    assert!(phone.lines_with("hush").is_empty(), "{}", phone.log());
    assert!(!phone.lines_with("carillon:").is_empty(), "{}", phone.log());
}

#[test]
fn without_a_session_bus_the_phone_starts_all_the_same() {
    let session = Session::bare().with_display();
    let mut phone = start(&session, "carillon", &session.path("settings"), LINK);
    wait_for_link(&mut phone);
}
