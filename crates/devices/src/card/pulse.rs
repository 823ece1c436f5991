//! Cards behind a PulseAudio server, or PipeWire's likeness of one, over its native protocol.
//!
//! Every stream has a connection of its own. A thread reads it; the speaker writes to it directly, so
//! that nothing stands between a frame and the server's buffer.

mod connection;
mod identity;
mod microphone;
mod speaker;
mod watch;

use std::ffi::{CStr, CString};

use pulseaudio::protocol::{
    CardInfo, CardInfoList, ChannelMap, ChannelPosition, Command, Props, ServerInfo, SinkInfo, SinkInfoList,
    SourceInfo, SourceInfoList,
};

use super::{DeviceInfo, Way};
use crate::{DeviceError, Microphone, RATE, Speaker, Wake};
use connection::{Connection, Trouble};
use identity::Identity;
pub(super) use watch::Subscription;

const SCHEME: &str = "pulseaudio:";
/// The server works in slices of this length, and asks the speaker for as much.
const SLICE_MS: u32 = 5;

/// A sound server that answers.
pub(super) struct Server {
    connection: Connection,
    way: Way,
    default: Option<CString>,
}

/// A sink or source.
struct Card {
    name: CString,
    /// What it is asked for by: its hardware where it has some, else its name.
    id: String,
    shown: String,
    rate: u32,
    channels: ChannelMap,
    /// It is what a sink plays.
    monitor: bool,
    identity: Identity,
}

impl Server {
    /// Reaches the server, where there is one.
    pub(super) fn reach(way: Way) -> Result<Option<Self>, DeviceError> {
        let Some(mut connection) = Connection::open().map_err(|e| e.meaning(way, None))? else {
            return Ok(None);
        };
        let info: ServerInfo = connection.ask(&Command::GetServerInfo).map_err(|e| e.meaning(way, None))?;
        let default = match way {
            Way::In => info.default_source_name,
            Way::Out => info.default_sink_name,
        };
        Ok(Some(Self { connection, way, default }))
    }

    pub(super) fn list(mut self) -> Result<Vec<DeviceInfo>, DeviceError> {
        let cards = self.cards()?;
        let listed = cards.into_iter().map(|card| DeviceInfo {
            default: self.is_default(&card),
            id: card.id,
            name: card.shown,
            kind: card.identity.kind,
            hardware: card.identity.hardware,
            model: card.identity.model,
        });
        Ok(listed.collect())
    }

    pub(super) fn microphone(
        mut self,
        id: Option<&str>,
        wake: Wake,
    ) -> Result<impl Microphone + 'static, DeviceError> {
        let card = self.find(id)?;
        microphone::open(self.connection, &card, wake).map_err(|e| e.meaning(Way::In, id))
    }

    pub(super) fn speaker(
        mut self,
        id: Option<&str>,
        wake: Wake,
    ) -> Result<impl Speaker + 'static, DeviceError> {
        let card = self.find(id)?;
        speaker::open(self.connection, &card, wake).map_err(|e| e.meaning(Way::Out, id))
    }

    fn is_default(&self, card: &Card) -> bool {
        self.default.as_ref() == Some(&card.name)
    }

    fn find(&mut self, wanted: Option<&str>) -> Result<Card, DeviceError> {
        let mut cards = self.all()?.into_iter();
        match wanted {
            Some(wanted) => cards
                .find(|card| card.id == wanted || by_name(&card.name) == wanted)
                .ok_or_else(|| DeviceError::NotFound(wanted.to_owned())),
            None => cards.find(|card| self.is_default(card)).ok_or_else(|| self.way.none()),
        }
    }

    /// What a person would choose from: what a speaker plays is no microphone, unless it was made one.
    fn cards(&mut self) -> Result<Vec<Card>, DeviceError> {
        let mut cards = self.all()?;
        cards.retain(|card| !card.monitor || self.is_default(card));
        Ok(cards)
    }

    fn all(&mut self) -> Result<Vec<Card>, DeviceError> {
        self.ask_for_all().map_err(|e| e.meaning(self.way, None))
    }

    fn ask_for_all(&mut self) -> Result<Vec<Card>, Trouble> {
        let pieces: CardInfoList = self.connection.ask(&Command::GetCardInfoList)?;
        let mut cards: Vec<Card> = match self.way {
            Way::In => {
                let sources: SourceInfoList = self.connection.ask(&Command::GetSourceInfoList)?;
                let card = |s: SourceInfo| Card {
                    shown: shown(s.description.as_deref(), &s.name),
                    rate: usable(s.sample_spec.sample_rate),
                    channels: s.channel_map,
                    monitor: s.monitor_of_sink_index.is_some(),
                    identity: identity(&s.props, s.card_index, &pieces),
                    id: by_name(&s.name),
                    name: s.name,
                };
                sources.into_iter().map(card).collect()
            }
            Way::Out => {
                let sinks: SinkInfoList = self.connection.ask(&Command::GetSinkInfoList)?;
                let card = |s: SinkInfo| Card {
                    shown: shown(s.description.as_deref(), &s.name),
                    rate: usable(s.sample_spec.sample_rate),
                    channels: s.channel_map,
                    monitor: false,
                    identity: identity(&s.props, s.card_index, &pieces),
                    id: by_name(&s.name),
                    name: s.name,
                };
                sinks.into_iter().map(card).collect()
            }
        };
        name_by_hardware(&mut cards);
        Ok(cards)
    }
}

