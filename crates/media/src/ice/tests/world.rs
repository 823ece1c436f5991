//! Two agents in memory, each behind a NAT, with a relay for each, under a clock by hand.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::super::{Agent, Agreed, Base, Candidate, Credentials, Kind, State, priority};
use crate::sdp::Trickle;
use crate::stun::Message;

/// Time that a packet takes.
const TRAVEL: Duration = Duration::from_millis(15);
const HOST: Base = 0;
const RELAY: Base = 1;

/// What stands between a phone and the rest (RFC 4787).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nat {
    /// A public address.
    None,
    /// One mapping, open to all.
    FullCone,
    /// One mapping, open to hosts that were sent to.
    Restricted,
    /// One mapping, open to ports that were sent to.
    PortRestricted,
    /// A mapping for each destination, open to that alone.
    Symmetric,
}

struct Side {
    agent: Agent,
    nat: Nat,
    host: SocketAddr,
    relay: SocketAddr,
    outside: [u8; 4],
    /// Mapped port of a destination; destination none for all.
    mappings: HashMap<Option<SocketAddr>, u16>,
    sent_to: Vec<SocketAddr>,
    arrived: Vec<Vec<u8>>,
}

pub struct World {
    now: Instant,
    sides: [Side; 2],
    wire: Vec<(Instant, SocketAddr, SocketAddr, Vec<u8>)>,
    /// Loses one packet of so many.
    pub loses_every: Option<usize>,
    /// Loses all.
    pub cut: bool,
    sent: usize,
}

impl Side {
    fn new(index: u8, nat: Nat, agreed: Agreed, now: Instant) -> Self {
        let public = [203, 0, 113, index + 1];
        let host = SocketAddr::from((if nat == Nat::None { public } else { [10, 0, index, 1] }, 1000));
        Side {
            agent: Agent::new(now, agreed, u64::from(index) + 5),
            nat,
            host,
            relay: SocketAddr::from(([192, 0, 2, 1], 7000 + u16::from(index))),
            outside: public,
            mappings: HashMap::new(),
            sent_to: Vec::new(),
            arrived: Vec::new(),
        }
    }

    /// The address a packet of ours seems to come from.
    fn seen_by(&mut self, to: SocketAddr) -> SocketAddr {
        if self.nat == Nat::None {
            return self.host;
        }
        self.sent_to.push(to);
        let key = (self.nat == Nat::Symmetric).then_some(to);
        let next = 40_000 + self.mappings.len() as u16;
        SocketAddr::from((self.outside, *self.mappings.entry(key).or_insert(next)))
    }

    /// Whether a packet to an address gets in.
    fn admits(&self, from: SocketAddr, to: SocketAddr) -> bool {
        if self.nat == Nat::None {
            return to == self.host;
        }
        let mapped = self.mappings.iter().find(|(_, port)| to == SocketAddr::from((self.outside, **port)));
        match (self.nat, mapped) {
            (_, None) => false,
            (Nat::None | Nat::FullCone, _) => true,
            (Nat::Restricted, _) => self.sent_to.iter().any(|known| known.ip() == from.ip()),
            (Nat::PortRestricted, _) => self.sent_to.contains(&from),
            (Nat::Symmetric, Some((to, _))) => *to == Some(from),
        }
    }

    fn candidates(&mut self) -> Vec<Candidate> {
        let stun = "192.0.2.9:3478".parse().unwrap();
        let candidate = |address, kind| Candidate {
            foundation: "1".into(),
            component: 1,
            priority: priority(kind, 0),
            address,
            kind,
            related: None,
        };
        let mut all = vec![candidate(self.host, Kind::Host), candidate(self.relay, Kind::Relayed)];
        if self.nat != Nat::None {
            all.push(candidate(self.seen_by(stun), Kind::ServerReflexive));
        }
        all
    }
}

impl World {
    pub fn of(left: Nat, right: Nat) -> Self {
        Self::with(left, right, [true, false])
    }

    /// The left one behind a NAT that nobody told it of; the right one has not told its addresses yet.
    pub fn before_any_address() -> Self {
        let mut world = Self::of(Nat::Symmetric, Nat::None);
        for (index, side) in world.sides.iter_mut().enumerate() {
            let mut agreed = side.agent.agreed().clone();
            agreed.candidates.retain(|candidate| index == 1 && candidate.kind == Kind::Host);
            side.agent = Agent::new(world.now, agreed, index as u64 + 99);
            side.agent.add_local(HOST, side.host, Kind::Host);
        }
        world
    }

    /// The right one tells its addresses, for these credentials or for its own; whether the left one takes them.
    pub fn trickle(&mut self, others: Option<Credentials>) -> bool {
        let [left, right] = &mut self.sides;
        let remote = others.unwrap_or_else(|| right.agent.agreed().local.clone());
        left.agent.trickle(&Trickle { remote, candidates: right.candidates() })
    }

