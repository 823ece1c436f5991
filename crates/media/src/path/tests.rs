use super::*;
use crate::ice::Credentials;

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Two paths on one network; each is told of the other.
fn two(now: Instant) -> [Path; 2] {
    let mut paths =
        ["10.0.0.1:1000", "10.0.0.2:2000"].map(|host| Path::gather(now, vec![at(host)], Servers::default()));
    let credentials = [Credentials::random(), Credentials::random()];
    let candidates = [paths[0].candidates(), paths[1].candidates()];
    for (index, path) in paths.iter_mut().enumerate() {
        let agreed = Agreed {
            local: credentials[index].clone(),
            remote: credentials[1 - index].clone(),
            candidates: candidates[1 - index].clone(),
            controlling: index == 0,
        };
        path.agree(now, Some(&agreed), at("192.0.2.200:9"));
    }
    paths
}

/// Lets both talk for a second; what each session was given, and from where.
fn talk(mut now: Instant, paths: &mut [Path; 2]) -> [Vec<(SocketAddr, Vec<u8>)>; 2] {
    let mut heard = [Vec::new(), Vec::new()];
    let hosts = [at("10.0.0.1:1000"), at("10.0.0.2:2000")];
    for _ in 0..1000 {
        for index in 0..2 {
            while let Some(out) = paths[index].poll_transmit(now) {
                assert_eq!((out.port, out.to), (Port::Media(0), hosts[1 - index]));
                let heard = &mut heard[1 - index];
                paths[1 - index].receive(now, out.port, hosts[index], &out.bytes, |from, bytes| {
                    heard.push((from, bytes.to_vec()));
                });
            }
        }
        now += Duration::from_millis(1);
    }
    heard
}

fn rtp(to: SocketAddr) -> Transmit {
    Transmit { to, from_port: Channel::Rtp, bytes: vec![0x80, 0, 1, 2] }
}

#[test]
fn without_ice_everything_passes_as_it_is() {
    let now = Instant::now();
    let mut path = Path::gather(now, vec![at("10.0.0.1:1000")], Servers::default());
    assert!(path.is_gathered());
    path.agree(now, None, at("192.0.2.1:4000"));
    path.send(now, rtp(at("192.0.2.1:4000")));
    let out = path.poll_transmit(now).unwrap();
    assert_eq!((out.port, out.to), (Port::Media(0), at("192.0.2.1:4000")));
    let mut heard = None;
    path.receive(now, Port::Media(0), at("192.0.2.9:1"), b"\x80", |from, _| heard = Some(from));
    assert_eq!((heard, path.way(now)), (Some(at("192.0.2.9:1")), Way::Plain));
    assert_eq!(path.next_deadline(), None);
}

#[test]
fn with_ice_the_session_knows_one_address_only() {
    let now = Instant::now();
    let mut paths = two(now);
    paths[0].send(now, rtp(at("192.0.2.200:9")));
    assert_eq!(paths[0].way(now), Way::Searching);
    assert_eq!(talk(now, &mut paths), [vec![], vec![]], "nothing is sent before a way was found");
    let later = now + Duration::from_secs(1);
    assert_eq!(paths[0].way(later), Way::Direct);
    paths[0].send(later, rtp(at("192.0.2.200:9")));
    let heard = talk(later, &mut paths);
    assert_eq!(heard[1], [(at("192.0.2.200:9"), vec![0x80, 0, 1, 2])]);
}

#[test]
fn media_from_strangers_is_not_heard_with_ice() {
    let now = Instant::now();
    let mut paths = two(now);
    paths[0]
        .receive(now, Port::Media(0), at("203.0.113.66:6"), b"\x80\0", |_, _| panic!("a stranger is heard"));
}

#[test]
fn a_server_that_does_not_answer_is_not_waited_for() {
    let mut now = Instant::now();
    let servers = Servers { stun: Some(at("192.0.2.9:3478")), turn: None };
    let mut path = Path::gather(now, vec![at("10.0.0.1:1000"), at("[2001:db8::1]:1000")], servers);
    let mut asked = 0;
    while !path.is_gathered() {
        asked += std::iter::from_fn(|| path.poll_transmit(now)).count();
        now = path.next_deadline().unwrap_or(now);
    }
    assert_eq!(asked, PROBES as usize, "only the socket of its family asks");
    assert_eq!(path.candidates().len(), 2);
}

#[test]
fn what_the_stun_server_sees_becomes_a_candidate() {
    let now = Instant::now();
    let servers = Servers { stun: Some(at("192.0.2.9:3478")), turn: None };
    let mut path = Path::gather(now, vec![at("10.0.0.1:1000")], servers);
    let question = path.poll_transmit(now).unwrap();
    let id = Message::parse(&question.bytes).unwrap().id;
    let answer = Writer::new(Class::Success, method::BINDING, id)
        .with_address(attribute::XOR_MAPPED_ADDRESS, at("198.51.100.1:7000"))
        .finish(None);
    path.receive(now, Port::Media(0), at("203.0.113.66:6"), &answer, |_, _| {});
    assert!(!path.is_gathered(), "whoever is not the server is not believed");
    path.receive(now, Port::Media(0), at("192.0.2.9:3478"), &answer, |_, _| {});
    assert!(path.is_gathered());
    let found: Vec<String> = path.candidates().iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "100 1 UDP 2130706431 10.0.0.1 1000 typ host",
            "200 1 UDP 1694498815 198.51.100.1 7000 typ srflx raddr 10.0.0.1 rport 1000",
        ]
    );
}
