//! The hear-back test: one's own voice is recorded, judged, and played back as others would hear it, through the
//! devices of calls.

mod judge;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use devices::{DeviceError, FRAME, RATE, Sink, Source, Speaker, Wake};
use media::{Processing, Stages};
use serde::Serialize;
use specta::Type;

use crate::voice::{Device, Wanted};
use crate::words::of_device_error;
use crate::{Code, Problem};

pub use judge::Heard;
use judge::judge;
pub(crate) use judge::level;

/// Samples that are recorded: five seconds.
const LENGTH: usize = 5 * RATE as usize;
/// A device that gives or takes nothing is waited for this long beyond the length.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);
/// Longest sleep between two looks at a device.
pub(crate) const LOOK: Duration = Duration::from_millis(20);
/// Frames between two words on how it stands: a tenth of a second.
const WORD: usize = 10;
/// What the card still holds when all is handed over is heard out.
pub(crate) const TAIL: Duration = Duration::from_millis(150);

/// How it stands with the hear-back test.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Type)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum HearBackView {
    /// It was not asked for, or was stopped.
    #[default]
    Idle,
    /// The microphone is recorded.
    Recording {
        /// Milliseconds until it is over.
        left_ms: u32,
        /// Peak level since the last word, 0 to 100.
        level: u8,
    },
    /// What was recorded is played.
    Playing {
        /// Milliseconds until it is over.
        left_ms: u32,
        /// Peak level since the last word, 0 to 100.
        level: u8,
        /// What is to be said of it.
        heard: Heard,
    },
    /// It is over.
    Done {
        /// What is to be said of it.
        heard: Heard,
    },
    /// It could not be done.
    Failed {
        /// Why.
        problem: Problem,
    },
}

/// A running test. It stops when this is dropped.
#[derive(Debug)]
pub(crate) struct HearBack {
    stop: Arc<AtomicBool>,
    thread: thread::Thread,
}

impl HearBack {
    /// Begins to record, once `free` is nobody's. `stages` are done to what is played, not to what is judged.
    ///
    /// # Errors
    /// The system refuses the thread.
    pub(crate) fn start(
        wanted: Wanted,
        stages: Stages,
        free: Arc<Mutex<()>>,
        tell: impl Fn(HearBackView) + Send + 'static,
    ) -> Result<Self, Problem> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let run = move || {
            let test = Test { stop: &stopped, tell: &tell };
            let Some(_ours) = wait_for(&free, &stopped) else {
                return tell(HearBackView::Failed { problem: Code::NotNow.into() });
            };
            match test.run(&wanted, stages) {
                _ if stopped.load(Ordering::SeqCst) => {}
                Ok(heard) => tell(HearBackView::Done { heard }),
                Err(problem) => tell(HearBackView::Failed { problem }),
            }
        };
        let thread = thread::Builder::new().name("hear-back".into()).spawn(run);
        let thread =
            thread.map_err(|error| Problem::new(Code::Internal, error.to_string()))?.thread().clone();
        Ok(Self { stop, thread })
    }
}

impl Drop for HearBack {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

struct Test<'a> {
    stop: &'a AtomicBool,
    tell: &'a dyn Fn(HearBackView),
}

