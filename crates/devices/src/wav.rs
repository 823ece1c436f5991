//! The fakes: WAV files on a paced clock, silence, and nowhere.

use std::collections::VecDeque;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

use crate::clock::Pace;
use crate::resample::{Converter, to_i16};
use crate::{Clock, DeviceError, FRAME, Microphone, RATE, Speaker};

/// A WAV file read out at the pace of a clock, then silence for ever.
///
/// Like a real microphone it gives a frame when its last sample has been spoken: 10 ms after the start
/// for the first one.
pub struct WavMicrophone<C> {
    recording: Recording,
    pace: Pace,
    clock: C,
}

impl<C: Clock> WavMicrophone<C> {
    /// Opens the file; its clock starts with its next tick, within 10 ms.
    ///
    /// # Errors
    /// [`DeviceError::File`] for a file that cannot be read or is no WAV file, [`DeviceError::Rate`]
    /// for an absurd sample rate.
    pub fn open(path: &Path, clock: C) -> Result<Self, DeviceError> {
        let recording = Recording::open(path)?;
        let pace = Pace::after(clock.start());
        Ok(Self { recording, pace, clock })
    }
}

impl<C: Clock> Microphone for WavMicrophone<C> {
    fn read(&mut self, frame: &mut [i16; FRAME]) -> Result<bool, DeviceError> {
        if self.clock.now() < self.pace.due() {
            return Ok(false);
        }
        self.pace.tick();
        self.recording.frame(frame)?;
        Ok(true)
    }

    fn due(&self) -> Option<Instant> {
        Some(self.pace.due())
    }
}

type Samples = Box<dyn Iterator<Item = Result<f32, hound::Error>> + Send>;

/// A WAV file mixed to mono at [`RATE`], read as it is needed: a long one begins as soon as a short one.
struct Recording {
    path: PathBuf,
    samples: Samples,
    channels: usize,
    converter: Converter,
    ready: VecDeque<i16>,
}

impl Recording {
    fn open(path: &Path) -> Result<Self, DeviceError> {
        let reader = WavReader::open(path).map_err(|e| DeviceError::file(path, e))?;
        let spec = reader.spec();
        let samples: Samples = match spec.sample_format {
            SampleFormat::Float => Box::new(reader.into_samples::<f32>()),
            SampleFormat::Int => {
                let full = 2_f32.powi(i32::from(spec.bits_per_sample.max(1)) - 1);
                Box::new(reader.into_samples::<i32>().map(move |s| s.map(|s| s as f32 / full)))
            }
        };
        let converter = Converter::from_file(spec.sample_rate)?;
        let channels = usize::from(spec.channels.max(1));
        let mut recording =
            Self { path: path.to_owned(), samples, channels, converter, ready: VecDeque::new() };
        let delay = recording.converter.delay();
        while recording.ready.len() < delay {
            recording.advance()?;
        }
        recording.ready.drain(..delay);
        Ok(recording)
    }

    /// The next frame; silence after the end.
    fn frame(&mut self, frame: &mut [i16; FRAME]) -> Result<(), DeviceError> {
        while self.ready.len() < FRAME {
            self.advance()?;
        }
        frame.iter_mut().zip(self.ready.drain(..FRAME)).for_each(|(out, sample)| *out = sample);
        Ok(())
    }

    /// Makes another frame ready.
    fn advance(&mut self) -> Result<(), DeviceError> {
        let mut taken = Vec::with_capacity(self.converter.needs());
        for _ in 0..self.converter.needs() {
            taken.push(self.mixed()?);
        }
        let ready = &mut self.ready;
        self.converter.convert(taken.into_iter(), |sample| ready.push_back(to_i16(sample)));
        Ok(())
    }

    /// One sample of all channels; silence after the end.
    fn mixed(&mut self) -> Result<f32, DeviceError> {
        let mut sum = 0.0;
        for _ in 0..self.channels {
            match self.samples.next() {
                Some(Ok(sample)) => sum += sample,
                Some(Err(error)) => return Err(DeviceError::file(&self.path, error)),
                None => return Ok(0.0),
            }
        }
        Ok(sum / self.channels as f32)
    }
}

