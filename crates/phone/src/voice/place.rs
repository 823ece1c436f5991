use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use devices::{
    DeviceError, FRAME, Microphone, NullSpeaker, SilentMicrophone, Sink, Source, Speaker, SystemClock, Wake,
    open_microphone, open_speaker,
};

/// How long until a lost card is looked for again.
const RETRY: Duration = Duration::from_secs(1);
/// Longest a new device may take to begin while the one before still works.
const WARM_UP: Duration = Duration::from_secs(3);
/// Length of a frame, which is no gap.
const TICK: Duration = Duration::from_millis(10);

/// Where a device stands in a call. Of those that are wanted, the best that opens is used; one that works is kept
/// until a better one has begun. When it is lost silence takes its place until any of them can be opened.
pub(super) struct Place<D: Kind> {
    /// Best first.
    wanted: Vec<D>,
    wake: Wake,
    device: Box<D::Device>,
    /// What stands there; nothing while it is silence.
    used: Option<D>,
    /// When it was found.
    found: Option<Instant>,
    search: Search<D>,
    /// Sound passed here last, through whatever device.
    alive: Option<Instant>,
    /// Another device stands here since.
    moved: bool,
}

/// Sound goes through another device than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moved<D> {
    /// Which.
    pub(super) to: D,
    /// How long no sound passed; none for the first device.
    pub(super) gap: Option<Duration>,
}

enum Search<D: Kind> {
    /// The best of them is there, or is a file that will not come back.
    Rest,
    /// Look at this time.
    At(Instant),
    /// A thread is looking; what is wanted may have changed since.
    Running { result: Receiver<Found<D>>, stale: bool },
    /// It is open; it takes the place when it has begun.
    Warming { device: Box<D::Device>, which: D, until: Instant },
}

/// The best that could be opened; nothing where that is the one in use.
type Found<D> = Result<Option<(Box<<D as Kind>::Device>, D)>, DeviceError>;

/// Microphone or speaker.
pub(super) trait Kind: Clone + PartialEq + Send + 'static {
    /// The open device.
    type Device: ?Sized + Send + 'static;
    /// Opens it; blocks.
    fn open(&self, wake: Wake) -> Result<Box<Self::Device>, DeviceError>;
    /// What takes its place.
    fn silence() -> Box<Self::Device>;
    /// Whether it has begun to give or take sound.
    fn has_begun(device: &mut Self::Device) -> bool;
    /// Whether it may come back once it is lost.
    fn comes_back(&self) -> bool;
}

impl<D: Kind> Place<D> {
    /// Opens the best that can be opened; blocks.
    ///
    /// # Errors
    /// Of the best one, where none can be.
    pub(super) fn open(wanted: &[D], wake: Wake) -> Result<Self, DeviceError> {
        let found = open_best(wanted, None, &wake)?;
        let (device, used) = match found {
            Some((device, used)) => (device, Some(used)),
            None => (D::silence(), None),
        };
        let place = Self {
            wanted: wanted.to_vec(),
            wake,
            device,
            used,
            found: None,
            search: Search::Rest,
            alive: None,
            moved: true,
        };
        Ok(place)
    }

    /// What stands there now.
    pub(super) fn device(&mut self) -> &mut D::Device {
        &mut self.device
    }

    /// Silence stands there, for the device is lost.
    pub(super) fn is_lost(&self) -> bool {
        self.used.is_none() && self.wanted.iter().any(Kind::comes_back)
    }

    /// Wants others from now on, best first.
    pub(super) fn want(&mut self, wanted: Vec<D>, now: Instant) {
        if wanted.is_empty() || self.wanted == wanted {
            return;
        }
        self.wanted = wanted;
        match &mut self.search {
            Search::Running { stale, .. } => *stale = true,
            _ if self.used.as_ref() == self.wanted.first() => self.search = Search::Rest,
            _ => self.search = Search::At(now),
        }
    }

    /// Sound has passed through what stands there.
    pub(super) fn passed(&mut self, now: Instant) -> Option<Moved<D>> {
        let to = self.used.as_ref()?;
        let since = self.alive.replace(now);
        std::mem::take(&mut self.moved).then(|| Moved {
            to: to.clone(),
            gap: since.map(|since| now.saturating_duration_since(since).saturating_sub(TICK)),
        })
    }

    /// The device is lost.
    pub(super) fn lost(&mut self, now: Instant) {
        if let Search::Warming { .. } = self.search {
            return self.take_warm(now);
        }
        self.device = D::silence();
        self.used = None;
        match self.search {
            Search::Running { .. } => {}
            _ if !self.wanted.iter().any(Kind::comes_back) => self.search = Search::Rest,
            // One that fails as soon as it opens must not keep the phone busy.
            _ => self.search = Search::At(self.found.map_or(now, |found| now.max(found + RETRY))),
        }
    }

