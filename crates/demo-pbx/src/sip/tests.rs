//! The switch as a whole, with phones made of messages and a clock moved by hand.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use secrecy::ExposeSecret;

use super::digest::answer_for_test;
use super::ledger::Told;
use super::message::Message;
use super::route::{Flow, Own};
use super::switch::{Input, Order, Output, Switch};
use super::uri::{Address, Via, tag};
use crate::config::Config;
use crate::tenant::{Passwords, Tenant};

mod office;

const SDP: &str =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

struct Bench {
    switch: Switch,
    tenant: Arc<Tenant>,
    now: Instant,
    next: u32,
    /// Calls that were said to be over.
    told: Vec<Told>,
}

/// What went out over SIP, in order.
type Sent = Vec<(Flow, Message)>;

fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn udp(port: u16) -> Flow {
    Flow::Udp(address(port))
}

fn tcp(connection: u64) -> Flow {
    Flow::Tcp { connection, peer: address(40_000) }
}

fn codes(sent: &Sent) -> Vec<u16> {
    sent.iter().map(|(_, message)| message.code()).collect()
}

fn only(sent: Sent) -> (Flow, Message) {
    let [one] = <[_; 1]>::try_from(sent).unwrap_or_else(|all| panic!("not one message: {all:#?}"));
    one
}

impl Bench {
    fn new() -> Self {
        Self::with(Config::default())
    }

    fn with(config: Config) -> Self {
        let tenant = Arc::new(Tenant::test_works(&Passwords::default()));
        let own = Own { udp: address(5060), tcp: address(5063) };
        Self {
            switch: Switch::new(&config, tenant.clone(), own),
            tenant,
            now: Instant::now(),
            next: 0,
            told: Vec::new(),
        }
    }

    fn input(&mut self, input: Input) -> (Sent, Vec<Output>) {
        let (mut sent, mut rest) = (Vec::new(), Vec::new());
        for output in self.switch.handle(input, self.now) {
            match output {
                Output::Send(flow, bytes) => sent.push((flow, Message::parse(&bytes).unwrap())),
                Output::Told(told) => self.told.push(told),
                other => rest.push(other),
            }
        }
        (sent, rest)
    }

    fn give(&mut self, flow: Flow, message: &Message) -> Sent {
        self.input(Input::Message(flow, Box::new(message.clone()))).0
    }

    /// Lets time pass, deadline by deadline.
    fn pass(&mut self, time: Duration) -> Sent {
        let end = self.now + time;
        let mut sent = Vec::new();
        while let Some(at) = self.switch.next_deadline().filter(|at| *at <= end) {
            self.now = at.max(self.now);
            sent.extend(self.input(Input::Tick).0);
        }
        self.now = end;
        sent
    }

    fn request(&mut self, method: &str, from: &str, to: &str, flow: Flow) -> Message {
        self.next += 1;
        let n = self.next;
        let mut request = Message::request(method, &format!("sip:{to}@test.io"));
        let name = flow.transport().name();
        request.push("Via", format!("SIP/2.0/{name} {};rport;branch=z9hG4bKt{n}", flow.peer()));
        request.push("From", format!("<sip:{from}@test.io>;tag=f{n}"));
        request.push("To", format!("<sip:{to}@test.io>"));
        request.push("Call-ID", format!("call{n}"));
        request.push("CSeq", format!("1 {method}"));
        request.push("Max-Forwards", "70");
        request.push("Contact", format!("<sip:{from}@{}>", flow.peer()));
        request
    }

    /// The same request again with an answer to the challenge in `refusal`.
    fn authorised(&mut self, request: &Message, refusal: &Message) -> Message {
        let user = super::switch::user_of(request.header("From"));
        let password =
            self.tenant.by_extension(&user).unwrap().extension_password.expose_secret().to_string();
        let (challenge, name) = match refusal.code() {
            401 => ("WWW-Authenticate", "Authorization"),
            _ => ("Proxy-Authenticate", "Proxy-Authorization"),
        };
        let challenge = refusal.header(challenge).unwrap();
        let credentials = answer_for_test(challenge, &user, &password, "00000001", request.method());
        self.next += 1;
        let mut again = request.clone();
        let via = request.header("Via").unwrap().split(";branch").next().unwrap().to_string();
        again.set("Via", format!("{via};branch=z9hG4bKt{}", self.next));
        let (number, method) = request.cseq().unwrap();
        again.set("CSeq", format!("{} {method}", number + 1));
        again.set(name, credentials);
        again
    }

