//! Keys that work whatever program is in front.

#[cfg(not(target_os = "linux"))]
pub mod registered;
#[cfg(target_os = "linux")]
pub mod x11;

use std::fmt;
use std::str::FromStr;

use phone::GlobalKeys;

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Answers the call that rings.
    Answer,
    /// Hangs up, or declines.
    HangUp,
    /// Mutes, or no longer.
    Mute,
}

/// A key with those that are held with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Chord {
    /// Control.
    pub control: bool,
    /// Alt.
    pub alt: bool,
    /// Shift.
    pub shift: bool,
    /// The key with the system's sign.
    pub meta: bool,
    /// The key itself.
    pub key: Key,
}

/// Keys that can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A letter or digit, upper case.
    Sign(char),
    /// F1 to F24.
    Function(u8),
    /// The key that pauses music.
    MediaPlay,
    /// The key that stops it.
    MediaStop,
    /// The key that mutes the microphone.
    MicMute,
}

impl Default for Key {
    fn default() -> Self {
        Self::Function(1)
    }
}

/// It is no key that can be used everywhere: a letter alone belongs to whoever types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoChord;

impl FromStr for Chord {
    type Err = NoChord;

    fn from_str(text: &str) -> Result<Self, NoChord> {
        let mut chord = Self::default();
        let mut parts = text.split('+').map(str::trim).peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                chord.key = part.parse()?;
                break;
            }
            match part.to_ascii_lowercase().as_str() {
                "ctrl" | "control" => chord.control = true,
                "alt" => chord.alt = true,
                "shift" => chord.shift = true,
                "meta" | "super" | "win" | "cmd" => chord.meta = true,
                _ => return Err(NoChord),
            }
        }
        let held = chord.control || chord.alt || chord.meta;
        // On Linux these switch to another console, and no program hears of them.
        let console = cfg!(target_os = "linux") && chord.control && chord.alt;
        match chord.key {
            Key::Sign(_) if !held => Err(NoChord),
            Key::Function(1..=12) if console => Err(NoChord),
            _ => Ok(chord),
        }
    }
}

impl FromStr for Key {
    type Err = NoChord;

    fn from_str(text: &str) -> Result<Self, NoChord> {
        let mut signs = text.chars();
        if let (Some(sign), None) = (signs.next(), signs.next()) {
            return Some(sign.to_ascii_uppercase())
                .filter(char::is_ascii_alphanumeric)
                .map(Self::Sign)
                .ok_or(NoChord);
        }
        match text.to_ascii_lowercase().as_str() {
            "mediaplaypause" => Ok(Self::MediaPlay),
            "mediastop" => Ok(Self::MediaStop),
            "micmute" => Ok(Self::MicMute),
            other => {
                let number = other.strip_prefix('f').and_then(|number| number.parse().ok());
                number.filter(|number| (1..=24).contains(number)).map(Self::Function).ok_or(NoChord)
            }
        }
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, name) in
            [(self.control, "Ctrl+"), (self.alt, "Alt+"), (self.shift, "Shift+"), (self.meta, "Super+")]
        {
            if held {
                f.write_str(name)?;
            }
        }
        match self.key {
            Key::Sign(sign) => write!(f, "{sign}"),
            Key::Function(number) => write!(f, "F{number}"),
            Key::MediaPlay => f.write_str("MediaPlayPause"),
            Key::MediaStop => f.write_str("MediaStop"),
            Key::MicMute => f.write_str("MicMute"),
        }
    }
}

/// The keys that are chosen, and those of them that cannot be used, as they were written.
pub fn chosen(keys: &GlobalKeys) -> (Vec<(Chord, Deed)>, Vec<String>) {
    let written = [(&keys.answer, Deed::Answer), (&keys.hang_up, Deed::HangUp), (&keys.mute, Deed::Mute)];
    let mut chords = Vec::<(Chord, Deed)>::new();
    let mut refused = Vec::new();
    for (text, deed) in written.into_iter().filter(|(text, _)| !text.trim().is_empty()) {
        match text.parse() {
            Ok(chord) if !chords.iter().any(|(known, _)| *known == chord) => chords.push((chord, deed)),
            _ => refused.push(text.clone()),
        }
    }
    (chords, refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chords_are_read_and_written() {
        for (written, read) in [
            ("Ctrl+Shift+F9", "Ctrl+Shift+F9"),
            ("shift + control + a", "Ctrl+Shift+A"),
            ("F24", "F24"),
            ("Super+0", "Super+0"),
            ("mediaplaypause", "MediaPlayPause"),
            ("MicMute", "MicMute"),
        ] {
            assert_eq!(written.parse::<Chord>().map(|chord| chord.to_string()), Ok(read.to_owned()));
        }
    }

    #[test]
    fn what_somebody_types_is_no_chord() {
        for text in ["", "a", "Shift+A", "F25", "F0", "Ctrl", "Ctrl+", "Ctrl+Enter", "Hyper+A", "Ctrl+ä", "+"]
        {
            assert_eq!(text.parse::<Chord>(), Err(NoChord), "{text:?}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn keys_of_the_console_are_left_to_it() {
        assert_eq!("Ctrl+Alt+F9".parse::<Chord>(), Err(NoChord));
        assert!("Ctrl+Alt+A".parse::<Chord>().is_ok() && "Ctrl+Shift+F9".parse::<Chord>().is_ok());
    }

    #[test]
    fn one_chord_does_one_thing() {
        let keys =
            GlobalKeys { answer: "Ctrl+Alt+A".into(), hang_up: "alt+ctrl+a".into(), mute: "nonsense".into() };
        let (chords, refused) = chosen(&keys);
        assert_eq!(chords.len(), 1);
        assert_eq!(refused, ["alt+ctrl+a", "nonsense"]);
    }
}
