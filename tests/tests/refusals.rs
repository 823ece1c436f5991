//! Peers that refuse, ignore and give up (sipp does exactly what it is told): the right event, the right exit
//! status, in the time RFC 3261 gives, and nothing left behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use system_tests::{
    Cli, Event, Kamailio, Network, Place, Process, Session, Sipp, Speech, Voice, open_sockets, scenario,
};

const SOON: Duration = Duration::from_secs(20);
/// Timer B of RFC 3261, 64 times T1: how long an INVITE without any answer is tried.
const TIMER_B_S: f64 = 32.0;

#[test]
fn busy() {
    refused(486, "Busy Here", "busy");
}

#[test]
fn declined() {
    refused(603, "Decline", "declined");
}

#[test]
fn not_found() {
    refused(404, "Not Found", "notFound");
}

#[test]
fn unavailable() {
    refused(503, "Service Unavailable", "failed");
}

#[test]
fn nobody_answers() {
    let (session, sipp) = (Session::bare(), Sipp::server(&scenario::rings_out()));
    let mut cli = dial(&session, &sipp);
    cli.wait_for("ringing", SOON);
    assert_ended(&mut cli, "noAnswer", 480, 5);
}

#[test]
fn nothing_comes_back() {
    let (session, sipp) = (Session::bare(), Sipp::server(&scenario::ignores()));
    let mut cli = dial(&session, &sipp);
    let registered = cli.wait_for("registered", SOON);
    let ended = cli.wait_for("ended", Duration::from_secs(60));
    assert_eq!(ended.text("reason"), "unreachable");
    let waited = ended.t - registered.t;
    // Not before the second retransmission at 1.5 s could be answered, and long before the transaction's end.
    assert!((2.0..TIMER_B_S / 2.0).contains(&waited), "gave up after {waited} s");
    assert!(cli.events("ringing").is_empty());
    cli.assert_exit(4, SOON);
}

#[test]
fn given_up_while_it_rings() {
    let (session, sipp) = (Session::bare(), Sipp::server(&scenario::rings_until_cancelled()));
    let mut cli = dial(&session, &sipp);
    cli.wait_for("ringing", SOON);
    cli.interrupt();
    let ended = cli.wait_for("ended", SOON);
    assert_eq!(ended.text("reason"), "cancelled");
    cli.assert_exit(5, SOON);
}

#[test]
fn an_incoming_call_that_is_given_up() {
    let (session, kamailio) = (Session::bare(), Kamailio::here());
    let account = kamailio.account("1001", "udp");
    let mut cli = Cli::with_account(&session, &Place::Here, &account, &["register"]);
    cli.wait_for("registered", SOON);
    let caller = kamailio.account("1002", "udp");
    let mut sockets = Vec::new();
    for _ in 0..3 {
        let mut sipp = Sipp::caller(&scenario::calls_and_cancels(), &caller, "1001");
        cli.wait_for("incoming", SOON);
        let ended = cli.wait_for("ended", SOON);
        assert_eq!(ended.text("reason"), "missed");
        sipp.assert_done(SOON);
        sockets.push(open_sockets(cli.pid()));
    }
    assert!(sockets.windows(2).all(|pair| pair[0] == pair[1]), "sockets are left open: {sockets:?}");
    cli.interrupt();
    cli.assert_exit(0, SOON);
}

#[test]
fn every_port_for_voice_is_taken() {
    let (session, network) = (Session::bare(), Network::new(1));
    let kamailio = Kamailio::at(&network.hub(), network.pbx());
    let place = network.phone(0).0;
    let mut command = place.command("python3");
    command.args(["-c", TAKE_PORTS]);
    let mut taker = Process::start("python3", command);
    taker.wait_for("the ports to be taken", SOON, |l| l.text.contains("taken").then_some(()));
    let silence = Speech::spoken(Voice::First, 16_000).display().to_string();
    let record = session.path("heard.wav").display().to_string();
    let arguments = ["call", "1002", "--play", &silence, "--record", &record];
    let mut cli = Cli::with_account(&session, &place, &kamailio.account("1001", "udp"), &arguments);
    cli.assert_refused("portInUse", 4, SOON);
}

/// Binds every port the phone may take for RTP, as other programs might.
const TAKE_PORTS: &str = "\
import resource, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (20000, 20000))
ports = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for port in range(16384, 32768, 2)]
for number, port in enumerate(ports):
    port.bind(('0.0.0.0', 16384 + 2 * number))
print('taken', flush=True)
sys.stdin.read()
";

fn refused(status: u16, reason: &str, code: &str) {
    let (session, sipp) = (Session::bare(), Sipp::server(&scenario::refuses(status, reason)));
    let mut cli = dial(&session, &sipp);
    let ended = assert_ended(&mut cli, code, status, 5);
    let registered = cli.events("registered").remove(0);
    let took = ended.t - registered.t;
    assert!(took < TIMER_B_S / 2.0, "an answer that is final was acted on only after {took} s");
}

fn dial(session: &Session, sipp: &Sipp) -> Cli {
    let silence = Speech::spoken(Voice::First, 16_000).display().to_string();
    let record = session.path("heard.wav").display().to_string();
    let arguments = ["call", "1002", "--play", &silence, "--record", &record];
    Cli::with_account(session, &Place::Here, &sipp.account(), &arguments)
}

fn assert_ended(cli: &mut Cli, reason: &str, status: u16, exit: i32) -> Event {
    let ended = cli.wait_for("ended", SOON);
    assert_eq!((ended.text("reason"), ended.status()), (reason, u64::from(status)), "{ended:?}");
    assert!(cli.events("answered").is_empty());
    cli.assert_exit(exit, SOON);
    ended
}
