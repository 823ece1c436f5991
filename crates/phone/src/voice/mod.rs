//! The sound of all calls: the devices, and for each call its sockets and media session, driven by one thread of
//! their own so that nothing the phone does can make a voice stutter.

mod driver;
mod gather;
mod leg;
mod meter;
mod place;
mod recorder;
mod sockets;
mod stream;

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use devices::{DeviceError, Sink, Source, Tone};
use media::sdp::{Negotiated, Trickle};
use media::{Digit, MediaError, Report, Stages};

use crate::CallId;
use crate::verdict::DeviceSigns;
use driver::{Devices, Driver, Tell};
pub(crate) use recorder::{Notice, Recorder};
pub(crate) use sockets::Sockets;

/// The latest figures of each call.
type Figures = BTreeMap<CallId, Report>;

/// The running voice path. It stops when dropped; [`stop`](Self::stop) waits for that.
#[derive(Debug)]
pub(crate) struct Voice {
    orders: Sender<Order>,
    waker: Arc<mio::Waker>,
    thread: Option<JoinHandle<Figures>>,
    last: Arc<Mutex<Figures>>,
}

/// What a running voice path tells.
#[derive(Debug)]
pub(crate) enum VoiceEvent {
    /// Figures of a call, five times a second.
    Report(CallId, Report),
    /// We talk, or do no longer, to a call that cannot hear us because we are muted.
    MutedTalk(bool),
    /// Highest peaks of microphone and speaker since the last, 16 bit, while they are [metered](Voice::meter).
    Levels(u16, u16),
    /// They are metered no longer: nobody has asked for it again.
    Unwatched,
    /// A call has [left](Voice::leave); its last figures.
    Left(CallId, Box<Report>),
    /// A call cannot be heard: its session could not be made.
    LegFailed(CallId, VoiceError),
    /// What the devices give, five times a second, before the figures of the calls.
    Devices(DeviceSigns),
    /// A call is recorded no longer: its file could not be written.
    RecordingFailed(CallId, DeviceError),
    /// A device was lost. The calls go on with silence in its place until one of those that are wanted can be
    /// opened.
    DeviceFailed(Device, DeviceError),
    /// Sound goes through this card from now on (none: the system's default), after a gap.
    DeviceUsed(Device, Option<String>, Option<Duration>),
    /// The devices could not be opened, or the thread cannot go on: there is no voice path any more.
    Failed(VoiceError),
}

/// One of the two devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Device {
    /// What speaks for us.
    Microphone,
    /// What we listen to.
    Speaker,
}

/// The devices to use, best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// What speaks for us.
    pub(crate) microphones: Vec<Source>,
    /// What we listen to.
    pub(crate) speakers: Vec<Sink>,
}

/// What a call has of the devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Attention {
    /// Nothing: it hears silence, and nothing is heard of it.
    #[default]
    Asleep,
    /// The speaker.
    Listening,
    /// Both. Calls that have both at the same time hear each other as well.
    Talking,
}

/// How a digit is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DigitBy {
    /// telephone-event (RFC 4733).
    Event,
    /// Tones in the voice.
    Tones,
}

