use std::time::{Duration, SystemTime};

/// Reads a moment as the API writes it: RFC 3339, section 5.6, to the second. A leap second is the one after it;
/// moments before 1970 are not read.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let (time, offset) = zone(rest)?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let fits = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !fits {
        return None;
    }
    let seconds = ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second - offset;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
}

/// Time of day without its fraction, and seconds its zone is ahead of UTC.
fn zone(text: &str) -> Option<(&str, i64)> {
    let (time, offset) = match text.strip_suffix(['Z', 'z']) {
        Some(time) => (time, 0),
        None => {
            let (time, zone) = text.split_once(['+', '-'])?;
            let [hours, minutes] = numbers(zone, ':', [2, 2])?;
            if hours > 23 || minutes > 59 {
                return None;
            }
            let ahead = (hours * 60 + minutes) * 60;
            (time, if text.contains('+') { ahead } else { -ahead })
        }
    };
    match time.split_once('.') {
        None => Some((time, offset)),
        Some((time, fraction)) => {
            let digits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
            digits.then_some((time, offset))
        }
    }
}

/// Exactly `N` numbers of so many digits each.
fn numbers<const N: usize>(text: &str, between: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(between);
    let mut found = [0; N];
    for (number, digits) in found.iter_mut().zip(digits) {
        let part = parts.next()?;
        if part.len() != digits || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let whole_years: i64 = (1970..year).map(|year| 365 + i64::from(is_leap(year))).sum();
    let whole_months: i64 = (1..month).map(|month| days_in_month(year, month)).sum();
    whole_years + whole_months + day - 1
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use proptest::prelude::{prop_assert_eq, proptest};

    use super::parse;

    fn seconds(text: &str) -> Option<u64> {
        parse(text).map(|moment| moment.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs())
    }

    #[test]
    fn moments() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1994-11-06T08:49:37Z", 784_111_777),
            ("1994-11-06t08:49:37.999z", 784_111_777),
            ("1994-11-06 10:19:37+01:30", 784_111_777),
            ("1994-11-06T03:49:37-05:00", 784_111_777),
            ("2000-02-29T23:59:60Z", 951_868_800),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment() {
        for text in [
            "",
            "T",
            "soon",
            "1994-11-06",
            "1994-11-06T08:49:37",
            "1994-11-06T08:49Z",
            "1994-11-06T08:49:37.Z",
            "1994-11-06T08:49:37+5",
            "1994-11-06T08:49:37+24:00",
            "1994-13-06T08:49:37Z",
            "1994-00-06T08:49:37Z",
            "1995-02-29T08:49:37Z",
            "1994-11-06T24:00:00Z",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+00:01",
            "+994-11-06T08:49:37Z",
            "1994-11-06-01T08:49:37Z",
            "1994-11-06T08:49:37é",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_another_writer(at in 0..250_000_000_000_u64) {
            let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(at);
            // `Sun, 06 Nov 1994 08:49:37 GMT`
            let written = httpdate::fmt_http_date(moment);
            let words: Vec<&str> = written.split(' ').collect();
            let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
            let month = months.iter().position(|name| *name == words[2]).unwrap() + 1;
            let text = format!("{}-{month:02}-{}T{}Z", words[3], words[1], words[4]);
            prop_assert_eq!(seconds(&text), Some(at));
        }

        #[test]
        fn any_text(text in "\\PC{0,40}", digits in "[0-9TZ:+.-]{0,30}") {
            let _ = (parse(&text), parse(&digits));
        }
    }
}
