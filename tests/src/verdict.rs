//! What a reading is worth at the other end, clip by clip.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::paths::workspace;
use crate::{Process, Reading, python};

/// A recording, and what was said into it.
#[derive(Debug, Clone)]
pub struct Hearing {
    /// A 16-bit WAV file.
    pub recording: PathBuf,
    /// What was said.
    pub reading: Reading,
}

/// What one clip is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// PESQ wide band (ITU-T P.862.2), 1.0 where nothing was heard, to 4.64.
    pub pesq_wb: f64,
    /// ViSQOL in speech mode, 1 to 5, where it was asked for.
    pub visqol: Option<f64>,
    /// Where in the recording it began, less its place in the reading, milliseconds; none where nothing was heard.
    pub delay_ms: Option<f64>,
}

/// Who judges recordings, one after the other.
pub struct Judge {
    process: Process,
}

impl Judge {
    /// Starts it, with ViSQOL beside PESQ where that is wanted. A second of speech takes it a twentieth of that, and
    /// ViSQOL 20 seconds to begin with.
    pub fn start(visqol: bool) -> Self {
        // Who talks goes first.
        let mut command = Command::new("nice");
        command
            .args(["-n", "15"])
            .arg(python())
            .arg(workspace().join("tests/voice.py"))
            .args(visqol.then_some("--visqol"));
        Self { process: Process::start("voice.py", command) }
    }

    /// What each clip is worth.
    pub fn judge(&mut self, hearing: &Hearing) -> Vec<Verdict> {
        self.process.type_line(&job(hearing).to_string());
        self.process.wait_for("scores", LIMIT, |line| {
            let clips: Vec<Value> = serde_json::from_str(&line.text).ok().filter(|_| !line.error)?;
            Some(clips.iter().map(verdict).collect())
        })
    }
}

const LIMIT: Duration = Duration::from_secs(1200);

fn job(hearing: &Hearing) -> Value {
    let clips =
        hearing.reading.clips().iter().map(|clip| json!({ "reference": clip.reference, "at_s": clip.at_s }));
    json!({ "recording": hearing.recording, "clips": clips.collect::<Vec<_>>() })
}

fn verdict(clip: &Value) -> Verdict {
    let pesq_wb = clip["pesq_wb"].as_f64().unwrap_or_else(|| panic!("voice.py said no PESQ: {clip}"));
    Verdict { pesq_wb, visqol: clip["visqol"].as_f64(), delay_ms: clip["delay_ms"].as_f64() }
}
