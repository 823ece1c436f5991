use std::time::Duration;

use super::*;
use crate::stun::{Class, Message, Writer, attribute, method};

mod world;
use world::{Nat, World};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn what_is_written_of_a_candidate_is_read() {
    let text = "1 1 UDP 2130706431 192.0.2.1 5000 typ srflx raddr 10.0.0.1 rport 4000";
    let candidate = Candidate::parse(text).unwrap();
    assert_eq!(candidate.kind, Kind::ServerReflexive);
    let related = "10.0.0.1:4000".parse().ok();
    assert_eq!(Candidate { related, ..candidate }.to_string(), text);
}

#[test]
fn candidates_that_lead_nowhere_are_passed_over() {
    for text in [
        "1 1 tcp 1 192.0.2.1 9 typ host tcptype active",
        "1 1 udp 1 4c2ad7a3-1f5e.local 5000 typ host",
        "1 1 udp 1 phone.example.com 5000 typ host",
        "1 1 udp 1 0.0.0.0 5000 typ host",
        "1 1 udp 1 224.0.0.1 5000 typ host",
        "1 1 udp 1 fe80::1 5000 typ host",
        "1 1 udp 1 192.0.2.1 0 typ host",
        "1 1 udp 1 192.0.2.1 65536 typ host",
        "1 1 udp 4294967296 192.0.2.1 1 typ host",
        "1 0 udp 1 192.0.2.1 1 typ host",
        "1 1 udp 1 192.0.2.1 1 host",
        "",
    ] {
        assert_eq!(Candidate::parse(text), None, "{text}");
    }
}

#[test]
fn the_priorities_of_the_recommendation() {
    assert_eq!(priority(Kind::Host, 0), 2_130_706_431);
    assert!(priority(Kind::Host, 1) > priority(Kind::PeerReflexive, 0));
    assert!(priority(Kind::PeerReflexive, 9) > priority(Kind::ServerReflexive, 0));
    assert!(priority(Kind::ServerReflexive, 9) > priority(Kind::Relayed, 0));
}

#[test]
fn two_phones_of_one_network_talk_directly() {
    let mut world = World::of(Nat::None, Nat::None);
    let took = world.until_connected();
    assert!(took < Duration::from_millis(200), "{took:?}");
    assert_eq!(world.kinds(), [Kind::Host; 2]);
    assert!(world.passes_both_ways());
}

#[test]
fn every_pair_of_nats_is_passed() {
    use Nat::{FullCone, None, PortRestricted, Restricted, Symmetric};
    for left in [None, FullCone, Restricted, PortRestricted, Symmetric] {
        for right in [None, FullCone, Restricted, PortRestricted, Symmetric] {
            let mut world = World::of(left, right);
            let took = world.until_connected();
            assert!(took < 2 * SECOND, "{left:?} and {right:?} took {took:?}");
            assert!(world.passes_both_ways(), "{left:?} and {right:?}");
            // Two that change their address for every destination need help (RFC 4787, section 5).
            let hopeless = matches!(
                (left, right),
                (Symmetric, Symmetric | PortRestricted) | (PortRestricted, Symmetric)
            );
            assert_eq!(world.kinds().contains(&Kind::Relayed), hopeless, "{left:?} and {right:?}");
        }
    }
}

#[test]
fn addresses_told_late_are_tried() {
    let mut world = World::before_any_address();
    world.run(12 * SECOND);
    assert_eq!(world.states(), [State::Failed; 2], "nobody knows where the other one is");
    assert!(!world.trickle(Some(Credentials::random())));
    world.run(SECOND);
    assert_eq!(world.states(), [State::Failed; 2], "those were of another negotiation");
    assert!(world.trickle(None));
    let took = world.until_connected();
    assert!(took < SECOND, "{took:?}");
    assert!(world.passes_both_ways());
}

#[test]
fn lost_checks_only_take_time() {
    let mut world = World::of(Nat::PortRestricted, Nat::Restricted);
    world.loses_every = Some(3);
    world.until_connected();
    assert!(world.passes_both_ways());
}

#[test]
fn both_agree_on_one_pair() {
    let mut world = World::of(Nat::None, Nat::FullCone);
    world.until_connected();
    world.run(2 * SECOND);
    let [left, right] = world.selected();
    assert!(left.is_some() && right.is_some());
    assert!(world.passes_both_ways());
}

