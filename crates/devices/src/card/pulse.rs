//! Cards behind a PulseAudio server, or PipeWire's likeness of one, over its native protocol.
//!
//! Every stream has a connection of its own. A thread reads it; the speaker writes to it directly, so
//! that nothing stands between a frame and the server's buffer.

mod connection;
mod microphone;
mod speaker;

use std::ffi::{CStr, CString};

use pulseaudio::protocol::{Command, ServerInfo, SinkInfoList, SourceInfoList};

use super::{DeviceInfo, Way};
use crate::{DeviceError, Microphone, RATE, Speaker, Wake};
use connection::{Connection, Trouble};

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
    shown: String,
    rate: u32,
    /// It is what a sink plays.
    monitor: bool,
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
            id: id(&card.name),
            default: self.is_default(&card),
            name: card.shown,
        });
        Ok(listed.collect())
    }

    pub(super) fn microphone(
        mut self,
        id: Option<&str>,
        wake: Wake,
    ) -> Result<impl Microphone + 'static, DeviceError> {
        let card = self.find(id)?;
        microphone::open(self.connection, card.name, card.rate, wake).map_err(|e| e.meaning(Way::In, id))
    }

    pub(super) fn speaker(
        mut self,
        id: Option<&str>,
        wake: Wake,
    ) -> Result<impl Speaker + 'static, DeviceError> {
        let card = self.find(id)?;
        speaker::open(self.connection, card.name, card.rate, wake).map_err(|e| e.meaning(Way::Out, id))
    }

    fn is_default(&self, card: &Card) -> bool {
        self.default.as_ref() == Some(&card.name)
    }

    fn find(&mut self, wanted: Option<&str>) -> Result<Card, DeviceError> {
        let mut cards = self.all()?.into_iter();
        match wanted {
            Some(wanted) => cards
                .find(|card| id(&card.name) == wanted)
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
        let cards: Result<Vec<Card>, Trouble> = match self.way {
            Way::In => self.connection.ask(&Command::GetSourceInfoList).map(|list: SourceInfoList| {
                let card = |s: pulseaudio::protocol::SourceInfo| Card {
                    shown: shown(s.description.as_deref(), &s.name),
                    rate: usable(s.sample_spec.sample_rate),
                    monitor: s.monitor_of_sink_index.is_some(),
                    name: s.name,
                };
                list.into_iter().map(card).collect()
            }),
            Way::Out => self.connection.ask(&Command::GetSinkInfoList).map(|list: SinkInfoList| {
                let card = |s: pulseaudio::protocol::SinkInfo| Card {
                    shown: shown(s.description.as_deref(), &s.name),
                    rate: usable(s.sample_spec.sample_rate),
                    monitor: false,
                    name: s.name,
                };
                list.into_iter().map(card).collect()
            }),
        };
        cards.map_err(|e| e.meaning(self.way, None))
    }
}

fn id(name: &CStr) -> String {
    format!("{SCHEME}{}", name.to_string_lossy())
}

fn shown(description: Option<&CStr>, name: &CStr) -> String {
    description.unwrap_or(name).to_string_lossy().into_owned()
}

/// The card's rate where ours can be converted to it; the server converts the rest.
fn usable(rate: u32) -> u32 {
    if (8_000..=192_000).contains(&rate) { rate } else { RATE }
}
