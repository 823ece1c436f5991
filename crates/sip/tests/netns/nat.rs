//! Behind a router that translates addresses and forgets.

use std::time::{Duration, Instant};

use sip::Transport;
use tokio::time::sleep;

use crate::pbx::Pbx;
use crate::phone::Phone;
use crate::world::World;

#[test]
fn a_nat_that_forgets_after_half_a_minute_is_kept_awake() {
    World::run_case("nat-idle", "nat::idle");
}

#[test]
fn a_nat_that_has_forgotten_is_noticed() {
    World::run_case("nat-amnesia", "nat::amnesia");
}

/// Makes the router translate, with another port each time.
fn translate(world: &World) {
    world.nft("add table ip nat");
    world.nft("add chain ip nat out { type nat hook postrouting priority 100; }");
    world.nft("add rule ip nat out oifname r9 masquerade random");
    world.nft("add table ip guard");
    world.nft("add chain ip guard way { type filter hook forward priority 0; }");
    // Nothing comes in that was not asked for.
    world.nft("add rule ip guard way iifname r9 ct state new drop");
    for timeout in ["nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"] {
        let mut command: Vec<String> = world.on("r").into();
        command.extend(["sysctl".into(), "-qw".into(), format!("net.netfilter.{timeout}=30")]);
        world.run(&command.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by a_nat_that_forgets_after_half_a_minute_is_kept_awake"]
async fn idle() {
    let world = World::here();
    translate(&world);
    let mut pbx = Pbx::start(3600).await;
    let mut phones = Vec::new();
    for (user, transport) in [("101", Transport::Udp), ("102", Transport::Tcp)] {
        phones.push((user, Phone::registered(user, transport).await));
        // The one binding is at the router's address: the Contact is right.
        pbx.until_bound(user, "10.77.9.1").await;
        pbx.until_reached(user).await;
    }
    sleep(Duration::from_secs(40)).await;
    for (user, phone) in &mut phones {
        let took = pbx.until_reached(user).await;
        println!("idle behind NAT: {user} is reached after {took:?}");
        assert!(took < Duration::from_secs(5), "{took:?}: reached by luck only");
        let said = phone.said_meanwhile();
        assert_eq!(said, [], "nothing was lost and found meanwhile");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by a_nat_that_has_forgotten_is_noticed"]
async fn amnesia() {
    let world = World::here();
    translate(&world);
    let mut pbx = Pbx::start(3600).await;
    let phone = Phone::registered("101", Transport::Udp).await;
    pbx.until_bound("101", "10.77.9.1").await;
    pbx.until_reached("101").await;
    let (_, before) = pbx.bindings("101").await;
    let mut forget: Vec<String> = world.on("r").into();
    forget.extend(["conntrack".into(), "-F".into()]);
    world.run(&forget.iter().map(String::as_str).collect::<Vec<_>>());
    let begin = Instant::now();
    pbx.until_reached("101").await;
    println!("forgotten by NAT: reached after {:?}", begin.elapsed());
    pbx.until_bound("101", "10.77.9.1").await;
    let (_, after) = pbx.bindings("101").await;
    assert_ne!(before, after, "another port of the router, and no other binding");
    phone.agent.stop().await;
}
