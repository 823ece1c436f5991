use super::*;
use crate::protect::Identity;

/// Two associations that know each other, the first one the client.
fn pair() -> (Association, Association) {
    let (a, b) = (Arc::new(Identity::generate().unwrap()), Arc::new(Identity::generate().unwrap()));
    let (for_a, for_b) = (b.fingerprint().clone(), a.fingerprint().clone());
    (
        Association { role: Role::Client, identity: a, theirs: vec![for_a] },
        Association { role: Role::Server, identity: b, theirs: vec![for_b] },
    )
}

/// Runs both until neither has more to say or to wait for; what `pass` refuses is lost.
fn run(
    ends: &mut [Handshake; 2],
    start: Instant,
    mut pass: impl FnMut(usize, &[u8]) -> bool,
) -> [Option<Outcome>; 2] {
    let (mut outcomes, mut now) = ([None, None], start);
    for _ in 0..200 {
        let mut quiet = true;
        for end in 0..2 {
            let Some([from, to]) = ends.get_disjoint_mut([end, 1 - end]).ok() else { continue };
            from.handle_timeout(now);
            while let Some(datagram) = from.poll_transmit() {
                quiet = false;
                if pass(end, &datagram) {
                    let outcome = to.receive(now, &datagram);
                    if let (Some(place), Some(outcome)) = (outcomes.get_mut(1 - end), outcome) {
                        assert!(place.replace(outcome).is_none(), "an outcome comes once");
                    }
                }
            }
        }
        if quiet {
            match ends.iter().filter_map(Handshake::next_deadline).min() {
                Some(next) => now = now.max(next),
                None => break,
            }
        }
    }
    outcomes
}

fn begin(a: &Association, b: &Association, now: Instant) -> [Handshake; 2] {
    [Handshake::new(a, now).unwrap(), Handshake::new(b, now).unwrap()]
}

#[test]
fn both_come_to_the_same_keys() {
    let (a, b) = pair();
    let now = Instant::now();
    let mut ends = begin(&a, &b, now);
    let [Some(client), Some(server)] = run(&mut ends, now, |_, _| true) else { panic!("no keys") };
    assert_eq!((client.suite, server.suite), (Suite::AeadAes256Gcm, Suite::AeadAes256Gcm));
    assert_eq!((&client.send, &client.receive), (&server.receive, &server.send));
    assert_ne!(client.send, client.receive);
    assert!(ends.iter().all(|end| end.is_done() && end.next_deadline().is_none()));
}

#[test]
fn lost_flights_are_repeated() {
    for lose in 0..8 {
        let (a, b) = pair();
        let now = Instant::now();
        let mut ends = begin(&a, &b, now);
        let mut count = 0;
        let outcomes = run(&mut ends, now, |_, _| {
            count += 1;
            count - 1 != lose
        });
        assert!(outcomes.iter().all(Option::is_some), "without datagram {lose}");
    }
}

#[test]
fn a_foreign_certificate_brings_no_keys_on_either_side() {
    for liar in 0..2 {
        let (mut a, mut b) = pair();
        let other = Arc::new(Identity::generate().unwrap());
        if liar == 0 {
            a.identity = other
        } else {
            b.identity = other
        }
        let now = Instant::now();
        let mut ends = begin(&a, &b, now);
        let mut outcomes = run(&mut ends, now, |_, _| true);
        let deceived = outcomes.get_mut(1 - liar).unwrap().take();
        assert!(deceived.is_none(), "{liar}");
        assert!(ends.get(1 - liar).unwrap().has_failed(), "{liar}");
    }
}

#[test]
fn nobody_there_is_given_up() {
    let (a, _) = pair();
    let now = Instant::now();
    let mut alone = Handshake::new(&a, now).unwrap();
    let mut sent = 0;
    while let Some(next) = alone.next_deadline() {
        assert!(next <= now + PATIENCE);
        alone.handle_timeout(next);
        while alone.poll_transmit().is_some() {
            sent += 1;
        }
    }
    assert!(alone.has_failed());
    assert!((3..60).contains(&sent), "{sent}");
}

#[test]
fn garbage_in_between_does_not_stop_it() {
    let (a, b) = pair();
    let now = Instant::now();
    let mut ends = begin(&a, &b, now);
    let mut random = 1u32;
    for _ in 0..200 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let mut garbage = vec![22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32];
        garbage.extend_from_slice(&random.to_be_bytes().repeat(8));
        for end in &mut ends {
            assert!(end.receive(now, &garbage).is_none());
        }
    }
    let outcomes = run(&mut ends, now, |_, _| true);
    assert!(outcomes.iter().all(Option::is_some));
}

#[test]
fn a_flood_is_not_kept() {
    let (_, b) = pair();
    let now = Instant::now();
    let mut server = Handshake::new(&b, now).unwrap();
    // Records of an epoch that is yet to come: the library keeps them until it can read them.
    let mut early = vec![23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 0, 4, 0];
    early.resize(13 + 1024, 7);
    for _ in 0..10_000 {
        assert!(server.receive(now, &early).is_none());
    }
    assert!(server.has_failed());
}
