//! A phone that dies comes back as it was: by a signal and by a panic, in the tray and with its window, but not for
//! ever, and not where its user has ended it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use system_tests::{Cli, Demo, Panel, Place, Process, Session, Speech, Usage, Voice, output_file, product};

const INCOMING: (i32, i32) = (360, 140);
const SOON: Duration = Duration::from_secs(60);
/// What the companion may cost, MiB.
const COMPANION: f64 = 2.0;

#[test]
fn a_phone_in_the_tray_comes_back_there() {
    let (demo, session) = signed_in();
    let panel = Panel::start(&session);
    let phone = start(&session, &["--hidden"]);
    panel.says("Ready for calls");
    let (dead, companion) = (phone.pid(), companion_of(&session, phone.pid()));
    let cost = Usage::of_tree(companion).pss_mib;
    println!("the companion takes {cost:.1} MiB");
    assert!(cost < COMPANION, "{cost}");
    end(&session, dead, Signal::SEGV);
    let back = another(&session, &[dead]);
    panel.says("Ready for calls");
    assert!(session.windows().is_empty(), "it came back with a window");
    let report = fs::read_to_string(session.path("data/carillon/crash.txt")).unwrap();
    assert!(report.contains("by a signal") && report.contains("Carillon/"), "{report}");
    rings(&session, &demo);

    // One that dies hard, too; its window comes back if it was there.
    panel.activate();
    main_window(&session);
    end(&session, back, Signal::KILL);
    let back = another(&session, &[dead, back]);
    panel.says("Ready for calls");
    main_window(&session);
    let mut second = start(&session, &["tel:102"]);
    assert_eq!(second.wait_exit(SOON), 0, "{}", second.log());

    panel.press("Quit");
    session.wait_until("the phone and its companion to end", || phones(&session).is_empty());
    assert!(!alive(back));
    stays_away(&session);
}

#[test]
fn a_panic_is_written_down_and_a_phone_that_keeps_dying_stays_dead() {
    let (demo, session) = signed_in();
    let panel = Panel::start(&session);
    let first = start(&session, &[]);
    panel.says("Ready for calls");
    main_window(&session);
    let mut died = vec![first.pid()];
    // The program itself, and the phone behind its window.
    for (signal, place) in
        [(Signal::USR2, "leave.rs"), (Signal::ALARM, "actor.rs"), (Signal::USR2, "leave.rs")]
    {
        end(&session, *died.last().unwrap(), signal);
        died.push(another(&session, &died));
        panel.says("Ready for calls");
        main_window(&session);
        let report = fs::read_to_string(session.path("data/carillon/crash.txt")).unwrap();
        assert!(report.contains("told to") && report.contains(place), "{report}");
    }
    rings(&session, &demo);
    session.photograph(&output_file(Path::new("crash/came-back.png")));
    end(&session, *died.last().unwrap(), Signal::USR2);
    session.wait_until("the phone and its companion to end", || phones(&session).is_empty());
    stays_away(&session);
}

fn signed_in() -> (Demo, Session) {
    let demo = Demo::start(&[]);
    let session = Session::bare().with_keychain().with_sound().with_display().with_window_manager();
    demo.sign_in_alice(&session).assert_exit(0, SOON);
    (demo, session)
}

fn start(session: &Session, arguments: &[&str]) -> Process {
    let mut command = session.command(product("carillon"));
    command.envs([("NO_AT_BRIDGE", "1"), ("GTK_A11Y", "none"), ("GDK_BACKEND", "x11")]);
    command.env("LIBGL_ALWAYS_SOFTWARE", "1").args(arguments);
    Process::start("carillon", command)
}

/// Ends a phone by a signal. The first SIGSEGV that nobody's memory is the cause of is taken for a question by Rust's own
/// handler, and answered with the default for the next.
fn end(session: &Session, pid: u32, signal: Signal) {
    session.wait_until("the phone to die", || {
        if alive(pid) {
            let _ = kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal);
        }
        !alive(pid)
    });
}

/// A call of bob's is shown here, and declined by its caller.
fn rings(session: &Session, demo: &Demo) {
    let speech = Speech::reference(Voice::First).display().to_string();
    let arguments = ["call", "101", "--play", &speech, "--duration", "100"];
    let mut bob = Cli::with_account(session, &Place::Here, &demo.bob_sip("udp"), &arguments);
    // Two cards are told apart from one by who listens: the small window, or the main one.
    bob.wait_for("ringing", SOON);
    bob.interrupt();
    bob.wait_exit(SOON);
    session.no_window_of(INCOMING);
}

/// Waits for the main window, and for something of the phone's colour in it.
fn main_window(session: &Session) {
    let coloured = |pixel: &&[u8]| {
        let (least, most) = (pixel.iter().min(), pixel.iter().max());
        least.zip(most).is_some_and(|(least, most)| most - least > 60)
    };
    session.wait_until("the main window with something in it", || {
        let windows = session.windows();
        let Some(seen) = windows.iter().find(|seen| seen.size.1 > INCOMING.1 * 2) else { return false };
        let part = format!("{}x{}+{}+{}", seen.size.0, seen.size.1, seen.at.0, seen.at.1);
        let mut command = session.command("import");
        command.args(["-window", "root", "-crop", &part, "-depth", "8", "rgb:-"]);
        let pixels = command.output().map(|out| out.stdout).unwrap_or_default();
        pixels.chunks(3).filter(coloured).count() > 500
    });
}

/// The phone of the session that is none of these, once it is there.
fn another(session: &Session, known: &[u32]) -> u32 {
    found(session, "another phone", |pid, words| !known.contains(&pid) && !is_companion(words))
}

fn companion_of(session: &Session, phone: u32) -> u32 {
    found(session, "the companion", |pid, words| pid != phone && is_companion(words))
}

/// The first program of the session that is so, once it is there.
fn found(session: &Session, what: &str, is_it: impl Fn(u32, &str) -> bool) -> u32 {
    let find = || phones(session).into_iter().find(|(pid, words)| is_it(*pid, words));
    session.wait_for(what, find).0
}

/// Nobody starts it again, for longer than that would take.
fn stays_away(session: &Session) {
    for _ in 0..30 {
        std::thread::sleep(Duration::from_millis(100));
        assert!(phones(session).is_empty(), "it came back: {:?}", phones(session));
    }
}

fn is_companion(words: &str) -> bool {
    words.starts_with("/bin/sh ")
}

fn alive(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}/exe")).exists()
}

/// Every phone and companion of the session, with their command lines.
fn phones(session: &Session) -> Vec<(u32, String)> {
    let home = session.path("home").display().to_string();
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let of_session = |pid: &u32| {
        let read = |file: &str| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let name = String::from_utf8_lossy(&read("comm")).trim_end().to_owned();
        ["carillon", "sh"].contains(&name.as_str())
            && String::from_utf8_lossy(&read("environ")).contains(&home)
    };
    pids.filter(of_session)
        .map(|pid| {
            let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            (pid, String::from_utf8_lossy(&words).replace('\0', " "))
        })
        // What is about to become another program has none.
        .filter(|(_, words)| !words.is_empty())
        .collect()
}
