//! Measures the product on this machine, for BENCHMARKS.md: prints one Markdown table a part.
//!
//! `measure [registration] [call] [sip] [delay] [cost] [window]`; all of them without a name.
//! `measure loss [CELL...]`: the voice path alone, over simulated loss.
//! `measure voice [OPTIONS]`: the voice on a bad network, beside other phones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod loss;
mod sip;
mod voice;

use std::thread::sleep;
use std::time::{Duration, Instant};

use system_tests::{
    Baresip, Cli, Demo, Kamailio, Network, Place, Session, Speech, Usage, Voice, Window, output_dir, score,
};

const SOON: Duration = Duration::from_secs(30);
const RUNS: usize = 7;
/// How long a call is watched for what it costs.
const WATCHED: Duration = Duration::from_secs(15);

fn main() {
    let names: Vec<String> = std::env::args().skip(1).collect();
    if names.first().is_some_and(|name| name == "voice") {
        voice::measure(&names[1..]);
        return;
    }
    if names.first().is_some_and(|name| name == "loss") {
        loss::measure(&names[1..]);
        return;
    }
    let wanted = |name: &str| names.is_empty() || names.iter().any(|n| n == name);
    if wanted("registration") {
        registration();
    }
    if wanted("call") {
        call();
    }
    if wanted("sip") {
        sip::measure();
    }
    if wanted("delay") {
        delay();
    }
    if wanted("cost") {
        cost();
    }
    if wanted("window") {
        window();
    }
}

/// From *Sign in* to registered, in the window.
fn registration() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let took = (0..RUNS).map(|_| {
        runtime.block_on(async {
            let demo = Demo::start(&["--hand-over-password"]);
            let session = Session::bare().with_keychain().with_sound().with_display();
            let window = Window::open(&session, &output_dir("measure"), &[]).await;
            window.type_into("domain", "test.io").await;
            window.type_into("server", demo.server()).await;
            window.click("next").await;
            window.click("trust").await;
            window.type_into("username", demo.alice().0).await;
            window.type_into("password", demo.alice().1).await;
            let started = Instant::now();
            window.click("sign-in").await;
            window.says("account-state", "Registered").await;
            let took = started.elapsed();
            window.close().await;
            took
        })
    });
    table("From *Sign in* to registered (window, demo PBX, seen through WebDriver every 50 ms)", "ms", took);
}

/// From the phone's word to dial until the other phone rings, through Kamailio.
fn call() {
    let took = (0..RUNS).map(|_| {
        let network = Network::new(2);
        let kamailio = Kamailio::at(&network.hub(), network.pbx());
        let mut baresip = baresip(&network, &kamailio, "opus");
        let session = Session::bare();
        let mut cli = cli(&network, &kamailio, &session, &["call", "1002", "--codec", "opus"]);
        // The command dials as soon as it is registered.
        let registered = cli.wait_for("registered", SOON);
        let rings = baresip.wait_incoming();
        rings.saturating_duration_since(registered.at)
    });
    table("From dialling to ringing at the other phone (Kamailio, UDP, digest)", "ms", took);
}

/// From mouth to ear: virtual microphone, our phone, demo PBX, our phone, virtual speaker.
fn delay() {
    let took = (0..3).map(|_| {
        let (demo, session) = (Demo::start(&[]), Session::bare().with_sound());
        let (silence, nowhere) = (Speech::silence(), session.path("nowhere.wav"));
        let mut listener = Cli::with_account(
            &session,
            &Place::Here,
            &demo.bob_sip("udp"),
            &["answer", "--max-calls", "1", "--codec", "opus", "--play", silence.to_str().unwrap()],
        );
        listener.wait_for("registered", SOON);
        let mut talker = Cli::with_account(
            &session,
            &Place::Here,
            &demo.alice_sip("udp"),
            &["call", "102", "--codec", "opus", "--record", nowhere.to_str().unwrap()],
        );
        talker.wait_for("answered", SOON);
        listener.wait_for("answered", SOON);
        sleep(Duration::from_secs(2));
        let listening = session.listen();
        let mut speaking = session.speak(&Speech::reference(Voice::First));
        speaking.close_stdin();
        speaking.wait_exit(SOON);
        sleep(Duration::from_secs(1));
        let (mouth, ear) = listening.stop();
        let said = Speech::reference(Voice::First);
        let (mouth, ear) = (score(&said, &mouth), score(&said, &ear));
        println!("    heard: {ear}");
        talker.interrupt();
        talker.wait_exit(SOON);
        Duration::from_secs_f64((ear.delay_ms - mouth.delay_ms).max(0.0) / 1000.0)
    });
    table("Mouth to ear through virtual cables (Opus, two phones, demo PBX, PulseAudio)", "ms", took);
}

