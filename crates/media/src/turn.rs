//! A TURN client (RFC 8656): one allocation of a relayed address, its permissions and channels. Pure.

mod framing;

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use md5::{Digest, Md5};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use secrecy::{ExposeSecret, SecretString};

use crate::stun::{Class, Message, TransactionId, Writer, attribute, method};
use framing::Frames;

/// First time between two tries over UDP (RFC 8489, section 6.2.1), and how many there are.
const RTO: Duration = Duration::from_millis(250);
const TRIES: u32 = 6;
/// Over a stream one try is all (RFC 8489, section 6.2.2).
const STREAM_PATIENCE: Duration = Duration::from_secs(10);
/// Times that a server may ask for other credentials or another nonce for one request.
const MOST_REFUSALS: u32 = 3;
/// Permissions last 5 minutes, channels 10 (RFC 8656, sections 9 and 12).
const REFRESH_PERMISSION: Duration = Duration::from_secs(240);
const REFRESH_CHANNEL: Duration = Duration::from_secs(540);
/// What is asked for, and the least that is believed.
const LIFETIME: u32 = 600;
const LEAST_LIFETIME: u32 = 60;
const MOST_PERMISSIONS: usize = 32;
const MOST_CHANNELS: usize = 8;
const MOST_QUEUED: usize = 256;

/// Who we are to a TURN server (RFC 8489, section 9.2).
#[derive(Debug, Clone)]
pub struct Login {
    /// User name.
    pub user: String,
    /// Password.
    pub password: SecretString,
}

/// How far the allocation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allocation {
    /// It was asked for.
    Pending,
    /// It stands.
    Ready {
        /// The address at the server.
        relayed: SocketAddr,
        /// Ours as the server sees it.
        mapped: SocketAddr,
    },
    /// The server refused it, with this error, or went away.
    Failed(Option<u16>),
}

/// What a server is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Allocate,
    Refresh(u32),
    Permit(IpAddr),
    Bind(u16, SocketAddr),
}

#[derive(Debug)]
struct Request {
    ask: Ask,
    id: TransactionId,
    bytes: Vec<u8>,
    tries: u32,
    next: Instant,
    refusals: u32,
}

/// A permission: whether the server gave it, and when it is asked for again.
#[derive(Debug, Clone, Copy)]
struct Permission {
    given: bool,
    refresh: Instant,
}

#[derive(Debug, Clone, Copy)]
struct Binding {
    number: u16,
    peer: SocketAddr,
    bound: bool,
    refresh: Instant,
}

/// A client of one server.
#[derive(Debug)]
pub(crate) struct Turn {
    login: Login,
    /// Bytes come as a stream, not as datagrams.
    stream: bool,
    frames: Frames,
    random: StdRng,
    realm: String,
    nonce: Vec<u8>,
    key: Option<Vec<u8>>,
    allocation: Allocation,
    refresh: Option<Instant>,
    permissions: BTreeMap<IpAddr, Permission>,
    bindings: Vec<Binding>,
    requests: Vec<Request>,
    queue: VecDeque<Vec<u8>>,
}

impl Turn {
    /// Asks for an allocation, over a stream or over UDP. `seed` is random.
    pub fn new(now: Instant, login: Login, stream: bool, seed: u64) -> Self {
        let mut turn = Self {
            login,
            stream,
            frames: Frames::default(),
            random: StdRng::seed_from_u64(seed),
            realm: String::new(),
            nonce: Vec::new(),
            key: None,
            allocation: Allocation::Pending,
            refresh: None,
            permissions: BTreeMap::new(),
            bindings: Vec::new(),
            requests: Vec::new(),
            queue: VecDeque::new(),
        };
        turn.ask(now, Ask::Allocate, 0);
        turn
    }

    /// How far the allocation is.
    pub fn allocation(&self) -> Allocation {
        self.allocation
    }

