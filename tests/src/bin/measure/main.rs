//! Measures the product on this machine, for BENCHMARKS.md: prints one Markdown table a part.
//!
//! `measure [registration] [call] [sip] [delay] [codecs] [cost] [window] [ring] [rest] [growth]`; all of them without a name.
//! `measure loss [CELL...]`: the voice path alone, over simulated loss.
//! `measure voice [OPTIONS]`: the voice on a bad network, beside other phones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod codecs;
mod cost;
mod delay;
mod desk;
mod loss;
mod sip;
mod voice;

use std::thread::sleep;
use std::time::{Duration, Instant};

use system_tests::{Baresip, Cli, Demo, Kamailio, Network, Session, Speech, Voice, Window, output_dir};

const SOON: Duration = Duration::from_secs(30);
const RUNS: usize = 7;

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
        delay::measure();
    }
    if wanted("codecs") {
        codecs::measure();
    }
    if wanted("cost") {
        cost::measure();
    }
    if wanted("window") {
        window();
    }
    if wanted("ring") {
        desk::ring();
    }
    if wanted("growth") {
        desk::growth();
    }
    if wanted("rest") {
        desk::rest();
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
    let account = kamailio.account("1001", "udp");
    Cli::with_account(session, &network.phone(0).0, &account, &[verb, &files[..]].concat())
}

fn table(title: &str, unit: &str, took: impl Iterator<Item = Duration>) {
    let mut all: Vec<f64> = took.map(|t| t.as_secs_f64() * 1000.0).collect();
    all.sort_by(f64::total_cmp);
    let (first, middle, last) = (all[0], all[all.len() / 2], all[all.len() - 1]);
    println!("\n{title}\n\n| median | best | worst | runs |\n|---|---|---|---|");
    println!("| {middle:.0} {unit} | {first:.0} {unit} | {last:.0} {unit} | {} |", all.len());
}
