//! Why somebody cannot hear: one verdict about a call, out of what the engine knows. Pure: figures and time go in,
//! the verdict comes out.
//!
//! Every verdict is a lamp of its own that goes on once its sign has stood for a while, and out once it has been gone
//! for a while. Of those that are on, the first in the order of [`Verdict::RANKED`] is told: the nearest cause
//! explains what lies behind it.

mod lately;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use specta::Type;

use lately::Lately;

/// What is wrong with the sound of a call. The shell owns the words and the way to mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// We hold the call.
    HeldHere,
    /// They hold the call.
    HeldThere,
    /// The speaker is gone, and nothing has taken its place yet.
    SpeakerLost,
    /// The microphone is gone, and nothing has taken its place yet.
    MicrophoneLost,
    /// Nothing has arrived since the answer, and nothing of ours arrives there.
    NeitherWay,
    /// They hear us, and nothing of theirs has ever arrived: something lets our packets out and theirs not in.
    BlockedInward,
    /// Nothing has arrived since the answer; whether they hear us is not known.
    NothingArrived,
    /// Nothing arrives any more.
    StoppedArriving,
    /// They say that nothing of ours arrives there.
    NotHeardThere,
    /// We are muted.
    Muted,
    /// The microphone gives nothing but silence.
    MicrophoneSilent,
    /// Their packets arrive and have held nothing but silence from the beginning.
    SilenceArrives,
    /// They were heard, and now their packets hold nothing but silence: they may have muted themselves.
    TheyMayBeMuted,
    /// Much of their voice is lost on the way.
    LossHere,
    /// Their packets arrive too unevenly.
    JitterHere,
    /// Much of our voice is lost on the way.
    LossThere,
}

impl Verdict {
    /// All of them, the most telling first.
    const RANKED: [Verdict; 16] = [
        Verdict::HeldHere,
        Verdict::HeldThere,
        Verdict::SpeakerLost,
        Verdict::MicrophoneLost,
        Verdict::NeitherWay,
        Verdict::BlockedInward,
        Verdict::NothingArrived,
        Verdict::StoppedArriving,
        Verdict::NotHeardThere,
        Verdict::Muted,
        Verdict::MicrophoneSilent,
        Verdict::SilenceArrives,
        Verdict::TheyMayBeMuted,
        Verdict::LossHere,
        Verdict::JitterHere,
        Verdict::LossThere,
    ];

    /// How long its sign must stand before it is told, and be gone before it is taken back.
    fn patience(self) -> (Duration, Duration) {
        let (on, out) = match self {
            Self::HeldHere | Self::HeldThere => (0, 0),
            Self::SpeakerLost | Self::MicrophoneLost | Self::Muted => (1_000, 0),
            Self::NothingArrived => (3_000, 0),
            // What came before the answer to a hold or its end is no sign yet.
            Self::NeitherWay | Self::BlockedInward => (3_000, 0),
            Self::StoppedArriving => (1_000, 0),
            Self::NotHeardThere => (1_000, 0),
            Self::MicrophoneSilent | Self::SilenceArrives | Self::TheyMayBeMuted => (0, 400),
            Self::LossHere | Self::JitterHere | Self::LossThere => (1_000, 5_000),
        };
        (Duration::from_millis(on), Duration::from_millis(out))
    }
}

/// Silence that nobody makes by holding his breath: peak of a frame, 16 bit (-60 dBFS).
const SILENT: u16 = 33;
/// Packets may be left out this long by who sends comfort noise or nothing in pauses.
const STOPPED_AFTER: Duration = Duration::from_secs(4);
/// Silence from the beginning is told after so long, silence after a voice only later.
const SILENT_FROM_THE_START: Duration = Duration::from_secs(5);
const SILENT_AFTER_A_VOICE: Duration = Duration::from_secs(20);
/// Reports in a row that must say the same.
const DEAF_REPORTS: u32 = 2;
/// Share of packets lost or late in five seconds, percent, from which on it is much, and below which it is not.
const MUCH_LOST: (f32, f32) = (8.0, 4.0);
/// Jitter in milliseconds, likewise.
const MUCH_JITTER: (f32, f32) = (60.0, 40.0);

/// What is known of the devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct DeviceSigns {
    /// Highest peak of the microphone since the signs before, 16 bit, before anything is done to it.
    pub(crate) microphone_peak: u16,
    /// Silence stands in the microphone's place.
    pub(crate) microphone_lost: bool,
    /// Nothing stands in the speaker's place.
    pub(crate) speaker_lost: bool,
}

/// All that a verdict is made of.
#[derive(Debug, Clone)]
pub(crate) struct Signs<'a> {
    /// Figures of the call.
    pub(crate) figures: &'a media::Report,
    /// The devices.
    pub(crate) devices: DeviceSigns,
    /// Nothing is heard of us by our own wish.
    pub(crate) muted: bool,
    /// We hold the call.
    pub(crate) held: bool,
    /// They hold the call.
    pub(crate) held_there: bool,
}