    /// With the roles that both believe to have.
    pub fn with(left: Nat, right: Nat, controlling: [bool; 2]) -> Self {
        let now = Instant::now();
        let none = || Agreed {
            local: Credentials::random(),
            remote: Credentials::random(),
            candidates: Vec::new(),
            controlling: true,
        };
        let sides = [Side::new(0, left, none(), now), Side::new(1, right, none(), now)];
        let mut world = World { now, sides, wire: Vec::new(), loses_every: None, cut: false, sent: 0 };
        world.begin(controlling);
        world
    }

    /// Both begin anew with other credentials.
    pub fn restart(&mut self) {
        self.begin([true, false]);
    }

    fn begin(&mut self, controlling: [bool; 2]) {
        let credentials = [Credentials::random(), Credentials::random()];
        let candidates = self.sides.each_mut().map(Side::candidates);
        for (index, side) in self.sides.iter_mut().enumerate() {
            let other = 1 - index;
            let agreed = Agreed {
                local: credentials[index].clone(),
                remote: credentials[other].clone(),
                candidates: candidates[other].clone(),
                controlling: controlling[index],
            };
            side.agent = Agent::new(self.now, agreed, index as u64 + 77);
            side.agent.add_local(HOST, side.host, Kind::Host);
            side.agent.add_local(RELAY, side.relay, Kind::Relayed);
        }
    }

    /// Goes on until both have agreed on a pair; how long that took.
    pub fn until_connected(&mut self) -> Duration {
        let begun = self.now;
        for _ in 0..20_000 {
            if self.selected().iter().all(Option::is_some) {
                return self.now - begun;
            }
            self.step();
        }
        panic!("no pair after {:?}", self.now - begun);
    }

    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.step();
        }
    }

    fn step(&mut self) {
        for index in 0..2 {
            while let Some((base, to, bytes)) = self.sides[index].agent.poll_transmit(self.now) {
                self.send(index, base, to, bytes);
            }
            let due = self.sides[index].agent.next_deadline();
            assert!(due.is_none_or(|due| due > self.now), "an agent that is done has nothing due");
        }
        self.now += Duration::from_millis(1);
        let now = self.now;
        for (_, from, to, bytes) in self.wire.extract_if(.., |(at, ..)| *at <= now).collect::<Vec<_>>() {
            self.deliver(from, to, &bytes);
        }
    }

    fn send(&mut self, index: usize, base: Base, to: SocketAddr, bytes: Vec<u8>) {
        self.sent += 1;
        if self.cut || self.loses_every.is_some_and(|every| self.sent.is_multiple_of(every)) {
            return;
        }
        let side = &mut self.sides[index];
        let from = if base == RELAY { side.relay } else { side.seen_by(to) };
        self.wire.push((self.now + TRAVEL, from, to, bytes));
    }

    fn deliver(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        for side in &mut self.sides {
            let base = if to == side.relay {
                RELAY
            } else if side.admits(from, to) {
                HOST
            } else {
                continue;
            };
            match Message::parse(bytes) {
                Some(message) => side.agent.receive(self.now, base, from, &message),
                None if side.agent.knows(from) => side.arrived.push(bytes.to_vec()),
                None => {}
            }
        }
    }

    /// Whether what either sends on its path is heard by the other.
    pub fn passes_both_ways(&mut self) -> bool {
        for index in 0..2 {
            let (base, to) = self.sides[index].agent.path().expect("no path");
            self.sides[1 - index].arrived.clear();
            let lossless = self.loses_every.take();
            self.send(index, base, to, vec![0x80, 0, 0, 1]);
            self.loses_every = lossless;
        }
        self.run(2 * TRAVEL);
        self.sides.iter().all(|side| side.arrived.len() == 1)
    }

    pub fn selected(&self) -> [Option<usize>; 2] {
        self.sides.each_ref().map(|side| side.agent.selected())
    }

    pub fn kinds(&self) -> [Kind; 2] {
        self.sides.each_ref().map(|side| side.agent.kind().expect("no path"))
    }

    pub fn states(&self) -> [State; 2] {
        self.sides.each_ref().map(|side| side.agent.state(self.now))
    }

    pub fn user_of(&self, index: usize) -> String {
        let agreed = self.sides[index].agent.agreed();
        format!("{}:{}", agreed.local.ufrag, agreed.remote.ufrag)
    }

    pub fn password_of(&self, index: usize) -> String {
        self.sides[index].agent.agreed().local.pwd.clone()
    }

    pub fn knows(&self, index: usize, address: SocketAddr) -> bool {
        self.sides[index].agent.knows(address)
    }

    /// Gives a side a datagram; how many it sends at once because of it.
    pub fn tell(&mut self, index: usize, from: SocketAddr, bytes: &[u8]) -> usize {
        let agent = &mut self.sides[index].agent;
        agent.receive(self.now, HOST, from, &Message::parse(bytes).unwrap());
        std::iter::from_fn(|| agent.poll_transmit(self.now)).count()
    }
}
