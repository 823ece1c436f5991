//! A word of the user's recorded through the microphone of calls, on a thread of its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use devices::{DeviceError, FRAME, Source, Wake};

use crate::hear_back::{PATIENCE, first, level, until, wait_for};
use crate::voice::Device;
use crate::words::of_device_error;
use crate::{Code, Problem};

/// Frames that are recorded at most: a minute.
const MOST: usize = 6_000;
/// Frames between two words on how it stands: a tenth of a second.
const WORD: usize = 10;

/// How it stands with a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// So many milliseconds are recorded; peak level since the last word, 0 to 100.
    Going(u32, u8),
    /// It is over; what was said, 48 kHz.
    Over(Vec<[i16; FRAME]>),
    /// It could not be recorded.
    Failed(Problem),
}

/// A recording under way. It is over when this is dropped, and then tells what was said.
#[derive(Debug)]
pub(crate) struct Dictation {
    stop: Arc<AtomicBool>,
    thread: thread::Thread,
}

impl Dictation {
    /// Begins to record, once `free` is nobody's.
    ///
    /// # Errors
    /// The system refuses the thread.
    pub(crate) fn start(
        microphones: Vec<Source>,
        free: Arc<Mutex<()>>,
        tell: impl Fn(Said) + Send + 'static,
    ) -> Result<Self, Problem> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let run = move || {
            let Some(_ours) = wait_for(&free, &stopped) else {
                return tell(Said::Failed(Code::NotNow.into()));
            };
            match record(&microphones, &stopped, &tell) {
                Ok(frames) => tell(Said::Over(frames)),
                Err(error) => tell(Said::Failed(of_device_error(Device::Microphone, &error))),
            }
        };
        let thread = thread::Builder::new().name("dictation".into()).spawn(run);
        let thread =
            thread.map_err(|error| Problem::new(Code::Internal, error.to_string()))?.thread().clone();
        Ok(Self { stop, thread })
    }
}

impl Drop for Dictation {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

fn record(
    microphones: &[Source],
    stopped: &AtomicBool,
    tell: &impl Fn(Said),
) -> Result<Vec<[i16; FRAME]>, DeviceError> {
    let me = thread::current();
    let wake: Wake = Arc::new(move || me.unpark());
    let open = |source: &Source| devices::open_microphone(source, wake.clone());
    let mut microphone = first(microphones, open, DeviceError::NoMicrophone)?;
    let (mut frames, mut frame, mut peak) = (Vec::new(), [0; FRAME], 0);
    let mut last = Instant::now();
    tell(Said::Going(0, 0));
    while frames.len() < MOST && !stopped.load(Ordering::SeqCst) {
        while frames.len() < MOST && microphone.read(&mut frame)? {
            frames.push(frame);
            last = Instant::now();
            peak = peak.max(level(&frame));
            if frames.len().is_multiple_of(WORD) {
                let ms = u32::try_from(10 * frames.len()).unwrap_or(u32::MAX);
                tell(Said::Going(ms, std::mem::take(&mut peak)));
            }
        }
        if last.elapsed() > PATIENCE {
            return Err(DeviceError::Lost("it gives no sound".into()));
        }
        thread::park_timeout(until(microphone.due()));
    }
    Ok(frames)
}
