//! Out of a network that only a web proxy leads out of: signing in, REST, SIP over WSS and a call, through Squid and
//! microsocks, whose own logs say so; and what the phone says of proxies that refuse, hang or lie.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::Ipv4Addr;
use std::time::Duration;

use system_tests::{
    Cli, Demo, Kamailio, Microsocks, Network, Place, PretendedProxy, Process, Session, Speech, Squid, Voice,
    score,
};

const SOON: Duration = Duration::from_secs(60);
/// A second of silence, eight of speech, and a little.
const TALK_S: f64 = 10.5;
/// Ports of a PBX that a careful administrator opens.
const PORTS: [u16; 2] = [8887, 5065];

#[test]
fn signs_in_through_squid_and_not_without() {
    let (network, session) = closed(1);
    let mut session = session.with_keychain();
    let demo = Demo::at(&network.hub(), network.pbx(), None);
    let squid = Squid::at(&network.hub(), network.pbx(), &PORTS);
    let mut straight = sign_in(&session, &network, &demo);
    straight.assert_refused("serverRefused", 4, SOON);
    session.set("HTTPS_PROXY", squid.url());
    sign_in(&session, &network, &demo).wait_for("signed_in", SOON);
    squid.wait_let_through(demo.server());
    // What is known to be near is not sent there.
    session.set("NO_PROXY", "10.77.0.0/16".to_owned());
    sign_in(&session, &network, &demo).assert_refused("serverRefused", 4, SOON);
}

#[test]
fn signs_in_through_microsocks() {
    let (network, session) = closed(1);
    let mut session = session.with_keychain();
    let demo = Demo::at(&network.hub(), network.pbx(), None);
    let mut socks = Microsocks::at(&network.hub(), network.pbx());
    session.set("ALL_PROXY", socks.url());
    sign_in(&session, &network, &demo).wait_for("signed_in", SOON);
    socks.wait_let_through(demo.server());
}

#[test]
fn calls_through_squid() {
    let (network, mut session) = closed(2);
    let squid = Squid::at(&network.hub(), network.pbx(), &PORTS);
    session.set("HTTPS_PROXY", squid.url());
    calls(&network, &session);
    squid.wait_let_through(&format!("{}:5065", network.pbx()));
}

#[test]
fn calls_through_microsocks() {
    let (network, mut session) = closed(2);
    let mut socks = Microsocks::at(&network.hub(), network.pbx());
    session.set("ALL_PROXY", socks.url());
    calls(&network, &session);
    socks.wait_let_through(&format!("{}:5065", network.pbx()));
}

#[test]
fn a_proxy_that_does_not_lead_there_is_told_of_in_its_own_words() {
    let (network, mut session) = closed(1);
    let (hub, pbx) = (network.hub(), network.pbx());
    let demo = Demo::at(&hub, pbx, None);
    let mut refused = |proxy: &str, server: &str, code: &str| {
        session.set("HTTPS_PROXY", proxy.to_owned());
        let mut cli = sign_in_at(&session, &network, &demo, server);
        cli.assert_refused(code, 4, SOON);
        assert!(!cli.log().contains(Squid::LOGIN.1) && !cli.log().contains("secret"), "{}", cli.log());
    };
    let nobody = format!("http://{pbx}:3128");
    refused(&nobody, demo.server(), "proxyUnreachable");
    refused("http://proxy.invalid:3128", demo.server(), "proxyUnreachable");
    let squid = Squid::at(&hub, pbx, &[8887, 8889]);
    refused(&squid.bare_url(), demo.server(), "proxyCredentials");
    refused(&squid.url().replace("anna:", "berta:"), demo.server(), "proxyCredentials");
    refused(&squid.url(), &format!("{pbx}:8888"), "proxyRefused");
    refused(&squid.url(), &format!("{pbx}:8889"), "proxyNoWay");
    refused(&squid.url().replace("http:", "https:"), demo.server(), "proxyNotUnderstood");
    for (says, code) in [
        ("", "proxyUnreachable"),
        ("HTTP/1.1 200 OK\r\n\r\n<html>Please sign in</html>", "proxyNotUnderstood"),
        ("HTTP/1.1 200 OK\r\n\r\n", "proxyNotUnderstood"),
        ("SSH-2.0-OpenSSH_9.2\r\n", "proxyNotUnderstood"),
    ] {
        let pretended = PretendedProxy::at(&hub, pbx, says);
        refused(&pretended.url(), demo.server(), code);
    }
}

/// Registers over WSS, calls, and is heard and hears.
fn calls(network: &Network, session: &Session) {
    let kamailio = Kamailio::at(&network.hub(), network.pbx());
    let straight = Session::bare();
    let (answered, at_callee) = files(&straight, Voice::Second);
    let answer =
        ["answer", "--max-calls", "1", "--codec", "opus", "--play", &answered, "--record", &at_callee];
    let there = kamailio.account("1002", "udp");
    let mut callee = Cli::with_account(&straight, &network.phone(1).0, &there, &answer);
    callee.wait_for("registered", SOON);
    let (said, at_caller) = files(session, Voice::First);
    let (ca, duration) = (kamailio.authority().display().to_string(), TALK_S.to_string());
    let call = ["call", "1002", "--duration", &duration, "--codec", "opus", "--ca", &ca];
    let call = [&call[..], &["--play", &said, "--record", &at_caller]].concat();
    let here = kamailio.account("1001", "wss");
    let mut caller = Cli::with_account(session, &network.phone(0).0, &here, &call);
    caller.wait_for("answered", SOON);
    assert_eq!(caller.wait_for("ended", SOON).text("reason"), "hungUpHere");
    callee.wait_for("ended", SOON);
    for (who, voice, heard) in [("caller", Voice::Second, at_caller), ("callee", Voice::First, at_callee)] {
        score(&Speech::reference(voice), heard.as_ref()).assert_clean(&format!("{who} heard"), 2.6, 0.9);
    }
    caller.assert_exit(0, SOON);
}

fn files(session: &Session, voice: Voice) -> (String, String) {
    let heard = session.path("heard.wav").display().to_string();
    (Speech::spoken(voice, 16_000).display().to_string(), heard)
}

fn sign_in(session: &Session, network: &Network, demo: &Demo) -> Cli {
    sign_in_at(session, network, demo, demo.server())
}

fn sign_in_at(session: &Session, network: &Network, demo: &Demo, server: &str) -> Cli {
    let (user, password) = demo.alice();
    let arguments = ["sign-in", "--server", server, "--domain", Demo::DOMAIN, "--ca", demo.ca()];
    let arguments = [&arguments[..], &["--username", user, "--password-stdin"]].concat();
    Cli::start_at(session, &network.phone(0).0, &arguments, None, Some(password))
}

/// A network in which the first phone reaches no TCP but that of a proxy, and no SIP over UDP.
fn closed(phones: u8) -> (Network, Session) {
    let network = Network::new(phones);
    let (_, from): (Place, Ipv4Addr) = network.phone(0);
    for rule in [
        "add table ip guard",
        "add chain ip guard in { type filter hook input priority 0; }",
        &format!(
            "add rule ip guard in ip saddr {from} tcp dport != {{ 1080, 3128, 3129 }} reject with tcp reset"
        ),
        &format!("add rule ip guard in ip saddr {from} udp dport 5060 drop"),
    ] {
        let mut command = network.hub().command("nft");
        command.arg(rule);
        Process::run("nft", command);
    }
    (network, Session::bare())
}
