use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{Device, FromSample, SizedSample, Stream, StreamConfig};
use rtrb::{Consumer, Producer, RingBuffer};

use super::stream::{Fault, Running, by_format, config};
use crate::resample::{Converter, to_i16};
use crate::{DeviceError, FRAME, Microphone, RATE, Wake};

const PERIOD_MS: u32 = 5;
/// A card that gives nothing for so long is gone, whatever the sound system says.
const SILENT: Duration = Duration::from_secs(2);
/// Sound older than this, after the reader was held up, is not worth its delay.
const STALE_MS: usize = 200;

/// A sound card's microphone.
pub(crate) struct CardMicrophone {
    ring: Consumer<f32>,
    converter: Converter,
    shared: Arc<Shared>,
    /// Samples of one frame at the card's rate.
    frame: usize,
    heard: Instant,
    _stream: Running,
}

#[derive(Default)]
struct Shared {
    /// Samples the reader waits for; it is woken when they are there.
    wanted: AtomicUsize,
    fault: Fault,
}

impl CardMicrophone {
    pub(super) fn open(device: &Device, wake: Wake) -> Result<Self, cpal::Error> {
        let format = device.default_input_config()?;
        let rate = format.sample_rate();
        let converter = Converter::to_frames(rate).map_err(unsupported)?;
        let (producer, ring) = RingBuffer::new(rate as usize);
        let shared = Arc::new(Shared::default());
        shared.wanted.store(converter.needs(), Ordering::Relaxed);
        let config = config(&format, PERIOD_MS);
        let stream =
            by_format!(format.sample_format(), build(device, config, producer, shared.clone(), wake))?;
        stream.play()?;
        let frame = rate as usize * FRAME / RATE as usize;
        Ok(Self { ring, converter, shared, frame, heard: Instant::now(), _stream: Running::new(stream) })
    }
}

fn unsupported(error: DeviceError) -> cpal::Error {
    cpal::Error::with_message(cpal::ErrorKind::UnsupportedConfig, error.to_string())
}

fn build<T: SizedSample>(
    device: &Device,
    config: StreamConfig,
    mut ring: Producer<f32>,
    shared: Arc<Shared>,
    wake: Wake,
) -> Result<Stream, cpal::Error>
where
    f32: FromSample<T>,
{
    let channels = usize::from(config.channels.max(1));
    let share = 1.0 / channels as f32;
    let capacity = ring.buffer().capacity();
    let (told, told_wake) = (shared.clone(), wake.clone());
    device.build_input_stream::<T, _, _>(
        config,
        move |data, _| {
            let mono = data.chunks_exact(channels);
            let mono = mono.map(|c| c.iter().map(|s| s.to_sample::<f32>()).sum::<f32>() * share);
            // A full ring means nobody reads; what does not fit is lost.
            let room = ring.slots().min(data.len() / channels);
            if let Ok(chunk) = ring.write_chunk_uninit(room) {
                chunk.fill_from_iter(mono);
            }
            if capacity - ring.slots() >= shared.wanted.load(Ordering::Relaxed) {
                wake();
            }
        },
        move |error| told.fault.report(&error, &told_wake),
        None,
    )
}

impl Microphone for CardMicrophone {
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
