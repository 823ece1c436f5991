//! Encrypted calls with foreign phones: who offers, who answers, how the keys come, and what was heard on both sides.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use system_tests::{Baresip, Cli, Kamailio, Linphone, Network, Session, Speech, Voice, score};

const SOON: Duration = Duration::from_secs(60);
/// A second of silence, eight of speech, and a little.
const TALK_S: f64 = 10.5;
const DOMAIN: &str = Kamailio::DOMAIN;

#[test]
fn baresip_takes_what_we_prefer() {
    let line = Line::new("udp");
    let baresip = line.baresip("srtp");
    line.calls(baresip, "prefer", "AEAD_AES_256_GCM", "openSignalling");
}

#[test]
fn baresip_insists_and_calls_us() {
    let line = Line::new("tls");
    let mut cli = line.cli(&["answer", "--max-calls", "1"]);
    cli.wait_for("registered", SOON);
    let baresip = line.baresip("srtp-mand");
    line.is_called(cli, baresip, "AES_CM_128_HMAC_SHA1_80", "secureSignalling");
}

#[test]
fn baresip_shakes_hands_and_calls_us() {
    let line = Line::new("udp");
    let mut cli = line.cli(&["answer", "--max-calls", "1"]);
    cli.wait_for("registered", SOON);
    let baresip = line.baresip("dtls_srtp");
    line.is_called(cli, baresip, "", "handshake");
}

#[test]
fn we_shake_hands_with_baresip() {
    let line = Line::new("wss");
    let baresip = line.baresip("dtls_srtp");
    line.calls(baresip, "require", "", "handshake");
}

#[test]
fn what_must_be_encrypted_is_not_said_to_a_plain_phone() {
    let line = Line::new("udp");
    let _baresip = line.baresip("");
    let mut cli = line.cli(&["call", "1002", "--srtp", "require"]);
    let ended = cli.wait_for("ended", SOON);
    assert_eq!((ended.text("reason"), ended.status()), ("notEncrypted", 488));
    cli.assert_exit(5, SOON);
}

#[test]
fn a_plain_phone_is_talked_to_where_encryption_is_only_preferred() {
    let line = Line::new("udp");
    let baresip = line.baresip("");
    line.calls(baresip, "prefer", "off", "");
}

#[test]
fn rtpengine_bridges_our_keys_to_a_plain_phone() {
    let line = Line::bridged("tls", "sdes");
    let baresip = line.baresip("");
    line.calls(baresip, "require", "", "secureSignalling");
}

#[test]
fn rtpengine_bridges_a_handshake_to_a_plain_phone() {
    let line = Line::bridged("wss", "dtls");
    let baresip = line.baresip("");
    line.calls(baresip, "require", "", "handshake");
}

#[test]
fn rtpengine_offers_us_a_handshake() {
    let line = Line::bridged("tls", "dtls");
    let mut cli = line.cli(&["answer", "--max-calls", "1"]);
    cli.wait_for("registered", SOON);
    let baresip = line.baresip("");
    line.is_called(cli, baresip, "", "handshake");
}

#[test]
fn linphone_calls_us_with_keys() {
    linphone_calls("srtp", "openSignalling");
}

#[test]
fn linphone_calls_us_with_a_handshake() {
    linphone_calls("dtls", "handshake");
}

fn linphone_calls(encryption: &str, keys: &str) {
    let line = Line::new("udp");
    let mut cli = line.cli(&["answer", "--max-calls", "1"]);
    cli.wait_for("registered", SOON);
    let place = line.network.phone(1).0;
    let mut linphone = Linphone::encrypting(&place, &line.kamailio.account("1002", "udp"), None, encryption);
    let heard = line.session.path("there.wav");
    linphone.command(&format!("play {}", Speech::spoken(Voice::Second, 16_000).display()));
    linphone.command(&format!("record {}", heard.display()));
    linphone.dial(&format!("1001@{DOMAIN}"));
    cli.wait_for("answered", SOON);
    line.assert_encrypted(&mut cli, "", keys);
    sleep(Duration::from_secs_f64(TALK_S));
    linphone.hang_up();
    cli.wait_for("ended", SOON);
    cli.assert_exit(0, SOON);
    line.assert_heard("linphone", &cli, &heard);
}

/// Our phone and another one, each in a network of its own, and Kamailio between them.
struct Line {
    kamailio: Kamailio,
    network: Network,
    session: Session,
    transport: &'static str,
}