impl Test<'_> {
    fn run(&self, wanted: &Wanted, stages: Stages) -> Result<Heard, Problem> {
        let me = thread::current();
        let wake: Wake = Arc::new(move || me.unpark());
        let mut samples = self
            .record(&wanted.microphones, &wake)
            .map_err(|error| of_device_error(Device::Microphone, &error))?;
        let heard = judge(&samples);
        let mut processing = Processing::new(stages);
        samples.as_chunks_mut::<FRAME>().0.iter_mut().for_each(|frame| processing.capture(frame));
        self.play(&samples, heard, &wanted.speakers, &wake)
            .map_err(|error| of_device_error(Device::Speaker, &error))?;
        Ok(heard)
    }

    fn record(&self, microphones: &[Source], wake: &Wake) -> Result<Vec<i16>, DeviceError> {
        let open = |source: &Source| devices::open_microphone(source, wake.clone());
        let mut microphone = first(microphones, open, DeviceError::NoMicrophone)?;
        let mut samples = Vec::with_capacity(LENGTH);
        let mut frame = [0; FRAME];
        let mut peak = 0;
        let end = Instant::now() + Duration::from_secs(5) + PATIENCE;
        (self.tell)(HearBackView::Recording { left_ms: left(LENGTH), level: 0 });
        while samples.len() < LENGTH && Instant::now() < end && !self.is_stopped() {
            while samples.len() < LENGTH && microphone.read(&mut frame)? {
                samples.extend_from_slice(&frame);
                peak = peak.max(level(&frame));
                if (samples.len() / FRAME).is_multiple_of(WORD) {
                    let left_ms = left(LENGTH - samples.len());
                    (self.tell)(HearBackView::Recording { left_ms, level: std::mem::take(&mut peak) });
                }
            }
            thread::park_timeout(until(microphone.due()));
        }
        Ok(samples)
    }

    fn play(&self, samples: &[i16], heard: Heard, speakers: &[Sink], wake: &Wake) -> Result<(), DeviceError> {
        let open = |sink: &Sink| devices::open_speaker(sink, wake.clone());
        let mut speaker = first(speakers, open, DeviceError::NoSpeaker)?;
        let mut frames = samples.as_chunks::<FRAME>().0.iter().enumerate();
        let mut peak = 0;
        let end = Instant::now() + Duration::from_secs(5) + PATIENCE;
        while Instant::now() < end && !self.is_stopped() {
            while speaker.hungry() {
                let Some((n, frame)) = frames.next() else {
                    return self.hear_out(speaker.as_mut(), end);
                };
                speaker.write(frame);
                peak = peak.max(level(frame));
                if n.is_multiple_of(WORD) {
                    let left_ms = left(samples.len() - n * FRAME);
                    (self.tell)(HearBackView::Playing { left_ms, level: std::mem::take(&mut peak), heard });
                }
            }
            if let Some(error) = speaker.failed() {
                return Err(error);
            }
            thread::park_timeout(until(speaker.due()));
        }
        Ok(())
    }

    /// All is written: what is still on its way to the ear is waited for.
    fn hear_out(&self, speaker: &mut dyn Speaker, end: Instant) -> Result<(), DeviceError> {
        while speaker.queued() > 0 && Instant::now() < end && !self.is_stopped() {
            thread::park_timeout(LOOK);
        }
        thread::park_timeout(TAIL);
        speaker.failed().map_or(Ok(()), Err)
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

/// The devices, unless somebody keeps them: a call that has just ended lets go of them soon.
pub(crate) fn wait_for<'a>(free: &'a Mutex<()>, stopped: &AtomicBool) -> Option<MutexGuard<'a, ()>> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end && !stopped.load(Ordering::SeqCst) {
        match free.try_lock() {
            Ok(ours) => return Some(ours),
            Err(TryLockError::Poisoned(ours)) => return Some(ours.into_inner()),
            Err(TryLockError::WouldBlock) => thread::park_timeout(LOOK),
        }
    }
    None
}

/// The first that can be opened; the best one's error where none can be.
pub(crate) fn first<S, D>(
    wanted: &[S],
    open: impl Fn(&S) -> Result<D, DeviceError>,
    nothing: DeviceError,
) -> Result<D, DeviceError> {
    let mut best = None;
    for which in wanted {
        match open(which) {
            Ok(device) => return Ok(device),
            Err(error) => best = best.or(Some(error)),
        }
    }
    Err(best.unwrap_or(nothing))
}

fn left(samples: usize) -> u32 {
    u32::try_from(samples / 48).unwrap_or(u32::MAX)
}

pub(crate) fn until(due: Option<Instant>) -> Duration {
    due.map_or(LOOK, |due| due.saturating_duration_since(Instant::now()).min(LOOK))
}
