use super::*;

const USER: &str = "anna";
const REALM: &str = "example.com";

/// A server with one user, as far as the client's answers matter.
struct Server {
    nonce: u32,
    /// Messages are signed with another key.
    forged: bool,
    lifetime: u32,
    seen: Vec<u16>,
}

impl Server {
    fn new() -> Self {
        Self { nonce: 1, forged: false, lifetime: 600, seen: Vec::new() }
    }

    fn nonce(&self) -> String {
        format!("nonce{}", self.nonce)
    }

    fn key(&self) -> Vec<u8> {
        if self.forged { vec![0; 16] } else { login().key(REALM) }
    }

    /// Answers a request; none to an indication or channel data.
    fn answer(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let message = Message::parse(bytes)?;
        self.seen.push(message.method);
        if message.class != Class::Request {
            return None;
        }
        let refuse = |code| {
            Writer::new(Class::Error, message.method, message.id)
                .with_error(code, "")
                .with(attribute::REALM, REALM.as_bytes())
                .with(attribute::NONCE, self.nonce().as_bytes())
                .finish(None)
        };
        if !message.is_authentic(&login().key(REALM)) {
            return Some(refuse(401));
        }
        if message.text(attribute::NONCE) != Some(&self.nonce()) {
            return Some(refuse(438));
        }
        let answer = Writer::new(Class::Success, message.method, message.id);
        let answer = match message.method {
            method::ALLOCATE => answer
                .with_address(attribute::XOR_RELAYED_ADDRESS, relayed())
                .with_address(attribute::XOR_MAPPED_ADDRESS, "198.51.100.7:4000".parse().unwrap()),
            _ => answer,
        };
        Some(answer.with(attribute::LIFETIME, &self.lifetime.to_be_bytes()).finish(Some(&self.key())))
    }
}

fn login() -> Login {
    Login { user: USER.into(), password: "secret".to_owned().into() }
}

fn relayed() -> SocketAddr {
    "192.0.2.1:50000".parse().unwrap()
}

fn peer() -> SocketAddr {
    "203.0.113.5:6000".parse().unwrap()
}

/// Lets both talk; what the client sent that asked for no answer.
fn talk(now: Instant, turn: &mut Turn, server: &mut Server) -> Vec<Vec<u8>> {
    let mut rest = Vec::new();
    while let Some(bytes) = turn.poll_transmit(now) {
        match server.answer(&bytes) {
            Some(answer) => turn.receive(now, &answer, |_, _| {}),
            None => rest.push(bytes),
        }
    }
    rest
}

fn allocated(stream: bool) -> (Instant, Turn, Server) {
    let (now, mut server) = (Instant::now(), Server::new());
    let mut turn = Turn::new(now, login(), stream, 3);
    talk(now, &mut turn, &mut server);
    assert!(matches!(turn.allocation(), Allocation::Ready { relayed: at, .. } if at == relayed()));
    (now, turn, server)
}

#[test]
fn what_is_sent_goes_over_a_channel_once_it_is_bound() {
    let (now, mut turn, mut server) = allocated(false);
    turn.send(now, peer(), b"early", true);
    assert!(talk(now, &mut turn, &mut server).is_empty(), "nothing passes without a permission");
    turn.send(now, peer(), b"first", true);
    let sent = talk(now, &mut turn, &mut server);
    let first = Message::parse(&sent[0]).unwrap();
    assert_eq!((first.method, first.get(attribute::DATA)), (method::SEND, Some(&b"first"[..])));
    turn.send(now, peer(), b"next", true);
    assert_eq!(talk(now, &mut turn, &mut server), [[&[0x40, 0, 0, 4][..], b"next"].concat()]);
    let mut got = Vec::new();
    turn.receive(now, &[0x40, 0, 0, 2, 7, 8], |from, bytes| got.push((from, bytes.to_vec())));
    assert_eq!(got, [(peer(), vec![7, 8])]);
}

