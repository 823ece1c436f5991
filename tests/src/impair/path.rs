//! The path itself: what a phone sends goes out by a TUN device, and a carrier takes it to the hub, or does not.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tun_rs::SyncDevice;

use super::tally::{Carried, Count};
use super::{Fate, Impairment, Pattern, Tally};
use crate::slow_link::{device, ip};
use crate::{Network, Process};

/// The way a phone of a [`Network`] sends. RTP fares by the pattern of a seed; RTCP as badly, but by a pattern of its
/// own, so that it does not shift the other; everything else passes at once. What the phone receives is left alone.
pub struct Path {
    carrier: Arc<Carrier>,
}

struct Carrier {
    ended: AtomicBool,
    count: Mutex<Count>,
    waiting: Mutex<BinaryHeap<Waiting>>,
    more: Condvar,
}

impl Path {
    /// Sends the phone of this number, counted from 0, this way.
    pub fn new(network: &Network, phone: usize, impairment: Impairment, seed: u64) -> Self {
        let ((place, address), hub) = (network.phone(phone), network.hub());
        let (near, far) = (format!("out{phone}"), format!("in{phone}"));
        let (from, to) = (device(&place, &near), device(&hub, &far));
        let address = address.to_string();
        for (place, device) in [(&place, near.as_str()), (&hub, far.as_str())] {
            ip(place, &["link", "set", device, "up"]);
            // What is sent comes out of one device and what is received goes into another.
            let mut any_way = place.command("sysctl");
            any_way.args(["-q", "-w", "net.ipv4.conf.all.rp_filter=0"]);
            any_way.arg(format!("net.ipv4.conf.{device}.rp_filter=0"));
            Process::run("no filter of return paths", any_way);
        }
        // Phones ask the device of the default route for their address.
        ip(&place, &["addr", "add", &format!("{address}/32"), "dev", &near]);
        ip(&place, &["route", "replace", "default", "dev", &near, "src", &address]);
        let carrier = Arc::new(Carrier {
            ended: AtomicBool::new(false),
            count: Mutex::new(Count::default()),
            waiting: Mutex::new(BinaryHeap::new()),
            more: Condvar::new(),
        });
        let taking = Arc::clone(&carrier);
        thread::spawn(move || taking.take(&from, impairment, seed));
        let giving = Arc::clone(&carrier);
        thread::spawn(move || giving.give(&to));
        Self { carrier }
    }

    /// What went over it so far.
    pub fn tally(&self) -> Tally {
        self.carrier.count.lock().unwrap().tally
    }

    /// Counts anew from here on.
    pub fn look_anew(&self) {
        self.carrier.count.lock().unwrap().tally = Tally::default();
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        // Who reads ends with the next packet, or with the network's devices.
        self.carrier.ended.store(true, Relaxed);
        self.carrier.more.notify_all();
    }
}

impl Carrier {
    /// Reads what the phone sends and decides what becomes of it.
    fn take(&self, from: &SyncDevice, impairment: Impairment, seed: u64) {
        before_others();
        let mut voice = Pattern::new(impairment, seed);
        let mut reports = Pattern::new(Impairment { burst: 1.0, ..impairment }, seed ^ REPORTS);
        let (mut first, mut in_order, mut number) = (None, None, 0);
        let mut packet = vec![0; 2048];
        while let Ok(length) = from.recv(&mut packet) {
            let now = Instant::now();
            if self.ended.load(Relaxed) {
                return;
            }
            let packet = &packet[..length];
            // IPv4 only: what else there is are the kernel's own questions about neighbours.
            if packet.first().is_none_or(|first| first >> 4 != 4) {
                continue;
            }
            let fate = match Carried::by(packet) {
                Carried::Rtp(rtp) => {
                    let fate = voice.next();
                    self.count.lock().unwrap().sent(rtp, now, fate.is_some_and(|fate| fate.lost));
                    fate
                }
                Carried::Rtcp => reports.next(),
                Carried::Other => None,
            };
            let mut due = now;
            if let Some(Fate { lost, delay, overtaken }) = fate {
                if lost {
                    continue;
                }
                let drifted = impairment.drift_ppm / 1e6 * (now - *first.get_or_insert(now)).as_secs_f64();
                due += Duration::from_secs_f64((delay.as_secs_f64() + drifted).max(0.0));
                if !overtaken {
                    due = in_order.map_or(due, |before| due.max(before));
                    in_order = Some(due);
                }
            }
            number += 1;
            self.waiting.lock().unwrap().push(Waiting { due, number, packet: packet.to_vec() });
            self.more.notify_one();
        }
    }

    /// Hands over what is due.
    fn give(&self, to: &SyncDevice) {
        before_others();
        let mut waiting = self.waiting.lock().unwrap();
        while !self.ended.load(Relaxed) {
            let now = Instant::now();
            waiting = match waiting.peek().map(|next| next.due) {
                Some(due) if due <= now => {
                    let next = waiting.pop().expect("it was just seen");
                    drop(waiting);
                    let _ = to.send(&next.packet);
                    let late = Instant::now() - due;
                    let tally = &mut self.count.lock().unwrap().tally;
                    tally.late = tally.late.max(late);
                    self.waiting.lock().unwrap()
                }
                Some(due) => self.more.wait_timeout(waiting, due - now).unwrap().0,
                None => self.more.wait(waiting).unwrap(),
            };
        }
    }
}

/// Makes the seed of the reports' pattern another one.
const REPORTS: u64 = 1 << 40;

/// Has this thread run before anything else of a busy machine; a path of wood has no load.
fn before_others() {
    let thread = rustix::thread::gettid().as_raw_nonzero().to_string();
    let mut chrt = Command::new("chrt");
    chrt.args(["--fifo", "--pid", "30", &thread]);
    Process::run("chrt", chrt);
}

/// A packet under way.
struct Waiting {
    due: Instant,
    number: u64,
    packet: Vec<u8>,
}

impl Ord for Waiting {
    /// The one due first is the greatest; of those due at once, the one sent first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.due, other.number).cmp(&(self.due, self.number))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Waiting {}
