//! Sound cards: straight to the sound server where a PulseAudio or PipeWire server runs, else through
//! cpal (WASAPI, CoreAudio, ALSA).
//!
//! cpal could reach the sound server too, but costs a third of a processor core there: it asks for
//! buffers that make the server work in slices of half a millisecond, and clears a mebibyte for each.

mod cushion;
mod microphone;
#[cfg(target_os = "linux")]
mod pulse;
mod system;
mod watch;

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde::Serialize;

use crate::{DeviceError, Microphone, Speaker, Wake};
pub use watch::DeviceWatch;

/// A microphone or speaker of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceInfo {
    /// Its stable id: the same after a restart and after it was unplugged, unlike its name.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// The system uses it where nothing else is said.
    pub default: bool,
    /// What it looks like.
    pub kind: DeviceKind,
    /// The piece of hardware it belongs to, where the system tells; a headset's microphone and speaker have one.
    pub hardware: Option<String>,
    /// Vendor and product (`0b0e:2457`), alike for all pieces of one make.
    pub model: Option<String>,
}

/// What a device looks like, as far as the system tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum DeviceKind {
    /// Microphone and speaker on the head.
    Headset,
    /// Speakers on the head.
    Headphones,
    /// A telephone's receiver.
    Handset,
    /// A loudspeaker, or a conference phone.
    Speaker,
    /// A microphone that stands by itself.
    Microphone,
    /// A camera's microphone.
    Webcam,
    /// A screen's speakers.
    Display,
    /// Built into the computer.
    BuiltIn,
    /// Not told.
    #[default]
    Other,
}

/// All microphones and speakers there are; each list has the system's default one first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Present {
    /// Microphones.
    pub microphones: Vec<DeviceInfo>,
    /// Speakers.
    pub speakers: Vec<DeviceInfo>,
}

/// What there is now; nothing where there is no sound system. Blocks, seconds at worst.
pub fn present() -> Present {
    let found = |list: Result<Vec<DeviceInfo>, DeviceError>| {
        list.inspect_err(|error| tracing::debug!(%error, "devices are not listed")).unwrap_or_default()
    };
    Present { microphones: found(microphones()), speakers: found(speakers()) }
}

/// The microphones of this machine, the system's default one first.
///
/// # Errors
/// [`DeviceError::NoMicrophone`] where there is none, [`DeviceError::Busy`] where the sound system does
/// not answer.
pub fn microphones() -> Result<Vec<DeviceInfo>, DeviceError> {
    listed(Way::In)
}

/// The speakers of this machine, the system's default one first.
///
/// # Errors
/// [`DeviceError::NoSpeaker`] where there is none, [`DeviceError::Busy`] where the sound system does
/// not answer.
pub fn speakers() -> Result<Vec<DeviceInfo>, DeviceError> {
    listed(Way::Out)
}

pub(crate) fn open_microphone(id: Option<&str>, wake: Wake) -> Result<Box<dyn Microphone>, DeviceError> {
    let id = id.map(str::to_owned);
    within::<Box<dyn Microphone>>(move || {
        #[cfg(target_os = "linux")]
        if let Some(server) = pulse::Server::reach(Way::In)? {
            return Ok(Box::new(server.microphone(id.as_deref(), wake)?));
        }
        Ok(Box::new(system::microphone(id.as_deref(), wake)?))
    })
}

pub(crate) fn open_speaker(id: Option<&str>, wake: Wake) -> Result<Box<dyn Speaker>, DeviceError> {
    let id = id.map(str::to_owned);
    within::<Box<dyn Speaker>>(move || {
        #[cfg(target_os = "linux")]
        if let Some(server) = pulse::Server::reach(Way::Out)? {
            return Ok(Box::new(server.speaker(id.as_deref(), wake)?));
        }
        Ok(Box::new(system::speaker(id.as_deref(), wake)?))
    })
}

fn listed(way: Way) -> Result<Vec<DeviceInfo>, DeviceError> {
    let mut list = within(move || {
        #[cfg(target_os = "linux")]
        if let Some(server) = pulse::Server::reach(way)? {
            return server.list();
        }
        system::list(way)
    })?;
    list.sort_by_key(|device| !device.default);
    if list.is_empty() { Err(way.none()) } else { Ok(list) }
}

/// Which way sound goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

impl Way {
    fn none(self) -> DeviceError {
        match self {
            Self::In => DeviceError::NoMicrophone,
            Self::Out => DeviceError::NoSpeaker,
        }
    }
}

/// Longest time a sound system may take to answer or open a device.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs `work` on a thread of its own: a sound system that hangs must not hang the phone.
fn within<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DeviceError> + Send + 'static,
) -> Result<T, DeviceError> {
    let (done, result) = mpsc::sync_channel(1);
    let spawned = thread::Builder::new().name("sound-open".into()).spawn(move || done.send(work()).ok());
    if let Err(e) = spawned {
        return Err(DeviceError::Busy(e.to_string()));
    }
    result
        .recv_timeout(PATIENCE)
        .unwrap_or_else(|_| Err(DeviceError::Busy("the sound system does not answer".into())))
}
