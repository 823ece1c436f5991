use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use devices::{FRAME, Sink, Source, TonePlayer, Wake};
use media::{Conference, Processing, Stages, Talking};
use mio::{Events, Poll, Token, Waker};

use super::leg::{DATAGRAM, Leg, TOKENS};
use super::meter::{Meter, Reading, peak};
use super::place::{Moved, Place};
use super::{Attention, Device, DigitBy, Figures, Order, VoiceError, VoiceEvent, Wanted};
use crate::CallId;
use crate::verdict::DeviceSigns;

/// Time between two reports.
const REPORT: Duration = Duration::from_millis(200);
const WAKER: Token = Token(0);
/// Longest wait when there was more to be read: a socket that only fails must not keep the processor busy.
const BREATH: Duration = Duration::from_millis(1);

/// Where events go.
pub(super) type Tell = Arc<dyn Fn(VoiceEvent) + Send + Sync>;

/// Everything of the voice path; [`run`](Self::run) is its thread.
pub(super) struct Driver {
    poll: Poll,
    wake_up: WakeUp,
    legs: Vec<Leg>,
    /// Calls that are heard, and hear each other.
    floor: Conference<CallId>,
    tone: Option<TonePlayer>,
    microphone: Place<Source>,
    speaker: Place<Sink>,
    /// Of the microphone, since the last report.
    peak: u16,
    meter: Option<Meter>,
    /// Between the microphone and the calls; it hears what the speaker is given.
    processing: Processing,
    /// Listens for a user who is muted, and whether he talks.
    muted: Option<(Talking, bool)>,
    orders: Receiver<Order>,
    tell: Tell,
    datagram: Box<[u8; DATAGRAM]>,
    next_token: usize,
}

/// What the thread waits with.
pub(super) struct Devices {
    poll: Poll,
    wake_up: WakeUp,
}

impl Devices {
    /// Ready to wait.
    pub(super) fn prepare() -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        Ok(Self { poll, wake_up: WakeUp { waker: Arc::new(waker), under_way: Arc::default() } })
    }

    /// Wakes the thread when an order was sent.
    pub(super) fn waker(&self) -> Arc<Waker> {
        self.wake_up.waker.clone()
    }
}

/// Wakes the thread, once for any number of reasons.
#[derive(Clone)]
struct WakeUp {
    waker: Arc<Waker>,
    under_way: Arc<AtomicBool>,
}

impl WakeUp {
    fn for_devices(&self) -> Wake {
        let WakeUp { waker, under_way } = self.clone();
        Arc::new(move || {
            if !under_way.swap(true, Ordering::AcqRel) {
                // It can only fail where the thread is gone.
                waker.wake().ok();
            }
        })
    }
}

impl Driver {
    /// Opens the devices, the microphone first so that a recording begins when all is ready.
    pub(super) fn open(
        devices: Devices,
        wanted: &Wanted,
        stages: Stages,
        orders: Receiver<Order>,
        tell: Tell,
    ) -> Result<Self, VoiceError> {
        let Devices { poll, wake_up } = devices;
        let microphone =
            Place::open(&wanted.microphones, wake_up.for_devices()).map_err(VoiceError::Microphone)?;
        let speaker = Place::open(&wanted.speakers, wake_up.for_devices()).map_err(VoiceError::Speaker)?;
        Ok(Self {
            poll,
            wake_up,
            legs: Vec::new(),
            floor: Conference::default(),
            tone: None,
            microphone,
            speaker,
            peak: 0,
            meter: None,
            processing: Processing::new(stages),
            muted: None,
            orders,
            tell,
            datagram: Box::new([0; DATAGRAM]),
            next_token: WAKER.0 + 1,
        })
    }

    /// Talks until told to stop; `last` always holds the latest figures.
    pub(super) fn run(mut self, last: &Mutex<Figures>) -> Figures {
        let mut events = Events::with_capacity(64);
        let mut report_at = Instant::now() + REPORT;
        while self.obey() {
            self.listen_to_microphone();
            self.feed_speaker();
            self.legs.iter_mut().for_each(Leg::transmit);
            let now = Instant::now();
            self.microphone.look(now);
            self.speaker.look(now);
            if now >= report_at {
                // After a sleep of the machine one report is enough.
                report_at = (report_at + REPORT).max(now);
                self.report(now, last);
            }
            self.read_meter(now);
            let wait = match self.legs.iter().any(Leg::has_more) {
                false => self.next_event(report_at).saturating_duration_since(Instant::now()),
                true => BREATH,
            };
            match self.poll.poll(&mut events, Some(wait)) {
                Err(error) if error.kind() != ErrorKind::Interrupted => {
                    tracing::error!(%error, "the voice path cannot wait for packets");
                    (self.tell)(VoiceEvent::Failed(VoiceError::Socket(error)));
                    break;
                }
                _ => {}
            }
            self.wake_up.under_way.store(false, Ordering::Release);
            for leg in &mut self.legs {
                events.iter().for_each(|event| leg.ready(event.token()));
                leg.receive(&mut self.datagram);
            }
        }
        let goodbye = |mut leg: Leg| (leg.call, leg.leave());
        self.legs.into_iter().map(goodbye).collect()
    }