impl Line {
    fn new(transport: &'static str) -> Self {
        let network = Network::new(2);
        let kamailio = Kamailio::at(&network.hub(), network.pbx());
        Self { kamailio, network, session: Session::bare(), transport }
    }

    /// With an rtpengine between them, too.
    fn bridged(transport: &'static str, keys: &str) -> Self {
        let network = Network::new(2);
        let kamailio = Kamailio::bridging(&network.hub(), network.pbx(), keys);
        Self { kamailio, network, session: Session::bare(), transport }
    }

    fn cli(&self, verb: &[&str]) -> Cli {
        let (say, hear) = (Speech::spoken(Voice::First, 16_000), self.session.path("heard.wav"));
        let (say, hear) = (say.display().to_string(), hear.display().to_string());
        let authority = self.kamailio.authority().display().to_string();
        let mut arguments = verb.to_vec();
        arguments.extend(["--play", &say, "--record", &hear, "--codec", "PCMU", "--ca", &authority]);
        let account = self.kamailio.account("1001", self.transport);
        Cli::with_account(&self.session, &self.network.phone(0).0, &account, &arguments)
    }

    fn baresip(&self, encryption: &str) -> Baresip {
        let (place, account) = (self.network.phone(1).0, self.kamailio.account("1002", "udp"));
        Baresip::encrypting(&place, &account, "PCMU", &Speech::spoken(Voice::Second, 8_000), encryption)
    }

    fn calls(&self, mut baresip: Baresip, srtp: &str, suite: &str, keys: &str) {
        let talk = TALK_S.to_string();
        let mut cli = self.cli(&["call", "1002", "--srtp", srtp, "--duration", &talk]);
        let answered = cli.wait_for("answered", SOON);
        baresip.wait_established();
        if keys.is_empty() {
            assert_eq!(answered.text("srtp"), suite);
        } else {
            self.assert_encrypted(&mut cli, suite, keys);
        }
        assert_eq!(cli.wait_for("ended", SOON).text("reason"), "hungUpHere");
        cli.assert_exit(0, SOON);
        baresip.wait_closed();
        self.assert_heard("baresip", &cli, &baresip.into_recording().path);
    }

    fn is_called(&self, mut cli: Cli, mut baresip: Baresip, suite: &str, keys: &str) {
        baresip.dial(&format!("1001@{DOMAIN}"));
        cli.wait_for("answered", SOON);
        baresip.wait_established();
        self.assert_encrypted(&mut cli, suite, keys);
        sleep(Duration::from_secs_f64(TALK_S));
        baresip.hang_up();
        assert_eq!(cli.wait_for("ended", SOON).text("reason"), "hungUpThere");
        cli.assert_exit(0, SOON);
        self.assert_heard("baresip", &cli, &baresip.into_recording().path);
    }

    /// Both directions are encrypted, with this suite where one is named.
    fn assert_encrypted(&self, cli: &mut Cli, suite: &str, keys: &str) {
        let protection = cli.wait_for("protection", SOON);
        println!("encrypted with {}, keys by {}", protection.text("srtp"), protection.text("keys"));
        assert!(protection.is("encrypted"), "{protection:?}");
        assert_eq!(protection.text("keys"), keys);
        assert!(suite.is_empty() || protection.text("srtp") == suite, "{protection:?}");
    }

    fn assert_heard(&self, who: &str, cli: &Cli, there: &Path) {
        // What is not decrypted is noise. What we hear is less even than what we say where a busy host lets the other
        // phone speak late: our jitter buffer stretches over it.
        let ((pesq_there, pesq_here), correlation) = ((3.2, 2.6), 0.9);
        let name = |what: &str| format!("over {}: {what}", self.transport);
        score(&Speech::reference(Voice::First), there).assert_clean(
            &name(&format!("{who} heard us")),
            pesq_there,
            correlation,
        );
        score(&Speech::reference(Voice::Second), &self.session.path("heard.wav")).assert_clean(
            &name(&format!("we heard {who}")),
            pesq_here,
            correlation,
        );
        let media = cli.events("media");
        let last = media.last().unwrap_or_else(|| panic!("no media event\n{}", cli.log()));
        assert!(last.number("rx_packets") > 400.0 && last.number("lost") == 0.0, "{last:?}");
    }
}
