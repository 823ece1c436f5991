use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rtrb::{Consumer, Producer, RingBuffer};

use crate::resample::{Converter, to_i16};
use crate::{DeviceError, FRAME, Microphone, RATE, Wake};

/// A card that gives nothing for so long is gone, whatever the sound system says. Virtual ones of a sound
/// server may work in slices of two seconds until a listener's wish for shorter ones has reached them.
const SILENT: Duration = Duration::from_secs(5);
/// Sound older than this, after the reader was held up, is not worth its delay.
const STALE_MS: usize = 200;

/// A sound card's microphone, at the reader's end. `S` keeps the stream alive.
pub(super) struct CardMicrophone<S> {
    ring: Consumer<f32>,
    converter: Converter,
    shared: Arc<Shared>,
    /// Samples of one frame at the card's rate.
    frame: usize,
    heard: Instant,
    _stream: S,
}

/// The card's end: takes samples on the card's own thread.
pub(super) struct Intake {
    ring: Producer<f32>,
    capacity: usize,
    shared: Arc<Shared>,
    wake: Wake,
}

#[derive(Default)]
struct Shared {
    /// Samples the reader waits for; it is woken when they are there.
    wanted: AtomicUsize,
    fault: Fault,
}

impl<S> CardMicrophone<S> {
    /// For a card of this rate, whose stream `begin` starts.
    pub(super) fn start<E: From<DeviceError>>(
        rate: u32,
        wake: Wake,
        begin: impl FnOnce(Intake, FaultReport) -> Result<S, E>,
    ) -> Result<Self, E> {
        let converter = Converter::to_frames(rate)?;
        let capacity = rate as usize;
        let (producer, ring) = RingBuffer::new(capacity);
        let shared = Arc::new(Shared::default());
        shared.wanted.store(converter.needs(), Ordering::Relaxed);
        let intake = Intake { ring: producer, capacity, shared: shared.clone(), wake: wake.clone() };
        let told = shared.clone();
        let stream = begin(intake, Box::new(move |reason| told.fault.set(reason, &wake)))?;
        let frame = rate as usize * FRAME / RATE as usize;
        Ok(Self { ring, converter, shared, frame, heard: Instant::now(), _stream: stream })
    }
}

impl Intake {
    /// Takes `count` samples, mixed to mono. Neither blocks nor allocates.
    pub(super) fn take(&mut self, count: usize, samples: impl Iterator<Item = f32>) {
        // A full ring means nobody reads; what does not fit is lost.
        let room = self.ring.slots().min(count);
        if let Ok(chunk) = self.ring.write_chunk_uninit(room) {
            chunk.fill_from_iter(samples);
        }
        if self.capacity - self.ring.slots() >= self.shared.wanted.load(Ordering::Relaxed) {
            (self.wake)();
        }
    }
}

impl<S: Send> Microphone for CardMicrophone<S> {
    fn read(&mut self, frame: &mut [i16; FRAME]) -> Result<bool, DeviceError> {
        let there = self.ring.slots();
        let needs = self.converter.needs();
        if there < needs {
            return match self.shared.fault.get() {
                Some(fault) => Err(fault),
                None if self.heard.elapsed() > SILENT => Err(DeviceError::Lost("it gives no sound".into())),
                None => Ok(false),
            };
        }
        self.heard = Instant::now();
        if there > self.frame * STALE_MS / 10
            && let Ok(stale) = self.ring.read_chunk(there - needs)
        {
            stale.commit_all();
        }
        if let Ok(chunk) = self.ring.read_chunk(needs) {
            let mut place = frame.iter_mut();
            self.converter.convert(chunk.into_iter(), |sample| {
                if let Some(place) = place.next() {
                    *place = to_i16(sample);
                }
            });
        }
        self.shared.wanted.store(self.converter.needs(), Ordering::Relaxed);
        Ok(true)
    }

