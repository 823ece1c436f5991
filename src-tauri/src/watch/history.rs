//! When the phone was started again, so that one that crashes at once is not started for ever: pure.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

/// So often at most.
const MOST: usize = 3;
/// Within this, seconds.
const WITHIN: u64 = 600;

/// When it was started again, seconds since 1970, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restarts(Vec<u64>);

impl Restarts {
    /// It was.
    pub fn any(&self) -> bool {
        !self.0.is_empty()
    }

    /// With one more at this time; none where there were enough.
    pub fn one_more(&self, now: u64) -> Option<Self> {
        let mut late: Vec<u64> =
            self.0.iter().copied().filter(|then| now.saturating_sub(*then) < WITHIN).collect();
        let may = late.len() < MOST;
        late.push(now);
        may.then_some(Self(late))
    }
}

/// Seconds since 1970.
pub fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

impl fmt::Display for Restarts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&times.join(","))
    }
}

impl FromStr for Restarts {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',').filter(|time| !time.is_empty()).map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_times_in_ten_minutes_and_no_more() {
        let mut restarts = Restarts::default();
        for now in [1_000, 1_001, 1_300] {
            restarts = restarts.one_more(now).unwrap();
        }
        assert_eq!(restarts.one_more(1_599), None);
        // The first is too long ago to count.
        assert_eq!(restarts.one_more(1_600).unwrap().to_string(), "1001,1300,1600");
    }

    #[test]
    fn they_are_handed_on_as_text() {
        let restarts = Restarts::default().one_more(5).unwrap();
        assert_eq!(restarts.to_string().parse(), Ok(restarts));
        assert_eq!("".parse(), Ok(Restarts::default()));
        assert!("a".parse::<Restarts>().is_err());
    }
}
