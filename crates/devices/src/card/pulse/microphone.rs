use std::ffi::CString;
use std::thread;

use pulseaudio::protocol::stream::{BufferAttr, StreamFlags};
use pulseaudio::protocol::{
    ChannelMap, Command, CreateRecordStreamReply, Prop, Props, RecordStreamParams, SampleFormat, SampleSpec,
};

use super::connection::{Connection, Heard, Line, Listener, Trouble};
use super::{Card, SLICE_MS, front};
use crate::card::microphone::{CardMicrophone, Intake};
use crate::resample::to_f32;
use crate::{Wake, prefer_this_thread};

/// Opens a source: mono and 16 bit, which the server mixes and converts to, at the source's own rate.
pub(super) fn open(
    mut connection: Connection,
    card: &Card,
    wake: Wake,
) -> Result<CardMicrophone<Line>, Trouble> {
    let rate = card.rate;
    // Of a card with many channels the voice is on the first; the others may be anything.
    let front = front(&card.channels).map(|[first, _]| first);
    let mut props = Props::new();
    props.set(Prop::MediaRole, CString::from(c"phone"));
    props.set(Prop::MediaName, CString::from(c"Call"));
    let params = RecordStreamParams {
        sample_spec: SampleSpec { format: SampleFormat::S16Le, channels: 1, sample_rate: rate },
        channel_map: front.map_or_else(ChannelMap::mono, |first| ChannelMap::new([first])),
        source_name: Some(card.name.clone()),
        buffer_attr: BufferAttr { fragment_size: 2 * rate * SLICE_MS / 1000, ..BufferAttr::default() },
        flags: StreamFlags {
            adjust_latency: true,
            no_remix_channels: front.is_some(),
            ..StreamFlags::default()
        },
        props,
        ..RecordStreamParams::default()
    };
    let _: CreateRecordStreamReply = connection.ask(&Command::CreateRecordStream(params))?;
    let (listener, line) = connection.split()?;
    CardMicrophone::start(rate, wake, |intake, report| {
        let listen = move || {
            prefer_this_thread();
            report(listen(listener, intake).to_string());
        };
        thread::Builder::new().name("microphone".into()).spawn(listen).map_err(Trouble::from)?;
        Ok(line)
    })
}

/// Hands on what the source gives until it ends; the reason.
fn listen(mut listener: Listener, mut intake: Intake) -> Trouble {
    loop {
        match listener.next() {
            Ok(Heard::Sound(bytes)) => {
                let (samples, _) = bytes.as_chunks::<2>();
                intake.take(samples.len(), samples.iter().map(|s| to_f32(i16::from_le_bytes(*s))));
            }
            Ok(Heard::Killed) => return Trouble::Killed,
            Ok(_) => {}
            Err(trouble) => return trouble,
        }
    }
}
