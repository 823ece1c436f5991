//! Calls with browsers and with what stands between them and telephones: ICE, a DTLS handshake on the way that it
//! found, and speech scored on both sides.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::thread::sleep;
use std::time::Duration;

use system_tests::{Baresip, Cli, Kamailio, Nat, Network, Place, Session, Speech, Voice, WebPhone, score};

const SOON: Duration = Duration::from_secs(60);
/// A second of silence, eight of speech, and a little.
const TALK_S: f64 = 10.5;
/// Our phone takes one call.
const ANSWER: &[&str] = &["answer", "--max-calls", "1"];

#[test]
fn chromium_calls_us_with_opus() {
    let line = Line::new("wss");
    line.is_called_by(&mut line.cli("opus", ANSWER), "opus", false, WebPhone::dial, "direct");
}

#[test]
fn chromium_that_hides_its_addresses_calls_us_over_udp() {
    let line = Line::new("udp");
    // An address that shows only in checks could be a NAT's.
    line.is_called_by(&mut line.cli("PCMU", ANSWER), "PCMU", true, WebPhone::dial, "reflexive");
}

#[test]
fn chromium_tells_its_addresses_late_and_we_find_them_from_behind_a_nat() {
    let line = Line::behind_a_nat("wss");
    // Nobody finds us in there: our packets have to be the first.
    line.is_called_by(&mut line.cli("opus", ANSWER), "opus", false, WebPhone::dial_and_trickle, "reflexive");
}

#[test]
fn we_call_chromium() {
    let line = Line::new("wss");
    let web = line.web("opus", false);
    // Figures of a call that has ended are gone.
    let longer = (TALK_S + 5.0).to_string();
    let mut cli = line.cli("opus", &["call", "1002", "--srtp", "require", "--duration", &longer]);
    cli.wait_for("answered", SOON);
    line.talk(&mut cli, &web, "direct");
    assert_eq!(cli.wait_for("ended", SOON).text("reason"), "hungUpHere");
    web.wait("ended");
    line.assert_heard("Chromium", &cli, &web);
}

#[test]
fn rtpengine_does_with_us_what_it_does_with_browsers() {
    let line = Line::bridged("wss");
    let mut baresip = line.baresip();
    let mut cli = line.cli("PCMU", &["call", "1002", "--srtp", "require", "--duration", &TALK_S.to_string()]);
    cli.wait_for("answered", SOON);
    baresip.wait_established();
    line.assert_encrypted(&mut cli);
    assert_eq!(cli.wait_for("ended", SOON).text("reason"), "hungUpHere");
    baresip.wait_closed();
    assert_way(&cli, "direct");
    line.assert_scores("baresip", &cli, &baresip.into_recording().path);
}

#[test]
fn rtpengine_calls_us_as_it_calls_browsers() {
    let line = Line::bridged("wss");
    let mut cli = line.cli("PCMU", ANSWER);
    cli.wait_for("registered", SOON);
    let mut baresip = line.baresip();
    baresip.dial(&format!("1001@{}", Kamailio::DOMAIN));
    cli.wait_for("answered", SOON);
    line.assert_encrypted(&mut cli);
    sleep(Duration::from_secs_f64(TALK_S));
    baresip.hang_up();
    assert_eq!(cli.wait_for("ended", SOON).text("reason"), "hungUpThere");
    assert_way(&cli, "direct");
    line.assert_scores("baresip", &cli, &baresip.into_recording().path);
}

/// Our phone and another one, each in a network of its own, and Kamailio between them.
struct Line {
    kamailio: Kamailio,
    network: Network,
    session: Session,
    transport: &'static str,
    /// Where our phone is.
    home: Place,
}

impl Line {
    fn new(transport: &'static str) -> Self {
        Self::of(transport, Network::new(2), None)
    }

    /// Our phone's router translates addresses, and nobody tells it how.
    fn behind_a_nat(transport: &'static str) -> Self {
        let mut network = Network::new(2);
        let home = network.behind(0, Nat::Symmetric);
        Self::of(transport, network, Some(home))
    }

    fn of(transport: &'static str, network: Network, home: Option<Place>) -> Self {
        let kamailio = Kamailio::at(&network.hub(), network.pbx());
        let home = home.unwrap_or_else(|| network.phone(0).0);
        Self { kamailio, network, session: Session::bare(), transport, home }
    }

