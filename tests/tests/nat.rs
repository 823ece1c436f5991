//! Calls out of networks whose routers translate addresses (the kernel's own NAT): with a STUN server, with a TURN
//! server, and with nothing but a PBX that takes all media.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;
use std::time::Duration;

use system_tests::{Baresip, Cli, Coturn, Kamailio, Nat, Network, Place, Session, Speech, Voice, score};

const SOON: Duration = Duration::from_secs(60);
/// A second of silence, eight of speech, and a little.
const TALK_S: f64 = 10.5;

#[test]
fn with_stun_both_find_the_way_through_their_nats() {
    let line = Line::new(Nat::PortRestricted);
    let server = line.coturn.server();
    line.carries(&["--stun", &server], "reflexive");
}

#[test]
fn with_turn_both_meet_at_the_relay() {
    let line = Line::new(Nat::Symmetric);
    let server = format!("udp:{}", line.coturn.server());
    line.carries(&["--turn", &server, "--turn-user", Coturn::LOGIN.0], "relayed");
}

#[test]
fn with_neither_the_pbx_sends_back_where_media_comes_from() {
    let mut network = Network::new(2);
    let kamailio = Kamailio::bridging(&network.hub(), network.pbx(), "plain");
    let home = network.behind(0, Nat::Symmetric);
    let session = Session::bare();
    let there = kamailio.account("1002", "udp");
    let speech = Speech::spoken(Voice::Second, 8_000);
    let mut baresip = Baresip::start(&network.phone(1).0, &there, "PCMU", &speech);
    let duration = TALK_S.to_string();
    let verb = ["call", "1002", "--duration", &duration];
    let (mut cli, heard) = phone(&kamailio, &session, &home, "1001", Voice::First, &verb);
    cli.wait_for("answered", SOON);
    assert_eq!(cli.wait_for("ended", SOON).text("reason"), "hungUpHere");
    baresip.wait_closed();
    assert_way(&cli, "plain");
    assert_heard("behind a NAT", Voice::Second, &heard);
    assert_heard("before it", Voice::First, &baresip.into_recording().path);
}

/// Two phones, each behind a NAT of its own; Kamailio and coturn between them.
struct Line {
    kamailio: Kamailio,
    coturn: Coturn,
    homes: [Place; 2],
    session: Session,
    _network: Network,
}

impl Line {
    fn new(nat: Nat) -> Self {
        let mut network = Network::new(2);
        let kamailio = Kamailio::at(&network.hub(), network.pbx());
        let coturn = Coturn::at(&network.hub(), network.pbx());
        let homes = [0, 1].map(|n| network.behind(n, nat));
        Self { kamailio, coturn, homes, session: Session::bare(), _network: network }
    }

    /// Both hear each other, on a way of this kind.
    fn carries(&self, servers: &[&str], way: &str) {
        let [here, there] = &self.homes;
        let answer = [&["answer", "--max-calls", "1"], servers].concat();
        let (mut callee, at_callee) =
            phone(&self.kamailio, &self.session, there, "1002", Voice::Second, &answer);
        callee.wait_for("registered", SOON);
        let duration = TALK_S.to_string();
        let call = [&["call", "1002", "--duration", &duration], servers].concat();
        let (mut caller, at_caller) = phone(&self.kamailio, &self.session, here, "1001", Voice::First, &call);
        caller.wait_for("answered", SOON);
        assert_eq!(caller.wait_for("ended", SOON).text("reason"), "hungUpHere");
        callee.wait_for("ended", SOON);
        assert_way(&caller, way);
        assert_way(&callee, way);
        assert_heard(&format!("caller, {way}"), Voice::Second, &at_caller);
        assert_heard(&format!("callee, {way}"), Voice::First, &at_callee);
    }
}

/// Our phone at some place, and the file into which it records what it hears.
fn phone(
    kamailio: &Kamailio,
    session: &Session,
    place: &Place,
    user: &str,
    voice: Voice,
    verb: &[&str],
) -> (Cli, PathBuf) {
    let hear = session.path(&format!("{user}.wav"));
    let (say, into) = (Speech::spoken(voice, 16_000).display().to_string(), hear.display().to_string());
    let account = kamailio.account(user, "udp");
    let files = ["--codec", "PCMU", "--play", &say, "--record", &into];
    let proxy = ["--sip-user", &account.user, "--sip-domain", &account.domain, "--proxy", &account.proxy];
    let all = [verb, &files, &proxy, &["--transport", "udp"]].concat();
    let mut command = session.command_at(place, system_tests::product("carillon-cli"));
    command.arg("--json").args(&all).env("CARILLON_SIP_PASSWORD", &account.password);
    command.env("CARILLON_TURN_PASSWORD", Coturn::LOGIN.1);
    (Cli::of("carillon-cli", command), hear)
}

/// How round the way of the media was, last.
fn assert_way(cli: &Cli, way: &str) {
    let media = cli.events("media");
    let last = media.last().unwrap_or_else(|| panic!("no media event\n{}", cli.log()));
    assert_eq!(last.text("path"), way, "{}", cli.log());
}

fn assert_heard(who: &str, voice: Voice, heard: &std::path::Path) {
    score(&Speech::reference(voice), heard).assert_clean(&format!("{who} heard"), 2.6, 0.9);
}
