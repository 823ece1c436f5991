//! What a path does to packets, and how it is written down.

use std::str::FromStr;
use std::time::Duration;

/// What a path does to the voice. Written as parts joined by `+`: `clean`, `loss10`, `burst10` (mean burst of three),
/// `burst10x3.5`, `jitter50`, `reorder5`, `drift-100`, `delay40`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Impairment {
    /// Share of packets that get lost, 0 to 1.
    pub loss: f64,
    /// How many packets a loss takes on average (Gilbert's model: in its bad state everything is lost); 1 where each
    /// packet has a fate of its own.
    pub burst: f64,
    /// Delay of every packet.
    pub delay: Duration,
    /// Half of the greatest further delay, which is evenly spread; packets stay in order.
    pub jitter: Duration,
    /// Share of packets that are held back until later ones have passed them.
    pub reorder: f64,
    /// By how much the sender's clock seems slow, parts per million: each packet comes later than the one before.
    pub drift_ppm: f64,
}

/// Mean burst where none is said.
const BURST: f64 = 3.0;
/// Delay under drift, out of which a clock that seems fast can take its lead.
const BEFORE_DRIFT: Duration = Duration::from_millis(60);

impl Impairment {
    /// A path that does nothing.
    pub const CLEAN: Self = Self {
        loss: 0.0,
        burst: 1.0,
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
        reorder: 0.0,
        drift_ppm: 0.0,
    };

    fn with(mut self, part: &str) -> Option<Self> {
        let digit = part.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(part.len());
        let (name, value) = part.split_at(digit);
        let number = || value.parse::<f64>().ok().filter(|n| n.is_finite());
        let share = || number().filter(|n| (0.0..=100.0).contains(n)).map(|n| n / 100.0);
        let time =
            || number().filter(|n| (0.0..=10_000.0).contains(n)).map(|n| Duration::from_secs_f64(n / 1000.0));
        match name {
            "clean" if value.is_empty() => {}
            "loss" => self.loss = share()?,
            "burst" => {
                let (loss, burst) = value.split_once('x').unwrap_or((value, ""));
                self.loss = loss.parse::<f64>().ok().filter(|n| (0.0..100.0).contains(n))? / 100.0;
                self.burst =
                    if burst.is_empty() { BURST } else { burst.parse().ok().filter(|n| *n >= 1.0)? };
            }
            "jitter" => self.jitter = time()?,
            "delay" => self.delay = time()?,
            "reorder" => self.reorder = share()?,
            "drift" => {
                self.drift_ppm = number().filter(|n| n.abs() <= 10_000.0)?;
                self.delay = self.delay.max(BEFORE_DRIFT);
            }
            _ => return None,
        }
        Some(self)
    }
}

impl FromStr for Impairment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let cell = text.split('+').try_fold(Self::CLEAN, |so_far, part| so_far.with(part));
        cell.ok_or_else(|| format!("no such cell: {text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_as_they_are_written() {
        let read = |text: &str| text.parse::<Impairment>().unwrap();
        assert_eq!(read("clean"), Impairment::CLEAN);
        assert_eq!(read("loss10"), Impairment { loss: 0.1, ..Impairment::CLEAN });
        assert_eq!(read("burst20"), Impairment { loss: 0.2, burst: 3.0, ..Impairment::CLEAN });
        assert_eq!(read("burst5x3.5").burst, 3.5);
        let both = read("loss3+jitter20");
        assert_eq!((both.loss, both.jitter), (0.03, Duration::from_millis(20)));
        assert_eq!(read("drift-100").drift_ppm, -100.0);
    }

    #[test]
    fn what_is_no_cell_is_refused() {
        for text in ["", "loss", "loss101", "burst100", "loss-1", "jitter", "clean1", "fog3", "burst5x0"] {
            assert!(text.parse::<Impairment>().is_err(), "{text}");
        }
    }
}
