//! Which device to use: pure. What is plugged in and what the user prefers go in; the devices to try, best first,
//! and the reason for the first come out.
//!
//! Devices are told apart by what they are, never by their names: by id, else as the same piece of hardware, else
//! as the only other one of its make (a headset without a serial number in another port).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{DeviceInfo, Present};

/// What a device is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// What speaks for us.
    Microphone,
    /// What we listen to.
    Speaker,
    /// What rings.
    Ringer,
}

impl Role {
    /// The devices that can take it.
    pub fn of(self, present: &Present) -> &[DeviceInfo] {
        match self {
            Self::Microphone => &present.microphones,
            Self::Speaker | Self::Ringer => &present.speakers,
        }
    }
}

/// What is remembered of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Its [`DeviceInfo::id`].
    pub id: String,
    /// Its name when it was last seen.
    pub name: String,
    /// The piece of hardware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware: Option<String>,
    /// Its make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

impl From<&DeviceInfo> for Known {
    fn from(device: &DeviceInfo) -> Self {
        Self {
            id: device.id.clone(),
            name: device.name.clone(),
            hardware: device.hardware.clone(),
            model: device.model.clone(),
        }
    }
}

impl Known {
    /// This device among those that are there.
    pub fn find<'a>(&self, there: &'a [DeviceInfo]) -> Option<&'a DeviceInfo> {
        let hardware = || self.hardware.as_ref().and_then(|_| only(there, |d| d.hardware == self.hardware));
        let model = || self.model.as_ref().and_then(|_| only(there, |d| d.model == self.model));
        there.iter().find(|device| device.id == self.id).or_else(hardware).or_else(model)
    }
}

/// The one device of which this is true; where it is true of several, none can be told.
fn only(there: &[DeviceInfo], is: impl Fn(&DeviceInfo) -> bool) -> Option<&DeviceInfo> {
    let mut found = there.iter().filter(|device| is(device));
    found.next().filter(|_| found.next().is_none())
}

/// A device to be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Its [`DeviceInfo::id`].
    pub id: String,
    /// Its name.
    pub name: String,
    /// Why it is this one.
    pub reason: Reason,
}

/// Why a device is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The system's default one: the user prefers none.
    Default,
    /// The first of the user's order.
    First,
    /// The best of the user's order that is there; this one would be better.
    Better(String, Passed),
    /// None of the user's order can be used, which begins with this one.
    Instead(String, Passed),
}

/// Why a better device is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed {
    /// It is not there.
    Absent,
    /// It could not be opened, or broke off.
    Failed,
}

/// The devices to try, best first: those of the user's `order` that are there, the system's default, and then any
/// other. Those that have `failed` lately come last. Empty where there is no device at all.
pub fn candidates(there: &[DeviceInfo], order: &[Known], failed: &[String]) -> Vec<Chosen> {
    let mut passed: Option<(String, Passed)> = None;
    let (mut chosen, mut last): (Vec<Chosen>, Vec<Chosen>) = Default::default();
    let wished = order.iter().map(|known| (known.find(there).ok_or(&known.name), true));
    let (default, others): (Vec<_>, Vec<_>) = there.iter().partition(|device| device.default);
    let rest = default.into_iter().chain(others).map(|device| (Ok(device), false));
    for (device, wished) in wished.chain(rest) {
        let device = match device {
            Ok(device) => device,
            Err(name) => {
                passed.get_or_insert_with(|| (name.clone(), Passed::Absent));
                continue;
            }
        };
        if chosen.iter().chain(&last).any(|other| other.id == device.id) {
            continue;
        }
        let reason = match (&passed, wished) {
            (None, true) => Reason::First,
            (None, false) => Reason::Default,
            (Some((name, why)), true) => Reason::Better(name.clone(), *why),
            (Some((name, why)), false) => Reason::Instead(name.clone(), *why),
        };
        let this = Chosen { id: device.id.clone(), name: device.name.clone(), reason };
        if failed.contains(&this.id) {
            passed.get_or_insert_with(|| (device.name.clone(), Passed::Failed));
            last.push(this);
        } else {
            chosen.push(this);
        }
    }
    chosen.extend(last);
    chosen
}

/// Places remembered; the one set longest ago is forgotten first.
const PLACES: usize = 16;
/// Devices of one order.
const LONGEST: usize = 32;

/// The user's orders, one for each place: at the desk, at home, on the way. A place is known by the devices that
/// are there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlaceBook(Vec<Place>);

/// A place, and what is preferred there; an empty order follows the system's default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    devices: BTreeSet<String>,
    #[serde(default)]
    microphone: Vec<Known>,
    #[serde(default)]
    speaker: Vec<Known>,
    #[serde(default)]
    ringer: Vec<Known>,
}

impl PlaceBook {
    /// The order that holds where these devices are: of this place, else of the one most like it.
    pub fn order(&self, present: &Present, role: Role) -> &[Known] {
        self.nearest(&devices(present)).map_or(&[], |place| place.of(role))
    }

    /// Sets the order of this place. Other roles keep what held here until now.
    pub fn set(&mut self, present: &Present, role: Role, mut order: Vec<Known>) {
        let here = devices(present);
        order.truncate(LONGEST);
        let mut place = self.nearest(&here).cloned().unwrap_or_default();
        place.devices.clone_from(&here);
        *place.of_mut(role) = order;
        self.0.retain(|other| other.devices != here);
        self.0.insert(0, place);
        self.0.truncate(PLACES);
    }

    fn nearest(&self, here: &BTreeSet<String>) -> Option<&Place> {
        // The first of those that are alike is the one set last.
        self.0.iter().rev().max_by(|a, b| a.likeness(here).total_cmp(&b.likeness(here)))
    }
}

impl Place {
    /// Share of the devices here and there that are in both, 0 to 1.
    fn likeness(&self, here: &BTreeSet<String>) -> f32 {
        let both = self.devices.intersection(here).count();
        both as f32 / self.devices.union(here).count().max(1) as f32
    }

    fn of(&self, role: Role) -> &[Known] {
        match role {
            Role::Microphone => &self.microphone,
            Role::Speaker => &self.speaker,
            Role::Ringer => &self.ringer,
        }
    }

    fn of_mut(&mut self, role: Role) -> &mut Vec<Known> {
        match role {
            Role::Microphone => &mut self.microphone,
            Role::Speaker => &mut self.speaker,
            Role::Ringer => &mut self.ringer,
        }
    }
}

/// What makes a place: the pieces of hardware, however many ways in and out each has.
fn devices(present: &Present) -> BTreeSet<String> {
    let all = present.microphones.iter().chain(&present.speakers);
    all.map(|device| device.hardware.clone().unwrap_or_else(|| device.id.clone())).collect()
}

#[cfg(test)]
mod tests;
