//! Microphones, speakers and the ringer, cameras, and their fakes; the clipboard and the screens.
//!
//! Everything outside a card is mono, 16 bit, [`RATE`] samples a second, in frames of [`FRAME`] samples
//! (10 ms). What the card itself speaks (rate, channels, sample format) stays in here. A sound card
//! tells by a [`Wake`] that it has or needs samples; a WAV file has a clock and says by `due` when its
//! next frame is.

#![deny(clippy::indexing_slicing, clippy::string_slice)]

mod camera;
mod card;
mod choice;
mod clipboard;
mod clock;
mod error;
mod headset;
mod priority;
mod recording;
mod resample;
mod ringer;
mod screen;
mod tone;
mod wav;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

pub use camera::{CameraError, CameraInfo, Eye, Frame, PictureEye, cameras, open_camera, preview_jpeg};
pub use card::{DeviceInfo, DeviceKind, DeviceWatch, Present, microphones, present, speakers};
pub use choice::{Chosen, Known, Passed, PlaceBook, Reason, Role, candidates};
pub use clipboard::{ClipboardError, Clipped, clipboard};
pub use clock::{Clock, HandClock, SystemClock};
pub use error::DeviceError;
pub use headset::{
    Buttons, DescriptorError, FakeHeadset, Headsets, HidBus, HidPort, LineState, Press, system_hid,
};
pub use priority::prefer_this_thread;
pub use recording::{CallRecording, load_wav};
pub use ringer::{Ringer, TonePlayer};
pub use screen::{ScreenError, screens};
pub use tone::{Ring, Tone, bell};
pub use wav::{Frames, NullSpeaker, SilentMicrophone, WavMicrophone, WavSpeaker, at_rate};

/// Samples a second, mono.
pub const RATE: u32 = 48_000;
/// Samples of one frame: 10 ms.
pub const FRAME: usize = 480;

/// Called from a sound card's own thread when a microphone has a frame, a speaker needs one, or either
/// has failed. Must neither block nor allocate.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// A source of frames.
pub trait Microphone: Send {
    /// Takes the next frame; `false` when there is no full one yet.
    ///
    /// # Errors
    /// The card is gone ([`DeviceError::Lost`]); it will give nothing more.
    fn read(&mut self, frame: &mut [i16; FRAME]) -> Result<bool, DeviceError>;

    /// When the next frame will be there, for a source that has a clock instead of a [`Wake`].
    fn due(&self) -> Option<Instant>;
}

/// A sink of frames.
pub trait Speaker: Send {
    /// Whether a frame should be written now, so that the sink neither runs dry nor adds delay.
    fn hungry(&mut self) -> bool;

    /// Adds a frame to what is to be played.
    fn write(&mut self, frame: &[i16; FRAME]);

    /// Samples written that are not handed to the card yet.
    fn queued(&self) -> usize;

    /// When the next frame should be written, for a sink that has a clock instead of a [`Wake`].
    fn due(&self) -> Option<Instant>;

    /// Why the sink takes nothing more, once it does not.
    fn failed(&self) -> Option<DeviceError>;
}

/// Where a voice comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A sound card by its [`DeviceInfo::id`]; none is the system's default.
    Card(Option<String>),
    /// A WAV file of any rate, depth and number of channels; silence after its end.
    Wav(PathBuf),
    /// Silence for ever.
    Silence,
}

/// Where a voice goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sink {
    /// A sound card by its [`DeviceInfo::id`]; none is the system's default.
    Card(Option<String>),
    /// A WAV file: 48 kHz, mono, 16 bit.
    Wav(PathBuf),
    /// Nowhere.
    Null,
}

/// Opens a microphone. Blocks while the card or file is opened, seconds at worst.
///
/// # Errors
/// [`DeviceError::NoMicrophone`], [`DeviceError::NotFound`], [`DeviceError::Busy`],
/// [`DeviceError::Refused`], [`DeviceError::File`] and [`DeviceError::Failed`].
pub fn open_microphone(source: &Source, wake: Wake) -> Result<Box<dyn Microphone>, DeviceError> {
    Ok(match source {
        Source::Card(id) => card::open_microphone(id.as_deref(), wake)?,
        Source::Wav(path) => Box::new(WavMicrophone::open(path, SystemClock)?),
        Source::Silence => Box::new(SilentMicrophone::new(SystemClock)),
    })
}

/// Opens a speaker. Blocks while the card or file is opened, seconds at worst.
///
/// # Errors
/// [`DeviceError::NoSpeaker`], [`DeviceError::NotFound`], [`DeviceError::Busy`],
/// [`DeviceError::Refused`], [`DeviceError::File`] and [`DeviceError::Failed`].
pub fn open_speaker(sink: &Sink, wake: Wake) -> Result<Box<dyn Speaker>, DeviceError> {
    Ok(match sink {
        Sink::Card(id) => card::open_speaker(id.as_deref(), wake)?,
        Sink::Wav(path) => Box::new(WavSpeaker::create(path, SystemClock)?),
        Sink::Null => Box::new(NullSpeaker::new(SystemClock)),
    })
}