    fn report(&mut self, now: Instant, last: &Mutex<Figures>) {
        (self.tell)(VoiceEvent::Devices(DeviceSigns {
            microphone_peak: std::mem::take(&mut self.peak),
            microphone_lost: self.microphone.is_lost(),
            speaker_lost: self.speaker.is_lost(),
        }));
        for leg in &mut self.legs {
            let report = leg.report(now);
            last.lock().unwrap_or_else(PoisonError::into_inner).insert(leg.call, report.clone());
            (self.tell)(VoiceEvent::Report(leg.call, report));
            if let Some(error) = leg.recorder.as_mut().and_then(|recorder| recorder.failed()) {
                tracing::warn!(%error, "a recording ends");
                leg.recorder = None;
                (self.tell)(VoiceEvent::RecordingFailed(leg.call, error));
            }
        }
    }

    fn read_meter(&mut self, now: Instant) {
        match self.meter.as_mut().and_then(|meter| meter.read(now)) {
            Some(Reading::Peaks { microphone, speaker }) => {
                (self.tell)(VoiceEvent::Levels(microphone, speaker));
            }
            Some(Reading::Over) => {
                self.meter = None;
                (self.tell)(VoiceEvent::Unwatched);
            }
            None => {}
        }
    }

    fn next_event(&mut self, report_at: Instant) -> Instant {
        let devices = [
            self.microphone.device().due(),
            self.speaker.device().due(),
            self.microphone.deadline(),
            self.speaker.deadline(),
            self.meter.as_ref().map(Meter::due),
        ];
        let legs = self.legs.iter().map(Leg::next_deadline);
        devices.into_iter().chain(legs).flatten().fold(report_at, Instant::min)
    }

    /// Does what was asked; `false` when that is to stop.
    fn obey(&mut self) -> bool {
        loop {
            match self.orders.try_recv() {
                Ok(Order::Stop) | Err(TryRecvError::Disconnected) => return false,
                Err(TryRecvError::Empty) => return true,
                Ok(order) => self.follow(order),
            }
        }
    }

    fn follow(&mut self, order: Order) {
        match order {
            Order::Join(call, sockets, negotiated) => {
                let leg = Leg::new(call, sockets, &negotiated, self.poll.registry(), self.next_token);
                self.next_token += TOKENS;
                match leg {
                    Ok(leg) => self.legs.push(leg),
                    Err(error) => (self.tell)(VoiceEvent::LegFailed(call, error)),
                }
            }
            Order::Move(call, sockets) => {
                let registry = self.poll.registry();
                let moved = self.legs.iter_mut().find(|leg| leg.call == call);
                if let Some(Err(error)) = moved.map(|leg| leg.move_to(sockets, registry)) {
                    tracing::error!(%error, "the call goes on with the sockets it had");
                }
            }
            Order::Renegotiate(call, negotiated) => self.with(call, |leg| {
                if let Err(error) = leg.renegotiate(&negotiated) {
                    tracing::error!(%error, "the call goes on with what was agreed before");
                }
            }),
            Order::Trickle(call, later) => self.with(call, |leg| leg.trickle(&later)),
            Order::Attend(table) => self.attend(&table),
            Order::Mute(call, muted) => self.with(call, |leg| leg.muted = muted),
            Order::Digit(call, digit, by) => self.with(call, |leg| {
                let sent = match by {
                    DigitBy::Event => leg.session.send_digit(Instant::now(), digit),
                    DigitBy::Tones => leg.session.send_digit_in_band(digit),
                };
                if !sent {
                    tracing::info!("the other side takes no digits now");
                }
            }),
            Order::Process(stages) => self.processing.set(stages),
            Order::Meter(on) => {
                let now = Instant::now();
                self.meter = on.then(|| self.meter.take().unwrap_or_else(|| Meter::new(now)));
                self.meter.iter_mut().for_each(|meter| meter.renew(now));
            }
            Order::Tone(tone) => self.tone = tone.map(TonePlayer::new),
            Order::Record(call, recorder) => self.with(call, |leg| leg.recorder = recorder),
            Order::Want(Wanted { microphones, speakers }) => {
                let now = Instant::now();
                self.microphone.want(microphones, now);
                self.speaker.want(speakers, now);
            }
            Order::Leave(call) => {
                let Some(place) = self.legs.iter().position(|leg| leg.call == call) else { return };
                let mut leg = self.legs.remove(place);
                let report = leg.leave();
                self.seat();
                (self.tell)(VoiceEvent::Left(call, Box::new(report)));
            }
            Order::Stop => {}
        }
    }

