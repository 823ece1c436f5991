use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use devices::{
    DeviceError, Microphone, NullSpeaker, SilentMicrophone, Sink, Source, Speaker, SystemClock, Wake,
    open_microphone, open_speaker,
};

/// How long until a lost card is looked for again.
const RETRY: Duration = Duration::from_secs(1);

/// Where a device stands in a call. When it is lost silence takes its place, and it or the system's
/// default comes back as soon as either can be opened.
pub(super) struct Place<D: Kind> {
    wanted: D,
    wake: Wake,
    device: Box<D::Device>,
    /// When it was found again.
    found: Option<Instant>,
    search: Search<D>,
}

enum Search<D: Kind> {
    /// The device is there, or is a file that will not come back.
    Rest,
    /// Look again at this time.
    At(Instant),
    /// A thread is looking.
    Running(Receiver<Result<Box<D::Device>, DeviceError>>),
}

/// Microphone or speaker.
pub(super) trait Kind: Clone + Send + 'static {
    /// The open device.
    type Device: ?Sized + Send + 'static;
    /// Opens it; blocks.
    fn open(&self, wake: Wake) -> Result<Box<Self::Device>, DeviceError>;
    /// What takes its place.
    fn silence() -> Box<Self::Device>;
    /// What to look for when this one is lost: nothing where it was no card.
    fn instead(&self) -> Option<[Self; 2]>;
}

impl<D: Kind> Place<D> {
    /// Opens the device; blocks.
    pub(super) fn open(wanted: &D, wake: Wake) -> Result<Self, DeviceError> {
        let device = wanted.open(wake.clone())?;
        Ok(Self { wanted: wanted.clone(), wake, device, found: None, search: Search::Rest })
    }

    /// What stands there now.
    pub(super) fn device(&mut self) -> &mut D::Device {
        &mut self.device
    }

    /// Silence stands there, for the device is lost.
    pub(super) fn is_lost(&self) -> bool {
        !matches!(self.search, Search::Rest)
    }

    /// The device is lost.
    pub(super) fn lost(&mut self, now: Instant) {
        self.device = D::silence();
        // One that fails as soon as it opens must not keep the phone busy.
        let at = self.found.map_or(now, |found| now.max(found + RETRY));
        self.search = if self.wanted.instead().is_some() { Search::At(at) } else { Search::Rest };
    }

    /// When [`look`](Self::look) has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.search {
            Search::At(at) => Some(at),
            Search::Rest | Search::Running(_) => None,
        }
    }

    /// Looks for the lost device, on a thread of its own, and takes it when it is found.
    pub(super) fn look(&mut self, now: Instant) {
        match &self.search {
            Search::Running(found) => match found.try_recv() {
                Ok(Ok(device)) => {
                    self.device = device;
                    self.found = Some(now);
                    self.search = Search::Rest;
                }
                Ok(Err(error)) => {
                    tracing::debug!(%error, "the device is still lost");
                    self.search = Search::At(now + RETRY);
                }
                Err(TryRecvError::Disconnected) => self.search = Search::At(now + RETRY),
                Err(TryRecvError::Empty) => {}
            },
            Search::At(at) if *at <= now => {
                let Some(instead) = self.wanted.instead() else { return };
                let (wake, (found, result)) = (self.wake.clone(), mpsc::sync_channel(1));
                let search = move || {
                    let [first, second] = instead;
                    let device = first.open(wake.clone()).or_else(|_| second.open(wake.clone()));
                    found.send(device).ok();
                    wake();
                };
                self.search = match thread::Builder::new().name("sound-search".into()).spawn(search) {
                    Ok(_) => Search::Running(result),
                    Err(_) => Search::At(now + RETRY),
                };
            }
            Search::At(_) | Search::Rest => {}
        }
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

    fn instead(&self) -> Option<[Self; 2]> {
        matches!(self, Self::Card(_)).then(|| [self.clone(), Self::Card(None)])
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

    fn instead(&self) -> Option<[Self; 2]> {
        matches!(self, Self::Card(_)).then(|| [self.clone(), Self::Card(None)])
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A card that opens once, and again from the `from`-th time on.
    #[derive(Clone)]
    struct Card {
        name: &'static str,
        opened: Arc<AtomicUsize>,
        from: usize,
    }

    impl Kind for Card {
        type Device = str;

        fn open(&self, _wake: Wake) -> Result<Box<str>, DeviceError> {
            match self.opened.fetch_add(1, Ordering::SeqCst) {
                n if n == 0 || n >= self.from => Ok(self.name.into()),
                _ => Err(DeviceError::NotFound(self.name.into())),
            }
        }

        fn silence() -> Box<str> {
            "silence".into()
        }

        fn instead(&self) -> Option<[Self; 2]> {
            let default = Card { name: "default", ..self.clone() };
            (self.name != "file").then(|| [self.clone(), default])
        }
    }

    /// Looks, a second of a made-up clock at a time, until the thread that looks has said something.
    fn look_until(place: &mut Place<Card>, now: &mut Instant, done: impl Fn(&mut Place<Card>) -> bool) {
        let end = Instant::now() + Duration::from_secs(20);
        while !done(place) {
            assert!(Instant::now() < end);
            *now += RETRY;
            place.look(*now);
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn place(name: &'static str, from: usize) -> (Place<Card>, Arc<AtomicUsize>) {
        let opened = Arc::new(AtomicUsize::new(0));
        let card = Card { name, opened: opened.clone(), from };
        (Place::open(&card, Arc::new(|| {})).unwrap(), opened)
    }

    #[test]
    fn a_lost_card_is_silence_until_it_is_back() {
        let (mut place, opened) = place("headset", 5);
        let mut now = Instant::now();
        assert_eq!((place.device().to_string().as_str(), place.deadline()), ("headset", None));
        place.lost(now);
        assert_eq!((place.device().to_string().as_str(), place.deadline()), ("silence", Some(now)));
        look_until(&mut place, &mut now, |p| p.device() != "silence");
        assert_eq!(place.device(), "headset");
        assert_eq!(opened.load(Ordering::SeqCst), 6, "itself and the default in turn, then itself");
        assert_eq!(place.deadline(), None);
    }

    #[test]
    fn the_default_takes_its_place() {
        let (mut place, _) = place("headset", 2);
        let mut now = Instant::now();
        place.lost(now);
        look_until(&mut place, &mut now, |p| p.device() != "silence");
        assert_eq!(place.device(), "default");
    }

    #[test]
    fn a_file_does_not_come_back() {
        let (mut place, opened) = place("file", 0);
        let now = Instant::now();
        place.lost(now);
        assert_eq!(place.deadline(), None);
        place.look(now + RETRY);
        assert_eq!((place.device().to_string().as_str(), opened.load(Ordering::SeqCst)), ("silence", 1));
    }

    #[test]
    fn a_card_that_fails_as_soon_as_it_opens_is_looked_for_once_a_second() {
        let (mut place, _) = place("headset", 0);
        let mut now = Instant::now();
        place.lost(now);
        look_until(&mut place, &mut now, |p| p.device() != "silence");
        place.lost(now);
        assert_eq!(place.deadline(), Some(now + RETRY));
        now += RETRY;
        look_until(&mut place, &mut now, |p| p.device() != "silence");
        let later = now + Duration::from_secs(60);
        place.lost(later);
        assert_eq!(place.deadline(), Some(later));
    }
}
