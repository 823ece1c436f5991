//! What ten thousand contacts cost: `cargo run --release -p phone --example contacts [COUNT]`.
//!
//! A phone signs in to the demo PBX, which makes up that many contacts, and is asked for what somebody types, a letter at
//! a time. Each figure goes from the command to the event, through the whole phone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::time::{Duration, Instant};

use demo_pbx::{Config as Pbx, DemoPbx};
use devices::{Sink, Source};
use phone::{AudioConfig, Command, Config, ContactFilter, ContactsState, Event, Phone, SignInPage, Start};
use sign_in::{Keeper, MemoryVault};
use tokio::sync::broadcast::Receiver;

const TYPED: [&str; 8] = [
    "müller",
    "ingrid so",
    "o'brien",
    "harbour instr",
    "020 7000 12",
    "+44 7700 100",
    "0117 496 0148",
    "zzzzzz",
];

#[tokio::main]
async fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let count = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(10_000);
    let pbx = DemoPbx::start(Pbx { made_up_contacts: count, hand_over_password: true, ..Pbx::default() });
    let pbx = pbx.await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let audio = AudioConfig { microphone: Source::Silence, speaker: Sink::Null, ..AudioConfig::default() };
    let mut config =
        Config { tones: false, audio, headsets: None, start: Start::None, ..Config::new(dir.path().into()) };
    config.trust(pbx.certificate_pem().as_bytes()).unwrap();
    let keeper = Keeper::new(MemoryVault::default(), Duration::from_secs(5));
    let phone = Phone::start_with(config, keeper).unwrap();
    let mut events = phone.subscribe();

    phone.send(Command::FindServer { domain: "test.io".into(), server: pbx.server() });
    until(&mut events, |event| matches!(event, Event::SignIn { view } if view.page == SignInPage::User))
        .await;
    let password = pbx.user("alice").unwrap().password.clone();
    phone.send(Command::SignIn { username: "alice".into(), password });
    until(&mut events, |event| matches!(event, Event::SignIn { view } if view.page == SignInPage::Done))
        .await;
    let begun = Instant::now();
    until(&mut events, |event| {
        matches!(event, Event::Contacts { view } if view.count > count && matches!(view.state, ContactsState::Fresh { .. }))
    })
    .await;
    println!("{count} contacts fetched and kept in {:.2} s", begun.elapsed().as_secs_f32());

    let mut searches = Vec::new();
    for _ in 0..5 {
        for typed in TYPED {
            for (end, letter) in typed.char_indices() {
                let text = typed[..end + letter.len_utf8()].to_owned();
                let asked = Instant::now();
                phone.send(Command::Search { ask: 1, text, most: 8 });
                until(&mut events, |event| matches!(event, Event::Found { .. })).await;
                searches.push(asked.elapsed());
            }
        }
    }
    tell("a keystroke in search", searches);
    let mut pages = Vec::new();
    for from in (0..count).step_by(500) {
        let asked = Instant::now();
        let (text, filter) = (String::new(), ContactFilter::All);
        phone.send(Command::FindContacts { ask: 2, text, filter, from, most: 60 });
        until(&mut events, |event| matches!(event, Event::ContactsFound { .. })).await;
        pages.push(asked.elapsed());
    }
    tell("a part of the list", pages);
    phone.stop().await;
    pbx.stop().await;
}

async fn until(events: &mut Receiver<Event>, wanted: impl Fn(&Event) -> bool) {
    while !wanted(&events.recv().await.expect("the phone is running")) {}
}

fn tell(what: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let at = |part: usize| took[(took.len() - 1) * part / 100].as_secs_f64() * 1000.0;
    println!(
        "{what}: median {:.2} ms, 95 % {:.2} ms, longest {:.2} ms ({} times)",
        at(50),
        at(95),
        at(100),
        took.len()
    );
}
