//! What calls cost: processor time beside baresip, memory over many calls, and many calls at once.

use std::thread::sleep;
use std::time::Duration;

use system_tests::{Cli, Impairment, Kamailio, Network, Path, Session, Sipp, Speech, Usage, scenario};

use crate::{SOON, baresip, cli};

/// How long a call is watched for what it costs.
const WATCHED: Duration = Duration::from_secs(15);
/// Calls with each codec.
const CALLS_WATCHED: usize = 5;
/// Calls one after the other.
const CALLS: usize = 500;
/// How long each of them lasts: a PBX keeps what it knows of a call for some seconds, and takes only so many.
const LASTS: Duration = Duration::from_millis(150);
/// Calls at the same time.
const AT_ONCE: usize = 20;

pub fn measure() {
    processor();
    memory();
    at_once();
}

/// What one call costs our phone and baresip, each one end of the same call.
fn processor() {
    let seconds = WATCHED.as_secs();
    println!(
        "\nCost of a call, each phone at one end of it, {seconds} s watched, median of {CALLS_WATCHED} calls\n"
    );
    println!("| codec | phone | CPU s/min | PSS MiB | RSS MiB |\n|---|---|---|---|---|");
    for codec in ["opus", "PCMU"] {
        let mut runs: Vec<_> = (0..CALLS_WATCHED).map(|_| watched(codec)).collect();
        for (end, name) in ["carillon-cli", "baresip"].into_iter().enumerate() {
            runs.sort_by(|a, b| a[end].0.total_cmp(&b[end].0));
            let (a_minute, usage) = &runs[CALLS_WATCHED / 2][end];
            println!("| {codec} | {name} | {a_minute:.2} | {:.1} | {:.1} |", usage.pss_mib, usage.rss_mib);
        }
    }
}

/// One call: what our end of it uses and what baresip's does, processor seconds a minute, and all at its end.
fn watched(codec: &str) -> [(f64, Usage); 2] {
    let network = Network::new(2);
    let kamailio = Kamailio::at(&network.hub(), network.pbx());
    let mut baresip = baresip(&network, &kamailio, codec);
    let session = Session::bare();
    let mut cli = cli(&network, &kamailio, &session, &["call", "1002", "--codec", codec]);
    cli.wait_for("answered", SOON);
    baresip.wait_established();
    sleep(Duration::from_secs(2));
    let before = [cli.pid(), baresip.pid()].map(Usage::of_tree);
    sleep(WATCHED);
    let after = [cli.pid(), baresip.pid()].map(Usage::of_tree);
    cli.interrupt();
    cli.wait_exit(SOON);
    let mut before = before.into_iter();
    after.map(|after| {
        let used = after.cpu_s - before.next().map_or(0.0, |before| before.cpu_s);
        (used * 60.0 / WATCHED.as_secs_f64(), after)
    })
}

/// Our phone makes many short calls, and its memory is looked at on the way.
fn memory() {
    println!("\nMemory of carillon-cli over {CALLS} calls, one after the other\n");
    println!("| calls | PSS MiB | RSS MiB |\n|---|---|---|");
    let line = Line::new();
    let (mut cli, number) = line.console();
    for call in 1..=CALLS {
        cli.say(&format!("dial {number}"));
        cli.wait_for("answered", SOON);
        sleep(LASTS);
        cli.say("hangup");
        cli.wait_for("ended", SOON);
        if call == 1 || call.is_multiple_of(CALLS / 5) {
            let usage = Usage::of_tree(cli.pid());
            println!("| {call} | {:.1} | {:.1} |", usage.pss_mib, usage.rss_mib);
        }
    }
}

/// Our phone holds many calls at the same time, merged into one conference, and each packet's time is looked at where
/// it leaves. The other end sends each voice back, so that all are decoded as well.
fn at_once() {
    let line = Line::new();
    let path = Path::new(&line.network, 0, Impairment::CLEAN, 0);
    let (mut cli, number) = line.console();
    let calls: Vec<String> = (0..AT_ONCE)
        .map(|_| {
            cli.say(&format!("dial {number}"));
            cli.wait_for("answered", SOON).number("call").to_string()
        })
        .collect();
    cli.say(&format!("merge {}", calls.join(" ")));
    sleep(Duration::from_secs(3));
    let before = Usage::of_tree(cli.pid());
    path.look_anew();
    sleep(WATCHED);
    let (after, tally) = (Usage::of_tree(cli.pid()), path.tally());
    let a_minute = (after.cpu_s - before.cpu_s) * 60.0 / WATCHED.as_secs_f64();
    println!(
        "\n{AT_ONCE} calls at once in one process, PCMU, a conference, {} s watched\n",
        WATCHED.as_secs()
    );
    println!(
        "| packets a second | later than 10 ms | latest, ms | CPU s/min | PSS MiB |\n|---|---|---|---|---|"
    );
    println!(
        "| {:.0} | {} | {:.1} | {a_minute:.2} | {:.1} |",
        tally.sent as f64 / WATCHED.as_secs_f64(),
        tally.behind,
        tally.stalled.as_secs_f64() * 1000.0,
        after.pss_mib
    );
}

/// Our phone on one side of a PBX, and somebody who answers everything on the other.
struct Line {
    kamailio: Kamailio,
    session: Session,
    callee: Sipp,
    network: Network,
}

impl Line {
    fn new() -> Self {
        let network = Network::new(2);
        let kamailio = Kamailio::at(&network.hub(), network.pbx());
        let (place, address) = network.phone(1);
        let callee = Sipp::echo_at(&place, address, &scenario::answers());
        Self { kamailio, session: Session::bare(), callee, network }
    }

    /// Our phone, registered, with nothing to say, and the number of the other.
    fn console(&self) -> (Cli, String) {
        let (silence, heard) = (Speech::silence(), self.session.path("heard.wav"));
        let files =
            ["--play", silence.to_str().unwrap(), "--record", heard.to_str().unwrap(), "--codec", "PCMU"];
        let account = self.kamailio.account("1001", "udp");
        let place = self.network.phone(0).0;
        let mut cli = Cli::console(&self.session, &place, &account, &self.kamailio.authority(), &files);
        cli.wait_for("registered", SOON);
        (cli, format!("72{:05}", self.callee.port()))
    }
}
