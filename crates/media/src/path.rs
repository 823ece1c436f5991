//! The way of a call's datagrams between its sockets and its session: as they are, or where ICE has found that they
//! pass (RFC 8445), over a relay if need be (RFC 8656).

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rand::Rng;

use crate::demux::Protocol;
use crate::ice::{Agent, Agreed, Base, Candidate, Kind, State, priority};
use crate::sdp::Trickle;
use crate::session::{Channel, Transmit};
use crate::stun::{Class, Message, TransactionId, Writer, attribute, method};
use crate::turn::{Allocation, Login, Turn};

/// Our end of the relay, beside the numbers of the sockets.
const RELAY: Base = Base::MAX;
/// Tries to learn an address of ours from a STUN server, and the first time between two (RFC 8445, section 14.3).
const PROBES: u32 = 3;
const PROBE_AGAIN: Duration = Duration::from_millis(100);
/// Datagrams kept for a driver that does not fetch them.
const MOST_QUEUED: usize = 256;
/// Datagrams of a handshake that wait for a way to be found.
const MOST_EARLY: usize = 8;

/// Where a datagram leaves from or came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// A UDP socket: RTP is the first; each further one has another address of this machine.
    Media(usize),
    /// The UDP socket that is for RTCP alone.
    Rtcp,
    /// The stream to the TURN server; the address to send to means nothing.
    Stream,
}

/// A datagram, or a piece of the stream, to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Where it leaves.
    pub port: Port,
    /// Destination.
    pub to: SocketAddr,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Who helps to find addresses.
#[derive(Debug, Clone, Default)]
pub struct Servers {
    /// A STUN server.
    pub stun: Option<SocketAddr>,
    /// A TURN server.
    pub turn: Option<TurnServer>,
}

/// A TURN server.
#[derive(Debug, Clone)]
pub struct TurnServer {
    /// Where it is.
    pub address: SocketAddr,
    /// It is spoken to over a stream (TCP or TLS) that the driver keeps, not over UDP.
    pub stream: bool,
    /// Who we are to it.
    pub login: Login,
}

/// How round the way of a call's media is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// ICE is not used: media goes where the description says, or where media comes from.
    Plain,
    /// ICE has not found a way yet.
    Searching,
    /// ICE found none.
    Blocked,
    /// From machine to machine.
    Direct,
    /// Through a NAT.
    Reflexive,
    /// Over a TURN server.
    Relayed,
}

/// A question to the STUN server.
#[derive(Debug)]
struct Probe {
    base: Base,
    id: TransactionId,
    tries: u32,
    next: Instant,
    mapped: Option<SocketAddr>,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub struct Path {
    /// Addresses of the media sockets.
    hosts: Vec<SocketAddr>,
    servers: Servers,
    probes: Vec<Probe>,
    turn: Option<Turn>,
    agent: Option<Agent>,
    /// What the session takes for the other side's address.
    announced: Option<SocketAddr>,
    /// A handshake began before there was a way: what it says first goes as soon as there is one.
    early: VecDeque<Vec<u8>>,
    queue: VecDeque<Outgoing>,
}

impl Path {
    /// Looks for the addresses under which these sockets can be reached; the first is that of RTP.
    pub fn gather(now: Instant, hosts: Vec<SocketAddr>, servers: Servers) -> Self {
        let mut random = rand::rng();
        let probes = servers.stun.into_iter().flat_map(|server| {
            let like = move |(_, host): &(usize, &SocketAddr)| host.is_ipv4() == server.is_ipv4();
            hosts.iter().enumerate().filter(like).map(|(base, _)| base).collect::<Vec<_>>()
        });
        let probes = probes
            .map(|base| Probe { base, id: random.random(), tries: 0, next: now, mapped: None })
            .collect();
        let turn =
            servers.turn.clone().map(|server| Turn::new(now, server.login, server.stream, random.random()));
        Self { hosts, servers, probes, turn, ..Self::default() }
    }

    /// Whether all servers have answered, or were given up.
    pub fn is_gathered(&self) -> bool {
        let probed = self.probes.iter().all(|probe| probe.mapped.is_some() || probe.tries > PROBES);
        let pending = |turn: &Turn| turn.allocation() == Allocation::Pending;
        probed && !self.turn.as_ref().is_some_and(pending)
    }

    /// The candidates found so far, best first; those of RTP with RTCP on the same port.
    pub fn candidates(&self) -> Vec<Candidate> {
        let mut found = Vec::new();
        for (nth, host) in self.hosts.iter().enumerate() {
            found.push(candidate(Kind::Host, nth, *host, None));
        }
        for (nth, probe) in self.probes.iter().enumerate() {
            let host = self.hosts.get(probe.base).copied();
            let mapped = probe.mapped.filter(|mapped| Some(*mapped) != host);
            found.extend(mapped.map(|mapped| candidate(Kind::ServerReflexive, nth, mapped, host)));
        }
        if let Some(Allocation::Ready { relayed, mapped }) = self.turn.as_ref().map(Turn::allocation) {
            found.push(candidate(Kind::Relayed, 0, relayed, Some(mapped)));
        }
        found
    }