/// Watches one call.
#[derive(Debug, Default)]
pub(crate) struct Assistant {
    lamps: [Lamp; Verdict::RANKED.len()],
    lately: Lately,
    /// Since when the microphone and their voice have been silent; none while they are not.
    silent: [Option<Instant>; 2],
    /// Microphone and they were heard before.
    heard: [bool; 2],
}

#[derive(Debug, Default, Clone, Copy)]
struct Lamp {
    on: bool,
    /// Since when the sign says otherwise.
    differs: Option<Instant>,
}

impl Lamp {
    fn follow(&mut self, now: Instant, sign: bool, (on, out): (Duration, Duration)) {
        if sign == self.on {
            self.differs = None;
            return;
        }
        let since = *self.differs.get_or_insert(now);
        if now.saturating_duration_since(since) >= if sign { on } else { out } {
            (self.on, self.differs) = (sign, None);
        }
    }
}

impl Assistant {
    /// Takes the figures of an answered call, a few times a second; what is wrong, as far as can be told.
    pub(crate) fn look(&mut self, now: Instant, signs: &Signs<'_>) -> Option<Verdict> {
        self.lately.note(now, signs.figures);
        let deaf = signs.held || signs.held_there;
        self.note_silence(now, 0, deaf || signs.muted, signs.devices.microphone_peak > SILENT);
        self.note_silence(now, 1, deaf || signs.figures.rx_packets == 0, signs.figures.level_in > 0);
        for (place, verdict) in Verdict::RANKED.into_iter().enumerate() {
            let on = self.lamps.get(place).is_some_and(|lamp| lamp.on);
            let sign = self.sign(now, verdict, on, signs);
            if let Some(lamp) = self.lamps.get_mut(place) {
                lamp.follow(now, sign, verdict.patience());
            }
        }
        let lit = Verdict::RANKED.into_iter().zip(&self.lamps).find(|(_, lamp)| lamp.on);
        lit.map(|(verdict, _)| verdict)
    }

    fn note_silence(&mut self, now: Instant, who: usize, excused: bool, sound: bool) {
        let (Some(silent), Some(heard)) = (self.silent.get_mut(who), self.heard.get_mut(who)) else { return };
        *heard |= sound;
        *silent = match excused || sound {
            true => None,
            false => silent.or(Some(now)),
        };
    }

    /// Whether the microphone (0) or they (1) have been silent for long enough to tell.
    fn is_silent(&self, now: Instant, who: usize) -> bool {
        let [silent, heard] = [self.silent.get(who).copied().flatten().is_some(), self.was_heard(who)];
        let since = self.silent.get(who).copied().flatten().unwrap_or(now);
        let patience = if heard { SILENT_AFTER_A_VOICE } else { SILENT_FROM_THE_START };
        silent && now.saturating_duration_since(since) >= patience
    }

    fn was_heard(&self, who: usize) -> bool {
        self.heard.get(who).copied().unwrap_or_default()
    }

    /// Whether a verdict shows now; one that is told already needs less.
    fn sign(&self, now: Instant, verdict: Verdict, told: bool, signs: &Signs<'_>) -> bool {
        let Signs { figures, devices, muted, held, held_there } = signs;
        let awake = !held && !held_there;
        let nothing = awake && figures.rx_packets == 0;
        let arriving = awake && !nothing && figures.media_silent_for < STOPPED_AFTER;
        let hears = figures.far.map(|far| (far.hears, far.deaf_reports >= DEAF_REPORTS));
        let much = |figure: f32, (from, below): (f32, f32)| figure > if told { below } else { from };
        match verdict {
            Verdict::HeldHere => *held,
            Verdict::HeldThere => *held_there,
            Verdict::SpeakerLost => awake && devices.speaker_lost,
            Verdict::MicrophoneLost => awake && devices.microphone_lost,
            Verdict::NeitherWay => nothing && hears.is_some_and(|(_, deaf)| deaf),
            Verdict::BlockedInward => nothing && hears == Some((true, false)),
            Verdict::NothingArrived => nothing,
            Verdict::StoppedArriving => awake && !nothing && !arriving,
            Verdict::NotHeardThere => awake && !nothing && hears.is_some_and(|(_, deaf)| deaf),
            Verdict::Muted => awake && *muted,
            Verdict::MicrophoneSilent => self.is_silent(now, 0),
            Verdict::SilenceArrives => arriving && !self.was_heard(1) && self.is_silent(now, 1),
            Verdict::TheyMayBeMuted => arriving && self.was_heard(1) && self.is_silent(now, 1),
            Verdict::LossHere => arriving && much(self.lately.lost_percent(), MUCH_LOST),
            Verdict::JitterHere => arriving && much(figures.jitter_ms, MUCH_JITTER),
            Verdict::LossThere => awake && much(figures.far.map_or(0.0, |far| far.lost_percent), MUCH_LOST),
        }
    }
}

#[cfg(test)]
mod tests;
