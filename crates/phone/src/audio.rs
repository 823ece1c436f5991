//! Which microphone, speaker and ringing device the phone uses: what is plugged in, what the user prefers here,
//! and what has come of it.

use std::time::Duration;

use devices::{
    Chosen, DeviceKind, Known, Passed, PlaceBook, Present, Reason, Role, Sink, Source, candidates,
};

use crate::config::AudioConfig;
use crate::voice::{Device, Wanted};
use crate::{AudioView, DeviceNews, DeviceRole, DeviceView, ReasonView, RingPreferences, RoleView};

/// Pure but for what it is told.
pub(crate) struct Audio {
    config: AudioConfig,
    book: PlaceBook,
    ring: RingPreferences,
    present: Present,
    microphone: Used,
    speaker: Used,
}

/// What is known of one of the two devices.
#[derive(Default)]
struct Used {
    /// Id and name of the card that sound goes through while there are calls.
    card: Option<(String, String)>,
    /// Cards that could not be opened since something was plugged in or out.
    failed: Vec<String>,
}

impl Audio {
    /// Nothing is known to be plugged in yet.
    pub(crate) fn new(config: AudioConfig, book: PlaceBook, ring: RingPreferences) -> Self {
        let present = Present::default();
        Self { config, book, ring, present, microphone: Used::default(), speaker: Used::default() }
    }

    /// Whether anything depends on what is plugged in.
    pub(crate) fn uses_cards(&self) -> bool {
        matches!(self.config.microphone, Source::Card(_)) || matches!(self.config.speaker, Sink::Card(_))
    }

    /// Something was plugged in or out, or has another name.
    pub(crate) fn plugged(&mut self, present: Present) {
        self.present = present;
        self.microphone.failed.clear();
        self.speaker.failed.clear();
    }

    /// How the phone rings.
    pub(crate) fn ring(&self) -> RingPreferences {
        self.ring
    }

    /// How the phone rings from now on.
    pub(crate) fn prefer_ring(&mut self, ring: RingPreferences) {
        self.ring = ring;
    }

    /// The orders of all places.
    pub(crate) fn book(&self) -> &PlaceBook {
        &self.book
    }

    /// Sets the order of this place, best first; empty follows the system's default. Ids that are neither plugged
    /// in nor in the order that held until now are left out.
    pub(crate) fn rank(&mut self, role: Role, ids: &[String]) {
        let there = role.of(&self.present);
        let before = self.book.order(&self.present, role);
        let known = |id: &String| {
            let plugged = there.iter().find(|device| device.id == *id).map(Known::from);
            plugged.or_else(|| before.iter().find(|known| known.id == *id).cloned())
        };
        let order = ids.iter().filter_map(known).collect();
        self.book.set(&self.present, role, order);
        match role {
            Role::Microphone => self.microphone.failed.clear(),
            Role::Speaker | Role::Ringer => self.speaker.failed.clear(),
        }
    }

    /// Puts one device first here, or follows the system's default.
    pub(crate) fn prefer(&mut self, role: Role, id: Option<&str>) {
        let order = self.book.order(&self.present, role).iter();
        let there = role.of(&self.present);
        let rest =
            order.filter(|known| known.find(there).is_none_or(|device| Some(device.id.as_str()) != id));
        let ids: Vec<String> = match id {
            Some(id) => std::iter::once(id.to_owned()).chain(rest.map(|known| known.id.clone())).collect(),
            None => Vec::new(),
        };
        self.rank(role, &ids);
    }

    /// What a voice path is to begin with: what a command line names is opened or the call fails.
    pub(crate) fn opening(&self) -> Wanted {
        let Wanted { mut microphones, mut speakers } = self.wanted();
        if matches!(self.config.microphone, Source::Card(Some(_))) {
            microphones.truncate(1);
        }
        if matches!(self.config.speaker, Sink::Card(Some(_))) {
            speakers.truncate(1);
        }
        Wanted { microphones, speakers }
    }

    /// The devices of a voice path, best first.
    pub(crate) fn wanted(&self) -> Wanted {
        let microphones = match &self.config.microphone {
            Source::Card(named) => {
                let found = self.candidates(Role::Microphone);
                cards(named.as_ref(), found).map(Source::Card).collect()
            }
            other => vec![other.clone()],
        };
        Wanted { microphones, speakers: self.sinks(Role::Speaker) }
    }

    /// Where a ring is heard: each of these at once, and of each the first that can be opened.
    pub(crate) fn ringers(&self) -> Vec<Vec<Sink>> {
        let ringer = self.sinks(Role::Ringer);
        let speaker = self.sinks(Role::Speaker);
        match self.ring.everywhere && ringer.first() != speaker.first() {
            true => vec![ringer, speaker],
            false => vec![ringer],
        }
    }

    /// Sound goes through this card from now on; what there is to tell of it.
    pub(crate) fn used(
        &mut self,
        device: Device,
        id: Option<String>,
        gap: Option<Duration>,
    ) -> Option<DeviceNews> {
        let role = role(device);
        let there = role.of(&self.present);
        let is = |known: &&devices::DeviceInfo| match &id {
            Some(id) => known.id == *id,
            None => known.default,
        };
        let card = there.iter().find(is).map(|known| (known.id.clone(), known.name.clone()));
        let better: Vec<String> = self.candidates(role).into_iter().map(|chosen| chosen.id).collect();
        let used = self.of_mut(device);
        let before = std::mem::replace(&mut used.card, card.clone());
        let (now, name) = card?;
        let passed_over = better.into_iter().take_while(|id| *id != now);
        used.failed.extend(passed_over);
        used.failed.retain(|id| *id != now);
        let gap = gap?;
        let before = before.filter(|(id, _)| *id != now);
        let there = role.of(&self.present);
        Some(DeviceNews {
            role: role.into(),
            name,
            unplugged: before.as_ref().is_some_and(|(id, _)| there.iter().all(|device| device.id != *id)),
            instead_of: before.map(|(_, name)| name),
            gap_ms: u32::try_from(gap.as_millis()).unwrap_or(u32::MAX),
        })
    }

