//! The real window with nothing but keys: signed in, called, held, handed on, hung up. What has the keyboard is read
//! from the accessibility bus, as a screen reader reads it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::time::{Duration, Instant};

use system_tests::{Cli, Demo, Place, Process, Session, SipAccount, Speech, Voice, output_file, product};

const SOON: Duration = Duration::from_secs(60);
/// More Tab stops than any screen has.
const MANY: usize = 80;

/// The keyboard of a session, and what it has in front of it.
struct Keyboard<'a> {
    session: &'a Session,
    phone: Process,
}

/// A part of the accessibility tree.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    role: String,
    name: String,
    focused: bool,
}

impl Part {
    fn read(line: &str) -> Option<Self> {
        let mut fields = line.split('\t');
        let (role, name) = (fields.next()?.to_owned(), fields.next()?.trim().to_owned());
        Some(Self { role, name, focused: fields.nth(1)? == "focused" })
    }
}

impl Keyboard<'_> {
    fn press(&self, keys: &str) {
        self.session.hand(&["key", "--clearmodifiers", keys]);
    }

    fn write(&self, text: &str) {
        self.session.hand(&["type", "--clearmodifiers", "--delay", "20", text]);
    }

    fn tree(&self) -> Vec<Part> {
        let mut reader = self.session.command("/usr/bin/python3");
        reader.arg("-c").arg(include_str!("accessibility.py"));
        let said = reader.output().expect("python3");
        String::from_utf8_lossy(&said.stdout).lines().filter_map(Part::read).collect()
    }

    /// The innermost part that has the keyboard.
    fn focus(&self) -> Option<Part> {
        self.tree().into_iter().rfind(|part| part.focused)
    }

    fn until(&self, what: &str, fits: impl Fn(&[Part]) -> bool) {
        let deadline = Instant::now() + SOON;
        loop {
            let tree = self.tree();
            if fits(&tree) {
                return;
            }
            if Instant::now() >= deadline {
                self.session.photograph(&output_file(Path::new("keyboard/failed.png")));
                panic!("waited for {what}: {tree:#?}\n{}", self.phone.log());
            }
        }
    }

    /// Waits until the control whose name begins so has the keyboard.
    fn at(&self, name: &str) {
        self.until(&format!("{name:?} to have the keyboard"), |tree| {
            tree.iter().rfind(|part| part.focused).is_some_and(|part| part.name.starts_with(name))
        });
    }

    /// Waits until there is a control whose name begins so.
    fn there(&self, name: &str) {
        self.until(&format!("{name:?}"), |tree| tree.iter().any(|part| part.name.starts_with(name)));
    }

    /// Goes on with Tab to the control of this name, which must be on the way.
    fn tab_to(&self, name: &str) {
        let mut passed = Vec::new();
        for _ in 0..MANY {
            let here = self.focus();
            if here.as_ref().is_some_and(|part| part.name == name) {
                return;
            }
            passed.push(here.map(|part| part.name).unwrap_or_default());
            self.press("Tab");
        }
        panic!("Tab does not lead to {name:?}, but through {passed:?}");
    }

    /// Goes on with Tab until each control whose name begins like one of these has had the keyboard.
    fn passes(&self, names: &[&str]) {
        let mut left = names.to_vec();
        for _ in 0..MANY {
            if left.is_empty() {
                return;
            }
            self.press("Tab");
            let here = self.focus().map(|part| part.name).unwrap_or_default();
            left.retain(|name| !here.starts_with(name));
        }
        panic!("Tab does not lead to {left:?}");
    }
}

fn start(session: &Session) -> Keyboard<'_> {
    let mut command = session.command(product("carillon"));
    command.envs([("NO_AT_BRIDGE", "0"), ("GTK_MODULES", "gail:atk-bridge"), ("GDK_BACKEND", "x11")]);
    command.env("LIBGL_ALWAYS_SOFTWARE", "1");
    Keyboard { session, phone: Process::start("carillon", command) }
}

/// Answers one call.
fn answers(session: &Session, account: &SipAccount) -> Cli {
    let speech = Speech::reference(Voice::First).display().to_string();
    let arguments = ["answer", "--play", &speech, "--max-calls", "1"];
    let mut cli = Cli::with_account(session, &Place::Here, account, &arguments);
    cli.wait_for("registered", SOON);
    cli
}

fn sign_in(keys: &Keyboard<'_>, demo: &Demo) {
    keys.at("SIP domain");
    keys.write(Demo::DOMAIN);
    keys.press("Tab");
    keys.at("Server");
    keys.write(demo.server());
    keys.tab_to("Next");
    keys.press("Return");
    keys.there("Trust this certificate");
    keys.tab_to("Trust this certificate");
    keys.press("Return");
    keys.at("User name");
    keys.write(demo.alice().0);
    keys.tab_to("Password");
    keys.write(demo.alice().1);
    keys.tab_to("Sign in");
    keys.press("space");
    keys.at("Extension password");
    keys.write(&demo.alice_sip("udp").password);
    keys.press("Return");
    keys.there("Call the echo line");
}

fn call(keys: &Keyboard<'_>, number: &str) {
    keys.press("ctrl+k");
    keys.at("Search or call");
    keys.write(number);
    keys.press("Return");
}

#[test]
fn signed_in_called_held_handed_on_and_hung_up_with_keys_alone() {
    let demo = Demo::start(&[]);
    let session = Session::bare().with_keychain().with_sound().with_display().with_window_manager();
    let mut launcher = session.command("/usr/libexec/at-spi-bus-launcher");
    launcher.arg("--launch-immediately");
    let _bus = Process::start("at-spi-bus-launcher", launcher);
    let keys = start(&session);
    sign_in(&keys, &demo);
    keys.passes(&["Search or call", "Calls", "Settings", "Call the echo line"]);

    let mut bob = answers(&session, &demo.bob_sip("udp"));
    let mut carol = answers(&session, &demo.sip_of("carol", "udp"));
    call(&keys, "102");
    bob.wait_for("answered", SOON);
    keys.there("End");
    keys.press("h");
    keys.there("Resume");
    keys.tab_to("Resume");
    keys.press("Return");
    keys.there("Hold");

    keys.press("t");
    keys.at("To whom?");
    keys.write("103");
    keys.press("Return");
    carol.wait_for("answered", SOON);
    keys.until("the call to be handed on", |tree| tree.iter().all(|part| part.name != "End"));
    session.photograph(&output_file(Path::new("keyboard/handed-on.png")));
    bob.interrupt();
    bob.wait_exit(SOON);
    carol.assert_exit(0, SOON);

    let mut bob = answers(&session, &demo.bob_sip("udp"));
    call(&keys, "102");
    bob.wait_for("answered", SOON);
    keys.tab_to("End");
    keys.press("space");
    bob.assert_exit(0, SOON);
    keys.until("the call to be over", |tree| tree.iter().all(|part| part.name != "End"));
}
