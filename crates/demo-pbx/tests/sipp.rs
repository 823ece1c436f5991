//! The SIP side as a foreign peer sees it: sipp registers, calls, is refused, cancels and is hung up.

// Functions of a test may fail it, as tests themselves may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../../tests/src/free_port.rs"]
mod free_port;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use demo_pbx::{Config, DemoPbx, Passwords, Transport};
use free_port::{free_port, free_ports};
use tokio::process::{Child, Command};

const PASSWORD: &str = "sip-secret";

async fn start(config: Config) -> DemoPbx {
    let passwords = Passwords { user: None, extension: Some(PASSWORD.into()) };
    DemoPbx::start(Config { passwords, ..config }).await.unwrap()
}

/// One run of sipp in a folder of its own.
struct Sipp {
    child: Child,
    folder: tempfile::TempDir,
}

/// A scenario and what is filled into it.
struct Run<'a> {
    scenario: &'a str,
    transport: Transport,
    user: &'a str,
    password: &'a str,
    /// Words of the scenario in brackets, with what they stand for.
    keys: &'a [(&'a str, &'a str)],
    /// Local port; 0 takes a free one.
    port: u16,
}

impl Default for Run<'_> {
    fn default() -> Self {
        Self { scenario: "", transport: Transport::Udp, user: "101", password: PASSWORD, keys: &[], port: 0 }
    }
}

impl Sipp {
    fn start(pbx: &DemoPbx, run: &Run<'_>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sipp").join(run.scenario);
        let mut text = std::fs::read_to_string(source).unwrap();
        for (name, value) in run.keys {
            text = text.replace(&format!("[{name}]"), value);
        }
        let scenario: PathBuf = folder.path().join(run.scenario);
        std::fs::write(&scenario, text).unwrap();
        let (mode, port) = match run.transport {
            Transport::Udp => ("u1", pbx.sip_udp_port()),
            Transport::Tcp => ("t1", pbx.sip_tcp_port()),
        };
        let own = if run.port == 0 { free_port() } else { run.port };
        let child = Command::new("sipp")
            .current_dir(folder.path())
            .arg(format!("127.0.0.1:{port}"))
            .args(["-sf", run.scenario, "-t", mode, "-i", "127.0.0.1", "-p", &own.to_string()])
            .args(["-au", run.user, "-ap", run.password, "-auth_uri", "test.io"])
            .args(["-mi", "127.0.0.1", "-mp", &media_port().to_string()])
            .args(["-m", "1", "-nostdin", "-timeout", "30s", "-timeout_error", "-trace_err", "-trace_msg"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("sipp is installed (Debian: sip-tester)");
        Self { child, folder }
    }

    /// The scenario went through to its end.
    async fn succeeds(mut self) {
        let status = tokio::time::timeout(Duration::from_secs(40), self.child.wait()).await.unwrap().unwrap();
        if !status.success() {
            let logs = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
            let logs = logs.filter(|path| path.extension().is_some_and(|e| e == "log"));
            let logs: Vec<String> = logs.map(|path| std::fs::read_to_string(path).unwrap()).collect();
            panic!("{status}\n{}", logs.join("\n"));
        }
    }
}

async fn sipp(pbx: &DemoPbx, run: Run<'_>) {
    Sipp::start(pbx, &run).succeeds().await;
}

/// A port for sound, even as RTP has it, and three more behind it: sipp takes one each for sound, pictures, and the
/// reports of both.
fn media_port() -> u16 {
    free_ports(5).next_multiple_of(2)
}

fn register<'a>(keys: &'a [(&'a str, &'a str)]) -> Run<'a> {
    Run { scenario: "register.xml", keys, ..Run::default() }
}

#[tokio::test]
async fn registers_over_both_transports_and_off_again() {
    let pbx = start(Config::default()).await;
    let port = free_port();
    let keys = [("extension", "101"), ("expires", "120"), ("status", "200")];
    sipp(&pbx, Run { port, ..register(&keys) }).await;
    let bindings = pbx.registrations();
    assert_eq!((bindings.len(), bindings[0].extension.as_str(), bindings[0].expires), (1, "101", 120));
    assert_eq!(bindings[0].transport, Transport::Udp);
    assert!(bindings[0].contact.contains(&port.to_string()));

    let off = [("extension", "101"), ("expires", "0"), ("status", "200")];
    sipp(&pbx, Run { port, ..register(&off) }).await;
    assert!(pbx.registrations().is_empty());

    let tcp = Run { transport: Transport::Tcp, ..register(&keys) };
    sipp(&pbx, tcp).await;
    assert_eq!(pbx.count("SIP REGISTER"), 6);
    // The binding goes with its connection.
    tokio::time::timeout(Duration::from_secs(10), pbx.until(|s| s.registrations.is_empty())).await.unwrap();
}