    /// Goes on as was agreed: with ICE, begun anew where the credentials are other ones, or without. To the session
    /// media comes from `announced` and goes there.
    pub fn agree(&mut self, now: Instant, agreed: Option<&Agreed>, announced: SocketAddr) {
        self.announced = Some(announced);
        let Some(agreed) = agreed else {
            self.agent = None;
            return;
        };
        match &mut self.agent {
            Some(agent) if is_same(agent.agreed(), agreed) => agent.update(&agreed.candidates),
            agent => {
                let mut fresh = Agent::new(now, agreed.clone(), rand::random());
                for (base, host) in self.hosts.iter().enumerate() {
                    fresh.add_local(base, *host, Kind::Host);
                }
                *agent = Some(fresh);
                self.early.clear();
            }
        }
        self.add_relay(now);
        self.permit(now);
    }

    /// Takes candidates of theirs that were found after they had agreed. Whether they are for what was agreed on.
    pub fn trickle(&mut self, now: Instant, later: &Trickle) -> bool {
        let taken = self.agent.as_mut().is_some_and(|agent| agent.trickle(later));
        if taken {
            self.permit(now);
        }
        taken
    }

    /// The relay lets through what comes from their candidates.
    fn permit(&mut self, now: Instant) {
        if let (Some(turn), Some(agent)) = (&mut self.turn, &self.agent) {
            agent.remotes().for_each(|remote| turn.permit(now, remote.ip()));
        }
    }

    /// Takes a datagram, or a piece of the stream. What is for the session goes to `take`.
    pub fn receive(
        &mut self,
        now: Instant,
        port: Port,
        from: SocketAddr,
        bytes: &[u8],
        mut take: impl FnMut(SocketAddr, &[u8]),
    ) {
        let base = match port {
            Port::Rtcp => return take(from, bytes),
            Port::Stream => RELAY,
            Port::Media(base) => base,
        };
        let relaying = self.servers.turn.as_ref().is_some_and(|server| match port {
            Port::Stream => server.stream,
            _ => base == 0 && !server.stream && server.address == from,
        });
        if !relaying {
            return self.arrive(now, base, from, bytes, &mut take);
        }
        let Some(turn) = &mut self.turn else { return };
        let mut inside = Vec::new();
        turn.receive(now, bytes, |from, bytes| inside.push((from, bytes.to_vec())));
        if Protocol::of(bytes) == Protocol::Stun && self.servers.stun == Some(from) {
            self.probed(base, bytes);
        }
        for (from, bytes) in inside {
            self.arrive(now, RELAY, from, &bytes, &mut take);
        }
    }

    /// Sends what the session wants to be sent.
    pub fn send(&mut self, now: Instant, transmit: Transmit) {
        let Transmit { to, from_port, bytes } = transmit;
        let plain = match from_port {
            Channel::Rtp => Port::Media(0),
            Channel::Rtcp => Port::Rtcp,
        };
        match &self.agent {
            // Without consent nothing may be sent (RFC 7675, section 5.1).
            Some(agent) if self.announced == Some(to) => match agent.path() {
                Some((base, to)) => self.send_from(now, base, to, bytes, true),
                None if Protocol::of(&bytes) == Protocol::Dtls && self.early.len() < MOST_EARLY => {
                    self.early.push_back(bytes);
                }
                None => {}
            },
            _ => self.queue(Outgoing { port: plain, to, bytes }),
        }
    }

    /// The next datagram that is due. Call until it gives `None`.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Outgoing> {
        if self.queue.is_empty() {
            self.work(now);
        }
        self.queue.pop_front()
    }

    /// When [`poll_transmit`](Self::poll_transmit) has something to send by itself.
    pub fn next_deadline(&self) -> Option<Instant> {
        let probes = self.probes.iter().filter(|probe| probe.mapped.is_none() && probe.tries <= PROBES);
        let agent = self.agent.as_ref().and_then(Agent::next_deadline);
        let turn = self.turn.as_ref().and_then(Turn::next_deadline);
        probes.map(|probe| probe.next).chain(agent).chain(turn).min()
    }

    /// How round the way is.
    pub fn way(&self, now: Instant) -> Way {
        let Some(agent) = &self.agent else { return Way::Plain };
        match (agent.state(now), agent.kind()) {
            (State::Checking, _) => Way::Searching,
            (State::Failed, _) | (_, None) => Way::Blocked,
            (_, Some(Kind::Host)) => Way::Direct,
            (_, Some(Kind::ServerReflexive | Kind::PeerReflexive)) => Way::Reflexive,
            (_, Some(Kind::Relayed)) => Way::Relayed,
        }
    }