#[test]
fn a_success_that_the_server_did_not_write_is_not_believed() {
    let (now, mut server) = (Instant::now(), Server::new());
    server.forged = true;
    let mut turn = Turn::new(now, login(), false, 3);
    talk(now, &mut turn, &mut server);
    assert_eq!(turn.allocation(), Allocation::Pending);
}

#[test]
fn what_is_asked_over_a_stream_is_waited_for() {
    let (now, mut server) = (Instant::now(), Server::new());
    let mut turn = Turn::new(now, login(), true, 3);
    let first = turn.poll_transmit(now).unwrap();
    turn.receive(now, &server.answer(&first).unwrap(), |_, _| {});
    let second = turn.poll_transmit(now).unwrap();
    let later = now + STREAM_PATIENCE / 2;
    assert_eq!(turn.poll_transmit(later), None);
    turn.receive(later, &server.answer(&second).unwrap(), |_, _| {});
    assert!(matches!(turn.allocation(), Allocation::Ready { .. }));
}

#[test]
fn a_wrong_password_is_told() {
    let (now, mut server) = (Instant::now(), Server::new());
    let wrong = Login { password: "wrong".to_owned().into(), ..login() };
    let mut turn = Turn::new(now, wrong, false, 3);
    talk(now, &mut turn, &mut server);
    assert_eq!(turn.allocation(), Allocation::Failed(Some(401)));
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let mut now = Instant::now();
    let mut turn = Turn::new(now, login(), false, 3);
    let mut tries = 0;
    while turn.allocation() == Allocation::Pending {
        tries += std::iter::from_fn(|| turn.poll_transmit(now)).count();
        now = turn.next_deadline().unwrap_or(now);
    }
    assert_eq!((turn.allocation(), tries), (Allocation::Failed(None), TRIES as usize));
    assert_eq!(turn.next_deadline(), None);
}

#[test]
fn it_lasts_through_nonces_that_go_stale() {
    let (mut now, mut turn, mut server) = allocated(false);
    turn.permit(now, peer().ip());
    let mut refreshed = now;
    for _ in 0..40 {
        now = turn.next_deadline().unwrap();
        server.nonce += 1;
        server.seen.clear();
        talk(now, &mut turn, &mut server);
        if server.seen.contains(&method::REFRESH) {
            assert!(now - refreshed < Duration::from_secs(600));
            refreshed = now;
        }
    }
    assert!(matches!(turn.allocation(), Allocation::Ready { .. }));
    turn.send(now, peer(), b"still", false);
    assert_eq!(talk(now, &mut turn, &mut server).len(), 1, "the permission stands");
}

#[test]
fn a_stream_is_cut_into_its_messages() {
    let (now, mut turn, mut server) = allocated(true);
    for _ in 0..2 {
        turn.send(now, peer(), b"x", true);
        talk(now, &mut turn, &mut server);
    }
    turn.send(now, peer(), b"abcde", true);
    let sent = talk(now, &mut turn, &mut server);
    assert_eq!(sent, [[&[0x40, 0, 0, 5][..], b"abcde\0\0\0"].concat()]);
    let both = [&sent[0][..], &sent[0][..]].concat();
    let mut got = Vec::new();
    for byte in both {
        turn.receive(now, &[byte], |_, bytes| got.push(bytes.to_vec()));
    }
    assert_eq!(got, [b"abcde", b"abcde"]);
    turn.receive(now, &[0x80; 32], |_, _| {});
    turn.receive(now, &[0], |_, _| {});
    assert_eq!(turn.allocation(), Allocation::Failed(None), "such a stream is none of TURN");
}

#[test]
fn it_is_given_back() {
    let (now, mut turn, mut server) = allocated(false);
    server.seen.clear();
    turn.close(now);
    talk(now, &mut turn, &mut server);
    assert_eq!(server.seen, [method::REFRESH]);
    assert_eq!(turn.next_deadline(), None);
}
