//! The phone in a real desktop: a window manager, a notification daemon, a tray. Calls are seen and answered whatever
//! is in front, and go on without the main window and without its web process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use system_tests::{
    Cli, Demo, Panel, Place, Process, Session, Speech, Voice, Window, output_dir, output_file,
};

const INCOMING: (i32, i32) = (360, 140);
const COMPACT: (i32, i32) = (360, 124);
/// In the incoming window.
const DECLINE: (i32, i32) = (50, 106);
const ANSWER: (i32, i32) = (310, 106);
/// In the compact one.
const MUTE: (i32, i32) = (34, 92);
const END: (i32, i32) = (314, 92);
const SOON: Duration = Duration::from_secs(60);

fn shot(name: &str) -> PathBuf {
    output_file(&Path::new("desktop").join(name))
}

/// bob calls alice.
fn bob_calls(session: &Session, demo: &Demo) -> Cli {
    let speech = Speech::reference(Voice::First).display().to_string();
    let arguments = ["call", "101", "--play", &speech, "--duration", "100"];
    Cli::with_account(session, &Place::Here, &demo.bob_sip("udp"), &arguments)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_seen_and_answered_whatever_is_in_front() {
    let demo = Demo::start(&[]);
    let session = Session::bare().with_keychain().with_sound().with_display();
    let session = session.with_window_manager().with_notifications();
    let mut window = Window::open(&session, &output_dir("desktop"), &[]).await;
    window.sign_in(&demo).await;
    let main = session.windows().into_iter().max_by_key(|seen| seen.size).expect("the main window");

    // Something else is in front and has the keyboard.
    let other = before_it(&session);
    // The window manager comes to the new window late, when that is long painted.
    let asleep = session.window_manager_sleeps();
    let bob = bob_calls(&session, &demo);
    session.wait_until("one notification", || session.notifications() == Some(1));
    std::thread::sleep(Duration::from_secs(1));
    drop(asleep);
    let incoming = session.window_of(INCOMING);
    // Window managers leave room for frames, each in its own way.
    let corner = (1280 - 360 - 16, 900 - 140 - 16);
    let off = (incoming.at.0.abs_diff(corner.0), incoming.at.1.abs_diff(corner.1));
    assert!(off.0 <= 8 && off.1 <= 8, "not in the corner: {incoming:?}");
    assert_eq!(session.active_window(), other, "it took the keyboard: {:?}", session.windows());
    session.painted(incoming, ANSWER);
    session.photograph(&shot("incoming.png"));
    session.wait_until("the keyboard to be where the user goes", || {
        session.hand(&["windowactivate", &incoming.id.to_string()]);
        session.active_window() == incoming.id
    });
    session.choose_action("Answer");
    answered(bob);

    // Declined in the small window, without the main one.
    session.hand(&["windowminimize", &main.id.to_string()]);
    let mut bob = bob_calls(&session, &demo);
    let incoming = session.window_of(INCOMING);
    session.painted(incoming, DECLINE);
    session.click_in(incoming, DECLINE);
    assert_eq!(bob.wait_for("ended", SOON).status(), 486, "{}", bob.log());
    session.no_window_of(INCOMING);
    session.wait_until("no notification", || session.notifications() == Some(0));

    // Answered there, muted and ended in the compact one.
    let mut bob = bob_calls(&session, &demo);
    let incoming = session.window_of(INCOMING);
    session.painted(incoming, ANSWER);
    session.click_in(incoming, ANSWER);
    bob.wait_for("answered", SOON);
    let compact = session.window_of(COMPACT);
    session.no_window_of(INCOMING);
    session.painted(compact, END);
    session.photograph(&shot("compact.png"));
    session.click_in(compact, MUTE);
    window.has_attribute("mute", "aria-pressed", "true").await;

    session.click_in(compact, END);
    bob.wait_for("ended", SOON);
    session.no_window_of(COMPACT);

    // A link from another program: asked first, then dialled.
    let mut bob = Cli::with_account(
        &session,
        &Place::Here,
        &demo.bob_sip("udp"),
        &["answer", "--play", &Speech::reference(Voice::First).display().to_string(), "--max-calls", "1"],
    );
    bob.wait_for("registered", SOON);
    let mut second = session.start_phone(&["tel:%31-02"]);
    assert_eq!(second.wait_exit(SOON), 0, "{}", second.log());
    window.shown("asked-dial").await;
    window.shoot("asked").await;
    window.click("asked-dial").await;
    bob.wait_for("answered", SOON);
    window.shown("call-timer").await;

    // Without a tray closing the window ends the phone, but not before the call.
    let phone = phone_of(&window);
    session.close_window(main.id);
    let compact = session.window_of(COMPACT);
    session.wait_until("the main window to be gone", || session.windows() == [compact]);
    session.painted(compact, END);

    // Its web process dies, too: the call goes on, and its window comes back.
    kill_web_processes(&window);
    let before = bob.events("media").len();
    session.wait_until("the voice to go on", || bob.events("media").len() > before + 5);
    // What was painted last may stay until the new page is: only that one hears.
    session.wait_until("the call to be ended in the window that came back", || {
        session.click_in(compact, END);
        !bob.events("ended").is_empty()
    });
    session.photograph(&shot("after-the-crash.png"));
    bob.assert_exit(0, SOON);
    session.wait_until("the phone to end", || !Path::new(&format!("/proc/{phone}/exe")).exists());
}

fn phone_of(window: &Window) -> u32 {
    let is_phone = |pid: &u32| {
        fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim_end() == "carillon")
    };
    window.processes().into_iter().find(is_phone).expect("the phone runs")
}