    /// Sends a request that is challenged, and then with credentials.
    fn ask(&mut self, flow: Flow, request: &Message) -> (Message, Sent) {
        let refusal = only(self.give(flow, request)).1;
        let again = self.authorised(request, &refusal);
        if request.method() == "INVITE" {
            let ack = follow(request, &refusal, "ACK", true);
            assert!(self.give(flow, &ack).is_empty());
        }
        let sent = self.give(flow, &again);
        (again, sent)
    }

    fn register(&mut self, extension: &str, flow: Flow) {
        let request = self.request("REGISTER", extension, extension, flow);
        let (_, sent) = self.ask(flow, &request);
        assert_eq!(codes(&sent), [200]);
    }

    fn invite(&mut self, from: &str, to: &str, flow: Flow) -> (Message, Sent) {
        let mut invite = self.request("INVITE", from, to, flow);
        invite.body = SDP.into();
        self.ask(flow, &invite)
    }
}

/// A response of a phone to a request it got.
fn reply(request: &Message, code: u16, to_tag: &str, contact: &str) -> Message {
    let mut response = Message::response_to(request, code);
    if tag(response.header("To")).is_empty() {
        let to = response.header("To").unwrap().to_string();
        response.set("To", format!("{to};tag={to_tag}"));
    }
    for route in request.all("Record-Route") {
        response.push("Record-Route", route);
    }
    response.push("Contact", format!("<{contact}>"));
    response
}

/// An ACK or a request inside the dialog, from the one who sent `request`.
fn follow(request: &Message, response: &Message, method: &str, same_branch: bool) -> Message {
    let contact = response.header("Contact").and_then(Address::parse).map_or(request.uri(), |a| a.uri);
    let uri = if same_branch { request.uri() } else { contact };
    let mut next = Message::request(method, uri);
    let via = request.header("Via").unwrap();
    let via = if same_branch { via.to_string() } else { format!("{via}{method}") };
    next.push("Via", via);
    next.push("From", request.header("From").unwrap());
    next.push("To", response.header("To").unwrap());
    next.push("Call-ID", request.call_id());
    let number = request.cseq().unwrap().0 + u32::from(method != "ACK" && method != "CANCEL");
    next.push("CSeq", format!("{number} {method}"));
    next.push("Max-Forwards", "70");
    let routes: Vec<&str> = response.all("Record-Route").collect();
    for route in routes.iter().rev() {
        next.push("Route", *route);
    }
    next
}

/// A request inside the dialog, from the one who answered.
fn from_callee(received: &Message, answer: &Message, method: &str) -> Message {
    let contact = received.header("Contact").and_then(Address::parse).unwrap();
    let mut next = Message::request(method, contact.uri);
    next.push("Via", format!("SIP/2.0/TCP 127.0.0.1:40000;branch=z9hG4bKcallee{method}"));
    next.push("From", answer.header("To").unwrap());
    next.push("To", answer.header("From").unwrap());
    next.push("Call-ID", answer.call_id());
    next.push("CSeq", format!("1 {method}"));
    next.push("Max-Forwards", "70");
    for route in received.all("Record-Route") {
        next.push("Route", route);
    }
    next
}

fn branch(message: &Message) -> String {
    Via::parse(message.header("Via").unwrap()).unwrap().param("branch").unwrap().into()
}