/// Sound of any rate in frames at [`RATE`], converted as they are taken.
pub struct Frames {
    sound: Arc<[i16]>,
    next: usize,
    left: usize,
    converter: Converter,
    ready: VecDeque<i16>,
}

impl Frames {
    /// Those of `sound`, mono at `rate` samples a second, from `from` on; the last is filled up with silence.
    ///
    /// # Errors
    /// [`DeviceError::Rate`] for an absurd one.
    pub fn of(sound: Arc<[i16]>, rate: u32, from: Duration) -> Result<Self, DeviceError> {
        let converter = Converter::from_file(rate)?;
        let skipped = u128::from(rate) * from.as_micros() / 1_000_000;
        let next = usize::try_from(skipped).unwrap_or(usize::MAX).min(sound.len());
        let samples = (sound.len() - next) as u64 * u64::from(RATE) / u64::from(rate);
        let left = usize::try_from(samples.div_ceil(FRAME as u64)).unwrap_or(usize::MAX);
        let mut frames = Self { sound, next, left, converter, ready: VecDeque::new() };
        let delay = frames.converter.delay();
        while frames.ready.len() < delay {
            frames.advance();
        }
        frames.ready.drain(..delay);
        Ok(frames)
    }

    fn advance(&mut self) {
        let needs = self.converter.needs();
        let given = self.sound.iter().skip(self.next).take(needs).map(|sample| f32::from(*sample) / 32_768.0);
        let ready = &mut self.ready;
        self.converter.convert(given.chain(std::iter::repeat(0.0)), |sample| ready.push_back(to_i16(sample)));
        self.next = self.next.saturating_add(needs);
    }
}

impl Iterator for Frames {
    type Item = [i16; FRAME];

    fn next(&mut self) -> Option<[i16; FRAME]> {
        self.left = self.left.checked_sub(1)?;
        while self.ready.len() < FRAME {
            self.advance();
        }
        let mut frame = [0; FRAME];
        frame.iter_mut().zip(self.ready.drain(..FRAME)).for_each(|(out, sample)| *out = sample);
        Some(frame)
    }
}

/// Frames of sound at another rate, as files that are sent elsewhere have it.
///
/// # Errors
/// [`DeviceError::Rate`] for an absurd one.
pub fn at_rate(frames: &[[i16; FRAME]], rate: u32) -> Result<Vec<i16>, DeviceError> {
    let mut converter = Converter::from_frames(rate)?;
    let delay = converter.delay();
    let wanted = usize::try_from(frames.len() as u64 * FRAME as u64 * u64::from(rate) / u64::from(RATE))
        .unwrap_or(usize::MAX);
    let mut sound = Vec::with_capacity(wanted + delay + FRAME);
    let silence = std::iter::repeat(&[0; FRAME]);
    for frame in frames.iter().chain(silence) {
        if sound.len() >= wanted.saturating_add(delay) {
            break;
        }
        converter
            .convert(frame.iter().map(|sample| f32::from(*sample) / 32_768.0), |s| sound.push(to_i16(s)));
    }
    Ok(sound.into_iter().skip(delay).take(wanted).collect())
}

/// So many frames of a file, at [`RATE`], with silence after its end.
pub(crate) fn read(path: &Path, frames: usize) -> Result<Vec<i16>, DeviceError> {
    let mut recording = Recording::open(path)?;
    let mut samples = Vec::with_capacity(frames * FRAME);
    for _ in 0..frames {
        let mut frame = [0; FRAME];
        recording.frame(&mut frame)?;
        samples.extend_from_slice(&frame);
    }
    Ok(samples)
}

/// Silence at the pace of a clock.
pub struct SilentMicrophone<C> {
    pace: Pace,
    clock: C,
}

impl<C: Clock> SilentMicrophone<C> {
    /// The clock starts with its next tick, within 10 ms.
    pub fn new(clock: C) -> Self {
        Self { pace: Pace::after(clock.start()), clock }
    }
}

