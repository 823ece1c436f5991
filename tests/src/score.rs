//! How well speech came through.

use std::fmt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::paths::workspace;
use crate::{Process, python};

/// What a recording is worth beside what was said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Where in the recording the speech begins, milliseconds.
    pub delay_ms: f64,
    /// Correlation of the two waveforms, by the half second, median; 1 is the same.
    pub correlation: f64,
    /// PESQ wide band (ITU-T P.862.2), 1.04 to 4.64.
    pub pesq_wb: f64,
    /// Level of the recording against what was said, dB.
    pub level_db: f64,
    /// Length of the recording, seconds.
    pub recorded_s: f64,
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PESQ-WB {:.2}, correlation {:.3}, begins at {:.1} ms of {:.2} s, level {:+.1} dB",
            self.pesq_wb, self.correlation, self.delay_ms, self.recorded_s, self.level_db
        )
    }
}

impl Score {
    /// Fails the test unless this is the speech that was spoken, and clean.
    pub fn assert_clean(&self, what: &str, pesq_wb: f64, correlation: f64) {
        println!("{what}: {self}");
        assert!(
            self.pesq_wb >= pesq_wb && self.correlation >= correlation,
            "{what}: {self}; wanted PESQ-WB {pesq_wb} and correlation {correlation} at least"
        );
    }
}

/// Scores `recording` against `reference`, both 16-bit WAV files.
pub fn score(reference: &Path, recording: &Path) -> Score {
    assert!(recording.is_file(), "there is no recording {}", recording.display());
    let mut command = Command::new(python());
    command.arg(workspace().join("tests/score.py")).arg(reference).arg(recording);
    let said = Process::run("score.py", command);
    let value: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("score.py said {said}: {e}"));
    let number = |key: &str| value[key].as_f64().unwrap_or_else(|| panic!("score.py said no {key}: {said}"));
    Score {
        delay_ms: number("delay_ms"),
        correlation: number("correlation"),
        pesq_wb: number("pesq_wb"),
        level_db: number("level_db"),
        recorded_s: number("recorded_s"),
    }
}

/// How long sound took from `mouth` to `ear`, two recordings on one clock: for each two seconds of speech that are to be
/// found again, milliseconds.
pub fn delays(mouth: &Path, ear: &Path) -> Vec<f64> {
    let mut command = Command::new(python());
    command.arg(workspace().join("tests/delay.py")).arg(mouth).arg(ear);
    let said = Process::run("delay.py", command);
    serde_json::from_str(&said).unwrap_or_else(|e| panic!("delay.py said {said}: {e}"))
}