#[tokio::test]
async fn refuses_wrong_passwords_strangers_and_brief_bindings() {
    let pbx = start(Config::default()).await;
    let wrong = [("extension", "101"), ("expires", "120"), ("status", "401")];
    sipp(&pbx, Run { password: "wrong", ..register(&wrong) }).await;
    let stranger = [("extension", "999"), ("expires", "120"), ("status", "401")];
    sipp(&pbx, Run { user: "999", ..register(&stranger) }).await;
    let other = [("extension", "102"), ("expires", "120"), ("status", "403")];
    sipp(&pbx, register(&other)).await;
    let brief = [("extension", "101"), ("expires", "9"), ("status", "423")];
    sipp(&pbx, register(&brief)).await;
    assert!(pbx.registrations().is_empty());
}

#[tokio::test]
async fn service_lines_and_dead_ends_refuse_as_they_should() {
    let pbx = start(Config { no_answer: Duration::from_secs(1), ..Config::default() }).await;
    for (number, status) in
        [("9197", "486"), ("9198", "408"), ("9199", "603"), ("999", "404"), ("102", "480")]
    {
        for transport in [Transport::Udp, Transport::Tcp] {
            let keys = [("number", number), ("status", status)];
            sipp(&pbx, Run { scenario: "refused.xml", transport, keys: &keys, ..Run::default() }).await;
        }
    }
}

#[tokio::test]
async fn the_echo_line_is_called_over_both_transports() {
    let pbx = start(Config::default()).await;
    for transport in [Transport::Udp, Transport::Tcp] {
        let run = Run { scenario: "call.xml", transport, keys: &[("number", "9196")], ..Run::default() };
        sipp(&pbx, run).await;
        assert_eq!(pbx.calls(), 0);
    }
}

#[tokio::test]
async fn the_echo_line_hangs_up_when_it_hears_nothing() {
    let pbx = start(Config { echo_silence: Duration::from_millis(300), ..Config::default() }).await;
    sipp(&pbx, Run { scenario: "hung_up.xml", keys: &[("number", "9196")], ..Run::default() }).await;
    assert_eq!(pbx.calls(), 0);
}

#[tokio::test]
async fn a_ringing_call_is_cancelled() {
    let pbx = start(Config::default()).await;
    for transport in [Transport::Udp, Transport::Tcp] {
        let run = Run { scenario: "cancel.xml", transport, keys: &[("number", "9198")], ..Run::default() };
        sipp(&pbx, run).await;
    }
}

#[tokio::test]
async fn one_user_calls_the_other_across_transports() {
    let pbx = start(Config::default()).await;
    let port = free_port();
    let keys = [("extension", "102"), ("expires", "120"), ("status", "200")];
    for transport in [Transport::Udp, Transport::Tcp] {
        sipp(&pbx, Run { user: "102", port, ..register(&keys) }).await;
        let bob = Sipp::start(&pbx, &Run { scenario: "answer.xml", user: "102", port, ..Run::default() });
        sipp(&pbx, Run { scenario: "call.xml", transport, keys: &[("number", "102")], ..Run::default() })
            .await;
        bob.succeeds().await;
        assert_eq!(pbx.calls(), 0);
    }
}

#[tokio::test]
async fn killed_calls_are_hung_up_on_both_sides() {
    let pbx = start(Config::default()).await;
    let port = free_port();
    let keys = [("extension", "102"), ("expires", "120"), ("status", "200")];
    sipp(&pbx, Run { user: "102", port, ..register(&keys) }).await;
    let bob = Sipp::start(&pbx, &Run { scenario: "answer.xml", user: "102", port, ..Run::default() });
    let number = [("number", "102")];
    let alice = Sipp::start(&pbx, &Run { scenario: "hung_up.xml", keys: &number, ..Run::default() });
    let echo = [("number", "9196")];
    let second = Run { scenario: "hung_up.xml", transport: Transport::Tcp, keys: &echo, ..Run::default() };
    let second = Sipp::start(&pbx, &second);
    tokio::time::timeout(Duration::from_secs(20), pbx.until(|s| s.calls == 2)).await.unwrap();
    // Each call has two ACKs: one to the challenge, one to the answer. Bob must have had his.
    let acknowledged = async {
        while pbx.count("SIP ACK") < 4 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), acknowledged).await.unwrap();
    pbx.faults().kill_calls();
    alice.succeeds().await;
    bob.succeeds().await;
    second.succeeds().await;
    assert_eq!(pbx.calls(), 0);
}
