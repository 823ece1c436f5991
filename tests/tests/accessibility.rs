//! The window as a screen reader gets it: the accessibility tree on the bus, read by another program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use system_tests::{Demo, Process, Session, Window, output_dir};

const SOON: Duration = Duration::from_secs(60);

/// What somebody can press, type into or choose.
const CONTROLS: [&str; 14] = [
    "push button",
    "button",
    "toggle button",
    "entry",
    "password text",
    "check box",
    "switch",
    "combo box",
    "radio button",
    "slider",
    "link",
    "menu item",
    "page tab",
    "spin button",
];

/// A part of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    role: String,
    name: String,
}

fn parts(tree: &str) -> Vec<Part> {
    let part = |line: &str| {
        let mut fields = line.split('\t');
        Some(Part { role: fields.next()?.to_owned(), name: fields.next()?.trim().to_owned() })
    };
    tree.lines().filter_map(part).collect()
}

fn controls(tree: &[Part]) -> Vec<&Part> {
    tree.iter().filter(|part| CONTROLS.contains(&part.role.as_str())).collect()
}

fn nameless(tree: &[Part]) -> Vec<&Part> {
    controls(tree).into_iter().filter(|part| part.name.is_empty()).collect()
}

/// The tree, once it names this control.
fn tree_with(session: &Session, control: &str) -> Vec<Part> {
    let deadline = Instant::now() + SOON;
    loop {
        let mut reader = session.command("/usr/bin/python3");
        reader.arg("-c").arg(include_str!("accessibility.py"));
        let said = reader.output().expect("python3");
        let tree = parts(&String::from_utf8_lossy(&said.stdout));
        if controls(&tree).iter().any(|part| part.name == control) {
            return tree;
        }
        let error = String::from_utf8_lossy(&said.stderr);
        assert!(Instant::now() < deadline, "nothing is called {control:?}: {tree:#?}\n{error}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_control_of_the_window_has_a_name_for_screen_readers() {
    let demo = Demo::start(&[]);
    let session = Session::bare().with_keychain().with_sound().with_display();
    let mut launcher = session.command("/usr/libexec/at-spi-bus-launcher");
    launcher.arg("--launch-immediately");
    let _bus = Process::start("at-spi-bus-launcher", launcher);
    let reads = [("NO_AT_BRIDGE", "0"), ("GTK_MODULES", "gail:atk-bridge")];
    let window = Window::open_with(&session, &output_dir("accessibility"), &[], &reads).await;

    let tree = tree_with(&session, "SIP domain");
    assert!(controls(&tree).len() >= 5, "{tree:#?}");
    assert_eq!(nameless(&tree), Vec::<&Part>::new());

    window.sign_in(&demo).await;
    let tree = tree_with(&session, "Call the echo line");
    assert!(controls(&tree).len() >= 6, "{tree:#?}");
    assert_eq!(nameless(&tree), Vec::<&Part>::new());

    window.click("settings").await;
    window.click("settings-calls").await;
    let tree = tree_with(&session, "Do not disturb Callers hear busy; their calls are listed as missed.");
    assert!(controls(&tree).len() >= 12, "{tree:#?}");
    assert_eq!(nameless(&tree), Vec::<&Part>::new());
}

#[test]
fn a_control_without_a_name_is_found() {
    let tree = parts("frame\tCarillon\t1\npush button\t\t2\npush button\tNext\t2\nlabel\t\t2\nentry\t \t3\n");
    let found: Vec<&str> = nameless(&tree).iter().map(|part| part.role.as_str()).collect();
    assert_eq!(found, ["push button", "entry"]);
}