    /// Asks that packets of this host are let through.
    pub fn permit(&mut self, now: Instant, peer: IpAddr) {
        let Allocation::Ready { relayed, .. } = self.allocation else { return };
        let fits = relayed.is_ipv4() == peer.is_ipv4();
        if fits && self.permissions.len() < MOST_PERMISSIONS && !self.permissions.contains_key(&peer) {
            self.permissions.insert(peer, Permission { given: false, refresh: now + REFRESH_PERMISSION });
            self.ask(now, Ask::Permit(peer), 0);
        }
    }

    /// Sends a datagram from the relayed address, over a channel where the stream is to last. It is dropped as long as
    /// there is no permission.
    pub fn send(&mut self, now: Instant, to: SocketAddr, bytes: &[u8], lasting: bool) {
        self.permit(now, to.ip());
        if !self.permissions.get(&to.ip()).is_some_and(|permission| permission.given) {
            return;
        }
        match self.bindings.iter().find(|binding| binding.peer == to) {
            Some(binding) if binding.bound => {
                let number = binding.number;
                return self.send_on(number, bytes);
            }
            None if lasting && self.bindings.len() < MOST_CHANNELS => {
                let number = 0x4000 + self.bindings.len() as u16;
                self.bindings.push(Binding {
                    number,
                    peer: to,
                    bound: false,
                    refresh: now + REFRESH_CHANNEL,
                });
                self.ask(now, Ask::Bind(number, to), 0);
            }
            _ => {}
        }
        let indication = Writer::new(Class::Indication, method::SEND, self.random.random())
            .with_address(attribute::XOR_PEER_ADDRESS, to)
            .with(attribute::DATA, bytes);
        self.queue(indication.finish(None));
    }

    /// Takes what came from the server: one datagram, or more of the stream. What is inside for us goes to `take`,
    /// with the address of who sent it to the relay.
    pub fn receive(&mut self, now: Instant, bytes: &[u8], mut take: impl FnMut(SocketAddr, &[u8])) {
        if !self.stream {
            return self.read(now, bytes, &mut take);
        }
        if !self.frames.add(bytes) {
            return self.lost();
        }
        while let Some(frame) = self.frames.next() {
            self.read(now, &frame, &mut take);
        }
    }

    /// The stream to the server has ended.
    pub fn lost(&mut self) {
        self.fail(None);
    }

