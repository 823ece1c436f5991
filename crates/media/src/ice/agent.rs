use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::checks::{Checklist, Pair, Pending, Progress};
use super::{Agreed, Candidate, Kind, priority};
use crate::sdp::Trickle;
use crate::stun::{Class, Message, TransactionId, Writer, attribute, method};

/// Time between two checks (RFC 8445, section 14.2).
const PACE: Duration = Duration::from_millis(20);
/// How long a better pair is waited for once a direct one, or one over a relay, works.
const BETTER_THAN_DIRECT: Duration = Duration::from_millis(200);
const BETTER_THAN_RELAYED: Duration = Duration::from_millis(500);
/// Time between two tries to nominate a pair, and how many there are.
const NOMINATE_AGAIN: Duration = Duration::from_millis(500);
const NOMINATIONS: u32 = 8;
/// Time after which checks without any success have failed; what comes later is taken all the same.
const GIVE_UP: Duration = Duration::from_secs(10);
/// Time after which pairs that have all failed are tried again.
const RETRY: Duration = Duration::from_secs(2);
/// The other side is asked this often, give or take a fifth, whether it still wants our packets (RFC 7675, section 5.1).
const CONSENT: Duration = Duration::from_secs(5);
/// Without an answer for this long, nothing more is sent there (RFC 7675, section 5.1).
const CONSENT_LASTS: Duration = Duration::from_secs(30);
/// A nominated pair that was silent for longer gives way to another.
const FRESH: Duration = Duration::from_secs(12);
/// Addresses of theirs that are looked at, those found on the way included.
const MOST_REMOTES: usize = 32;
const MOST_LOCALS: usize = 8;
const MOST_QUEUED: usize = 256;

/// Which of our ways out something came in by or leaves by, as the owner of the agent numbers them.
pub(crate) type Base = usize;

/// An address that packets leave from.
#[derive(Debug)]
struct Local {
    base: Base,
    address: SocketAddr,
    kind: Kind,
    priority: u32,
}

/// An address of theirs.
#[derive(Debug)]
struct Remote {
    address: SocketAddr,
    kind: Kind,
    priority: u32,
}

/// The pair we nominate, how often it was asked, and when it is asked again.
#[derive(Debug, Clone, Copy)]
struct Nominee {
    pair: usize,
    tries: u32,
    again: Instant,
}

/// How far the agent is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// No pair works yet.
    Checking,
    /// Packets pass.
    Connected,
    /// No pair works.
    Failed,
}

/// A datagram of the agent: where it leaves, where it goes.
pub(crate) type Outgoing = (Base, SocketAddr, Vec<u8>);

/// An ICE agent for one stream with RTP and RTCP on one port. Time and datagrams go in, datagrams come out.
#[derive(Debug)]
pub(crate) struct Agent {
    agreed: Agreed,
    controlling: bool,
    tie_breaker: u64,
    random: StdRng,
    locals: Vec<Local>,
    remotes: Vec<Remote>,
    checks: Checklist,
    begun: Instant,
    /// No check before this.
    paced: Instant,
    /// When the first pair became valid.
    found: Option<Instant>,
    nominating: Option<Nominee>,
    selected: Option<usize>,
    consent: Instant,
    queue: VecDeque<Outgoing>,
}

impl Agent {
    /// Begins to check. `seed` is random.
    pub fn new(now: Instant, agreed: Agreed, seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut agent = Self {
            controlling: agreed.controlling,
            tie_breaker: random.random(),
            random,
            locals: Vec::new(),
            remotes: Vec::new(),
            checks: Checklist::default(),
            begun: now,
            paced: now,
            found: None,
            nominating: None,
            selected: None,
            consent: now,
            queue: VecDeque::new(),
            agreed,
        };
        agent.add_remotes();
        agent
    }

    /// What it was begun with.
    pub fn agreed(&self) -> &Agreed {
        &self.agreed
    }

