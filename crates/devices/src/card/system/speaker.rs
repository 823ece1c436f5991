use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{Device, FromSample, SizedSample, Stream, StreamConfig};
use rtrb::{Consumer, Producer, RingBuffer};

use super::super::cushion::Cushion;
use super::super::microphone::{Fault, FaultReport};
use super::{OpenError, PERIOD_MS, Running, by_format, config, report_fatal};
use crate::resample::{Converter, to_f32};
use crate::{DeviceError, FRAME, RATE, Speaker, Wake};

/// A card that takes nothing for so long is gone, whatever the sound system says.
const STUCK: Duration = Duration::from_secs(2);

/// A sound card's speaker.
pub(in crate::card) struct CardSpeaker {
    ring: Producer<f32>,
    capacity: usize,
    converter: Converter,
    shared: Arc<Shared>,
    cushion: Cushion,
    rate: u32,
    /// Requests seen so far, and when the last one was seen.
    served: (u32, Instant),
    _stream: Running,
}

/// What the card's thread tells.
struct Shared {
    /// Something was written: what is missing from now on is missed.
    begun: AtomicBool,
    requests: AtomicU32,
    /// Most samples asked for at once since the last look.
    request: AtomicUsize,
    /// Fewest samples left over after a request since the last look.
    left: AtomicUsize,
    /// Requests that could not be served in full.
    starved: AtomicU32,
    fault: Fault,
}

impl CardSpeaker {
    pub(super) fn open(device: &Device, wake: Wake) -> Result<Self, OpenError> {
        let format = device.default_output_config()?;
        let rate = format.sample_rate();
        let converter = Converter::from_frames(rate)?;
        let capacity = rate as usize;
        let (ring, consumer) = RingBuffer::new(capacity);
        let shared = Arc::new(Shared {
            begun: AtomicBool::new(false),
            requests: AtomicU32::new(0),
            request: AtomicUsize::new(0),
            left: AtomicUsize::new(usize::MAX),
            starved: AtomicU32::new(0),
            fault: Fault::default(),
        });
        let config = config(&format);
        let stream =
            by_format!(format.sample_format(), build(device, config, consumer, shared.clone(), wake))?;
        stream.play()?;
        let now = Instant::now();
        let cushion = Cushion::new(rate, rate as usize * PERIOD_MS as usize / 1000, now);
        let served = (0, now);
        Ok(Self { ring, capacity, converter, shared, cushion, rate, served, _stream: Running::new(stream) })
    }

    fn in_ring(&self) -> usize {
        self.capacity - self.ring.slots()
    }
}

fn build<T: SizedSample + FromSample<f32>>(
    device: &Device,
    config: StreamConfig,
    mut ring: Consumer<f32>,
    shared: Arc<Shared>,
    wake: Wake,
) -> Result<Stream, cpal::Error> {
    let channels = usize::from(config.channels.max(1));
    let (told, told_wake) = (shared.clone(), wake.clone());
    let report: FaultReport = Box::new(move |reason| told.fault.set(reason, &told_wake));
    device.build_output_stream::<T, _, _>(
        config,
        move |data: &mut [T], _| {
            let asked = data.len() / channels;
            let there = ring.slots();
            let mut samples = ring.read_chunk(asked.min(there)).into_iter().flatten();
            for frame in data.chunks_exact_mut(channels) {
                // A voice belongs before the listener: what a card has beyond two channels stays silent.
                let (front, others) = frame.split_at_mut(channels.min(2));
                front.fill(T::from_sample(samples.next().unwrap_or(0.0)));
                others.fill(T::EQUILIBRIUM);
            }
            shared.requests.fetch_add(1, Ordering::Relaxed);
            if shared.begun.load(Ordering::Relaxed) {
                shared.request.fetch_max(asked, Ordering::Relaxed);
                if there < asked {
                    shared.starved.fetch_add(1, Ordering::Relaxed);
                } else {
                    shared.left.fetch_min(there - asked, Ordering::Relaxed);
                }
            }
            wake();
        },
        move |error| report_fatal(&error, &report),
        None,
    )
}

impl Speaker for CardSpeaker {
    fn hungry(&mut self) -> bool {
        let now = Instant::now();
        let requests = self.shared.requests.load(Ordering::Relaxed);
        if requests != self.served.0 {
            self.served = (requests, now);
        }
        if self.cushion.starved(self.shared.starved.load(Ordering::Relaxed), now) || self.cushion.is_due(now)
        {
            let left = self.shared.left.swap(usize::MAX, Ordering::Relaxed);
            let request = self.shared.request.swap(0, Ordering::Relaxed);
            self.cushion.look(left, request, now);
        }
        self.failed().is_none() && self.in_ring() < self.cushion.target()
    }

    fn write(&mut self, frame: &[i16; FRAME]) {
        let ring = &mut self.ring;
        self.converter.convert(frame.iter().copied().map(to_f32), |sample| {
            // A full ring means the card has stopped taking, which `failed` tells.
            ring.push(sample).ok();
        });
        self.shared.begun.store(true, Ordering::Relaxed);
    }

    fn queued(&self) -> usize {
        (self.in_ring() as u64 * u64::from(RATE) / u64::from(self.rate)) as usize
    }

    fn due(&self) -> Option<Instant> {
        None
    }

    fn failed(&self) -> Option<DeviceError> {
        self.shared.fault.get().or_else(|| {
            let stuck = self.served.1.elapsed() > STUCK
                && self.shared.requests.load(Ordering::Relaxed) == self.served.0;
            stuck.then(|| DeviceError::Lost("it takes no sound".into()))
        })
    }
}