    /// Whether another card than the one in use could be used.
    pub(crate) fn has_another(&self, device: Device) -> bool {
        let used = match device {
            Device::Microphone => &self.microphone,
            Device::Speaker => &self.speaker,
        };
        let in_use = used.card.as_ref().map(|(id, _)| id);
        self.candidates(role(device)).iter().any(|chosen| Some(&chosen.id) != in_use)
    }

    /// Whether what is played stays at the user's ears, as far as the speaker in use or to be used tells.
    pub(crate) fn is_worn(&self) -> bool {
        let used = self.speaker.card.as_ref().map(|(id, _)| id.clone());
        let chosen = || self.candidates(Role::Speaker).into_iter().next().map(|chosen| chosen.id);
        let id = used.or_else(chosen);
        let is = |device: &&devices::DeviceInfo| match &id {
            Some(id) => device.id == *id,
            None => device.default,
        };
        let worn = |device: &devices::DeviceInfo| {
            matches!(device.kind, DeviceKind::Headset | DeviceKind::Headphones | DeviceKind::Handset)
        };
        matches!(self.config.speaker, Sink::Card(_))
            && Role::Speaker.of(&self.present).iter().find(is).is_some_and(worn)
    }

    /// Names of the microphone and the speaker in use.
    pub(crate) fn in_use(&self) -> [Option<&str>; 2] {
        [&self.microphone, &self.speaker].map(|used| used.card.as_ref().map(|(_, name)| name.as_str()))
    }

    /// The calls are over.
    pub(crate) fn closed(&mut self) {
        self.microphone.card = None;
        self.speaker.card = None;
    }

    /// What the shells show.
    pub(crate) fn view(&self) -> AudioView {
        AudioView {
            microphone: self.role_view(Role::Microphone),
            speaker: self.role_view(Role::Speaker),
            ringer: self.role_view(Role::Ringer),
            ring: self.ring,
        }
    }

    fn role_view(&self, role: Role) -> RoleView {
        let there = role.of(&self.present);
        let order = self.book.order(&self.present, role);
        let known: Vec<DeviceView> = order
            .iter()
            .map(|known| match known.find(there) {
                Some(device) => DeviceView::here(device),
                None => DeviceView::away(known),
            })
            .collect();
        let ranked = |device: &&devices::DeviceInfo| known.iter().any(|known| known.id == device.id);
        let others = there.iter().filter(|device| !ranked(device)).map(DeviceView::here).collect();
        let chosen = self.candidates(role).into_iter().next();
        let using = match role {
            Role::Microphone => self.microphone.card.as_ref(),
            Role::Speaker => self.speaker.card.as_ref(),
            Role::Ringer => None,
        };
        RoleView {
            others,
            order: known,
            default_name: there.iter().find(|device| device.default).map(|device| device.name.clone()),
            in_use: using
                .map(|(id, _)| id.clone())
                .or_else(|| chosen.as_ref().map(|chosen| chosen.id.clone())),
            in_use_name: using
                .map(|(_, name)| name.clone())
                .or_else(|| chosen.as_ref().map(|chosen| chosen.name.clone())),
            reason: chosen.map_or(ReasonView::Nothing, |chosen| chosen.reason.into()),
        }
    }

    fn sinks(&self, role: Role) -> Vec<Sink> {
        match &self.config.speaker {
            Sink::Card(named) => cards(named.as_ref(), self.candidates(role)).map(Sink::Card).collect(),
            other => vec![other.clone()],
        }
    }

    fn candidates(&self, role: Role) -> Vec<Chosen> {
        let failed: &[String] = match role {
            Role::Microphone => &self.microphone.failed,
            Role::Speaker => &self.speaker.failed,
            Role::Ringer => &[],
        };
        candidates(role.of(&self.present), self.book.order(&self.present, role), failed)
    }

    fn of_mut(&mut self, device: Device) -> &mut Used {
        match device {
            Device::Microphone => &mut self.microphone,
            Device::Speaker => &mut self.speaker,
        }
    }
}

/// The card that the command line names, then those found; the system's default where nothing is known.
fn cards(named: Option<&String>, found: Vec<Chosen>) -> impl Iterator<Item = Option<String>> {
    let nothing = named.is_none() && found.is_empty();
    let others = found.into_iter().map(|chosen| chosen.id).filter({
        let named = named.cloned();
        move |id| Some(id) != named.as_ref()
    });
    named.cloned().into_iter().chain(others).map(Some).chain(nothing.then_some(None))
}

fn role(device: Device) -> Role {
    match device {
        Device::Microphone => Role::Microphone,
        Device::Speaker => Role::Speaker,
    }
}

impl From<Role> for DeviceRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Microphone => Self::Microphone,
            Role::Speaker => Self::Speaker,
            Role::Ringer => Self::Ringer,
        }
    }
}

impl From<DeviceRole> for Role {
    fn from(role: DeviceRole) -> Self {
        match role {
            DeviceRole::Microphone => Self::Microphone,
            DeviceRole::Speaker => Self::Speaker,
            DeviceRole::Ringer => Self::Ringer,
        }
    }
}

impl From<Reason> for ReasonView {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Default => Self::Default,
            Reason::First => Self::First,
            Reason::Better(name, why) => Self::Better { name, failed: why == Passed::Failed },
            Reason::Instead(name, why) => Self::Instead { name, failed: why == Passed::Failed },
        }
    }
}

#[cfg(test)]
mod tests;
