use devices::{DeviceInfo, DeviceKind, Known};
use serde::{Deserialize, Serialize};
use specta::Type;

/// What a device is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum DeviceRole {
    /// What speaks for us.
    Microphone,
    /// What we listen to.
    Speaker,
    /// What rings.
    Ringer,
}

/// Microphone, speaker and ringing device: what there is, what the user prefers at this place, what is used.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct AudioView {
    /// What speaks for us.
    pub microphone: RoleView,
    /// What we listen to.
    pub speaker: RoleView,
    /// What rings.
    pub ringer: RoleView,
    /// How the phone rings.
    pub ring: RingPreferences,
}

/// The devices for one purpose.
#[derive(Debug, Clone, PartialEq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct RoleView {
    /// The user's order at this place, best first, whether they are there or not; empty follows the system.
    pub order: Vec<DeviceView>,
    /// The others that are there, the system's default one first.
    pub others: Vec<DeviceView>,
    /// Name of the system's default one.
    pub default_name: Option<String>,
    /// Id of the one in use, or that the next call will use.
    pub in_use: Option<String>,
    /// Its name.
    pub in_use_name: Option<String>,
    /// Why it is this one.
    pub reason: ReasonView,
}

/// A microphone or speaker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DeviceView {
    /// Stable id.
    pub id: String,
    /// Its name; of one that is away, as it was last seen.
    pub name: String,
    /// What it looks like.
    pub kind: DeviceForm,
    /// It is plugged in.
    pub here: bool,
}

impl DeviceView {
    pub(crate) fn here(device: &DeviceInfo) -> Self {
        Self { id: device.id.clone(), name: device.name.clone(), kind: device.kind.into(), here: true }
    }

    pub(crate) fn away(known: &Known) -> Self {
        Self { id: known.id.clone(), name: known.name.clone(), kind: DeviceForm::Other, here: false }
    }
}

/// What a device looks like, as far as the system tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum DeviceForm {
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
    Other,
}

impl From<DeviceKind> for DeviceForm {
    fn from(kind: DeviceKind) -> Self {
        match kind {
            DeviceKind::Headset => Self::Headset,
            DeviceKind::Headphones => Self::Headphones,
            DeviceKind::Handset => Self::Handset,
            DeviceKind::Speaker => Self::Speaker,
            DeviceKind::Microphone => Self::Microphone,
            DeviceKind::Webcam => Self::Webcam,
            DeviceKind::Display => Self::Display,
            DeviceKind::BuiltIn => Self::BuiltIn,
            DeviceKind::Other => Self::Other,
        }
    }
}

/// Why a device is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(tag = "is", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ReasonView {
    /// There is none at all.
    Nothing,
    /// The system's default one: no order is set.
    Default,
    /// The first of the order.
    First,
    /// The best of the order that can be used.
    Better {
        /// Which one would be better.
        name: String,
        /// It is there but cannot be opened.
        failed: bool,
    },
    /// The system's default one: none of the order can be used.
    Instead {
        /// Which one would be best.
        name: String,
        /// It is there but cannot be opened.
        failed: bool,
    },
}

/// A call in progress is heard through another device than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct DeviceNews {
    /// What it is for.
    pub role: DeviceRole,
    /// Its name.
    pub name: String,
    /// Name of the one before; none where the same is back.
    pub instead_of: Option<String>,
    /// The one before was unplugged.
    pub unplugged: bool,
    /// How long no sound passed, milliseconds.
    pub gap_ms: u32,
}

/// How the phone rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase", default)]
pub struct RingPreferences {
    /// What is heard.
    pub tone: RingTone,
    /// Loudness, 0 to 100.
    pub volume: u8,
    /// Through the speaker of calls as well as the ringing device.
    pub everywhere: bool,
}

impl Default for RingPreferences {
    fn default() -> Self {
        Self { tone: RingTone::Carillon, volume: 100, everywhere: false }
    }
}

/// How a call rings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum RingTone {
    /// Two strokes of a small carillon.
    #[default]
    Carillon,
    /// Four bells going down.
    Peal,
    /// Two low bells, far apart.
    Evening,
    /// Two tones in quick turns, as desk phones do.
    Desk,
}

impl From<RingTone> for devices::Ring {
    fn from(tone: RingTone) -> Self {
        match tone {
            RingTone::Carillon => Self::Carillon,
            RingTone::Peal => Self::Peal,
            RingTone::Evening => Self::Evening,
            RingTone::Desk => Self::Desk,
        }
    }
}