    /// When [`look`](Self::look) has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.search {
            Search::At(at) => Some(at),
            Search::Warming { until, .. } => Some(until),
            Search::Rest | Search::Running { .. } => None,
        }
    }

    /// Looks for a lost or a better device, on a thread of its own, and takes it when it is found.
    pub(super) fn look(&mut self, now: Instant) {
        match &mut self.search {
            Search::Running { result, stale } => {
                let found = match result.try_recv() {
                    Err(TryRecvError::Empty) => return,
                    Err(TryRecvError::Disconnected) => Ok(None),
                    Ok(found) => found,
                };
                let stale = *stale;
                self.take(found, now);
                if stale && self.used.as_ref() != self.wanted.first() {
                    self.search = Search::At(now);
                }
            }
            Search::Warming { device, until, .. } => {
                if *until <= now || D::has_begun(device) {
                    self.take_warm(now);
                }
            }
            Search::At(at) if *at <= now => self.begin(now),
            Search::At(_) | Search::Rest => {}
        }
    }

    fn begin(&mut self, now: Instant) {
        let (wanted, used, wake) = (self.wanted.clone(), self.used.clone(), self.wake.clone());
        let (found, result) = mpsc::sync_channel(1);
        let search = move || {
            found.send(open_best(&wanted, used.as_ref(), &wake)).ok();
            wake();
        };
        self.search = match thread::Builder::new().name("sound-search".into()).spawn(search) {
            Ok(_) => Search::Running { result, stale: false },
            Err(_) => Search::At(now + RETRY),
        };
    }

    fn take(&mut self, found: Found<D>, now: Instant) {
        self.search = match found {
            Ok(Some((device, which))) if self.used.is_some() => {
                Search::Warming { device, which, until: now + WARM_UP }
            }
            Ok(Some((device, which))) => {
                self.put(device, which, now);
                Search::Rest
            }
            Ok(None) if self.used.is_some() => Search::Rest,
            Ok(None) => Search::At(now + RETRY),
            Err(error) => {
                tracing::debug!(%error, "the device is still lost");
                Search::At(now + RETRY)
            }
        };
    }

    fn take_warm(&mut self, now: Instant) {
        if let Search::Warming { device, which, .. } = std::mem::replace(&mut self.search, Search::Rest) {
            self.put(device, which, now);
        }
    }

    fn put(&mut self, device: Box<D::Device>, which: D, now: Instant) {
        (self.device, self.used, self.found, self.moved) = (device, Some(which), Some(now), true);
    }
}

/// Opens the best of them, down to the one in use.
fn open_best<D: Kind>(wanted: &[D], used: Option<&D>, wake: &Wake) -> Found<D> {
    let mut first = None;
    for which in wanted {
        if Some(which) == used {
            return Ok(None);
        }
        match which.open(wake.clone()) {
            Ok(device) => return Ok(Some((device, which.clone()))),
            Err(error) => {
                tracing::debug!(%error, "a device cannot be opened");
                first.get_or_insert(error);
            }
        }
    }
    // The one in use is wanted no longer, but better than nothing.
    match (first, used) {
        (Some(error), None) => Err(error),
        _ => Ok(None),
    }
}

impl Kind for Source {
    type Device = dyn Microphone;

    fn open(&self, wake: Wake) -> Result<Box<dyn Microphone>, DeviceError> {
        open_microphone(self, wake)
    }

    fn silence() -> Box<dyn Microphone> {
        Box::new(SilentMicrophone::new(SystemClock))
    }

    fn has_begun(device: &mut (dyn Microphone + 'static)) -> bool {
        // One that is lost already is found to be so in its place.
        device.read(&mut [0; FRAME]).unwrap_or(true)
    }

    fn comes_back(&self) -> bool {
        matches!(self, Self::Card(_))
    }
}

impl Kind for Sink {
    type Device = dyn Speaker;

    fn open(&self, wake: Wake) -> Result<Box<dyn Speaker>, DeviceError> {
        open_speaker(self, wake)
    }

    fn silence() -> Box<dyn Speaker> {
        Box::new(NullSpeaker::new(SystemClock))
    }

    fn has_begun(device: &mut (dyn Speaker + 'static)) -> bool {
        device.hungry() || device.failed().is_some()
    }

    fn comes_back(&self) -> bool {
        matches!(self, Self::Card(_))
    }
}

#[cfg(test)]
mod tests;