#[test]
fn a_call_from_udp_to_tcp_is_carried_from_invite_to_bye() {
    let mut bench = Bench::new();
    bench.register("101", udp(6001));
    bench.register("102", tcp(1));
    let (invite, sent) = bench.invite("101", "102", udp(6001));
    let [(back, trying), (to_bob, at_bob)] = <[_; 2]>::try_from(sent).unwrap();
    assert_eq!((back, trying.code(), to_bob), (udp(6001), 100, tcp(1)));

    assert_eq!(at_bob.uri(), "sip:102@127.0.0.1:40000");
    assert_eq!(at_bob.header("Max-Forwards"), Some("69"));
    assert_eq!(at_bob.header("Proxy-Authorization"), None);
    assert_eq!(at_bob.header("P-Asserted-Identity"), Some("\"Alice Martin\" <sip:101@test.io>"));
    assert_eq!(at_bob.body, SDP.as_bytes());
    assert!(at_bob.header("Via").unwrap().starts_with("SIP/2.0/TCP 127.0.0.1:5063;"));
    let routes: Vec<&str> = at_bob.all("Record-Route").collect();
    assert_eq!(routes, ["<sip:127.0.0.1:5063;transport=tcp;lr>", "<sip:127.0.0.1:5060;lr>"]);

    // The INVITE again: the last answer again, and nothing to bob.
    assert_eq!(codes(&bench.give(udp(6001), &invite)), [100]);
    let bob = "sip:102@127.0.0.1:40000";
    let (flow, ringing) = only(bench.give(tcp(1), &reply(&at_bob, 180, "b", bob)));
    assert_eq!((flow, ringing.code(), ringing.all("Via").count()), (udp(6001), 180, 1));
    let answer = reply(&at_bob, 200, "b", bob);
    let (_, ok) = only(bench.give(tcp(1), &answer));
    assert_eq!(bench.switch.calls(), 1);
    // A repeated 2xx passes too: only the ACK ends it.
    assert_eq!(only(bench.give(tcp(1), &answer)).0, udp(6001));

    let (flow, ack) = only(bench.give(udp(6001), &follow(&invite, &ok, "ACK", false)));
    assert_eq!((flow, ack.uri(), ack.header("Route")), (tcp(1), bob, None));

    let bye = from_callee(&at_bob, &answer, "BYE");
    let (flow, at_alice) = only(bench.give(tcp(1), &bye));
    assert_eq!((flow, at_alice.uri(), at_alice.header("Route")), (udp(6001), "sip:101@127.0.0.1:6001", None));
    let (flow, over) = only(bench.give(udp(6001), &reply(&at_alice, 200, "", "sip:a@b")));
    assert_eq!((flow, over.code(), bench.switch.calls()), (tcp(1), 200, 0));
    let late = follow(&invite, &ok, "BYE", false);
    assert_eq!(codes(&bench.give(udp(6001), &late)), [481]);
    let [told] = bench.told.as_slice() else { panic!("{:?}", bench.told) };
    assert_eq!((told.caller.as_str(), told.callee.as_str(), told.by_caller), ("101", "102", false));
    assert_eq!((told.call_id.as_str(), told.lasted.is_some()), (invite.call_id(), true));
}

#[test]
fn a_re_invite_passes_and_moves_the_contact() {
    let mut bench = Bench::new();
    bench.register("102", tcp(1));
    let (invite, sent) = bench.invite("101", "102", udp(6001));
    let answer = reply(&sent[1].1, 200, "b", "sip:102@127.0.0.1:40000");
    let ok = only(bench.give(tcp(1), &answer)).1;
    bench.give(udp(6001), &follow(&invite, &ok, "ACK", false));
    let mut again = follow(&invite, &ok, "INVITE", false);
    again.push("Contact", "<sip:moved@127.0.0.1:6001>");
    let sent = bench.give(udp(6001), &again);
    assert_eq!((codes(&sent), sent[1].0), (vec![100, 0], tcp(1)));
    assert_eq!(sent[1].1.header("Record-Route"), None);
    let (_, ok) = only(bench.give(tcp(1), &reply(&sent[1].1, 200, "", "sip:102@127.0.0.1:40000")));
    assert_eq!((ok.code(), bench.switch.calls()), (200, 1));
    let to_alice = bench.input(Input::Order(Order::KillCalls)).0[0].1.clone();
    assert_eq!(to_alice.uri(), "sip:moved@127.0.0.1:6001");
}

#[test]
fn everything_is_forgotten_in_the_end() {
    let mut bench = Bench::new();
    bench.register("101", udp(6001));
    bench.register("102", tcp(1));
    let (invite, sent) = bench.invite("101", "102", udp(6001));
    let at_bob = sent[1].1.clone();
    let (_, busy) = only(bench.give(tcp(1), &reply(&at_bob, 486, "b", "sip:b@h")).split_off(1));
    bench.give(udp(6001), &follow(&invite, &busy, "ACK", true));
    bench.pass(Duration::from_secs(4000));
    assert!(bench.switch.servers.is_empty() && bench.switch.clients.is_empty());
    assert!(bench.switch.registrations().is_empty());
    assert_eq!(bench.switch.next_deadline(), None);
}