    /// The next datagram, or piece of the stream, for the server. Call until it gives `None`.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Vec<u8>> {
        if self.queue.is_empty() {
            self.work(now);
        }
        self.queue.pop_front()
    }

    /// When [`poll_transmit`](Self::poll_transmit) has something to do by itself.
    pub fn next_deadline(&self) -> Option<Instant> {
        let requests = self.requests.iter().map(|request| request.next);
        let permissions = self.permissions.values().map(|permission| permission.refresh);
        let bindings = self.bindings.iter().filter(|b| b.bound).map(|binding| binding.refresh);
        requests.chain(permissions).chain(bindings).chain(self.refresh).min()
    }

    /// Gives the allocation back.
    pub fn close(&mut self, now: Instant) {
        if matches!(self.allocation, Allocation::Ready { .. }) {
            self.requests.clear();
            self.ask(now, Ask::Refresh(0), 0);
            let last: Vec<_> = self.queue.drain(..).collect();
            self.fail(None);
            self.queue.extend(last);
        }
    }

    fn work(&mut self, now: Instant) {
        if self.refresh.is_some_and(|due| due <= now) {
            self.refresh = Some(now + Duration::from_secs(30));
            self.ask(now, Ask::Refresh(LIFETIME), 0);
        }
        let due = |(ip, permission): (&IpAddr, &mut Permission)| {
            let due = permission.refresh <= now;
            permission.refresh = if due { now + REFRESH_PERMISSION } else { permission.refresh };
            due.then_some(Ask::Permit(*ip))
        };
        let mut asks: Vec<Ask> = self.permissions.iter_mut().filter_map(due).collect();
        for binding in self.bindings.iter_mut().filter(|b| b.bound && b.refresh <= now) {
            binding.refresh = now + REFRESH_CHANNEL;
            asks.push(Ask::Bind(binding.number, binding.peer));
        }
        asks.into_iter().for_each(|ask| self.ask(now, ask, 0));
        self.repeat(now);
    }

    fn repeat(&mut self, now: Instant) {
        let patience = if self.stream { 1 } else { TRIES };
        while let Some(place) = self.requests.iter().position(|request| request.next <= now) {
            let Some(request) = self.requests.get_mut(place) else { return };
            if request.tries == patience {
                let ask = request.ask;
                self.requests.remove(place);
                self.unanswered(ask);
                continue;
            }
            request.next = now + RTO * 2u32.pow(request.tries);
            request.tries += 1;
            let bytes = request.bytes.clone();
            self.queue(bytes);
        }
    }

    fn unanswered(&mut self, ask: Ask) {
        match ask {
            Ask::Allocate => self.fail(None),
            // There is another try before it runs out.
            Ask::Refresh(_) => {}
            Ask::Permit(peer) => drop(self.permissions.remove(&peer)),
            Ask::Bind(_, peer) => self.bindings.retain(|binding| binding.peer != peer || binding.bound),
        }
    }

    fn fail(&mut self, error: Option<u16>) {
        self.allocation = Allocation::Failed(error);
        self.refresh = None;
        self.permissions.clear();
        self.bindings.clear();
        self.requests.clear();
        self.queue.clear();
    }

    fn ask(&mut self, now: Instant, ask: Ask, refusals: u32) {
        let id: TransactionId = self.random.random();
        let number = match ask {
            Ask::Allocate => method::ALLOCATE,
            Ask::Refresh(_) => method::REFRESH,
            Ask::Permit(_) => method::CREATE_PERMISSION,
            Ask::Bind(..) => method::CHANNEL_BIND,
        };
        let writer = Writer::new(Class::Request, number, id);
        let writer = match ask {
            // 17 is UDP (RFC 8656, section 18.7).
            Ask::Allocate => writer
                .with(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0])
                .with(attribute::LIFETIME, &LIFETIME.to_be_bytes()),
            Ask::Refresh(lifetime) => writer.with(attribute::LIFETIME, &lifetime.to_be_bytes()),
            Ask::Permit(peer) => writer.with_address(attribute::XOR_PEER_ADDRESS, SocketAddr::new(peer, 0)),
            Ask::Bind(channel, peer) => {
                let [high, low] = channel.to_be_bytes();
                writer
                    .with(attribute::CHANNEL_NUMBER, &[high, low, 0, 0])
                    .with_address(attribute::XOR_PEER_ADDRESS, peer)
            }
        };
        let bytes = match &self.key {
            None => writer.finish(None),
            Some(key) => writer
                .with(attribute::USERNAME, self.login.user.as_bytes())
                .with(attribute::REALM, self.realm.as_bytes())
                .with(attribute::NONCE, &self.nonce)
                .finish(Some(key)),
        };
        let patience = if self.stream { STREAM_PATIENCE } else { RTO };
        self.requests.push(Request {
            ask,
            id,
            bytes: bytes.clone(),
            tries: 1,
            next: now + patience,
            refusals,
        });
        self.queue(bytes);
    }

    fn read(&mut self, now: Instant, bytes: &[u8], take: &mut impl FnMut(SocketAddr, &[u8])) {
        if let Some((number, data)) = framing::channel_data(bytes) {
            let binding = self.bindings.iter().find(|binding| binding.number == number);
            return binding.into_iter().for_each(|binding| take(binding.peer, data));
        }
        let Some(message) = Message::parse(bytes) else { return };
        match (message.class, message.method) {
            (Class::Indication, method::DATA) => {
                let from = message.address(attribute::XOR_PEER_ADDRESS);
                if let Some((from, data)) = from.zip(message.get(attribute::DATA)) {
                    take(from, data);
                }
            }
            (Class::Success | Class::Error, _) => self.answered(now, &message),
            _ => {}
        }
    }

    fn answered(&mut self, now: Instant, message: &Message<'_>) {
        let Some(place) = self.requests.iter().position(|request| request.id == message.id) else { return };
        // Whoever can guess a transaction may refuse, as in RFC 8489, section 9.2.5; only the server can grant.
        let authentic = self.key.as_ref().is_some_and(|key| message.is_authentic(key));
        if message.class == Class::Success && !authentic {
            return;
        }
        let Request { ask, refusals, .. } = self.requests.swap_remove(place);
        match message.class {
            Class::Success => self.granted(now, ask, message),
            _ => self.refused(now, ask, refusals, message),
        }
    }

    fn granted(&mut self, now: Instant, ask: Ask, message: &Message<'_>) {
        match ask {
            Ask::Allocate => {
                let relayed = message.address(attribute::XOR_RELAYED_ADDRESS);
                let mapped = message.address(attribute::XOR_MAPPED_ADDRESS);
                match relayed.zip(mapped) {
                    Some((relayed, mapped)) => {
                        self.allocation = Allocation::Ready { relayed, mapped };
                        self.lasts(now, message);
                    }
                    None => self.fail(None),
                }
            }
            Ask::Refresh(_) => self.lasts(now, message),
            Ask::Permit(peer) => {
                if let Some(permission) = self.permissions.get_mut(&peer) {
                    permission.given = true;
                }
            }
            Ask::Bind(_, peer) => {
                self.bindings.iter_mut().filter(|binding| binding.peer == peer).for_each(|b| b.bound = true);
            }
        }
    }

    /// Notes how long the allocation lasts; it is refreshed in good time.
    fn lasts(&mut self, now: Instant, message: &Message<'_>) {
        let seconds = message.u32(attribute::LIFETIME).unwrap_or(LIFETIME).clamp(LEAST_LIFETIME, 3600);
        self.refresh = Some(now + Duration::from_secs(u64::from(seconds / 2)));
    }

    fn refused(&mut self, now: Instant, ask: Ask, refusals: u32, message: &Message<'_>) {
        let error = message.error();
        let nonce = message.get(attribute::NONCE).filter(|nonce| nonce.len() <= 763);
        let again = match (error, nonce) {
            (Some(401), Some(nonce)) if self.key.is_none() => {
                self.realm = message.text(attribute::REALM).unwrap_or_default().to_owned();
                self.key = Some(self.login.key(&self.realm));
                Some(nonce)
            }
            (Some(438), Some(nonce)) => Some(nonce),
            _ => None,
        };
        if let Some(nonce) = again.filter(|_| refusals < MOST_REFUSALS) {
            self.nonce = nonce.to_vec();
            return self.ask(now, ask, refusals + 1);
        }
        match ask {
            Ask::Allocate => self.fail(error),
            // It is gone (RFC 8656, section 7.3).
            Ask::Refresh(_) if error == Some(437) => self.fail(error),
            // The host stays refused until it would have been asked again.
            Ask::Refresh(_) | Ask::Permit(_) => {}
            Ask::Bind(_, peer) => self.bindings.retain(|binding| binding.peer != peer),
        }
    }

    fn send_on(&mut self, number: u16, bytes: &[u8]) {
        if let Some(framed) = framing::frame(number, bytes, self.stream) {
            self.queue(framed);
        }
    }

    fn queue(&mut self, bytes: Vec<u8>) {
        if self.queue.len() < MOST_QUEUED {
            self.queue.push_back(bytes);
        }
    }
}

impl Login {
    /// The long-term key (RFC 8489, section 9.2.2).
    fn key(&self, realm: &str) -> Vec<u8> {
        let mut md5 = Md5::new();
        md5.update(format!("{}:{realm}:", self.user));
        md5.update(self.password.expose_secret());
        md5.finalize().to_vec()
    }
}

#[cfg(test)]
mod tests;
