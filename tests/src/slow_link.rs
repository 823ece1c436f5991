//! A link that takes its time: two TUN devices, one at each end, and between them every packet is held for a while.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use std::net::Ipv4Addr;

use tun_rs::{DeviceBuilder, SyncDevice};

use crate::{Network, Place, Process};

/// A phone's link to the hub of a [`Network`], besides its usual one. The phone reaches the PBX over it and under
/// [`SlowLink::ADDRESS`].
pub struct SlowLink {
    ended: Arc<AtomicBool>,
    /// When the phone sent what.
    sent: Arc<Mutex<Vec<Instant>>>,
    phone: Place,
}

impl SlowLink {
    /// The phone's address on it.
    pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 79, 0, 2);

    /// Makes the phone of this number reach the PBX with this much added to every round trip.
    pub fn new(network: &Network, phone: usize, round_trip: Duration) -> Self {
        let ((place, usual), hub) = (network.phone(phone), network.hub());
        let (near, far) = (device(&place, "slow0"), device(&hub, "slow1"));
        let (address, pbx) = (Self::ADDRESS.to_string(), network.pbx().to_string());
        ip(&place, &["addr", "add", &format!("{address}/32"), "dev", "slow0"]);
        ip(&place, &["link", "set", "slow0", "up"]);
        ip(&place, &["route", "replace", &pbx, "dev", "slow0", "src", &address]);
        ip(&hub, &["link", "set", "slow1", "up"]);
        // A phone may still call itself by its usual address.
        for address in [address, usual.to_string()] {
            ip(&hub, &["route", "add", &address, "dev", "slow1"]);
        }
        let (ended, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        carry(near.clone(), far.clone(), round_trip / 2, ended.clone(), Some(sent.clone()));
        carry(far, near, round_trip / 2, ended.clone(), None);
        Self { ended, sent, phone: place }
    }

    /// Where the phone is.
    pub fn phone(&self) -> &Place {
        &self.phone
    }

    /// When the phone sent its first packet at or after `moment`.
    pub fn first_sent(&self, moment: Instant) -> Option<Instant> {
        self.sent.lock().unwrap().iter().find(|sent| **sent >= moment).copied()
    }
}

impl Drop for SlowLink {
    fn drop(&mut self) {
        // The carriers end with the next packet, or with the network's devices.
        self.ended.store(true, Ordering::Relaxed);
    }
}

/// A TUN device in a place.
pub(crate) fn device(place: &Place, name: &str) -> Arc<SyncDevice> {
    let (place, name) = (place.clone(), name.to_owned());
    let made = thread::spawn(move || {
        place.enter();
        DeviceBuilder::new().name(name).mtu(1500).build_sync().expect("root may make a TUN device")
    });
    Arc::new(made.join().expect("a TUN device"))
}

/// Carries packets one way, each `delay` late and in their order.
fn carry(
    from: Arc<SyncDevice>,
    to: Arc<SyncDevice>,
    delay: Duration,
    ended: Arc<AtomicBool>,
    log: Option<Arc<Mutex<Vec<Instant>>>>,
) {
    let (sender, held) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut packet = vec![0; 2048];
        while let Ok(length) = from.recv(&mut packet) {
            let now = Instant::now();
            // IPv4 only: what else there is are the kernel's own questions about neighbours.
            if packet.first().is_some_and(|first| first >> 4 == 4) {
                if let Some(log) = &log {
                    log.lock().unwrap().push(now);
                }
                if sender.send((now + delay, packet[..length].to_vec())).is_err() {
                    return;
                }
            }
            if ended.load(Ordering::Relaxed) {
                return;
            }
        }
    });
    thread::spawn(move || {
        for (due, packet) in held {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let _ = to.send(&packet);
        }
    });
}

pub(crate) fn ip(place: &Place, arguments: &[&str]) {
    let mut command: Command = place.command("ip");
    command.args(arguments);
    Process::run(&format!("ip {}", arguments.join(" ")), command);
}