#[test]
fn a_refusal_is_acknowledged_and_repeated_until_acknowledged() {
    let mut bench = Bench::new();
    bench.register("101", udp(6001));
    bench.register("102", udp(6002));
    let (invite, sent) = bench.invite("101", "102", udp(6001));
    let at_bob = sent[1].1.clone();
    let sent = bench.give(udp(6002), &reply(&at_bob, 486, "b", "sip:b@h"));
    assert_eq!((sent[0].0, sent[0].1.method()), (udp(6002), "ACK"));
    assert_eq!(branch(&sent[0].1), branch(&at_bob));
    assert_eq!((sent[1].0, sent[1].1.code()), (udp(6001), 486));
    let busy = sent[1].1.clone();
    // At 0.5, 1.5, 3.5, 7.5 and 11.5 s.
    assert_eq!(codes(&bench.pass(Duration::from_secs(12))), [486; 5]);
    assert!(bench.give(udp(6001), &follow(&invite, &busy, "ACK", true)).is_empty());
    assert!(bench.pass(Duration::from_secs(60)).is_empty());
}

#[test]
fn a_cancel_waits_for_a_sign_of_life_and_brings_487() {
    let mut bench = Bench::new();
    bench.register("101", udp(6001));
    bench.register("102", udp(6002));
    let (invite, sent) = bench.invite("101", "102", udp(6001));
    let at_bob = sent[1].1.clone();
    let mut cancel = follow(&invite, &invite, "CANCEL", true);
    cancel.set("To", "<sip:102@test.io>");
    assert_eq!(codes(&bench.give(udp(6001), &cancel)), [200]);
    let sent = bench.give(udp(6002), &reply(&at_bob, 180, "b", "sip:b@h"));
    let (flow, to_bob) = sent.iter().find(|(_, m)| m.method() == "CANCEL" && m.code() == 0).unwrap();
    assert_eq!((*flow, branch(to_bob), to_bob.uri()), (udp(6002), branch(&at_bob), at_bob.uri()));
    assert!(bench.give(udp(6002), &reply(to_bob, 200, "b", "sip:b@h")).is_empty());
    let sent = bench.give(udp(6002), &reply(&at_bob, 487, "b", "sip:b@h"));
    assert_eq!((sent[0].1.method(), sent[1].0, sent[1].1.code()), ("ACK", udp(6001), 487));
    let mut stray = cancel.clone();
    stray.set("Via", "SIP/2.0/UDP 127.0.0.1:6001;rport;branch=z9hG4bKnone");
    assert_eq!(codes(&bench.give(udp(6001), &stray)), [481]);
}

#[test]
fn all_bindings_ring_and_the_first_to_answer_wins() {
    let mut bench = Bench::new();
    bench.register("101", udp(6001));
    bench.register("102", udp(6002));
    bench.register("102", tcp(3));
    let (_, sent) = bench.invite("101", "102", udp(6001));
    let (at_new, at_old) = (sent[1].clone(), sent[2].clone());
    assert_eq!((at_new.0, at_old.0), (tcp(3), udp(6002)));
    bench.give(at_old.0, &reply(&at_old.1, 180, "o", "sip:o@h"));
    bench.give(at_new.0, &reply(&at_new.1, 180, "n", "sip:n@h"));
    let sent = bench.give(at_new.0, &reply(&at_new.1, 200, "n", "sip:n@h"));
    assert_eq!((sent[0].0, sent[0].1.code()), (udp(6001), 200));
    assert_eq!((sent[1].0, sent[1].1.method()), (udp(6002), "CANCEL"));
    assert_eq!(sent.len(), 2);
    let sent = bench.give(at_old.0, &reply(&at_old.1, 487, "o", "sip:o@h"));
    assert_eq!(only(sent).1.method(), "ACK");
    assert_eq!(bench.switch.calls(), 1);
}

#[test]
fn the_best_refusal_is_reported_when_all_have_refused() {
    let mut bench = Bench::new();
    bench.register("101", udp(6001));
    bench.register("102", udp(6002));
    bench.register("102", tcp(3));
    let (_, sent) = bench.invite("101", "102", udp(6001));
    let (at_new, at_old) = (sent[1].clone(), sent[2].clone());
    let first = bench.give(at_new.0, &reply(&at_new.1, 500, "n", "sip:n@h"));
    assert_eq!(only(first).1.method(), "ACK");
    let second = bench.give(at_old.0, &reply(&at_old.1, 486, "o", "sip:o@h"));
    assert_eq!(second[1].1.code(), 486);
}

