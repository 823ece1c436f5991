//! The headsets that are plugged in: what is pressed on them is told, and they show what the phone does.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::bus::{HidBus, HidPort};
use super::{Buttons, LineState, Press};

/// Buttons may come up a while after the sound of the same headset: when they are looked for after something was
/// plugged in.
const LOOKS: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(4)];
/// A reader that is not wanted any more finds out so soon.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest report that is read.
const LONGEST: usize = 4_096;

type Tell = Arc<dyn Fn(Press) + Send + Sync>;

/// All headsets with telephone buttons, on a thread of their own: none of them is waited for.
pub struct Headsets(Sender<Order>);

enum Order {
    Look,
    Show(LineState),
}

impl Headsets {
    /// Looks for headsets on this bus; `tell` hears what is pressed, from other threads.
    pub fn start(bus: Arc<dyn HidBus>, tell: impl Fn(Press) + Send + Sync + 'static) -> Self {
        let (orders, inbox) = mpsc::channel();
        let shelf = Shelf { bus, tell: Arc::new(tell), open: Vec::new(), line: LineState::default() };
        if let Err(error) = thread::Builder::new().name("headsets".into()).spawn(move || shelf.run(&inbox)) {
            tracing::warn!(%error, "headset buttons do nothing");
        }
        let headsets = Self(orders);
        headsets.look();
        headsets
    }

    /// Something was plugged in or out.
    pub fn look(&self) {
        // Without the thread there are no headsets.
        let _ = self.0.send(Order::Look);
    }

    /// The phone does this now.
    pub fn show(&self, line: LineState) {
        let _ = self.0.send(Order::Show(line));
    }
}

struct Shelf {
    bus: Arc<dyn HidBus>,
    tell: Tell,
    open: Vec<Headset>,
    line: LineState,
}

struct Headset {
    id: String,
    buttons: Arc<Mutex<Buttons>>,
    lamps: Box<dyn HidPort>,
    wanted: Arc<AtomicBool>,
}

impl Shelf {
    /// Until nobody gives orders any more: then the lamps go out.
    fn run(mut self, inbox: &Receiver<Order>) {
        let mut looks: Vec<Instant> = Vec::new();
        loop {
            let due = looks.iter().min().copied();
            let order = match due {
                Some(due) => inbox.recv_timeout(due.saturating_duration_since(Instant::now())),
                None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match order {
                Ok(Order::Look) => looks = LOOKS.map(|later| Instant::now() + later).to_vec(),
                Ok(Order::Show(line)) => self.show(line),
                Err(RecvTimeoutError::Timeout) => {
                    looks.retain(|look| Some(*look) != due);
                    self.look();
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.show(LineState::default());
        self.open.iter().for_each(|headset| headset.wanted.store(false, Ordering::Relaxed));
    }

    fn look(&mut self) {
        let present = match self.bus.present() {
            Ok(present) => present,
            Err(error) => return tracing::info!(%error, "headsets cannot be looked for"),
        };
        self.open.retain(|headset| {
            let stays = present.contains(&headset.id) && headset.wanted.load(Ordering::Relaxed);
            headset.wanted.store(stays, Ordering::Relaxed);
            stays
        });
        for id in present {
            if self.open.iter().any(|headset| headset.id == id) {
                continue;
            }
            match Headset::open(&*self.bus, id, &self.tell) {
                Ok(headset) => self.open.extend(headset),
                Err(error) => tracing::info!(%error, "a headset's buttons are not used"),
            }
        }
        self.show(self.line);
    }

    fn show(&mut self, line: LineState) {
        self.line = line;
        self.open.retain_mut(|headset| headset.show(line).is_ok());
    }
}

impl Headset {
    /// None where the device has no telephone buttons after all.
    fn open(bus: &dyn HidBus, id: String, tell: &Tell) -> io::Result<Option<Self>> {
        let mut lamps = bus.open(&id)?;
        let Some(buttons) = Buttons::of(&lamps.descriptor()?).map_err(io::Error::other)? else {
            return Ok(None);
        };
        let port = bus.open(&id)?;
        let (buttons, wanted) = (Arc::new(Mutex::new(buttons)), Arc::new(AtomicBool::new(true)));
        let (pressed, told, read) = (Arc::clone(&buttons), Arc::clone(tell), Arc::clone(&wanted));
        thread::Builder::new().name("headset".into()).spawn(move || listen(port, &pressed, &told, &read))?;
        tracing::info!("a headset's buttons are used");
        Ok(Some(Self { id, buttons, lamps, wanted }))
    }

    fn show(&mut self, line: LineState) -> io::Result<()> {
        let reports = self.buttons.lock().unwrap_or_else(PoisonError::into_inner).show(line);
        let shown = reports.iter().try_for_each(|report| self.lamps.write(report));
        if let Err(error) = &shown {
            tracing::info!(%error, "a headset is gone");
            self.wanted.store(false, Ordering::Relaxed);
        }
        shown
    }
}

/// Tells what is pressed until the headset is gone or not wanted.
fn listen(mut port: Box<dyn HidPort>, buttons: &Mutex<Buttons>, tell: &Tell, wanted: &AtomicBool) {
    let mut report = vec![0; LONGEST];
    while wanted.load(Ordering::Relaxed) {
        let Ok(length) = port.read(&mut report, PATIENCE) else { break };
        let bytes = report.get(..length).unwrap_or_default();
        if bytes.is_empty() {
            continue;
        }
        let presses = buttons.lock().unwrap_or_else(PoisonError::into_inner).take(bytes);
        presses.into_iter().for_each(|press| tell(press));
    }
    wanted.store(false, Ordering::Relaxed);
}

#[cfg(test)]
mod tests;