/// Properties of a sink or source, then of the card it belongs to: PipeWire keeps bus and address there.
fn identity(props: &Props, card: Option<u32>, pieces: &[CardInfo]) -> Identity {
    let card = card.and_then(|index| pieces.iter().find(|piece| piece.index == index));
    Identity::read(|name| {
        let name = CString::new(name).ok()?;
        let bytes = props.get_bytes(&name).or_else(|| card?.props.get_bytes(&name))?;
        Some(String::from_utf8_lossy(bytes.strip_suffix(&[0]).unwrap_or(bytes)).into_owned())
    })
}

/// Gives each card with hardware of its own an id that outlives its name; twins are told apart by their ports.
fn name_by_hardware(cards: &mut [Card]) {
    let wanted = |card: &Card| {
        let hardware = card.identity.hardware.as_ref().filter(|_| !card.monitor)?;
        Some(match &card.identity.profile {
            Some(profile) => format!("{hardware}/{profile}"),
            None => hardware.clone(),
        })
    };
    let ids: Vec<Option<String>> = cards.iter().map(wanted).collect();
    for (card, id) in cards.iter_mut().zip(&ids) {
        let Some(id) = id else { continue };
        let twins = ids.iter().flatten().filter(|other| *other == id).count() > 1;
        card.id = match (&card.identity.port, twins) {
            (_, false) => id.clone(),
            (Some(port), true) => format!("{id}@{port}"),
            (None, true) => continue,
        };
    }
}

fn by_name(name: &CStr) -> String {
    format!("{SCHEME}{}", name.to_string_lossy())
}

fn shown(description: Option<&CStr>, name: &CStr) -> String {
    description.unwrap_or(name).to_string_lossy().into_owned()
}

/// The card's rate where ours can be converted to it; the server converts the rest.
/// The channels a voice belongs on: of a card with many those before the listener, by name, so that the server
/// does not spread it over all. Nothing where it may: mono and stereo.
fn front(channels: &ChannelMap) -> Option<[ChannelPosition; 2]> {
    if channels.num_channels() <= 2 {
        return None;
    }
    let has = |wanted| channels.into_iter().any(|position| position == wanted);
    match has(ChannelPosition::FrontLeft) && has(ChannelPosition::FrontRight) {
        true => Some([ChannelPosition::FrontLeft, ChannelPosition::FrontRight]),
        false => {
            let mut first = channels.into_iter();
            Some([first.next()?, first.next()?])
        }
    }
}

fn usable(rate: u32) -> u32 {
    if (8_000..=192_000).contains(&rate) { rate } else { RATE }
}