#[test]
fn a_phone_that_never_answers_brings_408() {
    let config = Config { no_answer: Duration::from_secs(40), ..Config::default() };
    let mut bench = Bench::with(config);
    bench.register("101", tcp(1));
    bench.register("102", udp(6002));
    // Silent from the start: seven INVITEs in all, then 408 at 32 s.
    let (_, sent) = bench.invite("101", "102", tcp(1));
    assert_eq!(codes(&sent), [100, 0]);
    assert!(bench.pass(Duration::from_millis(31_900)).iter().all(|(flow, _)| *flow == udp(6002)));
    let (flow, timeout) = only(bench.pass(Duration::from_millis(100)));
    assert_eq!((flow, timeout.code(), timeout.all("Via").count()), (tcp(1), 408, 1));

    // Ringing for ever: cancelled after the time set, and 408 instead of the 487 that brings.
    let (_, sent) = bench.invite("101", "102", tcp(1));
    let at_bob = sent[1].1.clone();
    bench.give(udp(6002), &reply(&at_bob, 180, "b", "sip:b@h"));
    assert!(bench.pass(Duration::from_secs(39)).is_empty());
    let (_, cancel) = only(bench.pass(Duration::from_secs(1)));
    assert_eq!(cancel.method(), "CANCEL");
    bench.give(udp(6002), &reply(&cancel, 200, "b", "sip:b@h"));
    let sent = bench.give(udp(6002), &reply(&at_bob, 487, "b", "sip:b@h"));
    assert_eq!((sent[1].0, sent[1].1.code()), (tcp(1), 408));
}

#[test]
fn killed_calls_get_a_bye_on_both_sides() {
    let mut bench = Bench::new();
    bench.register("101", udp(6001));
    bench.register("102", tcp(1));
    let (invite, sent) = bench.invite("101", "102", udp(6001));
    let answer = reply(&sent[1].1, 200, "b", "sip:102@127.0.0.1:40000");
    let ok = only(bench.give(tcp(1), &answer)).1;
    bench.give(udp(6001), &follow(&invite, &ok, "ACK", false));
    let sent = bench.input(Input::Order(Order::KillCalls)).0;
    assert_eq!((sent[0].0, sent[1].0, sent.len()), (udp(6001), tcp(1), 2));
    let (to_alice, to_bob) = (&sent[0].1, &sent[1].1);
    assert_eq!(
        (to_alice.uri(), tag(to_alice.header("To"))),
        ("sip:101@127.0.0.1:6001", tag(invite.header("From")))
    );
    assert_eq!((tag(to_alice.header("From")), tag(to_bob.header("To"))), ("b", "b"));
    assert_eq!(to_bob.cseq(), Some((invite.cseq().unwrap().0 + 1, "BYE")));
    assert_eq!(bench.switch.calls(), 0);
    bench.give(tcp(1), &reply(to_bob, 200, "", "sip:b@h"));
    // Alice is silent: her BYE is repeated, then given up.
    assert_eq!(bench.pass(Duration::from_secs(40)).len(), 10);
}

#[test]
fn a_killed_ringing_call_brings_480() {
    let mut bench = Bench::new();
    bench.register("102", udp(6002));
    let (_, sent) = bench.invite("101", "102", udp(6001));
    let at_bob = sent[1].1.clone();
    bench.give(udp(6002), &reply(&at_bob, 180, "b", "sip:b@h"));
    assert_eq!(only(bench.input(Input::Order(Order::KillCalls)).0).1.method(), "CANCEL");
    let sent = bench.give(udp(6002), &reply(&at_bob, 487, "b", "sip:b@h"));
    assert_eq!(sent[1].1.code(), 480);
}

#[test]
fn a_call_survives_a_new_connection() {
    let mut bench = Bench::new();
    bench.register("102", tcp(1));
    let (invite, sent) = bench.invite("101", "102", udp(6001));
    let answer = reply(&sent[1].1, 200, "b", "sip:102@127.0.0.1:40000");
    let ok = only(bench.give(tcp(1), &answer)).1;
    bench.input(Input::Closed(1));
    assert!(bench.switch.registrations().is_empty());
    assert_eq!(codes(&bench.give(udp(6001), &follow(&invite, &ok, "INFO", false))), [481]);
    bench.register("102", tcp(2));
    assert_eq!(only(bench.give(udp(6001), &follow(&invite, &ok, "BYE", false))).0, tcp(2));
}

