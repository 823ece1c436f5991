//! Links that are gone for a while, and a PBX that restarts.

use std::time::{Duration, Instant};

use sip::{Account, Cause, Event, Proxy, Registration, Transport};
use tokio::time::sleep;

use crate::pbx::Pbx;
use crate::phone::Phone;
use crate::world::World;

#[test]
fn a_link_that_was_down_for_twenty_seconds_does_not_matter_for_long() {
    World::run_case("own-link", "outages::own_link");
}

#[test]
fn nor_does_a_link_far_away() {
    World::run_case("far-link", "outages::far_link");
}

#[test]
fn a_pbx_that_restarted_knows_its_phones_again_soon() {
    World::run_case("restart", "outages::restart");
}

#[test]
fn lossy_ways_keep_their_phones() {
    World::run_case("loss", "outages::loss");
}

async fn phones(pbx: &mut Pbx) -> Vec<(&'static str, Phone)> {
    let mut phones = Vec::new();
    for (user, transport) in [("101", Transport::Udp), ("102", Transport::Tcp)] {
        phones.push((user, Phone::registered(user, transport).await));
        pbx.until_reached(user).await;
    }
    phones
}

async fn until_back(pbx: &mut Pbx, phones: &mut [(&'static str, Phone)], what: &str) {
    let begin = Instant::now();
    for (user, phone) in phones.iter_mut() {
        pbx.until_reached(user).await;
        println!("{what}: {user} is reached after {:?}", begin.elapsed());
        if !matches!(phone.said, Some(Registration::Registered { .. })) {
            phone.until_registered().await;
        }
        println!("{what}: {user} is registered after {:?}", begin.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by a_link_that_was_down_for_twenty_seconds_does_not_matter_for_long"]
async fn own_link() {
    let world = World::here();
    let mut pbx = Pbx::start(600).await;
    let mut phones = phones(&mut pbx).await;
    world.ip("r", "link set r0 down");
    let begin = Instant::now();
    for (user, phone) in &mut phones {
        phone.until_offline().await;
        println!("own link: {user} says so after {:?}", begin.elapsed());
    }
    sleep(Duration::from_secs(20).saturating_sub(begin.elapsed())).await;
    for (user, phone) in &mut phones {
        phone.said_meanwhile();
        assert!(!matches!(phone.said, Some(Registration::Registered { .. })), "{user} cannot be registered");
    }
    world.ip("r", "link set r0 up");
    until_back(&mut pbx, &mut phones, "own link").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by nor_does_a_link_far_away"]
async fn far_link() {
    let world = World::here();
    // Short lifetimes, so that refreshes fall into the outage.
    let mut pbx = Pbx::start(12).await;
    let mut phones = phones(&mut pbx).await;
    world.ip("r", "link set r9 down");
    let begin = Instant::now();
    for (user, phone) in &mut phones {
        phone.until_offline().await;
        println!("far link: {user} says so after {:?}", begin.elapsed());
    }
    sleep(Duration::from_secs(20).saturating_sub(begin.elapsed())).await;
    for (_, phone) in &mut phones {
        phone.said_meanwhile();
    }
    world.ip("r", "link set r9 up");
    until_back(&mut pbx, &mut phones, "far link").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by a_pbx_that_restarted_knows_its_phones_again_soon"]
async fn restart() {
    let mut pbx = Pbx::start(600).await;
    let mut phones = phones(&mut pbx).await;
    pbx.down();
    let begin = Instant::now();
    for (user, phone) in &mut phones {
        phone.until_offline().await;
        println!("restart: {user} says so after {:?}", begin.elapsed());
    }
    pbx.up().await;
    until_back(&mut pbx, &mut phones, "restart").await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by lossy_ways_keep_their_phones"]
async fn loss() {
    let world = World::here();
    // Registered anew every four seconds or so: many requests get lost.
    let mut pbx = Pbx::start(5).await;
    let mut phones = phones(&mut pbx).await;
    world.nft("add table ip lossy");
    world.nft("add chain ip lossy way { type filter hook forward priority 0; }");
    world.nft("add rule ip lossy way numgen random mod 100 < 5 drop");
    let (mut refreshes, mut lapses) = (0, 0);
    let begin = Instant::now();
    let mut slowest = Duration::ZERO;
    while begin.elapsed() < Duration::from_secs(35) {
        sleep(Duration::from_secs(1)).await;
        for (user, phone) in &mut phones {
            slowest = slowest.max(pbx.until_reached(user).await);
            for said in phone.said_meanwhile() {
                match said {
                    Registration::Registered { .. } => refreshes += 1,
                    _ => lapses += 1,
                }
            }
        }
    }
    println!(
        "5 % loss: {refreshes} registrations, {lapses} lapses, reached after {slowest:?} at the slowest"
    );
    assert!(refreshes >= 10);
    assert!(lapses * 3 < refreshes, "{lapses} lapses in {refreshes} registrations");
    world.nft("delete table ip lossy");
    until_back(&mut pbx, &mut phones, "after the loss").await;
}

#[test]
fn after_a_sleep_the_phone_is_not_called_registered_before_it_is() {
    World::run_case("sleep", "outages::asleep");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by after_a_sleep_the_phone_is_not_called_registered_before_it_is"]
async fn asleep() {
    let mut pbx = Pbx::start(10).await;
    let mut phones = phones(&mut pbx).await;
    for (_, phone) in &mut phones {
        phone.said_meanwhile();
    }
    // Stopped like this, the process misses as much as in a sleep of the machine.
    let script = format!("kill -STOP {0}; sleep 20; kill -CONT {0}", std::process::id());
    let mut lid = std::process::Command::new("sh").args(["-c", &script]).spawn().unwrap();
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(18) {
        sleep(Duration::from_millis(10)).await;
    }
    let woke = Instant::now();
    for (user, phone) in &mut phones {
        let said = phone.until(|event| match event {
            Event::Registration(said) => Some(*said),
            _ => None,
        });
        assert!(!matches!(said.await, Registration::Registered { .. }), "{user} knows that it is not");
    }
    until_back(&mut pbx, &mut phones, "after a sleep").await;
    println!("after a sleep: all are back after {:?}", woke.elapsed());
    let _ = lid.wait();
}

#[test]
fn a_name_service_that_was_away_keeps_nobody_away_for_long() {
    World::run_case("names", "outages::names");
}

/// The name service of `pbx.bell.test` on the PBX's host.
fn name_service(world: &World) -> std::process::Child {
    let [program, arguments @ ..] = world.on("s");
    let process = std::process::Command::new(program)
        .args(arguments)
        .args([
            "dnsmasq",
            "-k",
            "-p",
            "53",
            "--no-resolv",
            "--no-hosts",
            "--no-poll",
            "--conf-file=/dev/null",
        ])
        .args(["--pid-file=", "--user=root", "--bind-interfaces", "--listen-address=10.77.9.2"])
        .arg("--address=/pbx.bell.test/10.77.9.2")
        .spawn();
    process.unwrap_or_else(|e| panic!("dnsmasq is missing ({e}): install dnsmasq-base"))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by a_name_service_that_was_away_keeps_nobody_away_for_long"]
async fn names() {
    let world = World::here();
    let mut pbx = Pbx::start(600).await;
    let mut service = name_service(&world);
    let named = |user: &str, transport| Account {
        proxy: Proxy { host: "pbx.bell.test".into(), port: Some(5060) },
        name_servers: Some(vec!["10.77.9.2:53".parse().unwrap()]),
        ..Phone::account(user, transport)
    };
    let mut phones = Vec::new();
    for (user, transport) in [("101", Transport::Udp), ("102", Transport::Tcp)] {
        phones.push((user, Phone::of(named(user, transport)).await));
    }
    // The PBX restarts while nobody knows its name: those who knew it come back all the same.
    pbx.down();
    for (_, phone) in &mut phones {
        phone.until_offline().await;
    }
    service.kill().unwrap();
    service.wait().unwrap();
    pbx.up().await;
    until_back(&mut pbx, &mut phones, "without names").await;
    // Those who start meanwhile come with the name.
    let mut late = Phone::start(named("103", Transport::Udp)).await;
    late.until(|event| match event {
        Event::Registration(Registration::Retrying { cause, .. }) => {
            assert_eq!(*cause, Cause::NameNotFound);
            Some(())
        }
        _ => None,
    })
    .await;
    let mut service = name_service(&world);
    let begin = Instant::now();
    late.until_registered().await;
    println!("with names again: registered after {:?}", begin.elapsed());
    service.kill().unwrap();
    service.wait().unwrap();
}
