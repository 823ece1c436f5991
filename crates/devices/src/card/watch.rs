use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::Duration;

#[cfg(target_os = "linux")]
use super::pulse::Subscription;
use super::{Present, present};

/// Between two looks where the system tells of no change.
const LOOK: Duration = Duration::from_secs(2);
/// A plug changes a sink, its source, the card and the defaults within milliseconds: one list for all of them.
const SETTLE: Duration = Duration::from_millis(30);

/// Tells of every change of what is plugged in, until it is dropped.
#[derive(Debug)]
pub struct DeviceWatch {
    stop: Arc<AtomicBool>,
    wake: SyncSender<()>,
}

impl DeviceWatch {
    /// Begins with what there is now. `tell` is called from a thread of its own.
    pub fn start(tell: impl Fn(Present) + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (wake, changes) = mpsc::sync_channel(1);
        let (stopped, word) = (stop.clone(), wake.clone());
        let run = move || watch(&tell, &changes, &word, &stopped);
        if let Err(error) = thread::Builder::new().name("device-watch".into()).spawn(run) {
            tracing::warn!(%error, "no thread to watch the sound devices");
        }
        Self { stop, wake }
    }
}

impl Drop for DeviceWatch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.wake.try_send(()).ok();
    }
}

fn watch(tell: &dyn Fn(Present), changes: &Receiver<()>, word: &SyncSender<()>, stop: &AtomicBool) {
    let mut known = None;
    let mut subscription = Subscription::start(word.clone());
    while !stop.load(Ordering::SeqCst) {
        let now = match &subscription {
            // Without a server that was there, or was asked for before, nothing can be found but its absence.
            None if Subscription::POSSIBLE && known.is_some() => None,
            _ => Some(present()),
        };
        if let Some(now) = now.filter(|now| known.as_ref() != Some(now)) {
            tell(now.clone());
            known = Some(now);
        }
        match &subscription {
            Some(_) => changes.recv().ok(),
            None => changes.recv_timeout(LOOK).ok(),
        };
        if subscription.is_some() {
            thread::sleep(SETTLE);
        }
        // What came until here is seen below, or is in the list that is made then.
        changes.try_recv().ok();
        let gone = subscription.as_ref().is_none_or(Subscription::is_gone);
        if stop.load(Ordering::SeqCst) || !gone {
            continue;
        }
        let had = subscription.is_some();
        subscription = Subscription::start(word.clone());
        if had && subscription.is_none() {
            tell(Present::default());
            known = Some(Present::default());
        }
    }
}

/// Elsewhere nobody tells.
#[cfg(not(target_os = "linux"))]
struct Subscription;

#[cfg(not(target_os = "linux"))]
impl Subscription {
    const POSSIBLE: bool = false;

    fn start(_word: SyncSender<()>) -> Option<Self> {
        None
    }

    fn is_gone(&self) -> bool {
        false
    }
}