#[test]
fn what_cannot_be_routed_is_refused() {
    let mut bench = Bench::new();
    let alice = udp(6001);
    for (to, code) in [("102", 480), ("999", 404), ("9197", 486), ("9199", 603)] {
        assert_eq!(codes(&bench.invite("101", to, alice).1), [code], "{to}");
    }
    let mut foreign = bench.request("INVITE", "101", "102", alice);
    foreign.start = Message::request("INVITE", "sip:102@elsewhere.io").start;
    assert_eq!(codes(&bench.give(alice, &foreign)), [404]);
    let mut hops = bench.request("INVITE", "101", "102", alice);
    hops.set("Max-Forwards", "0");
    assert_eq!(codes(&bench.give(alice, &hops)), [483]);
    let mut require = bench.request("INVITE", "101", "102", alice);
    require.push("Proxy-Require", "teleport");
    let (_, refusal) = only(bench.give(alice, &require));
    assert_eq!((refusal.code(), refusal.header("Unsupported")), (420, Some("teleport")));
    let mut untagged = bench.request("INVITE", "101", "102", alice);
    untagged.set("From", "<sip:101@test.io>");
    assert_eq!(codes(&bench.give(alice, &untagged)), [400]);
    let mut options = bench.request("OPTIONS", "101", "", alice);
    options.start = Message::request("OPTIONS", "sip:127.0.0.1:5060").start;
    assert_eq!(codes(&bench.give(alice, &options)), [200]);
    bench.switch.unavailable = true;
    let request = bench.request("REGISTER", "101", "101", alice);
    assert_eq!(codes(&bench.give(alice, &request)), [503]);
}

#[test]
fn nobody_speaks_for_somebody_else() {
    let mut bench = Bench::new();
    let request = bench.request("REGISTER", "101", "102", udp(6001));
    assert_eq!(codes(&bench.ask(udp(6001), &request).1), [403]);
    let mut invite = bench.request("INVITE", "101", "9196", udp(6001));
    let refusal = only(bench.give(udp(6001), &invite)).1;
    let authorised = bench.authorised(&invite, &refusal);
    invite = authorised.clone();
    invite.set("From", "<sip:102@test.io>;tag=x");
    assert_eq!(codes(&bench.give(udp(6001), &invite)), [403]);
}

#[test]
fn wrong_and_stale_credentials_are_challenged_again() {
    let config = Config { nonce_lifetime: Duration::from_secs(30), ..Config::default() };
    let mut bench = Bench::with(config);
    let request = bench.request("REGISTER", "101", "101", udp(6001));
    let refusal = only(bench.give(udp(6001), &request)).1;
    let good = bench.authorised(&request, &refusal);
    let mut wrong = good.clone();
    let broken = good.header("Authorization").unwrap().replace("response=\"", "response=\"0");
    wrong.set("Authorization", broken);
    wrong.set("Via", "SIP/2.0/UDP 127.0.0.1:6001;rport;branch=z9hG4bKwrong");
    let (_, refusal) = only(bench.give(udp(6001), &wrong));
    assert_eq!(refusal.code(), 401);
    assert!(!refusal.header("WWW-Authenticate").unwrap().contains("stale"));
    bench.pass(Duration::from_secs(31));
    let (_, refusal) = only(bench.give(udp(6001), &good));
    assert!(refusal.header("WWW-Authenticate").unwrap().contains("stale=true"));
    let fresh = bench.authorised(&good, &refusal);
    assert_eq!(codes(&bench.give(udp(6001), &fresh)), [200]);
}

#[test]
fn a_bye_is_challenged_when_told_to() {
    let mut bench = Bench::new();
    bench.register("102", tcp(1));
    let (invite, sent) = bench.invite("101", "102", udp(6001));
    let ok = only(bench.give(tcp(1), &reply(&sent[1].1, 200, "b", "sip:102@127.0.0.1:40000"))).1;
    bench.give(udp(6001), &follow(&invite, &ok, "ACK", false));
    bench.switch.challenge_in_dialog = true;
    let bye = follow(&invite, &ok, "BYE", false);
    let refusal = only(bench.give(udp(6001), &bye)).1;
    assert_eq!((refusal.code(), bench.switch.calls()), (407, 1));
    let again = bench.authorised(&bye, &refusal);
    assert_eq!(only(bench.give(udp(6001), &again)).0, tcp(1));
}