    /// Adds an address of ours that packets can leave from, the best of its kind first.
    /// Whether it is new.
    pub fn add_local(&mut self, base: Base, address: SocketAddr, kind: Kind) -> bool {
        if self.locals.len() == MOST_LOCALS || self.locals.iter().any(|local| local.base == base) {
            return false;
        }
        let nth = self.locals.iter().filter(|local| local.kind == kind).count();
        self.locals.push(Local { base, address, kind, priority: priority(kind, nth) });
        for remote in 0..self.remotes.len() {
            self.pair(self.locals.len() - 1, remote);
        }
        true
    }

    /// Takes more candidates of theirs, for the credentials in use.
    pub fn update(&mut self, candidates: &[Candidate]) {
        self.agreed.candidates = candidates.to_vec();
        self.add_remotes();
    }

    /// Takes candidates of theirs that were found later, where they are for the credentials in use (RFC 8838, section
    /// 11). Whether they are.
    pub fn trickle(&mut self, later: &Trickle) -> bool {
        let ours = later.remote == self.agreed.remote;
        if ours {
            for candidate in &later.candidates {
                self.add_remote(candidate.address, candidate.kind, candidate.priority);
            }
        }
        ours
    }

    /// Takes a STUN message that is not for a server's eyes.
    pub fn receive(&mut self, now: Instant, base: Base, from: SocketAddr, message: &Message<'_>) {
        if message.method != method::BINDING {
            return;
        }
        match message.class {
            Class::Request => self.asked(now, base, from, message),
            Class::Success | Class::Error => self.answered(now, base, from, message),
            Class::Indication => {}
        }
    }