    /// The stream to the TURN server has ended.
    pub fn stream_lost(&mut self) {
        if let Some(turn) =
            self.turn.as_mut().filter(|_| self.servers.turn.as_ref().is_some_and(|s| s.stream))
        {
            turn.lost();
        }
    }

    /// Gives back what a TURN server holds for us.
    pub fn close(&mut self, now: Instant) {
        self.agent = None;
        if let Some(turn) = &mut self.turn {
            turn.close(now);
        }
    }

    fn arrive(
        &mut self,
        now: Instant,
        base: Base,
        from: SocketAddr,
        bytes: &[u8],
        take: &mut impl FnMut(SocketAddr, &[u8]),
    ) {
        if Protocol::of(bytes) == Protocol::Stun {
            if self.servers.stun == Some(from) {
                return self.probed(base, bytes);
            }
            if let (Some(agent), Some(message)) = (&mut self.agent, Message::parse(bytes)) {
                agent.receive(now, base, from, &message);
            }
            return;
        }
        match (&self.agent, self.announced) {
            (Some(agent), Some(announced)) => {
                if agent.knows(from) {
                    take(announced, bytes);
                }
            }
            _ => take(from, bytes),
        }
    }

    fn probed(&mut self, base: Base, bytes: &[u8]) {
        let Some(message) = Message::parse(bytes).filter(|message| message.class == Class::Success) else {
            return;
        };
        let asked = self.probes.iter_mut().find(|probe| probe.base == base && probe.id == message.id);
        if let Some(probe) = asked {
            probe.mapped = message.address(attribute::XOR_MAPPED_ADDRESS);
        }
    }

    fn work(&mut self, now: Instant) {
        if let Some(server) = self.servers.stun {
            for probe in self.probes.iter_mut().filter(|probe| probe.mapped.is_none() && probe.next <= now) {
                if probe.tries < PROBES {
                    let bytes = Writer::new(Class::Request, method::BINDING, probe.id).finish(None);
                    self.queue.push_back(Outgoing { port: Port::Media(probe.base), to: server, bytes });
                }
                probe.next = now + PROBE_AGAIN * 2u32.pow(probe.tries.min(PROBES));
                probe.tries = (probe.tries + 1).min(PROBES + 1);
            }
        }
        self.add_relay(now);
        while let Some((base, to, bytes)) = self.agent.as_mut().and_then(|agent| agent.poll_transmit(now)) {
            self.send_from(now, base, to, bytes, false);
        }
        if let Some((base, to)) = self.agent.as_ref().and_then(Agent::path) {
            for bytes in std::mem::take(&mut self.early) {
                self.send_from(now, base, to, bytes, false);
            }
        }
        self.flush_turn(now);
    }

    /// An allocation that came only after the candidates were told serves all the same: the other side finds out when it
    /// is checked from there.
    fn add_relay(&mut self, now: Instant) {
        let (Some(turn), Some(agent)) = (&mut self.turn, &mut self.agent) else { return };
        if let Allocation::Ready { relayed, .. } = turn.allocation()
            && agent.add_local(RELAY, relayed, Kind::Relayed)
        {
            agent.remotes().for_each(|remote| turn.permit(now, remote.ip()));
        }
    }

    fn send_from(&mut self, now: Instant, base: Base, to: SocketAddr, bytes: Vec<u8>, lasting: bool) {
        if base != RELAY {
            return self.queue(Outgoing { port: Port::Media(base), to, bytes });
        }
        if let Some(turn) = &mut self.turn {
            turn.send(now, to, &bytes, lasting);
        }
        self.flush_turn(now);
    }

    fn flush_turn(&mut self, now: Instant) {
        let Some(server) = &self.servers.turn else { return };
        let (port, to) = (if server.stream { Port::Stream } else { Port::Media(0) }, server.address);
        while let Some(bytes) = self.turn.as_mut().and_then(|turn| turn.poll_transmit(now)) {
            self.queue(Outgoing { port, to, bytes });
        }
    }

    fn queue(&mut self, outgoing: Outgoing) {
        if self.queue.len() < MOST_QUEUED {
            self.queue.push_back(outgoing);
        }
    }
}

fn is_same(a: &Agreed, b: &Agreed) -> bool {
    a.local == b.local && a.remote == b.remote
}

fn candidate(kind: Kind, nth: usize, address: SocketAddr, related: Option<SocketAddr>) -> Candidate {
    let number = match kind {
        Kind::Host => 1,
        Kind::ServerReflexive | Kind::PeerReflexive => 2,
        Kind::Relayed => 3,
    };
    let foundation = (number * 100 + nth).to_string();
    Candidate { foundation, component: 1, priority: priority(kind, nth), address, kind, related }
}

#[cfg(test)]
mod tests;