#[test]
fn the_ringing_line_rings_until_cancelled_or_given_up() {
    let mut bench = Bench::new();
    let (invite, sent) = bench.invite("101", "9198", tcp(1));
    assert_eq!(codes(&sent), [100, 180]);
    assert!(bench.pass(Duration::from_secs(59)).is_empty());
    let (_, over) = only(bench.pass(Duration::from_secs(1)));
    assert_eq!((over.code(), tag(over.header("To"))), (408, tag(sent[1].1.header("To"))));
    bench.give(tcp(1), &follow(&invite, &over, "ACK", true));

    let (invite, _) = bench.invite("101", "9198", tcp(1));
    let cancel = follow(&invite, &invite, "CANCEL", true);
    assert_eq!(codes(&bench.give(tcp(1), &cancel)), [200, 487]);
    assert!(bench.switch.lines.is_empty());
}

#[test]
fn the_echo_line_answers_is_held_and_hung_up() {
    let mut bench = Bench::new();
    let alice = udp(6001);
    let mut invite = bench.request("INVITE", "101", "9196", alice);
    invite.body = SDP.into();
    let refusal = only(bench.give(alice, &invite)).1;
    bench.give(alice, &follow(&invite, &refusal, "ACK", true));
    let invite = bench.authorised(&invite, &refusal);
    let (sent, media) = bench.input(Input::Message(alice, Box::new(invite.clone())));
    assert_eq!(codes(&sent), [100, 180]);
    let [Output::OpenMedia { line, .. }] = media.as_slice() else { panic!("{media:?}") };
    let opened = Input::MediaOpened { line: line.clone(), rtp: Some(address(7000)) };
    let (_, ok) = only(bench.input(opened).0);
    assert_eq!((ok.code(), bench.switch.calls()), (200, 1));
    assert!(String::from_utf8_lossy(&ok.body).contains("m=audio 7000 RTP/AVP 0\r\n"));
    assert_eq!(codes(&bench.pass(Duration::from_secs(2))), [200, 200]);
    assert!(bench.give(alice, &follow(&invite, &ok, "ACK", false)).is_empty());
    assert!(bench.pass(Duration::from_secs(60)).is_empty());

    let mut hold = follow(&invite, &ok, "UPDATE", false);
    hold.body = format!("{SDP}a=sendonly\r\n").into();
    let (sent, media) = bench.input(Input::Message(alice, Box::new(hold)));
    assert!(String::from_utf8_lossy(&sent[0].1.body).contains("a=recvonly"));
    assert!(matches!(media.as_slice(), [Output::ChangeMedia { .. }]));

    let (sent, media) = bench.input(Input::MediaQuiet { line: line.clone() });
    let bye = only(sent).1;
    assert_eq!((bye.method(), bye.uri(), bench.switch.calls()), ("BYE", "sip:101@127.0.0.1:6001", 0));
    assert_eq!(
        (tag(bye.header("From")), tag(bye.header("To"))),
        (tag(ok.header("To")), tag(invite.header("From")))
    );
    assert!(matches!(media.as_slice(), [Output::CloseMedia { .. }]));
    assert!(bench.give(alice, &reply(&bye, 200, "", "sip:a@b")).is_empty());
    assert_eq!(codes(&bench.give(alice, &follow(&invite, &ok, "BYE", false))), [481]);
}

#[test]
fn an_echo_call_cancelled_while_its_sockets_open_leaves_none_behind() {
    let mut bench = Bench::new();
    let (invite, _) = bench.invite("101", "9196", tcp(1));
    let line = bench.switch.lines.keys().next().unwrap().clone();
    let cancel = follow(&invite, &invite, "CANCEL", true);
    assert_eq!(codes(&bench.give(tcp(1), &cancel)), [200, 487]);
    let (sent, media) = bench.input(Input::MediaOpened { line, rtp: Some(address(7000)) });
    assert!(sent.is_empty());
    assert!(matches!(media.as_slice(), [Output::CloseMedia { .. }]));
}