    /// The next datagram that is due. Call until it gives `None`.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Outgoing> {
        if self.queue.is_empty() {
            self.work(now);
        }
        self.queue.pop_front()
    }

    /// When [`poll_transmit`](Self::poll_transmit) has something to do by itself.
    pub fn next_deadline(&self) -> Option<Instant> {
        let checking = self.selected.is_none();
        let turn = (checking && self.checks.has_next()).then_some(self.paced);
        let overdue = self.checks.next_overdue().filter(|_| checking);
        let nominate = match self.nominating {
            Some(nominee) => Some(nominee.again),
            None if checking && self.controlling => self.nominate_at(),
            None => None,
        };
        let consent = (!checking).then_some(self.consent);
        [turn, overdue, nominate, consent].into_iter().flatten().min()
    }

    /// How far it is.
    pub fn state(&self, now: Instant) -> State {
        match self.path() {
            Some(_) => State::Connected,
            None if now.saturating_duration_since(self.begun) > GIVE_UP => State::Failed,
            None => State::Checking,
        }
    }

    /// Where media goes: on the pair that was agreed on, until then on the best that works.
    pub fn path(&self) -> Option<(Base, SocketAddr)> {
        let (_, local, remote) = self.in_use()?;
        Some((local.base, remote.address))
    }

    /// How far round the way in use leads, on either side.
    pub fn kind(&self) -> Option<Kind> {
        let (pair, local, remote) = self.in_use()?;
        let ours = match local.kind {
            Kind::Relayed => Kind::Relayed,
            _ if pair.mapped.is_some_and(|mapped| mapped != local.address) => Kind::ServerReflexive,
            kind => kind,
        };
        let kinds = [ours, remote.kind];
        let order = [Kind::Relayed, Kind::ServerReflexive, Kind::PeerReflexive];
        order.into_iter().find(|kind| kinds.contains(kind)).or(Some(Kind::Host))
    }

    /// Whether the other side may send from here: it said so, or proved it.
    pub fn knows(&self, from: SocketAddr) -> bool {
        self.remotes.iter().any(|remote| remote.address == from)
    }

    /// The pair that both agreed on, by number.
    #[cfg(test)]
    pub fn selected(&self) -> Option<usize> {
        self.selected
    }

    /// All addresses that a relay must let through.
    pub fn remotes(&self) -> impl Iterator<Item = SocketAddr> {
        self.remotes.iter().map(|remote| remote.address)
    }

    fn in_use(&self) -> Option<(&Pair, &Local, &Remote)> {
        let index = self.selected.or_else(|| self.checks.best(Pair::is_valid))?;
        let pair = self.checks.pairs.get(index)?;
        Some((pair, self.locals.get(pair.local)?, self.remotes.get(pair.remote)?))
    }

    fn add_remotes(&mut self) {
        for candidate in self.agreed.candidates.clone() {
            if candidate.component == 1 {
                self.add_remote(candidate.address, candidate.kind, candidate.priority);
            }
        }
    }

    fn add_remote(&mut self, address: SocketAddr, kind: Kind, priority: u32) -> Option<usize> {
        if let Some(known) = self.remotes.iter().position(|remote| remote.address == address) {
            return Some(known);
        }
        if self.remotes.len() == MOST_REMOTES {
            return None;
        }
        self.remotes.push(Remote { address, kind, priority });
        let index = self.remotes.len() - 1;
        // What was found on the way makes a pair only with where it came in (RFC 8445, section 7.3.1.4).
        if kind != Kind::PeerReflexive {
            for local in 0..self.locals.len() {
                self.pair(local, index);
            }
        }
        Some(index)
    }

    fn pair(&mut self, local: usize, remote: usize) -> Option<usize> {
        let (ours, theirs) = (self.locals.get(local)?, self.remotes.get(remote)?);
        if !fit(ours.address.ip(), theirs.address.ip()) {
            return None;
        }
        // RFC 8445, section 6.1.2.3.
        let (g, d) = match self.controlling {
            true => (u64::from(ours.priority), u64::from(theirs.priority)),
            false => (u64::from(theirs.priority), u64::from(ours.priority)),
        };
        self.checks.add(local, remote, (g.min(d) << 32) + 2 * g.max(d) + u64::from(g > d))
    }

    /// Does what is due.
    fn work(&mut self, now: Instant) {
        if let Some(pair) = self.selected {
            self.keep_consent(now, pair);
        }
        if self.selected.is_none() {
            self.check_on(now);
        }
    }

    fn check_on(&mut self, now: Instant) {
        while let Some(pair) = self.checks.overdue(now) {
            self.ask(now, pair, false);
        }
        if self.paced <= now
            && let Some(pair) = self.checks.next()
        {
            self.paced = now + PACE;
            self.ask(now, pair, false);
        } else if self.checks.are_over() {
            // A network that was away may be back.
            self.paced = now + RETRY;
            self.checks.reset();
        }
        match self.nominating {
            Some(nominee) if nominee.again <= now => self.nominate(now, nominee.pair, nominee.tries + 1),
            None if self.controlling && self.nominate_at().is_some_and(|at| at <= now) => {
                let best = self.checks.best(Pair::is_valid);
                best.into_iter().for_each(|pair| self.nominate(now, pair, 1));
            }
            _ => {}
        }
    }

    /// When the best pair that works is good enough: nothing better is open, or was waited for long enough.
    fn nominate_at(&self) -> Option<Instant> {
        let found = self.found?;
        let best = self.checks.pairs.get(self.checks.best(Pair::is_valid)?)?;
        let better = |pair: &Pair| pair.is_open() && pair.priority > best.priority;
        if !self.checks.pairs.iter().any(better) {
            return Some(found);
        }
        let relayed = [
            self.locals.get(best.local).map(|local| local.kind),
            self.remotes.get(best.remote).map(|remote| remote.kind),
        ]
        .contains(&Some(Kind::Relayed));
        Some(found + if relayed { BETTER_THAN_RELAYED } else { BETTER_THAN_DIRECT })
    }

    fn nominate(&mut self, now: Instant, pair: usize, tries: u32) {
        if tries > NOMINATIONS {
            self.nominating = None;
            return self.checks.get(pair).into_iter().for_each(|pair| pair.progress = Progress::Failed);
        }
        self.nominating = Some(Nominee { pair, tries, again: now + NOMINATE_AGAIN });
        self.ask(now, pair, true);
    }

    fn keep_consent(&mut self, now: Instant, pair: usize) {
        let confirmed = match self.checks.get(pair).map(|pair| pair.progress) {
            Some(Progress::Valid { confirmed }) => confirmed,
            _ => return self.start_over(now),
        };
        let silent = now.saturating_duration_since(confirmed);
        if silent > CONSENT_LASTS {
            return self.start_over(now);
        }
        if self.consent <= now {
            self.consent = now + CONSENT.mul_f64(self.random.random_range(0.8..1.2));
            self.ask(now, pair, false);
            if silent > FRESH {
                self.select(now);
            }
        }
    }

    /// Nothing works any more: everything is tried anew.
    fn start_over(&mut self, now: Instant) {
        (self.selected, self.nominating, self.found) = (None, None, None);
        (self.begun, self.paced) = (now, now);
        self.checks.reset();
    }

    fn ask(&mut self, now: Instant, index: usize, nominates: bool) {
        let Some(pair) = self.checks.pairs.get(index) else { return };
        let (Some(local), Some(remote)) = (self.locals.get(pair.local), self.remotes.get(pair.remote)) else {
            return;
        };
        let nth =
            self.locals.iter().filter(|other| other.kind == local.kind).position(|l| l.base == local.base);
        let reflexive = priority(Kind::PeerReflexive, nth.unwrap_or_default());
        let id: TransactionId = self.random.random();
        let user = format!("{}:{}", self.agreed.remote.ufrag, self.agreed.local.ufrag);
        let role = if self.controlling { attribute::ICE_CONTROLLING } else { attribute::ICE_CONTROLLED };
        let mut request = Writer::new(Class::Request, method::BINDING, id)
            .with(attribute::USERNAME, user.as_bytes())
            .with(attribute::PRIORITY, &reflexive.to_be_bytes())
            .with(role, &self.tie_breaker.to_be_bytes());
        if nominates {
            request = request.with(attribute::USE_CANDIDATE, &[]);
        }
        let bytes = request.finish(Some(self.agreed.remote.pwd.as_bytes()));
        let (base, to) = (local.base, remote.address);
        let controlling = self.controlling;
        self.checks.asked(Pending { id, pair: index, sent: now, nominates, controlling });
        self.send((base, to, bytes));
    }

    /// A check of theirs (RFC 8445, section 7.3).
    fn asked(&mut self, now: Instant, base: Base, from: SocketAddr, message: &Message<'_>) {
        let for_us = message
            .text(attribute::USERNAME)
            .and_then(|user| user.split_once(':'))
            .is_some_and(|(ours, _)| ours == self.agreed.local.ufrag);
        if !for_us || !message.is_authentic(self.agreed.local.pwd.as_bytes()) {
            return;
        }
        let Some(local) = self.locals.iter().position(|local| local.base == base) else { return };
        if self.conflicts(message) {
            let refusal =
                Writer::new(Class::Error, method::BINDING, message.id).with_error(487, "Role Conflict");
            return self.send((base, from, refusal.finish(Some(self.agreed.local.pwd.as_bytes()))));
        }
        let priority = message.u32(attribute::PRIORITY).unwrap_or_default();
        let Some(remote) = self.add_remote(from, Kind::PeerReflexive, priority) else { return };
        let Some(index) = self.pair(local, remote) else { return };
        let answer = Writer::new(Class::Success, method::BINDING, message.id)
            .with_address(attribute::XOR_MAPPED_ADDRESS, from)
            .finish(Some(self.agreed.local.pwd.as_bytes()));
        self.send((base, from, answer));
        let nominates = !self.controlling && message.get(attribute::USE_CANDIDATE).is_some();
        let Some(pair) = self.checks.get(index) else { return };
        pair.nominated |= nominates;
        if !pair.is_valid() {
            // It may have failed only because our checks came before theirs had opened their NAT.
            self.checks.trigger(index);
            if self.selected.is_some() {
                self.ask(now, index, false);
            }
        }
        if nominates {
            self.select(now);
        }
    }

    /// Whether both sides have one role and the other is to give way; where we are to, we do (RFC 8445, section
    /// 7.3.1.1).
    fn conflicts(&mut self, message: &Message<'_>) -> bool {
        let theirs = match self.controlling {
            true => message.u64(attribute::ICE_CONTROLLING),
            false => message.u64(attribute::ICE_CONTROLLED),
        };
        let Some(theirs) = theirs else { return false };
        let we_win = self.tie_breaker >= theirs;
        if we_win == self.controlling {
            return true;
        }
        self.controlling = !self.controlling;
        self.nominating = None;
        false
    }

    /// An answer to a check of ours (RFC 8445, section 7.2.5).
    fn answered(&mut self, now: Instant, base: Base, from: SocketAddr, message: &Message<'_>) {
        if !message.is_authentic(self.agreed.remote.pwd.as_bytes()) {
            return;
        }
        let Some(pending) = self.checks.answered(now, message.id) else { return };
        let Some(pair) = self.checks.get(pending.pair) else { return };
        let asked = (
            self.locals.get(pair.local).map(|local| local.base),
            self.remotes.get(pair.remote).map(|remote| remote.address),
        );
        // An answer must come back the way the request went.
        if asked != (Some(base), Some(from)) {
            return;
        }
        if message.class == Class::Error {
            return self.refused(pending, message.error());
        }
        pair.progress = Progress::Valid { confirmed: now };
        pair.mapped = message.address(attribute::XOR_MAPPED_ADDRESS);
        pair.nominated |= pending.nominates && self.controlling;
        let nominated = pair.nominated;
        self.found.get_or_insert(now);
        if pending.nominates {
            self.nominating = None;
        }
        if nominated {
            self.select(now);
        }
    }

    fn refused(&mut self, pending: Pending, error: Option<u16>) {
        match error {
            Some(487) => {
                if pending.controlling == self.controlling {
                    self.controlling = !self.controlling;
                    self.tie_breaker = self.random.random();
                    self.nominating = None;
                }
                self.checks.trigger(pending.pair);
            }
            _ => {
                if let Some(pair) = self.checks.get(pending.pair).filter(|pair| !pair.is_valid()) {
                    pair.progress = Progress::Failed;
                }
            }
        }
    }

    /// Takes the best pair that is nominated and works, those first that were answered lately.
    fn select(&mut self, now: Instant) {
        let fresh = |pair: &Pair| {
            matches!(pair.progress, Progress::Valid { confirmed }
                if now.saturating_duration_since(confirmed) <= FRESH)
        };
        let best = self.checks.best(|pair| pair.nominated && fresh(pair));
        let Some(best) = best.or_else(|| self.checks.best(|pair| pair.nominated && pair.is_valid())) else {
            return;
        };
        if self.selected != Some(best) {
            self.selected = Some(best);
            self.consent = now + CONSENT.mul_f64(self.random.random_range(0.8..1.2));
        }
    }

    fn send(&mut self, outgoing: Outgoing) {
        if self.queue.len() < MOST_QUEUED {
            self.queue.push_back(outgoing);
        }
    }
}

/// Whether two addresses can reach each other: of one family, and nobody sends us to ourselves (RFC 8445, section
/// 6.1.2.2).
fn fit(ours: IpAddr, theirs: IpAddr) -> bool {
    ours.is_ipv4() == theirs.is_ipv4() && (ours.is_loopback() || !theirs.is_loopback())
}
