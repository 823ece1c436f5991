//! The phone in its desktop: how soon a call is to be seen, and what the phone holds and uses meanwhile.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;
use system_tests::{Cli, Demo, Panel, Place, Process, Screen, Session, Speech, Usage, Voice};

use crate::{RUNS, SOON, table};

/// The green button of the small window in the display's corner, beside its word.
const GREEN: (i32, i32) = (1280 - 360 - 16 + 310, 900 - 140 - 16 + 92);
const CALLS: usize = 200;

/// The phone, signed in and ready, in a desktop of its own.
struct Desk {
    phone: Process,
    panel: Panel,
    demo: Demo,
    session: Session,
}

impl Desk {
    /// `hidden` is what becomes of a window that is closed.
    fn start(hidden: &str) -> Self {
        let demo = Demo::start(&[]);
        let session = Session::bare().with_keychain().with_sound().with_display().with_window_manager();
        demo.sign_in_alice(&session).assert_exit(0, SOON);
        session.prefer("desktop", json!({ "hiddenWindow": hidden }));
        let panel = Panel::start(&session);
        let phone = session.start_phone(&[]);
        panel.says("Ready for calls");
        session.wait_until("the main window", || session.windows().len() == 1);
        Self { phone, panel, demo, session }
    }

    /// Closes the main window; the phone stays in the tray.
    fn close(&self) {
        self.session.close_window(self.session.windows()[0].id);
        self.session.wait_until("the window to be gone", || self.session.windows().is_empty());
    }

    fn bob_calls(&self) -> Cli {
        let speech = Speech::reference(Voice::First).display().to_string();
        let arguments = ["call", "101", "--play", &speech, "--duration", "100"];
        Cli::with_account(&self.session, &Place::Here, &self.demo.bob_sip("udp"), &arguments)
    }

    fn usage(&self) -> Usage {
        Usage::of_tree(self.phone.pid())
    }

    /// From the caller's word that it dials until the button is painted.
    fn seen_after(&self) -> Duration {
        let screen = Screen::of(&self.session);
        assert!(!screen.is_coloured(GREEN), "something is painted there already");
        let mut bob = self.bob_calls();
        let dials = bob.wait_for("registered", SOON);
        while !screen.is_coloured(GREEN) {
            assert!(dials.at.elapsed() < SOON, "the call is not to be seen");
            sleep(Duration::from_millis(1));
        }
        let took = dials.at.elapsed();
        bob.interrupt();
        bob.wait_exit(SOON);
        self.session.no_window_of((360, 140));
        self.panel.says("Ready for calls");
        took
    }
}

/// From dialling until the call is on the screen.
pub fn ring() {
    for (hidden, closed, title) in [
        ("keep", false, "the main window open behind others"),
        ("keep", true, "the main window hidden"),
        ("atOnce", true, "the main window given back"),
    ] {
        let desk = Desk::start(hidden);
        if closed {
            desk.close();
        } else {
            let main = desk.session.windows()[0].id.to_string();
            desk.session.hand(&["windowminimize", &main]);
            desk.session.wait_until("it to be minimised", || desk.session.windows().is_empty());
        }
        sleep(Duration::from_secs(2));
        let took: Vec<_> = (0..RUNS).map(|_| desk.seen_after()).collect();
        let each: Vec<_> = took.iter().map(|took| took.as_millis().to_string()).collect();
        table(&format!("From dialling to Answer on the screen, {title}"), "ms", took.into_iter());
        println!("\nEach, in order: {} ms", each.join(", "));
    }
}

/// Memory and processor time at rest.
pub fn rest() {
    println!("\n| | PSS MiB | RSS MiB | processor, % of a core over a minute |\n|---|---|---|---|");
    let desk = Desk::start("atOnce");
    row("signed in, the window open", &desk);
    desk.close();
    row("in the tray, the window given back", &desk);
}

/// What 200 calls leave behind.
pub fn growth() {
    println!("\n| calls | PSS MiB | RSS MiB |\n|---|---|---|");
    let desk = Desk::start("keep");
    for call in 0..=CALLS {
        if call % (CALLS / 4) == 0 {
            sleep(Duration::from_secs(5));
            let usage = desk.usage();
            println!("| {call} | {:.1} | {:.1} |", usage.pss_mib, usage.rss_mib);
        }
        let mut bob = desk.bob_calls();
        bob.wait_for("ringing", SOON);
        desk.panel.press("Answer");
        bob.wait_for("answered", SOON);
        desk.panel.press("Hang up");
        bob.assert_exit(0, SOON);
        desk.panel.says("Ready for calls");
    }
}

fn row(what: &str, desk: &Desk) {
    sleep(Duration::from_secs(20));
    let (before, started) = (desk.usage(), Instant::now());
    sleep(Duration::from_secs(60));
    let usage = desk.usage();
    let share = (usage.cpu_s - before.cpu_s) / started.elapsed().as_secs_f64() * 100.0;
    println!("| {what} | {:.0} | {:.0} | {share:.2} |", usage.pss_mib, usage.rss_mib);
}
