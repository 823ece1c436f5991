use super::*;

fn picture(addresses: &[(&str, &str, bool)]) -> Picture {
    Picture {
        addresses: addresses
            .iter()
            .map(|(name, ip, up)| ((*name).into(), ip.parse().unwrap(), *up))
            .collect(),
        outward: Vec::new(),
    }
}

const MILLISECOND: Duration = Duration::from_millis(1);

#[test]
fn a_change_is_told_once_it_has_settled() {
    let (home, away) = (picture(&[("wlan0", "192.0.2.7", true)]), picture(&[]));
    let moved = picture(&[("wlan0", "198.51.100.7", true)]);
    let now = Instant::now();
    let mut observer = Observer::new(home.clone(), now, Duration::ZERO);
    observer.picture(home.clone(), now);
    assert_eq!(observer.deadline(), None);
    observer.picture(away.clone(), now);
    assert_eq!(observer.settle(now), None);
    observer.picture(moved.clone(), now + 150 * MILLISECOND);
    assert_eq!(observer.deadline(), Some(now + 350 * MILLISECOND));
    assert_eq!(observer.settle(now + 300 * MILLISECOND), None);
    assert_eq!(observer.settle(now + 350 * MILLISECOND), Some(moved));
    assert_eq!((observer.deadline(), observer.settle(now + 400 * MILLISECOND)), (None, None));
}

#[test]
fn what_was_gone_for_a_moment_is_told_too() {
    let home = picture(&[("eth0", "192.0.2.7", true)]);
    let now = Instant::now();
    let mut observer = Observer::new(home.clone(), now, Duration::ZERO);
    observer.picture(picture(&[("eth0", "192.0.2.7", false)]), now);
    observer.picture(home.clone(), now + 50 * MILLISECOND);
    assert_eq!(observer.settle(now + 250 * MILLISECOND), Some(home));
}

#[test]
fn whose_interface_was_touched_is_known() {
    let ips: [IpAddr; 2] = ["192.0.2.7".parse().unwrap(), "198.51.100.7".parse().unwrap()];
    let seen = |up| picture(&[("eth0", "192.0.2.7", up), ("vpn0", "198.51.100.7", true)]);
    let now = Instant::now();
    let mut observer = Observer::new(seen(true), now, Duration::ZERO);
    observer.picture(seen(false), now);
    observer.picture(seen(true), now + 50 * MILLISECOND);
    let before = Stir { picture: Arc::new(seen(true)), ..Stir::default() };
    let after = Stir { touches: Arc::new(observer.touches.clone()), ..before.clone() };
    assert_eq!(ips.map(|ip| after.touched(&before, ip)), [true, false]);
    assert_eq!(ips.map(|ip| after.touched(&after, ip)), [false, false]);
}

#[test]
fn a_network_that_is_never_still_is_told_every_second() {
    let now = Instant::now();
    let mut observer = Observer::new(picture(&[]), now, Duration::ZERO);
    let mut told = 0;
    for step in 0..200_u32 {
        let at = now + step * 50 * MILLISECOND;
        let ip = format!("192.0.2.{step}");
        observer.picture(picture(&[("eth0", &ip, true)]), at);
        told += u32::from(observer.settle(at).is_some());
    }
    assert_eq!(told, 9, "in ten seconds");
}

#[test]
fn an_address_without_a_carrier_is_dead() {
    let seen = picture(&[
        ("eth0", "192.0.2.7", false),
        ("wlan0", "192.0.2.8", true),
        ("a", "192.0.2.9", false),
        ("b", "192.0.2.9", true),
    ]);
    let is_dead = |ip: &str| seen.is_dead(ip.parse().unwrap());
    assert!(is_dead("192.0.2.7"));
    assert!(!is_dead("192.0.2.8"));
    assert!(!is_dead("192.0.2.9"), "two interfaces, one of which works");
    assert!(!is_dead("192.0.2.10"), "nothing is known of it");
}

#[test]
fn the_real_network_has_a_loopback_and_a_way_to_it() {
    let loopback = IpAddr::from(Ipv4Addr::LOCALHOST);
    let seen = Picture::take();
    assert!(seen.addresses.iter().any(|(_, ip, up)| *ip == loopback && *up), "{seen:?}");
    assert_eq!(source_toward(SocketAddr::new(loopback, 5060)), Some(loopback));
}

#[test]
fn the_watch_is_shared() {
    let one = Watch::shared().unwrap();
    let other = Watch::shared().unwrap();
    assert!(Arc::ptr_eq(&one, &other));
}

#[test]
fn the_watch_ends_with_its_owner() {
    let watch = Watch::begin().unwrap();
    let stirs = watch.stirs();
    assert!(!stirs.has_changed().unwrap());
    drop(watch);
    assert!(stirs.has_changed().is_err(), "the thread is gone");
}