    fn due(&self) -> Option<Instant> {
        None
    }
}

/// Tells that a stream has ended, and why.
pub(super) type FaultReport = Box<dyn Fn(String) + Send + Sync>;

/// Why a stream has ended, set once.
#[derive(Default)]
pub(super) struct Fault(OnceLock<String>);

impl Fault {
    pub(super) fn set(&self, reason: String, wake: &Wake) {
        if self.0.set(reason).is_ok() {
            wake();
        }
    }

    pub(super) fn get(&self) -> Option<DeviceError> {
        self.0.get().cloned().map(DeviceError::Lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn microphone(rate: u32) -> (CardMicrophone<()>, Intake, FaultReport, Arc<AtomicUsize>) {
        let woken = Arc::new(AtomicUsize::new(0));
        let count = woken.clone();
        let wake: Wake = Arc::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
        });
        let mut ends = None;
        let microphone = CardMicrophone::start(rate, wake, |intake, report| {
            ends = Some((intake, report));
            Ok::<(), DeviceError>(())
        });
        let (intake, report) = ends.unwrap();
        (microphone.unwrap(), intake, report, woken)
    }

    #[test]
    fn small_chunks_become_whole_frames() {
        let (mut microphone, mut intake, _, woken) = microphone(RATE);
        let mut frame = [0; FRAME];
        let mut next = 0_i16;
        let mut frames = 0_i16;
        for _ in 0..100 {
            let from = next;
            next += 24;
            intake.take(24, (from..next).map(crate::resample::to_f32));
            while microphone.read(&mut frame).unwrap() {
                let expected: Vec<i16> = (frames * 480..(frames + 1) * 480).collect();
                assert_eq!(frame.as_slice(), expected);
                frames += 1;
            }
        }
        assert_eq!(frames, 5);
        assert_eq!(woken.load(Ordering::SeqCst), 5, "woken for frames, not for chunks");
    }

    #[test]
    fn a_card_of_another_rate_gives_as_many_frames() {
        for rate in [8_000, 16_000, 44_100, 96_000, 192_000] {
            let (mut microphone, mut intake, _, _) = microphone(rate);
            let (mut frame, mut frames) = ([0; FRAME], 0);
            for _ in 0..100 {
                intake.take(rate as usize / 100, std::iter::repeat_n(0.25, rate as usize / 100));
                while microphone.read(&mut frame).unwrap() {
                    frames += 1;
                }
            }
            assert!((98..=100).contains(&frames), "{rate}: {frames} frames of a second");
            assert!(frame.iter().all(|s| s.abs_diff(8192) < 20), "{rate}: {}", frame[0]);
        }
    }

    #[test]
    fn what_waited_too_long_is_left_out() {
        let (mut microphone, mut intake, _, _) = microphone(RATE);
        intake.take(RATE as usize / 2, std::iter::repeat_n(0.5, RATE as usize / 2));
        let (mut frame, mut frames) = ([0; FRAME], 0);
        while microphone.read(&mut frame).unwrap() {
            frames += 1;
        }
        assert_eq!(frames, 1);
        intake.take(2 * RATE as usize, std::iter::repeat_n(0.5, 2 * RATE as usize));
        assert!(microphone.read(&mut frame).unwrap(), "a reader held up for longer than the ring goes on");
    }

    #[test]
    fn a_lost_card_gives_what_it_gave_and_then_its_reason() {
        let (mut microphone, mut intake, report, woken) = microphone(RATE);
        intake.take(FRAME, std::iter::repeat_n(0.0, FRAME));
        report("unplugged".into());
        report("again".into());
        assert_eq!(woken.load(Ordering::SeqCst), 2);
        let mut frame = [0; FRAME];
        assert!(microphone.read(&mut frame).unwrap());
        for _ in 0..2 {
            assert!(matches!(microphone.read(&mut frame), Err(DeviceError::Lost(why)) if why == "unplugged"));
        }
    }
}
