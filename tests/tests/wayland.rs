//! The phone in a Wayland desktop, without X: no window of a Wayland program can refuse the keyboard, so a call that rings
//! while somebody types elsewhere is told by a notification where there is one that acts, else by a small window.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::time::Duration;

use system_tests::{Cli, Demo, Pane, Place, Process, Session, Speech, Voice, Wayland, output_file};

const SOON: Duration = Duration::from_secs(60);
const INCOMING: (i64, i64) = (360, 140);

#[test]
fn a_call_takes_no_keyboard_from_who_types() {
    let (demo, session, desktop) = desk();
    let session = session.with_notifications();
    let phone = session.start_phone(&[]);
    let other = typed_into(&session, &desktop, &phone);
    let mut bob = bob_calls(&session, &demo);
    session.wait_until("one notification", || session.notifications() == Some(1));
    // As long as a window of its own would take to come.
    std::thread::sleep(Duration::from_secs(2));
    drawn(&session, &ours(&desktop, &phone)[0], "wayland/incoming.png");
    let panes = desktop.panes();
    let focused: Vec<u64> = panes.iter().filter(|pane| pane.focused).map(|pane| pane.id).collect();
    assert_eq!(focused, [other.id], "{panes:?}");
    assert_eq!(ours(&desktop, &phone).len(), 1, "{:?}", desktop.panes());
    session.choose_action("Answer");
    bob.wait_for("answered", SOON);
    session.wait_until("no notification", || session.notifications() == Some(0));
    session.photograph(&output_file(Path::new("wayland/talking.png")));
    bob.interrupt();
    bob.wait_exit(SOON);
}

#[test]
fn without_notifications_a_call_is_seen_in_a_window() {
    let (demo, session, desktop) = desk();
    let phone = session.start_phone(&[]);
    typed_into(&session, &desktop, &phone);
    let mut bob = bob_calls(&session, &demo);
    let small = || ours(&desktop, &phone).into_iter().find(|pane| pane.size == INCOMING);
    let seen = session.wait_for("the call's own window", small);
    drawn(&session, &seen, "wayland/window.png");
    bob.interrupt();
    bob.wait_exit(SOON);
    session.wait_until("the window to go", || small().is_none());
}

fn desk() -> (Demo, Session, Wayland) {
    let demo = Demo::start(&[]);
    let (session, desktop) = Session::bare().with_keychain().with_sound().with_wayland();
    demo.sign_in_alice(&session).assert_exit(0, SOON);
    (demo, session, desktop)
}

fn ours(desktop: &Wayland, phone: &Process) -> Vec<Pane> {
    desktop.panes().into_iter().filter(|pane| pane.pid == phone.pid()).collect()
}

/// Another program, which has the keyboard, beside the main window.
fn typed_into(session: &Session, desktop: &Wayland, phone: &Process) -> Pane {
    session.wait_until("the main window", || ours(desktop, phone).len() == 1);
    let before = desktop.panes();
    // A command of its own: the shell of a user without rights may be one that ends at once.
    desktop.start("foot sleep 600");
    session.wait_for("another program", || {
        desktop.panes().into_iter().find(|pane| pane.focused && before.iter().all(|old| old.id != pane.id))
    })
}

/// Waits until the window has something in it, and keeps that picture of the screen.
fn drawn(session: &Session, pane: &Pane, file: &str) {
    let file = output_file(Path::new(file));
    let part = format!("{}x{}+{}+{}", pane.size.0, pane.size.1, pane.at.0, pane.at.1);
    session.wait_until("something in the window", || {
        session.photograph(&file);
        let mut colours = session.command("convert");
        colours.arg(&file).args(["-crop", &part, "-format", "%k", "info:"]);
        Process::run("convert", colours).trim().parse::<u32>().unwrap() > 50
    });
}

fn bob_calls(session: &Session, demo: &Demo) -> Cli {
    let speech = Speech::reference(Voice::First).display().to_string();
    let arguments = ["call", "101", "--play", &speech, "--duration", "100"];
    let mut bob = Cli::with_account(session, &Place::Here, &demo.bob_sip("udp"), &arguments);
    bob.wait_for("ringing", SOON);
    bob
}
