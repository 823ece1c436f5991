//! Where nothing rings, the network is looked at twice a second.

use std::io;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, SystemTime};

/// Between looks.
const TICK: Duration = Duration::from_millis(500);

/// Rings when it is time to look.
pub(super) struct Bell {
    stop: Receiver<()>,
}

/// Stops the bell when dropped.
pub(super) struct Stop {
    _end: Mutex<Sender<()>>,
}

/// Why [`Bell::wait`] returns.
pub(super) enum Rung {
    Stop,
    /// The network may have changed.
    Look,
    /// Time has passed.
    Nothing,
}

impl Bell {
    pub(super) fn new() -> io::Result<(Self, Stop)> {
        let (end, stop) = channel();
        Ok((Self { stop }, Stop { _end: Mutex::new(end) }))
    }

    /// Waits until it is time to look, at most for `limit` or half a second.
    pub(super) fn wait(&self, limit: Option<Duration>) -> Rung {
        match self.stop.recv_timeout(limit.map_or(TICK, |limit| limit.min(TICK))) {
            Err(RecvTimeoutError::Timeout) => Rung::Look,
            Ok(()) => Rung::Nothing,
            Err(RecvTimeoutError::Disconnected) => Rung::Stop,
        }
    }
}

/// A clock that goes on while the machine sleeps, though it may be set.
pub(super) fn real_time() -> Duration {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
}
