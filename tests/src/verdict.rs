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

/// Judges each clip of each recording. PESQ takes about a tenth of the speech's time, ViSQOL as much and 20 s to start.
pub fn judge(hearings: &[Hearing], visqol: bool) -> Vec<Vec<Verdict>> {
    let jobs: Vec<Value> = hearings.iter().map(job).collect();
    let mut command = Command::new("nice");
    command
        .arg("-n5")
        .arg(python())
        .arg(workspace().join("tests/voice.py"))
        .args(visqol.then_some("--visqol"));
    let mut process = Process::start("voice.py", command);
    process.type_line(&Value::from(jobs).to_string());
    process.close_stdin();
    let judged = hearings.iter().map(|_| {
        process.wait_for("scores", LIMIT, |line| {
            let clips: Vec<Value> = serde_json::from_str(&line.text).ok().filter(|_| !line.error)?;
            Some(clips.iter().map(verdict).collect())
        })
    });
    judged.collect()
}

const LIMIT: Duration = Duration::from_secs(600);

fn job(hearing: &Hearing) -> Value {
    let clips =
        hearing.reading.clips().iter().map(|clip| json!({ "reference": clip.reference, "at_s": clip.at_s }));
    json!({ "recording": hearing.recording, "clips": clips.collect::<Vec<_>>() })
}

fn verdict(clip: &Value) -> Verdict {
    let pesq_wb = clip["pesq_wb"].as_f64().unwrap_or_else(|| panic!("voice.py said no PESQ: {clip}"));
    Verdict { pesq_wb, visqol: clip["visqol"].as_f64(), delay_ms: clip["delay_ms"].as_f64() }
}
