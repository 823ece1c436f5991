use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::*;
use Transport::{Tcp, Tls, Udp, Wss};

fn naptr(order: u16, preference: u16, flags: &str, services: &str, replacement: &str) -> Naptr {
    Naptr {
        order,
        preference,
        flags: flags.into(),
        services: services.into(),
        replacement: replacement.into(),
    }
}

fn srv(priority: u16, weight: u16, port: u16) -> Srv {
    Srv { priority, weight, port, target: format!("h{port}.test") }
}

#[test]
fn what_worked_goes_first_then_what_the_port_says() {
    let automatic = TransportChoice::Automatic { first: None };
    for (choice, worked, port, want, preferred) in [
        (TransportChoice::Fixed(Tcp), Some(Tls), Some(5061), vec![Tcp], 1),
        (automatic, None, None, vec![Tls, Tcp, Udp, Wss], 0),
        (automatic, None, Some(5060), vec![Tls, Tcp, Udp, Wss], 0),
        (automatic, None, Some(5063), vec![Tcp, Tls, Udp, Wss], 1),
        (automatic, None, Some(5065), vec![Wss, Tls, Tcp, Udp], 1),
        (TransportChoice::Automatic { first: Some(Wss) }, None, None, vec![Wss, Tls, Tcp, Udp], 1),
        (TransportChoice::Automatic { first: Some(Udp) }, Some(Tcp), None, vec![Tcp, Udp, Tls, Wss], 2),
    ] {
        assert_eq!(order(choice, worked, port), Order { transports: want, preferred }, "{choice:?} {port:?}");
    }
}

/// The example of RFC 3263, section 4.1, with what else may stand beside it.
#[test]
fn the_domain_orders_its_transports() {
    let records = vec![
        naptr(100, 50, "s", "SIP+D2U", "_sip._udp.example.com"),
        naptr(50, 50, "s", "SIPS+D2T", "_sips._tcp.example.com"),
        naptr(90, 70, "S", "sip+d2t", "_sip._tcp.example.com"),
        naptr(90, 60, "u", "E2U+sip", ""),
        naptr(10, 1, "s", "SIP+D2S", "_sip._sctp.example.com"),
        naptr(200, 1, "s", "SIPS+D2W", "_sips._ws.example.com"),
        naptr(250, 1, "s", "SIPS+D2T", "_other._tcp.example.com"),
    ];
    let all = [Tls, Tcp, Udp, Wss];
    let offered = services(records.clone(), &all);
    let named: Vec<(Transport, &str)> = offered.iter().map(|(t, name)| (*t, name.as_str())).collect();
    assert_eq!(
        named,
        [
            (Tls, "_sips._tcp.example.com"),
            (Tcp, "_sip._tcp.example.com"),
            (Udp, "_sip._udp.example.com"),
            (Wss, "_sips._ws.example.com"),
        ]
    );
    assert_eq!(services(records, &[Udp]), [(Udp, "_sip._udp.example.com".to_owned())]);
}

#[test]
fn preferences_stand_ahead_of_the_domains_order_and_what_it_does_not_offer_behind() {
    let offered = [(Udp, "_sip._udp.other.test".to_owned()), (Tcp, "_sip._tcp.d".to_owned())];
    let wanted = order(TransportChoice::Automatic { first: Some(Wss) }, None, None);
    assert_eq!(
        in_order(&offered, &wanted, "d"),
        [
            (Wss, None),
            (Udp, Some("_sip._udp.other.test".to_owned())),
            (Tcp, Some("_sip._tcp.d".to_owned())),
            (Tls, Some("_sips._tcp.d".to_owned())),
        ]
    );
}

#[test]
fn machines_nearby_have_no_services() {
    for (host, may) in [
        ("example.com", true),
        ("pbx", false),
        ("pbx.local.", false),
        ("localhost", false),
        ("a.localhost", false),
    ] {
        assert_eq!(may_have_services(host), may, "{host}");
    }
}

#[test]
fn weights_share_the_load() {
    let mut random = StdRng::seed_from_u64(7);
    let mut first = [0_u32; 4];
    for _ in 0..8000 {
        let drawn = ordered(vec![srv(1, 30, 0), srv(1, 10, 1), srv(1, 0, 2), srv(0, 0, 3)], &mut random);
        assert_eq!(drawn[0].port, 3, "the lowest priority number goes first");
        first[usize::from(drawn[1].port)] += 1;
    }
    let ratio = f64::from(first[0]) / f64::from(first[1]);
    assert!((2.5..3.5).contains(&ratio), "{first:?}");
    assert!(first[2] > 0 && first[2] < first[1] / 4, "without weight: rarely, but not never: {first:?}");
}

proptest! {
    /// Nothing is lost, nothing made up, and priorities are kept, whatever the weights.
    #[test]
    fn an_order_is_an_order(
        records in proptest::collection::vec((0_u16..4, prop_oneof![Just(0), Just(u16::MAX), 0_u16..50]), 0..12),
        seed: u64,
    ) {
        let records: Vec<Srv> =
            records.into_iter().zip(0_u16..).map(|((priority, weight), port)| srv(priority, weight, port)).collect();
        let drawn = ordered(records.clone(), &mut StdRng::seed_from_u64(seed));
        prop_assert!(drawn.is_sorted_by_key(|record| record.priority));
        let mut back = drawn;
        back.sort_by_key(|record| record.port);
        prop_assert_eq!(back, records);
    }
}
