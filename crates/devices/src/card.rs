//! Sound cards, through cpal.

mod cushion;
mod microphone;
mod speaker;
mod stream;

use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{Device, DeviceId, ErrorKind, Host};
use serde::Serialize;

use crate::{DeviceError, Wake};
use microphone::CardMicrophone;
use speaker::CardSpeaker;

/// A microphone or speaker of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceInfo {
    /// Its stable id: the same after a restart and after it was unplugged, unlike its name.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// The system uses it where nothing else is said.
    pub default: bool,
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

pub(crate) fn open_microphone(id: Option<&str>, wake: Wake) -> Result<CardMicrophone, DeviceError> {
    let id = id.map(str::to_owned);
    within(move || {
        CardMicrophone::open(&find(Way::In, id.as_deref())?, wake).map_err(|e| lacking(Way::In, id, e))
    })
}

pub(crate) fn open_speaker(id: Option<&str>, wake: Wake) -> Result<CardSpeaker, DeviceError> {
    let id = id.map(str::to_owned);
    within(move || {
        CardSpeaker::open(&find(Way::Out, id.as_deref())?, wake).map_err(|e| lacking(Way::Out, id, e))
    })
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

    fn default(self, host: &Host) -> Option<Device> {
        match self {
            Self::In => host.default_input_device(),
            Self::Out => host.default_output_device(),
        }
    }

    fn serves(self, device: &Device) -> bool {
        match self {
            Self::In => device.supports_input(),
            Self::Out => device.supports_output(),
        }
    }
}

fn listed(way: Way) -> Result<Vec<DeviceInfo>, DeviceError> {
    within(move || {
        let host = host();
        let default = way.default(&host).and_then(|d| d.id().ok());
        let devices = host.devices().map_err(|e| lacking(way, None, e))?;
        let mut list: Vec<DeviceInfo> = devices
            .filter(|device| way.serves(device))
            .filter_map(|device| {
                let id = device.id().ok()?;
                let name = device.description().map_or_else(|_| id.to_string(), |d| d.name().to_owned());
                Some(DeviceInfo { name, default: Some(&id) == default.as_ref(), id: id.to_string() })
            })
            // What a speaker plays is no microphone, and ALSA's `null` neither; both open by their id.
            .filter(|d| d.default || !(d.id.ends_with(".monitor") || d.id == "alsa:null"))
            .collect();
        list.sort_by_key(|d| !d.default);
        if list.is_empty() { Err(way.none()) } else { Ok(list) }
    })
}

fn find(way: Way, id: Option<&str>) -> Result<Device, DeviceError> {
    let host = host();
    let Some(id) = id else {
        return way.default(&host).ok_or_else(|| way.none());
    };
    id.parse::<DeviceId>()
        .ok()
        .and_then(|id| host.device_by_id(&id))
        .filter(|device| way.serves(device))
        .ok_or_else(|| DeviceError::NotFound(id.to_owned()))
}

/// What a failure of the sound system means for somebody who wanted this device.
fn lacking(way: Way, id: Option<String>, error: cpal::Error) -> DeviceError {
    match (error.kind(), id) {
        (ErrorKind::HostUnavailable, _) | (ErrorKind::DeviceNotAvailable, None) => way.none(),
        (ErrorKind::DeviceNotAvailable, Some(id)) => DeviceError::NotFound(id),
        (ErrorKind::DeviceBusy, _) => DeviceError::Busy(error.to_string()),
        (ErrorKind::PermissionDenied, _) => DeviceError::Refused(error.to_string()),
        _ => DeviceError::Failed(error),
    }
}

/// The sound system. One connection to a PulseAudio server serves the whole process, because each one
/// made keeps a thread and a socket for ever; it is made anew when the server no longer answers.
fn host() -> Arc<Host> {
    static SERVER: Mutex<Option<Arc<Host>>> = Mutex::new(None);
    let mut server = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(host) = server.as_ref()
        && host.devices().is_ok()
    {
        return host.clone();
    }
    let host = Arc::new(cpal::default_host());
    // Others are cheap to ask for again, and a server may have started by then.
    *server = (host.id().name() == "PulseAudio").then(|| host.clone());
    host
}

/// Longest time a sound system may take to answer or open a device.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs `work` on a thread of its own: a sound server that hangs must not hang the phone.
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
