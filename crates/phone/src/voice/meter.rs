use std::time::{Duration, Instant};

/// Time between two readings.
const STEP: Duration = Duration::from_millis(100);
/// How long it goes on unless it is asked for again: a window that is gone must not leave the microphone open.
const LEASE: Duration = Duration::from_secs(5);

/// How loud both ways are, for somebody who looks. Pure.
#[derive(Debug)]
pub(super) struct Meter {
    until: Instant,
    due: Instant,
    microphone: u16,
    speaker: u16,
}

/// What a meter shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Highest peaks since the reading before, 16 bit.
    Peaks { microphone: u16, speaker: u16 },
    /// Nobody looks any more.
    Over,
}

impl Meter {
    pub(super) fn new(now: Instant) -> Self {
        Self { until: now + LEASE, due: now + STEP, microphone: 0, speaker: 0 }
    }

    /// Somebody still looks.
    pub(super) fn renew(&mut self, now: Instant) {
        self.until = now + LEASE;
    }

    /// The microphone gave this.
    pub(super) fn spoken(&mut self, peak: u16) {
        self.microphone = self.microphone.max(peak);
    }

    /// The speaker is given this.
    pub(super) fn played(&mut self, peak: u16) {
        self.speaker = self.speaker.max(peak);
    }

    /// When there is something to read.
    pub(super) fn due(&self) -> Instant {
        self.due.min(self.until)
    }

    pub(super) fn read(&mut self, now: Instant) -> Option<Reading> {
        if now >= self.until {
            return Some(Reading::Over);
        }
        (now >= self.due).then(|| {
            // After a sleep of the machine one reading is enough.
            self.due = (self.due + STEP).max(now);
            let (microphone, speaker) =
                (std::mem::take(&mut self.microphone), std::mem::take(&mut self.speaker));
            Reading::Peaks { microphone, speaker }
        })
    }
}

/// Highest sample of a frame, whatever its sign.
pub(super) fn peak(frame: &[i16]) -> u16 {
    frame.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reading_holds_the_highest_peaks_since_the_one_before() {
        let now = Instant::now();
        let mut meter = Meter::new(now);
        meter.spoken(peak(&[3, -i16::MAX, 7]));
        meter.spoken(12);
        meter.played(40);
        assert_eq!(meter.read(now), None);
        let peaks = |microphone, speaker| Some(Reading::Peaks { microphone, speaker });
        assert_eq!(meter.read(now + STEP), peaks(32_767, 40));
        assert_eq!(meter.read(now + STEP), None);
        assert_eq!(meter.read(now + STEP * 2), peaks(0, 0));
    }

    #[test]
    fn it_ends_by_itself_unless_it_is_renewed() {
        let now = Instant::now();
        let mut meter = Meter::new(now);
        meter.renew(now + LEASE / 2);
        assert_ne!(meter.read(now + LEASE), Some(Reading::Over));
        assert_eq!(meter.read(now + LEASE * 3 / 2), Some(Reading::Over));
    }
}
