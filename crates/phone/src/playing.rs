//! A sound that the user listens to, through the speaker of calls, on a thread of its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use devices::{DeviceError, Frames, RATE, Sink, Speaker, Wake};

use crate::hear_back::{LOOK, TAIL, first, until, wait_for};
use crate::voice::Device;
use crate::wav::Wav;
use crate::words::of_device_error;
use crate::{Code, Problem};

/// Frames between two words on how far it is: a tenth of a second.
const WORD: u64 = 10;
/// A speaker that takes nothing is waited for this long.
const PATIENCE: Duration = Duration::from_secs(3);

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Word {
    /// Heard until here.
    At(Duration),
    /// Heard to its end.
    Ended,
    /// It cannot be heard.
    Failed(Problem),
}

/// A sound that is played. It stops when this is dropped.
#[derive(Debug)]
pub(crate) struct Playing {
    stop: Arc<AtomicBool>,
    thread: thread::Thread,
}

impl Playing {
    /// Plays a sound from `from` on, once `free` is nobody's.
    ///
    /// # Errors
    /// The system refuses the thread.
    pub(crate) fn start(
        speakers: Vec<Sink>,
        wav: Wav,
        from: Duration,
        free: Arc<Mutex<()>>,
        tell: impl Fn(Word) + Send + 'static,
    ) -> Result<Self, Problem> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let run = move || {
            let Some(_ours) = wait_for(&free, &stopped) else {
                return tell(Word::Failed(Code::NotNow.into()));
            };
            match play(&speakers, &wav, from, &stopped, &tell) {
                _ if stopped.load(Ordering::SeqCst) => {}
                Ok(()) => tell(Word::Ended),
                Err(error) => tell(Word::Failed(of_device_error(Device::Speaker, &error))),
            }
        };
        let thread = thread::Builder::new().name("playing".into()).spawn(run);
        let thread =
            thread.map_err(|error| Problem::new(Code::Internal, error.to_string()))?.thread().clone();
        Ok(Self { stop, thread })
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

fn play(
    speakers: &[Sink],
    wav: &Wav,
    from: Duration,
    stopped: &AtomicBool,
    tell: &impl Fn(Word),
) -> Result<(), DeviceError> {
    let me = thread::current();
    let wake: Wake = Arc::new(move || me.unpark());
    let mut frames = Frames::of(wav.samples.clone(), wav.rate, from)?;
    let open = |sink: &Sink| devices::open_speaker(sink, wake.clone());
    let mut speaker = first(speakers, open, DeviceError::NoSpeaker)?;
    let (mut played, mut last) = (0_u64, Instant::now());
    while !stopped.load(Ordering::SeqCst) {
        while speaker.hungry() {
            let Some(frame) = frames.next() else { return hear_out(speaker.as_mut(), stopped) };
            speaker.write(&frame);
            last = Instant::now();
            if played.is_multiple_of(WORD) {
                let waiting = Duration::from_secs(speaker.queued() as u64) / RATE;
                let at = Duration::from_millis(10 * played).saturating_sub(waiting);
                tell(Word::At(from + at));
            }
            played += 1;
        }
        if let Some(error) = speaker.failed() {
            return Err(error);
        }
        if last.elapsed() > PATIENCE {
            return Err(DeviceError::Lost("it takes no sound".into()));
        }
        thread::park_timeout(until(speaker.due()));
    }
    Ok(())
}

/// All is written: what is still on its way to the ear is waited for.
fn hear_out(speaker: &mut dyn Speaker, stopped: &AtomicBool) -> Result<(), DeviceError> {
    let end = Instant::now() + PATIENCE;
    while speaker.queued() > 0 && Instant::now() < end && !stopped.load(Ordering::SeqCst) {
        thread::park_timeout(LOOK);
    }
    thread::park_timeout(TAIL);
    speaker.failed().map_or(Ok(()), Err)
}
