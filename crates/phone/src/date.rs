//! Days and times in UTC, for file names and lists.

use std::fmt;
use std::time::Duration;

use crate::{PeerView, UnixMs};

/// `2026-11-22 12:16:05Z` (RFC 3339).
impl fmt::Display for UnixMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1_000;
        let (year, month, day) = of_days(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
        write!(f, "{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}Z")
    }
}

/// Year, month and day of so many days since 1970-01-01 (Gregorian, as in RFC 3339).
pub(crate) fn of_days(days: u64) -> (u64, u64, u64) {
    // Counted from 0000-03-01, so that the leap day is a year's last.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + u64::from(month <= 2), month, day)
}

/// `2026-11-22 12.16.05 Z Name.wav`: sorted by time, of letters that every file system takes.
pub(crate) fn file_name(since_1970: Duration, peer: &PeerView) -> String {
    let seconds = since_1970.as_secs();
    let (year, month, day) = of_days(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    let who = peer.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&peer.number);
    let plain = |letter: char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_' | '+');
    let who: String = who.chars().map(|letter| if plain(letter) { letter } else { '_' }).take(40).collect();
    // Two calls may begin in the same second.
    let part = since_1970.subsec_millis();
    format!(
        "{year}-{month:02}-{day:02} {hour:02}.{minute:02}.{second:02}.{part:03} Z {}.wav",
        who.trim_matches([' ', '_'])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates() {
        for (days, expected) in [
            (0, (1970, 1, 1)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (20_779, (2026, 11, 22)),
            (47_540, (2100, 2, 28)),
            (47_541, (2100, 3, 1)),
        ] {
            assert_eq!(of_days(days), expected);
        }
    }

    #[test]
    fn times_are_told_as_rfc_3339_has_them() {
        assert_eq!(UnixMs(1_795_349_765_042).to_string(), "2026-11-22 12:16:05Z");
    }

    #[test]
    fn a_file_is_named_by_time_and_person() {
        let at = Duration::from_millis(20_779 * 86_400_000 + (12 * 3_600 + 16 * 60 + 5) * 1_000 + 42);
        let name = |number: &str, name: Option<&str>| {
            file_name(at, &PeerView { number: number.into(), name: name.map(Into::into), picture: None })
        };
        assert_eq!(name("102", Some("Amélie Faure")), "2026-11-22 12.16.05.042 Z Amélie Faure.wav");
        assert_eq!(name("../../etc/passwd", None), "2026-11-22 12.16.05.042 Z etc_passwd.wav");
        assert_eq!(name("sip:a@b\0:*?", Some("")), "2026-11-22 12.16.05.042 Z sip_a_b.wav");
    }
}
