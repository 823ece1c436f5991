//! The sound of one call: sockets, microphone, speaker and the media session between them, driven by a
//! thread of their own so that nothing the phone does can make a voice stutter.

mod driver;
mod place;
mod sockets;

use std::io;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use devices::DeviceError;
use media::sdp::Negotiated;
use media::{Digit, MediaError, Report};

use crate::config::AudioConfig;
use driver::Driver;
pub(crate) use sockets::Sockets;

/// The running voice path of one call. It stops when dropped; [`stop`](Self::stop) waits for that.
#[derive(Debug)]
pub(crate) struct Voice {
    orders: Sender<Order>,
    waker: Arc<mio::Waker>,
    thread: Option<JoinHandle<Report>>,
    last: Arc<Mutex<Report>>,
}

/// What a running voice path tells.
#[derive(Debug)]
pub(crate) enum VoiceEvent {
    /// Figures, five times a second.
    Report(Report),
    /// A device was lost. The call goes on with silence in its place until it, or the system's default,
    /// can be opened.
    DeviceFailed(Device, DeviceError),
}

/// One of the two devices of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Device {
    /// What speaks for us.
    Microphone,
    /// What we listen to.
    Speaker,
}

/// Why a voice path cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VoiceError {
    /// No pair of ports is free.
    #[error("no pair of UDP ports is free")]
    PortInUse(#[source] io::Error),
    /// The address is not ours, or the system refuses a socket or thread.
    #[error("no socket for media")]
    Socket(#[source] io::Error),
    /// The microphone cannot be opened.
    #[error("microphone: {0}")]
    Microphone(#[source] DeviceError),
    /// The speaker cannot be opened.
    #[error("speaker: {0}")]
    Speaker(#[source] DeviceError),
    /// The codecs cannot be made.
    #[error(transparent)]
    Media(#[from] MediaError),
}

/// What the phone asks of a running voice path.
#[derive(Debug)]
enum Order {
    Renegotiate(Box<Negotiated>),
    Mute(bool),
    Digit(Digit),
    Stop,
}

impl Voice {
    /// Opens the devices and starts to talk. Blocks until the devices are open, seconds at worst. Sample
    /// 0 of a recording is the moment this returns.
    ///
    /// # Errors
    /// A device cannot be opened, or the codec cannot be made. The sockets are closed then.
    pub(crate) fn start(
        sockets: Sockets,
        negotiated: &Negotiated,
        audio: &AudioConfig,
        reports: impl Fn(VoiceEvent) + Send + 'static,
    ) -> Result<Self, VoiceError> {
        let (orders, inbox) = mpsc::channel();
        let mut driver = Driver::open(sockets, negotiated, audio, inbox, Box::new(reports))?;
        let waker = driver.waker();
        let last = Arc::new(Mutex::new(driver.report()));
        let seen = last.clone();
        let thread = thread::Builder::new().name("voice".into());
        let thread = thread.spawn(move || driver.run(&seen)).map_err(VoiceError::Socket)?;
        Ok(Self { orders, waker, thread: Some(thread), last })
    }

    /// Goes on with what was negotiated anew.
    pub(crate) fn renegotiate(&self, negotiated: Negotiated) {
        self.order(Order::Renegotiate(Box::new(negotiated)));
    }

    /// Sends silence in place of the microphone, or goes on with the microphone.
    pub(crate) fn mute(&self, muted: bool) {
        self.order(Order::Mute(muted));
    }

    /// Sends a digit (RFC 4733).
    pub(crate) fn digit(&self, digit: Digit) {
        self.order(Order::Digit(digit));
    }

    /// Says goodbye, lets go of devices and sockets, finishes a recording. Blocks for that long.
    pub(crate) fn stop(mut self) -> Report {
        self.order(Order::Stop);
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(report)) => report,
            _ => self.last.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    fn order(&self, order: Order) {
        // The thread is gone only where it has failed; what was asked of it then is moot.
        if self.orders.send(order).is_ok()
            && let Err(error) = self.waker.wake()
        {
            tracing::warn!(%error, "the voice path cannot be woken");
        }
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        self.order(Order::Stop);
    }
}

#[cfg(test)]
mod tests;
