//! Registering and calling over each transport, on a link that adds its delay, beside other phones in the same run.

use std::path::Path;
use std::time::{Duration, Instant};

use system_tests::{
    Baresip, Cli, Kamailio, Linphone, Network, Session, Sipp, SlowLink, Speech, Voice, scenario,
};

use crate::SOON;

/// Runs of one cell; the median is told.
const RUNS: usize = 5;
/// What is added to every round trip, milliseconds.
const ADDED: [u64; 3] = [0, 20, 100];

/// Transport, and the round trips a phone cannot do without before it is registered: the connection's, TLS 1.3's, the
/// WebSocket's, and two REGISTERs, since it cannot know what it will be asked.
const TRANSPORTS: [(&str, u64); 4] = [("udp", 2), ("tcp", 3), ("tls", 4), ("wss", 5)];
/// Round trips of a call: two INVITEs, for the same reason. The connection stands.
const CALL: u64 = 2;

/// How long it took to register, and to be answered, each from the first packet on the wire.
struct Took {
    register: Duration,
    call: Duration,
}

pub fn measure() {
    println!("\nRegistering and calling, ms from the first packet to the phone's word, median of {RUNS}\n");
    let columns: String = ADDED.iter().map(|added| format!(" register +{added} | call +{added} |")).collect();
    println!("| transport | phone |{columns}\n|---|---|{}", "---|".repeat(2 * ADDED.len()));
    for (transport, trips) in TRANSPORTS {
        let floor: String =
            ADDED.iter().map(|added| format!(" {} | {} |", trips * added, CALL * added)).collect();
        println!("| {transport} | floor |{floor}");
        row(transport, "carillon-cli", ours);
        // They have no WebSocket.
        if transport != "wss" {
            row(transport, "baresip 1.0", baresip);
            row(transport, "linphonec 5.1", linphone);
        }
    }
}

fn row(transport: &str, name: &str, run: fn(&Scene, &str) -> Took) {
    print!("| {transport} | {name} |");
    for added in ADDED {
        let runs: Vec<Took> =
            (0..RUNS).map(|_| run(&Scene::set(Duration::from_millis(added)), transport)).collect();
        print!(" {:.0} | {:.0} |", median(&runs, |took| took.register), median(&runs, |took| took.call));
    }
    println!();
}

fn median(runs: &[Took], which: fn(&Took) -> Duration) -> f64 {
    let mut all: Vec<f64> = runs.iter().map(|took| which(took).as_secs_f64() * 1000.0).collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// A PBX, a slow link to it, and somebody behind it who answers at once.
struct Scene {
    // What runs in the network ends before it.
    kamailio: Kamailio,
    _callee: Sipp,
    number: String,
    link: SlowLink,
    _network: Network,
}

impl Scene {
    fn set(added: Duration) -> Self {
        let network = Network::new(2);
        let kamailio = Kamailio::at(&network.hub(), network.pbx());
        let link = SlowLink::new(&network, 0, added);
        let (place, address) = network.phone(1);
        let callee = Sipp::server_at(&place, address, &scenario::answers());
        let number = format!("72{:05}", callee.port());
        Self { kamailio, _callee: callee, number, link, _network: network }
    }

    fn since_first_packet(&self, from: Instant, until: Instant) -> Duration {
        let first = self.link.first_sent(from).expect("the phone sent something");
        until.saturating_duration_since(first)
    }
}

fn ours(scene: &Scene, transport: &str) -> Took {
    let session = Session::bare();
    let (silence, heard) = (Speech::silence(), session.path("heard.wav"));
    let files = ["--play", silence.to_str().unwrap(), "--record", heard.to_str().unwrap(), "--codec", "PCMU"];
    let account = scene.kamailio.account("1001", transport);
    let started = Instant::now();
    let mut cli = Cli::console(&session, scene.link.phone(), &account, &scene.kamailio.authority(), &files);
    let registered = cli.wait_for("registered", SOON).at;
    let dialled = Instant::now();
    cli.say(&format!("dial {}", scene.number));
    let answered = cli.wait_for("answered", SOON).at;
    Took {
        register: scene.since_first_packet(started, registered),
        call: scene.since_first_packet(dialled, answered),
    }
}

fn baresip(scene: &Scene, transport: &str) -> Took {
    let account = scene.kamailio.account("1001", transport);
    let speech = Speech::spoken(Voice::First, 8_000);
    let authority = scene.kamailio.authority();
    let started = Instant::now();
    let mut baresip =
        Baresip::trusting(scene.link.phone(), &account, "PCMU", &speech, over_tls(transport, &authority));
    let registered = baresip.registered_at();
    let dialled = Instant::now();
    baresip.dial(&format!("{}@{}", scene.number, Kamailio::DOMAIN));
    let answered = baresip.wait_established();
    Took {
        register: scene.since_first_packet(started, registered),
        call: scene.since_first_packet(dialled, answered),
    }
}

fn linphone(scene: &Scene, transport: &str) -> Took {
    let account = scene.kamailio.account("1001", transport);
    let authority = scene.kamailio.authority();
    let started = Instant::now();
    let mut linphone = Linphone::trusting(scene.link.phone(), &account, over_tls(transport, &authority));
    let registered = linphone.registered_at();
    let dialled = Instant::now();
    linphone.dial(&format!("{}@{}", scene.number, Kamailio::DOMAIN));
    let answered = linphone.wait("connected");
    Took {
        register: scene.since_first_packet(started, registered),
        call: scene.since_first_packet(dialled, answered),
    }
}

fn over_tls<'a>(transport: &str, authority: &'a Path) -> Option<&'a Path> {
    (transport == "tls").then_some(authority)
}
