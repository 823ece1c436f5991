//! What microphones and speakers share: a running cpal stream and what it tells.

use std::sync::OnceLock;
use std::thread;

use cpal::{
    BufferSize, ErrorKind, FrameCount, Stream, StreamConfig, SupportedBufferSize, SupportedStreamConfig,
};

use crate::{DeviceError, Wake};

/// A stream that is let go of on a thread of its own: a sound server that hangs must not hang a call.
pub(super) struct Running(Option<Stream>);

impl Running {
    pub(super) fn new(stream: Stream) -> Self {
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

/// Why a stream ended, set once.
#[derive(Default)]
pub(super) struct Fault(OnceLock<String>);

impl Fault {
    /// Takes what cpal reports; what a stream survives is no fault.
    pub(super) fn report(&self, error: &cpal::Error, wake: &Wake) {
        let survives =
            matches!(error.kind(), ErrorKind::DeviceChanged | ErrorKind::Xrun | ErrorKind::RealtimeDenied);
        if !survives && self.0.set(error.to_string()).is_ok() {
            wake();
        }
    }

    pub(super) fn get(&self) -> Option<DeviceError> {
        self.0.get().cloned().map(DeviceError::Lost)
    }
}

/// The card's own format with buffers of about `period_ms`; a sound server's default can be seconds.
pub(super) fn config(format: &SupportedStreamConfig, period_ms: u32) -> StreamConfig {
    let frames = format.sample_rate() * period_ms / 1000;
    let frames = match *format.buffer_size() {
        SupportedBufferSize::Range { min, max } if min <= max => frames.clamp(min, max),
        _ => frames,
    };
    StreamConfig { buffer_size: BufferSize::Fixed(frames as FrameCount), ..format.config() }
}

/// Calls `$build::<T>($args)` with `T` for a [`SampleFormat`](cpal::SampleFormat).
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
pub(super) use by_format;
