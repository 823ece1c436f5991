//! What this machine's network looks like and when that changes; when the machine slept. One thread watches for all
//! user agents of the process. What it makes of it is decided by the pure [`Observer`].

#[cfg(target_os = "linux")]
#[path = "network/netlink.rs"]
mod bell;
#[cfg(not(target_os = "linux"))]
#[path = "network/ticks.rs"]
mod bell;
mod sleep;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use bell::{Bell, Rung, Stop, real_time};
use sleep::Sleep;

/// How long the network must be still before it counts as settled: addresses come one by one.
const SETTLING: Duration = Duration::from_millis(200);
/// A network that is never still counts as settled after this.
const RESTLESS: Duration = Duration::from_secs(1);

/// What the interfaces of this machine look like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Picture {
    /// Addresses, and whether their interface has a carrier.
    addresses: BTreeSet<(String, IpAddr, bool)>,
    /// The addresses that packets to far places leave from.
    outward: Vec<Option<IpAddr>>,
}

impl Picture {
    fn take() -> Self {
        let addresses = if_addrs::get_if_addrs().unwrap_or_default();
        let far: [IpAddr; 2] =
            [Ipv4Addr::new(192, 0, 2, 1).into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into()];
        Self {
            addresses: addresses
                .into_iter()
                .map(|interface| (interface.name.clone(), interface.ip(), interface.is_oper_up()))
                .collect(),
            outward: far.map(|ip| source_toward(SocketAddr::new(ip, 9))).into(),
        }
    }

    /// Names of the interfaces that look different in the other picture.
    fn differing<'a>(&'a self, other: &'a Self) -> BTreeSet<&'a str> {
        self.addresses.symmetric_difference(&other.addresses).map(|(name, ..)| name.as_str()).collect()
    }

    /// Names of the interfaces that have this address.
    fn interfaces(&self, ip: IpAddr) -> impl Iterator<Item = &str> {
        self.addresses.iter().filter(move |(_, address, _)| *address == ip).map(|(name, ..)| name.as_str())
    }

    /// Whether an address of ours is on an interface that is known to have no carrier.
    pub(crate) fn is_dead(&self, ip: IpAddr) -> bool {
        let mut of_ip = self.addresses.iter().filter(|(_, address, _)| *address == ip).peekable();
        of_ip.peek().is_some() && of_ip.all(|(_, _, up)| !up)
    }
}

/// The local address that packets to `peer` leave from; `None` where no route leads there. Nothing is sent.
pub(crate) fn source_toward(peer: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr =
        if peer.is_ipv6() { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(peer).ok()?;
    socket.local_addr().ok().map(|address| address.ip().to_canonical())
}

/// What has changed up to now, since the watch began.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stir {
    /// How often each interface changed.
    touches: Arc<BTreeMap<String, u64>>,
    /// How often the machine woke.
    pub wakes: u64,
    /// For how long it slept in all.
    pub slept: Duration,
    /// How the network looks now.
    pub picture: Arc<Picture>,
}

impl Stir {
    /// Whether an interface with this address has changed since `before`, if only for a moment.
    pub(crate) fn touched(&self, before: &Self, ip: IpAddr) -> bool {
        self.picture.interfaces(ip).any(|name| self.touches.get(name) != before.touches.get(name))
    }
}

/// Decides from pictures and clocks when something has changed.
#[derive(Debug)]
struct Observer {
    settled: Picture,
    /// The latest picture, since when it is so, and when the first one differed.
    latest: Option<(Picture, Instant, Instant)>,
    touches: BTreeMap<String, u64>,
    sleep: Sleep,
}

impl Observer {
    fn new(picture: Picture, now: Instant, real: Duration) -> Self {
        Self { settled: picture, latest: None, touches: BTreeMap::new(), sleep: Sleep::new(now, real) }
    }

    /// Takes the clocks; how long the machine slept if it has just woken.
    fn clocks(&mut self, now: Instant, real: Duration) -> Option<Duration> {
        self.sleep.look(now, real)
    }

    /// Takes a picture made at the time `now`.
    fn picture(&mut self, picture: Picture, now: Instant) {
        let before = self.latest.as_ref().map_or(&self.settled, |(latest, ..)| latest);
        for name in before.differing(&picture) {
            *self.touches.entry(name.to_owned()).or_default() += 1;
        }
        match &mut self.latest {
            Some((latest, ..)) if *latest == picture => {}
            Some((latest, since, _)) => {
                *latest = picture;
                *since = now;
            }
            None if picture == self.settled => {}
            None => self.latest = Some((picture, now, now)),
        }
    }

    /// When to look again.
    fn deadline(&self) -> Option<Instant> {
        self.latest.as_ref().map(|(_, since, first)| (*since + SETTLING).min(*first + RESTLESS))
    }

    /// The new picture, once it has settled. One that is again what it was is told all the same: what was gone for a
    /// moment may have taken connections along.
    fn settle(&mut self, now: Instant) -> Option<Picture> {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return None;
        }
        let (picture, ..) = self.latest.take()?;
        self.settled = picture.clone();
        Some(picture)
    }
}

/// A watch over the network of this machine; ends with its last owner.
pub(crate) struct Watch {
    stirs: watch::Receiver<Stir>,
    stop: Option<Stop>,
    thread: Option<JoinHandle<()>>,
}

static SHARED: Mutex<Weak<Watch>> = Mutex::new(Weak::new());

impl Watch {
    /// The watch of this process.
    ///
    /// # Errors
    /// No thread, or nothing to stop it with, can be had.
    pub(crate) fn shared() -> io::Result<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watch) = shared.upgrade() {
            return Ok(watch);
        }
        let watch = Arc::new(Self::begin()?);
        *shared = Arc::downgrade(&watch);
        Ok(watch)
    }

    fn begin() -> io::Result<Self> {
        let (bell, stop) = Bell::new()?;
        let picture = Picture::take();
        let stir = Stir { picture: Arc::new(picture.clone()), ..Stir::default() };
        let (sender, stirs) = watch::channel(stir);
        let thread = std::thread::Builder::new()
            .name("network".into())
            .spawn(move || look(&bell, picture, &sender))?;
        Ok(Self { stirs, stop: Some(stop), thread: Some(thread) })
    }

    /// Follows the changes from now on.
    pub(crate) fn stirs(&self) -> watch::Receiver<Stir> {
        let mut stirs = self.stirs.clone();
        stirs.mark_unchanged();
        stirs
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It sees the end of its bell at once.
            let _ = thread.join();
        }
    }
}

fn look(bell: &Bell, first: Picture, stirs: &watch::Sender<Stir>) {
    let mut observer = Observer::new(first, Instant::now(), real_time());
    loop {
        let rung = bell.wait(observer.deadline().map(|at| at.saturating_duration_since(Instant::now())));
        let now = Instant::now();
        if let Some(slept) = observer.clocks(now, real_time()) {
            tracing::debug!(?slept, "woke");
            stirs.send_modify(|stir| {
                stir.wakes += 1;
                stir.slept = stir.slept.saturating_add(slept);
            });
        }
        match rung {
            Rung::Stop => return,
            Rung::Look => observer.picture(Picture::take(), now),
            Rung::Nothing => {}
        }
        if let Some(picture) = observer.settle(now) {
            tracing::debug!(?picture, "the network changed");
            stirs.send_modify(|stir| {
                stir.touches = Arc::new(observer.touches.clone());
                stir.picture = Arc::new(picture);
            });
        }
    }
}

#[cfg(test)]
mod tests;