fn answered(mut bob: Cli) {
    bob.wait_for("answered", SOON);
    bob.interrupt();
    bob.wait_exit(SOON);
}

/// Opens a window of another program's, and gives it once it has the keyboard.
fn before_it(session: &Session) -> u32 {
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../brand/carillon/icons/128x128.png");
    let mut command = session.command("display");
    command.arg(picture);
    // It lives as long as the session's display.
    std::mem::forget(Process::start("display", command));
    let own: Vec<u32> = session.windows().iter().map(|seen| seen.id).collect();
    session.wait_for("another window in front", || {
        Some(session.active_window()).filter(|active| *active != 0 && !own.contains(active))
    })
}

fn kill_web_processes(window: &Window) {
    let web = |pid: &u32| {
        fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.starts_with("WebKitWebProces"))
    };
    let killed: Vec<u32> = window.processes().into_iter().filter(web).collect();
    assert!(!killed.is_empty(), "no web process was found");
    for pid in killed {
        let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        kill_process(pid, Signal::KILL).unwrap();
    }
}

#[test]
fn the_phone_lives_in_the_tray() {
    let demo = Demo::start(&[]);
    let session = Session::bare().with_keychain().with_sound().with_display();
    let session = session.with_browser().with_window_manager();
    demo.sign_in_alice(&session).assert_exit(0, SOON);
    session.prefer(
        "desktop",
        json!({
            "hiddenWindow": "atOnce",
            "autostart": true,
            "keys": { "answer": "Ctrl+Shift+F9", "hangUp": "Ctrl+Shift+F10", "mute": "nonsense" },
            "screenPop": { "when": "ring", "url": "https://crm.test.io/?who=%CALLER%&line=%ACCOUNT%" },
        }),
    );
    let panel = Panel::start(&session);
    let mut phone = session.start_phone(&["--hidden"]);
    panel.says("Ready for calls");
    assert!(session.windows().is_empty(), "it did not start hidden");
    let entry = fs::read_to_string(session.path("config/autostart/app.carillon.phone.desktop")).unwrap();
    assert!(entry.contains("--hidden"), "{entry}");
    let at_rest = panel.picture();
    assert!(at_rest.contains("255"), "there is nothing in the picture");

    // From the tray: answered and hung up; the computer stays awake meanwhile, and a page is opened for the caller.
    let mut bob = bob_calls(&session, &demo);
    panel.press("Answer");
    bob.wait_for("answered", SOON);
    assert_eq!(session.opened(1), "https://crm.test.io/?who=102&line=101");
    panel.says("In a call with");
    assert_ne!(panel.picture(), at_rest, "the shape is the same");
    panel.lets_sleep(false);
    session.window_of(COMPACT);
    panel.press("Hang up");
    bob.assert_exit(0, SOON);
    panel.lets_sleep(true);
    session.no_window_of(COMPACT);

    // By keys, whatever has the focus.
    let mut bob = bob_calls(&session, &demo);
    session.window_of(INCOMING);
    session.hand(&["key", "ctrl+shift+F9"]);
    bob.wait_for("answered", SOON);
    session.hand(&["key", "ctrl+shift+F10"]);
    bob.assert_exit(0, SOON);

    panel.press("Do not disturb");
    panel.says("Do not disturb");
    assert_eq!(bob_calls(&session, &demo).wait_for("ended", SOON).status(), 486);

    // The window opens from the tray, stays where it is put, and closing it leaves the phone there.
    panel.activate();
    let main = opened(&session);
    session.hand(&["windowsize", "--sync", &main.to_string(), "820", "640"]);
    session.hand(&["windowmove", "--sync", &main.to_string(), "200", "120"]);
    // What was moved is kept once it rests.
    let kept = session.path("data/carillon/window.json");
    let moved = || fs::read_to_string(&kept).unwrap_or_default().contains("\"width\":820");
    session.wait_until("the place to be kept", moved);
    session.close_window(main);
    session.wait_until("the window to be closed", || session.windows().is_empty());
    panel.says("Do not disturb");
    panel.activate();
    opened(&session);
    session.window_of((820, 640));
    session.photograph(&shot("opened-again.png"));
    panel.press("Quit");
    assert_eq!(phone.wait_exit(SOON), 0, "{}", phone.log());
}

/// Waits for the main window, and gives it.
fn opened(session: &Session) -> u32 {
    let find = || session.windows().into_iter().find(|seen| seen.size.1 > COMPACT.1 * 2);
    session.wait_for("the main window", find).id
}