/// Why there is no voice path.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VoiceError {
    /// No pair of ports is free.
    #[error("no pair of UDP ports is free")]
    PortInUse(#[source] io::Error),
    /// The address is not ours, or the system refuses a socket or thread.
    #[error("no socket for media")]
    Socket(#[source] io::Error),
    /// The microphone cannot be opened.
    #[error("microphone: {0}")]
    Microphone(#[source] DeviceError),
    /// The speaker cannot be opened.
    #[error("speaker: {0}")]
    Speaker(#[source] DeviceError),
    /// The thread has panicked.
    #[error("a defect has ended the voice path")]
    Defect,
    /// The codecs cannot be made.
    #[error(transparent)]
    Media(#[from] MediaError),
}

/// What the phone asks of a running voice path.
#[derive(Debug)]
enum Order {
    Join(CallId, Sockets, Box<Negotiated>),
    Move(CallId, Sockets),
    Renegotiate(CallId, Box<Negotiated>),
    Trickle(CallId, Box<Trickle>),
    Attend(Vec<(CallId, Attention)>),
    Mute(CallId, bool),
    Digit(CallId, Digit, DigitBy),
    Tone(Option<Tone>),
    Record(CallId, Option<Box<Recorder>>),
    Want(Wanted),
    Process(Stages),
    Meter(bool),
    Leave(CallId),
    Stop,
}

impl Voice {
    /// Starts a voice path: its thread waits until `free` is nobody's, opens the devices, seconds at worst, and
    /// meanwhile orders wait. `stages` are done to our voice. Sample 0 of a recording is the moment the devices are open.
    ///
    /// # Errors
    /// The system refuses the thread. That a device cannot be opened comes as [`VoiceEvent::Failed`], as does a defect.
    pub(crate) fn start(
        wanted: Wanted,
        stages: Stages,
        free: Arc<Mutex<()>>,
        tell: impl Fn(VoiceEvent) + Send + Sync + 'static,
    ) -> Result<Self, VoiceError> {
        let (orders, inbox) = mpsc::channel();
        let devices = Devices::prepare().map_err(VoiceError::Socket)?;
        let waker = devices.waker();
        let last = Arc::new(Mutex::new(Figures::new()));
        let seen = last.clone();
        let tell: Tell = Arc::new(tell);
        let told = Arc::clone(&tell);
        let talk = move || {
            let driver = Driver::open(devices, &wanted, stages, inbox, told)?;
            devices::prefer_this_thread();
            Ok(driver.run(&seen))
        };
        let run = move || {
            let _ours = free.lock().unwrap_or_else(PoisonError::into_inner);
            let ended = catch_unwind(AssertUnwindSafe(talk)).unwrap_or(Err(VoiceError::Defect));
            ended.unwrap_or_else(|error| {
                tell(VoiceEvent::Failed(error));
                Figures::new()
            })
        };
        let thread = thread::Builder::new().name("voice".into()).spawn(run).map_err(VoiceError::Socket)?;
        Ok(Self { orders, waker, thread: Some(thread), last })
    }

    /// A call joins, asleep and not muted.
    pub(crate) fn join(&self, call: CallId, sockets: Sockets, negotiated: Negotiated) {
        self.order(Order::Join(call, sockets, Box::new(negotiated)));
    }

    /// Another pair of sockets for a call.
    pub(crate) fn move_to(&self, call: CallId, sockets: Sockets) {
        self.order(Order::Move(call, sockets));
    }

    /// Goes on with what was negotiated anew.
    pub(crate) fn renegotiate(&self, call: CallId, negotiated: Negotiated) {
        self.order(Order::Renegotiate(call, Box::new(negotiated)));
    }

    /// The other side has found more addresses of its own.
    pub(crate) fn trickle(&self, call: CallId, later: Trickle) {
        self.order(Order::Trickle(call, Box::new(later)));
    }

    /// Who has the devices from now on, all at once; a call that is not named sleeps.
    pub(crate) fn attend(&self, table: Vec<(CallId, Attention)>) {
        self.order(Order::Attend(table));
    }

    /// Keeps our voice from a call, or lets it through again.
    pub(crate) fn mute(&self, call: CallId, muted: bool) {
        self.order(Order::Mute(call, muted));
    }

    /// Sends a digit.
    pub(crate) fn digit(&self, call: CallId, digit: Digit, by: DigitBy) {
        self.order(Order::Digit(call, digit, by));
    }

    /// Lets a tone be heard beside the calls, in place of any before.
    pub(crate) fn tone(&self, tone: Option<Tone>) {
        self.order(Order::Tone(tone));
    }

    /// Records a call from now on, or no longer. One that is asleep is recorded as silence.
    pub(crate) fn record(&self, call: CallId, recorder: Option<Recorder>) {
        self.order(Order::Record(call, recorder.map(Box::new)));
    }

    /// Uses other devices as soon as they can be opened.
    pub(crate) fn want(&self, wanted: Wanted) {
        self.order(Order::Want(wanted));
    }

    /// Tells how loud both ways are, until it is told not to or has not been asked again for five seconds.
    pub(crate) fn meter(&self, on: bool) {
        self.order(Order::Meter(on));
    }

    /// What is done to our voice from now on.
    pub(crate) fn process(&self, stages: Stages) {
        self.order(Order::Process(stages));
    }

    /// A call says goodbye and leaves; [`VoiceEvent::Left`] follows.
    pub(crate) fn leave(&self, call: CallId) {
        self.order(Order::Leave(call));
    }

    /// Says goodbye in every call, lets go of devices and sockets, finishes a recording. Blocks for that long.
    /// Gives the last figures of the calls that had not left.
    pub(crate) fn stop(mut self) -> Figures {
        self.order(Order::Stop);
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(figures)) => figures,
            _ => self.last.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    fn order(&self, order: Order) {
        // The thread is gone only where it has failed; what was asked of it then is moot.
        if self.orders.send(order).is_ok()
            && let Err(error) = self.waker.wake()
        {
            tracing::warn!(%error, "the voice path cannot be woken");
        }
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        self.order(Order::Stop);
    }
}

#[cfg(test)]
mod tests;