/// What one call costs our phone and baresip, each one end of the same call.
fn cost() {
    println!("\nCost of a call, each phone at one end of it, {} s watched\n", WATCHED.as_secs());
    println!("| codec | phone | CPU s/min | PSS MiB | RSS MiB |\n|---|---|---|---|---|");
    for codec in ["opus", "PCMU"] {
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
        for (name, (before, after)) in
            ["carillon-cli", "baresip"].into_iter().zip(before.into_iter().zip(after))
        {
            let a_minute = (after.cpu_s - before.cpu_s) * 60.0 / WATCHED.as_secs_f64();
            println!("| {codec} | {name} | {a_minute:.2} | {:.1} | {:.1} |", after.pss_mib, after.rss_mib);
        }
        cli.interrupt();
        cli.wait_exit(SOON);
    }
}

/// From the start of the window until its first page can be typed into, and what it holds then.
fn window() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut memory = Vec::new();
    let took: Vec<_> = (0..RUNS)
        .map(|_| {
            runtime.block_on(async {
                let session = Session::bare().with_keychain().with_sound().with_display();
                let started = Instant::now();
                let window = Window::open(&session, &output_dir("measure"), &[]).await;
                window.shown("domain").await;
                let took = started.elapsed();
                sleep(Duration::from_secs(3));
                memory.push(window.usage());
                window.close().await;
                took
            })
        })
        .collect();
    table("From starting the window to its first page (with the driver's own start)", "ms", took.into_iter());
    memory.sort_by(|a, b| a.pss_mib.total_cmp(&b.pss_mib));
    let middle = memory[memory.len() / 2];
    println!(
        "| memory of all its processes, first page | {:.0} MiB PSS | {:.0} MiB RSS |",
        middle.pss_mib, middle.rss_mib
    );
}

fn baresip(network: &Network, kamailio: &Kamailio, codec: &str) -> Baresip {
    let rate = if codec == "opus" { 48_000 } else { 8_000 };
    let speech = Speech::spoken(Voice::Second, rate);
    Baresip::start(&network.phone(1).0, &kamailio.account("1002", "udp"), codec, &speech)
}

fn cli(network: &Network, kamailio: &Kamailio, session: &Session, verb: &[&str]) -> Cli {
    let (say, hear) = (Speech::spoken(Voice::First, 48_000), session.path("heard.wav"));
    let files = ["--play", say.to_str().unwrap(), "--record", hear.to_str().unwrap()];
    Cli::with_account(
        session,
        &network.phone(0).0,
        &kamailio.account("1001", "udp"),
        &[verb, &files[..]].concat(),
    )
}

fn table(title: &str, unit: &str, took: impl Iterator<Item = Duration>) {
    let mut all: Vec<f64> = took.map(|t| t.as_secs_f64() * 1000.0).collect();
    all.sort_by(f64::total_cmp);
    let (first, middle, last) = (all[0], all[all.len() / 2], all[all.len() - 1]);
    println!("\n{title}\n\n| median | best | worst | runs |\n|---|---|---|---|");
    println!("| {middle:.0} {unit} | {first:.0} {unit} | {last:.0} {unit} | {} |", all.len());
}