#[test]
fn two_that_both_want_to_nominate_settle_it() {
    for roles in [[true, true], [false, false]] {
        let mut world = World::with(Nat::None, Nat::None, roles);
        world.until_connected();
        world.run(2 * SECOND);
        assert!(world.selected().iter().all(Option::is_some), "{roles:?}");
        assert!(world.passes_both_ways());
    }
}

#[test]
fn consent_keeps_the_way_open_and_its_end_closes_it() {
    let mut world = World::of(Nat::PortRestricted, Nat::FullCone);
    world.until_connected();
    world.run(600 * SECOND);
    assert!(world.passes_both_ways());
    world.cut = true;
    world.run(23 * SECOND);
    assert_eq!(world.states(), [State::Connected; 2], "an answer may yet come");
    world.run(25 * SECOND);
    assert_eq!(world.states(), [State::Failed; 2]);
    world.cut = false;
    world.restart();
    world.until_connected();
    assert!(world.passes_both_ways());
}

#[test]
fn a_way_that_comes_back_is_found_again() {
    let mut world = World::of(Nat::None, Nat::None);
    world.until_connected();
    world.cut = true;
    world.run(38 * SECOND);
    world.cut = false;
    world.run(8 * SECOND);
    assert_eq!(world.states(), [State::Connected; 2]);
}

#[test]
fn without_a_way_it_has_failed_after_ten_seconds() {
    let mut world = World::of(Nat::None, Nat::None);
    world.cut = true;
    world.run(9 * SECOND);
    assert_eq!(world.states(), [State::Checking; 2]);
    world.run(2 * SECOND);
    assert_eq!(world.states(), [State::Failed; 2]);
}

#[test]
fn a_forged_check_changes_nothing() {
    let mut world = World::of(Nat::None, Nat::None);
    world.until_connected();
    let before = world.selected();
    let user = world.user_of(0);
    for role in [attribute::ICE_CONTROLLING, attribute::ICE_CONTROLLED] {
        let forged = Writer::new(Class::Request, method::BINDING, [1; 12])
            .with(attribute::USERNAME, user.as_bytes())
            .with(role, &u64::MAX.to_be_bytes())
            .with(attribute::USE_CANDIDATE, &[])
            .finish(Some(b"not the password"));
        assert_eq!(world.tell(0, "198.51.100.66:6".parse().unwrap(), &forged), 0);
    }
    assert_eq!(world.selected(), before);
    assert!(!world.knows(0, "198.51.100.66:6".parse().unwrap()));
}

#[test]
fn who_asks_from_everywhere_is_not_remembered_everywhere() {
    let mut world = World::of(Nat::None, Nat::None);
    world.until_connected();
    let user = world.user_of(0);
    let pwd = world.password_of(0);
    let mut answered = 0;
    for port in 1..2000 {
        let check = Writer::new(Class::Request, method::BINDING, [9; 12])
            .with(attribute::USERNAME, user.as_bytes())
            .finish(Some(pwd.as_bytes()));
        answered += world.tell(0, ([198, 51, 100, 1], port).into(), &check);
    }
    assert!(answered < 200, "{answered}");
}

#[test]
fn a_lite_peer_only_answers() {
    // It has one public address, asks nothing, and takes what is nominated (RFC 8445, section 2.5).
    let (now, ours, theirs) = (std::time::Instant::now(), Credentials::random(), Credentials::random());
    let address = "203.0.113.9:9000".parse().unwrap();
    let candidates = vec![Candidate::parse("1 1 UDP 2130706431 203.0.113.9 9000 typ host").unwrap()];
    let agreed = Agreed { local: ours, remote: theirs.clone(), candidates, controlling: true };
    let mut agent = Agent::new(now, agreed, 7);
    agent.add_local(0, "10.0.0.1:1000".parse().unwrap(), Kind::Host);
    let mut nominated = false;
    for step in 0..50 {
        let now = now + step * Duration::from_millis(20);
        while let Some((base, to, bytes)) = agent.poll_transmit(now) {
            let check = Message::parse(&bytes).unwrap();
            nominated |= check.get(attribute::USE_CANDIDATE).is_some();
            let answer = Writer::new(Class::Success, method::BINDING, check.id)
                .with_address(attribute::XOR_MAPPED_ADDRESS, "198.51.100.1:77".parse().unwrap())
                .finish(Some(theirs.pwd.as_bytes()));
            agent.receive(now, base, to, &Message::parse(&answer).unwrap());
        }
    }
    assert!(nominated);
    assert_eq!(agent.path(), Some((0, address)));
    assert_eq!(agent.kind(), Some(Kind::ServerReflexive));
}