impl<C: Clock> Microphone for SilentMicrophone<C> {
    fn read(&mut self, frame: &mut [i16; FRAME]) -> Result<bool, DeviceError> {
        if self.clock.now() < self.pace.due() {
            return Ok(false);
        }
        self.pace.tick();
        frame.fill(0);
        Ok(true)
    }

    fn due(&self) -> Option<Instant> {
        Some(self.pace.due())
    }
}

/// A WAV file (48 kHz, mono, 16 bit) written at the pace of a clock: its sample 0 is the moment the
/// clock started. Readable at any time: the header is brought up to date twice a second and on drop.
pub struct WavSpeaker<C> {
    path: PathBuf,
    writer: Option<WavWriter<BufWriter<File>>>,
    frames: u32,
    pace: Pace,
    clock: C,
    failed: Option<DeviceError>,
}

/// Frames between two updates of the header.
const UPDATE: u32 = 50;

impl<C: Clock> WavSpeaker<C> {
    /// Creates or empties the file; its clock starts with its next tick, within 10 ms.
    ///
    /// # Errors
    /// [`DeviceError::File`].
    pub fn create(path: &Path, clock: C) -> Result<Self, DeviceError> {
        let spec =
            WavSpec { channels: 1, sample_rate: RATE, bits_per_sample: 16, sample_format: SampleFormat::Int };
        let mut writer = WavWriter::create(path, spec).map_err(|e| DeviceError::file(path, e))?;
        writer.flush().map_err(|e| DeviceError::file(path, e))?;
        let pace = Pace::starting(clock.start());
        Ok(Self { path: path.to_owned(), writer: Some(writer), frames: 0, pace, clock, failed: None })
    }

    fn put(&mut self, frame: &[i16; FRAME]) -> Result<(), hound::Error> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let mut samples = writer.get_i16_writer(FRAME as u32);
        frame.iter().for_each(|sample| samples.write_sample(*sample));
        samples.flush()?;
        self.frames += 1;
        if self.frames.is_multiple_of(UPDATE) {
            writer.flush()?;
        }
        Ok(())
    }
}

impl<C: Clock> Speaker for WavSpeaker<C> {
    fn hungry(&mut self) -> bool {
        self.clock.now() >= self.pace.due()
    }

    fn write(&mut self, frame: &[i16; FRAME]) {
        self.pace.tick();
        if let Err(e) = self.put(frame) {
            self.writer = None;
            self.failed = Some(DeviceError::file(&self.path, e));
        }
    }

    fn queued(&self) -> usize {
        samples_until(self.pace.due(), self.clock.now())
    }

    fn due(&self) -> Option<Instant> {
        Some(self.pace.due())
    }

    fn failed(&self) -> Option<DeviceError> {
        self.failed.clone()
    }
}

impl<C> Drop for WavSpeaker<C> {
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take()
            && let Err(error) = writer.finalize()
        {
            tracing::warn!(%error, path = %self.path.display(), "the record could not be finished");
        }
    }
}

/// Swallows frames at the pace of a clock.
pub struct NullSpeaker<C> {
    pace: Pace,
    clock: C,
}

impl<C: Clock> NullSpeaker<C> {
    /// The clock starts with its next tick, within 10 ms.
    pub fn new(clock: C) -> Self {
        Self { pace: Pace::starting(clock.start()), clock }
    }
}

impl<C: Clock> Speaker for NullSpeaker<C> {
    fn hungry(&mut self) -> bool {
        self.clock.now() >= self.pace.due()
    }

    fn write(&mut self, _frame: &[i16; FRAME]) {
        self.pace.tick();
    }

    fn queued(&self) -> usize {
        samples_until(self.pace.due(), self.clock.now())
    }

    fn due(&self) -> Option<Instant> {
        Some(self.pace.due())
    }

    fn failed(&self) -> Option<DeviceError> {
        None
    }
}

fn samples_until(end: Instant, now: Instant) -> usize {
    let left: Duration = end.saturating_duration_since(now);
    usize::try_from(left.as_nanos() * u128::from(RATE) / 1_000_000_000).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