    fn with(&mut self, call: CallId, then: impl FnOnce(&mut Leg)) {
        if let Some(leg) = self.legs.iter_mut().find(|leg| leg.call == call) {
            then(leg);
        }
    }

    fn attend(&mut self, table: &[(CallId, Attention)]) {
        for leg in &mut self.legs {
            let named = table.iter().find(|(call, _)| *call == leg.call);
            leg.attention = named.map_or(Attention::Asleep, |(_, attention)| *attention);
        }
        self.seat();
    }

    /// Who sleeps is neither heard nor handed on.
    fn seat(&mut self) {
        let awake: Vec<_> = self.legs.iter().filter(|leg| leg.attention != Attention::Asleep).collect();
        self.floor.seat(&awake.iter().map(|leg| leg.call).collect::<Vec<_>>());
    }

    fn listen_to_microphone(&mut self) {
        let mut frame = [0; FRAME];
        loop {
            match self.microphone.device().read(&mut frame) {
                Ok(true) => {
                    let peak = peak(&frame);
                    self.peak = self.peak.max(peak);
                    self.meter.iter_mut().for_each(|meter| meter.spoken(peak));
                    if let Some(Moved { to, gap }) = self.microphone.passed(Instant::now()) {
                        self.forget_echo(gap);
                        if let Source::Card(card) = to {
                            (self.tell)(VoiceEvent::DeviceUsed(Device::Microphone, card, gap));
                        }
                    }
                    self.processing.capture(&mut frame);
                    self.mind(&frame);
                    self.say(&frame);
                }
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(%error, "the microphone is lost");
                    self.microphone.lost(Instant::now());
                    (self.tell)(VoiceEvent::DeviceFailed(Device::Microphone, error));
                    return;
                }
            }
        }
    }

    /// Through another device the echo takes another way; the first one had none before it.
    fn forget_echo(&mut self, gap: Option<Duration>) {
        if gap.is_some() {
            self.processing.forget_echo();
        }
    }

    /// Somebody who is muted may talk without knowing.
    fn mind(&mut self, microphone: &[i16; FRAME]) {
        let muted = self.legs.iter().any(|leg| leg.attention == Attention::Talking && leg.muted);
        if !muted {
            if let Some((_, true)) = self.muted.take() {
                (self.tell)(VoiceEvent::MutedTalk(false));
            }
            return;
        }
        let (talking, before) = self.muted.get_or_insert_with(|| (Talking::new(), false));
        let now = talking.hear(microphone);
        if std::mem::replace(before, now) != now {
            (self.tell)(VoiceEvent::MutedTalk(now));
        }
    }

    /// 10 ms of our voice, and of the others', to everybody.
    fn say(&mut self, microphone: &[i16; FRAME]) {
        self.floor.turn();
        for leg in &mut self.legs {
            let own = leg.own(microphone);
            let said = match leg.attention {
                Attention::Talking => self.floor.say(leg.call, &own),
                Attention::Asleep | Attention::Listening => own,
            };
            leg.say(said);
        }
    }

    fn feed_speaker(&mut self) {
        while self.speaker.device().hungry() {
            let now = Instant::now();
            let mut unheard = [0; FRAME];
            // A session that nobody listens to goes on all the same: it must be in step when it is woken.
            for leg in self.legs.iter_mut().filter(|leg| leg.attention == Attention::Asleep) {
                leg.hear(now, &mut unheard);
            }
            let legs = &mut self.legs;
            let mut frame = self.floor.hear(|call, frame| {
                if let Some(leg) = legs.iter_mut().find(|leg| leg.call == call) {
                    leg.hear(now, frame);
                }
            });
            match self.tone.as_mut().map(TonePlayer::frame) {
                Some(Some(tone)) => {
                    frame
                        .iter_mut()
                        .zip(tone)
                        .for_each(|(sample, tone)| *sample = sample.saturating_add(tone));
                }
                Some(None) => self.tone = None,
                None => {}
            }
            self.meter.iter_mut().for_each(|meter| meter.played(peak(&frame)));
            self.processing.render(&frame);
            self.speaker.device().write(&frame);
            if let Some(Moved { to, gap }) = self.speaker.passed(now) {
                self.forget_echo(gap);
                if let Sink::Card(card) = to {
                    (self.tell)(VoiceEvent::DeviceUsed(Device::Speaker, card, gap));
                }
            }
        }
        if let Some(error) = self.speaker.device().failed() {
            tracing::warn!(%error, "the speaker is lost");
            self.speaker.lost(Instant::now());
            (self.tell)(VoiceEvent::DeviceFailed(Device::Speaker, error));
        }
    }
}