    /// With an rtpengine between them that gives our side what browsers get.
    fn bridged(transport: &'static str) -> Self {
        let network = Network::new(2);
        let kamailio = Kamailio::bridging(&network.hub(), network.pbx(), "webrtc");
        let home = network.phone(0).0;
        Self { kamailio, network, session: Session::bare(), transport, home }
    }

    fn cli(&self, codec: &str, verb: &[&str]) -> Cli {
        let (say, hear) = (Speech::spoken(Voice::First, 16_000), self.session.path("heard.wav"));
        let (say, hear) = (say.display().to_string(), hear.display().to_string());
        let authority = self.kamailio.authority().display().to_string();
        let mut arguments = verb.to_vec();
        arguments.extend(["--play", &say, "--record", &hear, "--codec", codec, "--ca", &authority]);
        let account = self.kamailio.account("1001", self.transport);
        Cli::with_account(&self.session, &self.home, &account, &arguments)
    }

    fn web(&self, codec: &str, hides: bool) -> WebPhone {
        let account = self.kamailio.account("1002", "wss");
        let speech = Speech::spoken(Voice::Second, 48_000);
        WebPhone::start(&self.network.phone(1).0, &account, codec, &speech, hides)
    }

    fn baresip(&self) -> Baresip {
        let (place, account) = (self.network.phone(1).0, self.kamailio.account("1002", "udp"));
        Baresip::start(&place, &account, "PCMU", &Speech::spoken(Voice::Second, 8_000))
    }

    /// Chromium calls our phone, both talk on a way of this kind, and Chromium hangs up.
    fn is_called_by(&self, cli: &mut Cli, codec: &str, hides: bool, dial: fn(&WebPhone, &str), way: &str) {
        cli.wait_for("registered", SOON);
        let web = self.web(codec, hides);
        dial(&web, "1001");
        cli.wait_for("answered", SOON);
        self.talk(cli, &web, way);
        web.hang_up();
        assert_eq!(cli.wait_for("ended", SOON).text("reason"), "hungUpThere");
        self.assert_heard("Chromium", cli, &web);
    }

    fn talk(&self, cli: &mut Cli, web: &WebPhone, way: &str) {
        web.wait("talking");
        self.assert_encrypted(cli);
        sleep(Duration::from_secs_f64(TALK_S));
        let figures = web.figures();
        println!("Chromium: {figures}");
        assert_eq!(figures["dtls"], "connected");
        assert!(figures["received"].as_u64().unwrap_or_default() > 300, "{figures}");
        assert_way(cli, way);
    }

    fn assert_encrypted(&self, cli: &mut Cli) {
        let protection = cli.wait_for("protection", SOON);
        println!("encrypted with {}, keys by {}", protection.text("srtp"), protection.text("keys"));
        assert!(protection.is("encrypted") && protection.text("keys") == "handshake", "{protection:?}");
    }

    fn assert_heard(&self, who: &str, cli: &Cli, web: &WebPhone) {
        let there = self.session.path("there.wav");
        web.save(&there);
        self.assert_scores(who, cli, &there);
    }

    fn assert_scores(&self, who: &str, cli: &Cli, there: &std::path::Path) {
        let name = |what: &str| format!("over {}: {what}", self.transport);
        // Opus keeps how it sounds, not the wave.
        score(&Speech::reference(Voice::First), there).assert_clean(
            &name(&format!("{who} heard us")),
            3.0,
            0.6,
        );
        score(&Speech::reference(Voice::Second), &self.session.path("heard.wav")).assert_clean(
            &name(&format!("we heard {who}")),
            3.0,
            0.6,
        );
        let media = cli.events("media");
        let last = media.last().unwrap_or_else(|| panic!("no media event\n{}", cli.log()));
        assert!(last.number("rx_packets") > 400.0 && last.number("lost") == 0.0, "{last:?}");
    }
}

/// How round the way of the media was, last.
fn assert_way(cli: &Cli, way: &str) {
    let media = cli.events("media");
    let last = media.last().unwrap_or_else(|| panic!("no media event\n{}", cli.log()));
    assert_eq!(last.text("path"), way, "{}", cli.log());
}
