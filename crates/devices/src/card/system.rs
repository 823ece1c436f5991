//! Cards through cpal.

mod speaker;

use std::thread;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, Device, DeviceId, Error, ErrorKind, FromSample, Host, SizedSample, Stream, StreamConfig,
    SupportedBufferSize, SupportedStreamConfig,
};

use super::microphone::{CardMicrophone, FaultReport, Intake};
use super::{DeviceInfo, DeviceKind, Way};
use crate::{DeviceError, Wake};
use speaker::CardSpeaker;

/// What a card is asked to handle at once.
const PERIOD_MS: u32 = 5;

/// Not looked at when cards are listed, though they open by their ids: the one is nothing, and the other waits for a
/// lock that a program which died with it has kept for ever.
const NO_CARDS: [&str; 2] = ["alsa:null", "alsa:jack"];

pub(super) fn list(way: Way) -> Result<Vec<DeviceInfo>, DeviceError> {
    let host = cpal::default_host();
    let default = way.default(&host).and_then(|d| d.id().ok());
    let devices = host.devices().map_err(|e| lacking(way, None, e))?;
    let list = devices.filter_map(|device| {
        let id = device.id().ok()?;
        if NO_CARDS.contains(&id.to_string().as_str()) || way.format(&device).is_err() {
            return None;
        }
        let name = device.description().map_or_else(|_| id.to_string(), |d| d.name().to_owned());
        Some(DeviceInfo {
            name,
            default: Some(&id) == default.as_ref(),
            id: id.to_string(),
            kind: DeviceKind::Other,
            hardware: None,
            model: None,
        })
    });
    Ok(list.collect())
}

pub(super) fn microphone(id: Option<&str>, wake: Wake) -> Result<CardMicrophone<Running>, DeviceError> {
    let device = find(Way::In, id)?;
    let opened = || {
        let format = device.default_input_config()?;
        let config = config(&format);
        CardMicrophone::start(format.sample_rate(), wake, |intake, report| {
            let stream = by_format!(format.sample_format(), input(&device, config, intake, report))?;
            stream.play()?;
            Ok::<_, OpenError>(Running::new(stream))
        })
    };
    opened().map_err(|e| e.meaning(Way::In, id))
}

pub(super) fn speaker(id: Option<&str>, wake: Wake) -> Result<CardSpeaker, DeviceError> {
    let device = find(Way::Out, id)?;
    CardSpeaker::open(&device, wake).map_err(|e| e.meaning(Way::Out, id))
}

impl Way {
    fn default(self, host: &Host) -> Option<Device> {
        match self {
            Self::In => host.default_input_device(),
            Self::Out => host.default_output_device(),
        }
    }

    fn format(self, device: &Device) -> Result<SupportedStreamConfig, Error> {
        match self {
            Self::In => device.default_input_config(),
            Self::Out => device.default_output_config(),
        }
    }
}

fn find(way: Way, id: Option<&str>) -> Result<Device, DeviceError> {
    let host = cpal::default_host();
    let Some(id) = id else {
        return way.default(&host).ok_or_else(|| way.none());
    };
    id.parse::<DeviceId>()
        .ok()
        .and_then(|id| host.device_by_id(&id))
        .ok_or_else(|| DeviceError::NotFound(id.to_owned()))
}

/// A stream could not be opened.
enum OpenError {
    Card(Error),
    Other(DeviceError),
}

impl From<Error> for OpenError {
    fn from(error: Error) -> Self {
        Self::Card(error)
    }
}

impl From<DeviceError> for OpenError {
    fn from(error: DeviceError) -> Self {
        Self::Other(error)
    }
}

impl OpenError {
    fn meaning(self, way: Way, id: Option<&str>) -> DeviceError {
        match self {
            Self::Card(error) => lacking(way, id, error),
            Self::Other(error) => error,
        }
    }
}

/// What a failure of the sound system means for somebody who wanted this device.
fn lacking(way: Way, id: Option<&str>, error: Error) -> DeviceError {
    match (error.kind(), id) {
        (ErrorKind::HostUnavailable, _) | (ErrorKind::DeviceNotAvailable, None) => way.none(),
        (ErrorKind::DeviceNotAvailable, Some(id)) => DeviceError::NotFound(id.to_owned()),
        (ErrorKind::DeviceBusy, _) => DeviceError::Busy(error.to_string()),
        (ErrorKind::PermissionDenied, _) => DeviceError::Refused(error.to_string()),
        _ => DeviceError::Failed(error),
    }
}

fn input<T: SizedSample>(
    device: &Device,
    config: StreamConfig,
    mut intake: Intake,
    report: FaultReport,
) -> Result<Stream, Error>
where
    f32: FromSample<T>,
{
    let channels = usize::from(config.channels.max(1));
    // The voice is on the first channel of a card with many; the others may be anything.
    let voices = if channels > 2 { 1 } else { channels };
    let share = 1.0 / voices as f32;
    device.build_input_stream::<T, _, _>(
        config,
        move |data, _| {
            let mono = data.chunks_exact(channels);
            let mono = mono.map(|c| c.iter().take(voices).map(|s| s.to_sample::<f32>()).sum::<f32>() * share);
            intake.take(data.len() / channels, mono);
        },
        move |error| report_fatal(&error, &report),
        None,
    )
}

/// Passes on what a stream does not survive.
fn report_fatal(error: &Error, report: &FaultReport) {
    let survives =
        matches!(error.kind(), ErrorKind::DeviceChanged | ErrorKind::Xrun | ErrorKind::RealtimeDenied);
    if !survives {
        report(error.to_string());
    }
}

/// A stream that is let go of on a thread of its own: a sound system that hangs must not hang a call.
pub(super) struct Running(Option<Stream>);

impl Running {
    fn new(stream: Stream) -> Self {
        Self(Some(stream))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let stream = self.0.take();
        // Where no thread can be had, the stream is dropped with the closure, here.
        thread::Builder::new().name("sound-close".into()).spawn(move || drop(stream)).ok();
    }
}

/// The card's own format with buffers of about [`PERIOD_MS`]; a default can be seconds.
fn config(format: &SupportedStreamConfig) -> StreamConfig {
    let frames = format.sample_rate() * PERIOD_MS / 1000;
    let frames = match *format.buffer_size() {
        SupportedBufferSize::Range { min, max } if min <= max => frames.clamp(min, max),
        _ => frames,
    };
    StreamConfig { buffer_size: BufferSize::Fixed(frames), ..format.config() }
}

/// Calls `$build::<T>(..)` with `T` for a [`SampleFormat`](cpal::SampleFormat).
macro_rules! by_format {
    ($format:expr, $build:ident ( $($arg:expr),* $(,)? )) => {
        match $format {
            cpal::SampleFormat::I8 => $build::<i8>($($arg),*),
            cpal::SampleFormat::I16 => $build::<i16>($($arg),*),
            cpal::SampleFormat::I24 => $build::<cpal::I24>($($arg),*),
            cpal::SampleFormat::I32 => $build::<i32>($($arg),*),
            cpal::SampleFormat::U8 => $build::<u8>($($arg),*),
            cpal::SampleFormat::U16 => $build::<u16>($($arg),*),
            cpal::SampleFormat::U32 => $build::<u32>($($arg),*),
            cpal::SampleFormat::F32 => $build::<f32>($($arg),*),
            cpal::SampleFormat::F64 => $build::<f64>($($arg),*),
            other => Err(cpal::Error::with_message(
                cpal::ErrorKind::UnsupportedConfig,
                format!("samples of the card are {other}"),
            )),
        }
    };
}
use by_format;
