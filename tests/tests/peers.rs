//! Foreign peers: Kamailio for a PBX, baresip for the other phone. Speech goes both ways, and what each side
//! heard is held against what was said.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::thread::sleep;
use std::time::Duration;

use system_tests::{Baresip, Cli, Kamailio, Network, Session, Speech, Voice, score};

const SOON: Duration = Duration::from_secs(20);
/// A second of silence, eight of speech, and a little.
const TALK_S: f64 = 10.5;
const DOMAIN: &str = Kamailio::DOMAIN;

#[test]
fn registers_over_udp() {
    registers("udp");
}

#[test]
fn registers_over_tcp() {
    registers("tcp");
}

#[test]
fn calls_with_opus_over_udp() {
    calls("opus", "udp");
}

#[test]
fn calls_with_pcmu_over_tcp() {
    calls("PCMU", "tcp");
}

#[test]
fn is_called_with_opus_over_tcp() {
    is_called("opus", "tcp");
}

#[test]
fn is_called_with_pcmu_over_udp() {
    is_called("PCMU", "udp");
}

#[test]
fn a_recording_that_cannot_be_written_ends_the_call() {
    let line = Line::new("opus", "udp");
    let mut baresip = line.baresip();
    let (say, account) = (Speech::spoken(Voice::First, 16_000), line.kamailio.account("1001", "udp"));
    let hear = line.session.path("missing/heard.wav");
    let arguments = ["call", "1002", "--play", say.to_str().unwrap(), "--record", hear.to_str().unwrap()];
    let mut cli = Cli::with_account(&line.session, &line.network.phone(0).0, &account, &arguments);
    let ended = cli.wait_for("ended", SOON);
    assert_eq!(ended.text("reason"), "audioFailed");
    assert_ne!(cli.wait_exit(SOON), 0);
    baresip.wait_closed();
}

fn registers(transport: &str) {
    let (session, kamailio) = (Session::bare(), Kamailio::here());
    let account = kamailio.account("1001", transport);
    let mut cli =
        Cli::with_account(&session, &system_tests::Place::Here, &account, &["register", "--for", "2"]);
    let registered = cli.wait_for("registered", SOON);
    assert!(registered.number("expires") > 0.0);
    assert!(registered.number("rtt_ms") >= 0.0);
    cli.assert_exit(0, SOON);

    let wrong = system_tests::SipAccount { password: "wrong".to_owned(), ..account };
    let mut cli =
        Cli::with_account(&session, &system_tests::Place::Here, &wrong, &["register", "--for", "2"]);
    let failed = cli.wait_for("registration_failed", SOON);
    assert_eq!(failed.text("code"), "sipPasswordWrong");
    cli.assert_exit(3, SOON);
}

/// Our phone and baresip, each in a network of its own, and Kamailio between them.
struct Line {
    kamailio: Kamailio,
    network: Network,
    session: Session,
    codec: &'static str,
    transport: &'static str,
}

impl Line {
    fn new(codec: &'static str, transport: &'static str) -> Self {
        let network = Network::new(2);
        let kamailio = Kamailio::at(&network.hub(), network.pbx());
        Self { kamailio, network, session: Session::bare(), codec, transport }
    }

    fn cli(&self, verb: &[&str]) -> Cli {
        let (say, hear) = (Speech::spoken(Voice::First, 16_000), self.session.path("heard.wav"));
        let (say, hear) = (say.display().to_string(), hear.display().to_string());
        let mut arguments = verb.to_vec();
        arguments.extend(["--play", &say, "--record", &hear, "--codec", self.codec]);
        let account = self.kamailio.account("1001", self.transport);
        Cli::with_account(&self.session, &self.network.phone(0).0, &account, &arguments)
    }

    fn baresip(&self) -> Baresip {
        let rate = if self.codec == "opus" { 48_000 } else { 8_000 };
        let account = self.kamailio.account("1002", "udp");
        Baresip::start(&self.network.phone(1).0, &account, self.codec, &Speech::spoken(Voice::Second, rate))
    }

    fn assert_both_heard(&self, cli: &Cli, baresip: Baresip) {
        let (pesq, correlation) = if self.codec == "opus" { (4.0, 0.75) } else { (3.2, 0.9) };
        let recording = baresip.into_recording();
        let media = cli.events("media");
        let last = media.last().unwrap_or_else(|| panic!("no media event\n{}", cli.log()));
        println!("{last:?}");
        let name = |who: &str| format!("{} over {}: {who}", self.codec, self.transport);
        score(&Speech::reference(Voice::First), &recording.path).assert_clean(
            &name("baresip heard us"),
            pesq,
            correlation,
        );
        score(&Speech::reference(Voice::Second), &self.session.path("heard.wav")).assert_clean(
            &name("we heard baresip"),
            pesq,
            correlation,
        );
        assert!(last.number("rx_packets") > 400.0 && last.number("lost") == 0.0, "{last:?}");
    }
}

fn calls(codec: &'static str, transport: &'static str) {
    let line = Line::new(codec, transport);
    let mut baresip = line.baresip();
    let mut cli = line.cli(&["call", "1002", "--duration", &TALK_S.to_string()]);
    cli.wait_for("registered", SOON);
    let answered = cli.wait_for("answered", SOON);
    assert_eq!(answered.text("codec"), codec);
    assert!(answered.number("setup_ms") >= 0.0);
    baresip.wait_established();
    let ended = cli.wait_for("ended", SOON);
    assert_eq!(ended.text("reason"), "hungUpHere");
    cli.assert_exit(0, SOON);
    baresip.wait_closed();
    line.assert_both_heard(&cli, baresip);
}

fn is_called(codec: &'static str, transport: &'static str) {
    let line = Line::new(codec, transport);
    let mut cli = line.cli(&["answer", "--max-calls", "1"]);
    cli.wait_for("registered", SOON);
    let mut baresip = line.baresip();
    baresip.dial(&format!("1001@{DOMAIN}"));
    let answered = cli.wait_for("answered", SOON);
    assert_eq!(answered.text("codec"), codec);
    baresip.wait_established();
    sleep(Duration::from_secs_f64(TALK_S));
    baresip.hang_up();
    let ended = cli.wait_for("ended", SOON);
    assert_eq!(ended.text("reason"), "hungUpThere");
    cli.assert_exit(0, SOON);
    line.assert_both_heard(&cli, baresip);
}
