use std::ffi::CString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pulseaudio::protocol::stream::{BufferAttr, StreamFlags};
use pulseaudio::protocol::{
    ChannelMap, Command, CreatePlaybackStreamReply, DESCRIPTOR_SIZE, PlaybackStreamParams, Prop, Props,
    SampleFormat, SampleSpec,
};

use super::connection::{Connection, Heard, Line, Listener, Trouble};
use super::{Card, SLICE_MS, front};
use crate::card::cushion::Cushion;
use crate::card::microphone::Fault;
use crate::resample::{Converter, to_f32, to_i16};
use crate::{DeviceError, FRAME, RATE, Speaker, Wake, prefer_this_thread};

/// The server's buffer; how full it is kept is up to the [`Cushion`].
const BUFFER_MS: u32 = 100;
/// A server that asks for nothing for so long has lost the card, whatever it says.
const STUCK: Duration = Duration::from_secs(2);

/// A sink of the server. What is written goes to the server's buffer at once.
pub(super) struct PulseSpeaker {
    line: Line,
    channel: u32,
    /// The same voice on each.
    channels: usize,
    message: Vec<u8>,
    converter: Converter,
    shared: Arc<Shared>,
    wake: Wake,
    cushion: Cushion,
    /// Fewest samples found in the server's buffer since the last look.
    low: usize,
    /// Size of the server's buffer, samples.
    size: i64,
    rate: u32,
    /// Requests seen so far, and when the last one was seen.
    served: (u32, Instant),
}

/// What the listening thread tells.
#[derive(Default)]
struct Shared {
    /// Something was written: what is missing from now on is missed.
    begun: AtomicBool,
    /// Free room in the server's buffer, samples; more than its size when the card ran ahead.
    room: AtomicI64,
    requests: AtomicU32,
    starved: AtomicU32,
    fault: Fault,
}

/// Opens a sink: one voice in 16 bit, which the server spreads and converts, at the sink's own rate.
pub(super) fn open(mut connection: Connection, card: &Card, wake: Wake) -> Result<PulseSpeaker, Trouble> {
    let rate = card.rate;
    let front = front(&card.channels);
    let channels: u8 = if front.is_some() { 2 } else { 1 };
    let mut props = Props::new();
    props.set(Prop::MediaRole, CString::from(c"phone"));
    props.set(Prop::MediaName, CString::from(c"Call"));
    let frame_bytes = 2 * u32::from(channels);
    let bytes = |ms: u32| frame_bytes * rate * ms / 1000;
    let params = PlaybackStreamParams {
        sample_spec: SampleSpec { format: SampleFormat::S16Le, channels, sample_rate: rate },
        channel_map: front.map_or_else(ChannelMap::mono, ChannelMap::new),
        sink_name: Some(card.name.clone()),
        buffer_attr: BufferAttr {
            target_length: bytes(BUFFER_MS),
            minimum_request_length: bytes(SLICE_MS),
            // It plays at once and goes on through a gap, as time does.
            pre_buffering: 0,
            ..BufferAttr::default()
        },
        // The card works in slices as short as the requests; the buffer's size says nothing of it.
        flags: StreamFlags {
            early_requests: true,
            no_remix_channels: front.is_some(),
            ..StreamFlags::default()
        },
        props,
        ..PlaybackStreamParams::default()
    };
    let reply: CreatePlaybackStreamReply = connection.ask(&Command::CreatePlaybackStream(params))?;
    let (listener, line) = connection.split()?;
    let converter = Converter::from_frames(rate)?;
    let shared = Arc::new(Shared::default());
    let size = i64::from(reply.requested_bytes / frame_bytes);
    shared.room.store(size, Ordering::Relaxed);
    let (told, woken) = (shared.clone(), wake.clone());
    let listen = move || {
        prefer_this_thread();
        let reason = listen(listener, frame_bytes, &told, &woken);
        told.fault.set(reason.to_string(), &woken);
    };
    thread::Builder::new().name("speaker".into()).spawn(listen).map_err(Trouble::from)?;
    let now = Instant::now();
    let slice = (rate * SLICE_MS / 1000) as usize;
    Ok(PulseSpeaker {
        line,
        channel: reply.channel,
        channels: usize::from(channels),
        message: Vec::with_capacity(DESCRIPTOR_SIZE + 4 * FRAME * 8),
        converter,
        shared,
        wake,
        cushion: Cushion::new(rate, slice, now),
        low: usize::MAX,
        size,
        rate,
        served: (0, now),
    })
}

/// Takes the server's requests until the stream ends; the reason.
fn listen(mut listener: Listener, frame_bytes: u32, shared: &Shared, wake: &Wake) -> Trouble {
    loop {
        match listener.next() {
            Ok(Heard::Request(bytes)) => {
                shared.room.fetch_add(i64::from(bytes / frame_bytes), Ordering::AcqRel);
                shared.requests.fetch_add(1, Ordering::Relaxed);
                wake();
            }
            Ok(Heard::Underflow) => {
                if shared.begun.load(Ordering::Relaxed) {
                    shared.starved.fetch_add(1, Ordering::Relaxed);
                }
            }
            Ok(Heard::Killed) => return Trouble::Killed,
            Ok(_) => {}
            Err(trouble) => return trouble,
        }
    }
}

impl PulseSpeaker {
    /// Samples in the server's buffer.
    fn level(&self) -> usize {
        usize::try_from(self.size - self.shared.room.load(Ordering::Acquire)).unwrap_or(0)
    }
}

impl Speaker for PulseSpeaker {
    fn hungry(&mut self) -> bool {
        let now = Instant::now();
        let requests = self.shared.requests.load(Ordering::Relaxed);
        if requests != self.served.0 {
            self.served = (requests, now);
        }
        let level = self.level();
        if self.shared.begun.load(Ordering::Relaxed) {
            self.low = self.low.min(level);
        }
        if self.cushion.starved(self.shared.starved.load(Ordering::Relaxed), now) || self.cushion.is_due(now)
        {
            let low = std::mem::replace(&mut self.low, usize::MAX);
            self.cushion.look(low, 0, now);
        }
        level < self.cushion.target() && self.failed().is_none()
    }

    fn write(&mut self, frame: &[i16; FRAME]) {
        let (message, channels) = (&mut self.message, self.channels);
        message.clear();
        message.resize(DESCRIPTOR_SIZE, 0);
        let samples = frame.iter().copied().map(to_f32);
        self.converter.convert(samples, |sample| {
            (0..channels).for_each(|_| message.extend_from_slice(&to_i16(sample).to_le_bytes()));
        });
        let count = (message.len() - DESCRIPTOR_SIZE) / (2 * channels);
        if let Err(error) = self.line.send(self.channel, message) {
            self.shared.fault.set(error.to_string(), &self.wake);
        }
        self.shared.room.fetch_sub(i64::try_from(count).unwrap_or(0), Ordering::AcqRel);
        self.shared.begun.store(true, Ordering::Relaxed);
    }

    fn queued(&self) -> usize {
        (self.level() as u64 * u64::from(RATE) / u64::from(self.rate)) as usize
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
