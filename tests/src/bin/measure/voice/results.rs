//! What was measured so far, in a file.

use std::fmt;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use system_tests::{Tally, Verdict, target_dir};

use super::Planned;

/// Runs in which the talker, or the path, was later than this at its worst say nothing about the listener, ms.
pub const STALLED: f64 = 100.0;

/// Everything measured so far.
pub struct Results {
    file: PathBuf,
    runs: Vec<Run>,
}

/// One direction of one call.
#[derive(Debug, Clone)]
pub struct Run {
    /// Cell, phone, codec, seed and direction: what makes it this run and no other.
    pub key: [String; 5],
    /// Share of packets the path lost, percent.
    pub loss: f64,
    /// Packets lost in a row, on average.
    pub burst: f64,
    /// By how much the talker was late at its worst, ms.
    talker_late: f64,
    /// By how much the path itself was late at its worst, ms.
    path_late: f64,
    /// Mean over the clips.
    pub pesq: f64,
    /// Mean over the clips.
    pub visqol: f64,
    /// By clip, as they were spoken: PESQ-WB.
    clips: Vec<f64>,
    /// How far the delay of the clips differs, ms.
    pub spread: f64,
}

impl Run {
    pub fn new(call: &Planned, direction: usize, tally: &Tally, verdicts: &[Verdict]) -> Self {
        let mean =
            |of: &dyn Fn(&Verdict) -> f64| verdicts.iter().map(of).sum::<f64>() / verdicts.len() as f64;
        let delays = || verdicts.iter().filter_map(|verdict| verdict.delay_ms);
        let spread = delays().fold(f64::MIN, f64::max) - delays().fold(f64::MAX, f64::min);
        Self {
            key: [
                call.cell.clone(),
                call.phone.to_string(),
                call.codec.clone(),
                call.seed.to_string(),
                ["of caller", "of callee"][direction].to_owned(),
            ],
            loss: tally.loss_percent(),
            burst: if tally.bursts == 0 { 0.0 } else { tally.lost as f64 / tally.bursts as f64 },
            talker_late: tally.stalled.as_secs_f64() * 1000.0,
            path_late: tally.late.as_secs_f64() * 1000.0,
            pesq: mean(&|verdict| verdict.pesq_wb),
            visqol: mean(&|verdict| verdict.visqol.unwrap_or(f64::NAN)),
            clips: verdicts.iter().map(|verdict| verdict.pesq_wb).collect(),
            spread: if delays().next().is_some() { spread } else { 0.0 },
        }
    }

    /// The talker or the path stalled: it is left out.
    pub fn stalled(&self) -> bool {
        self.late() > STALLED
    }

    /// By how much the talker or the path was late at its worst, ms.
    fn late(&self) -> f64 {
        self.talker_late.max(self.path_late)
    }

    fn to_json(&self) -> Value {
        json!({
            "key": self.key, "loss": self.loss, "burst": self.burst, "pesq": self.pesq,
            "talker_late": self.talker_late, "path_late": self.path_late,
            "visqol": self.visqol, "clips": self.clips, "spread": self.spread,
        })
    }

    fn from_json(value: &Value) -> Option<Self> {
        let key: Vec<String> =
            value["key"].as_array()?.iter().filter_map(|part| part.as_str().map(str::to_owned)).collect();
        let number = |name: &str| value[name].as_f64();
        Some(Self {
            key: key.try_into().ok()?,
            loss: number("loss")?,
            burst: number("burst")?,
            talker_late: number("talker_late")?,
            path_late: number("path_late")?,
            pesq: number("pesq")?,
            visqol: number("visqol")?,
            clips: value["clips"].as_array()?.iter().filter_map(Value::as_f64).collect(),
            spread: number("spread")?,
        })
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, loss, burst, talker_late, path_late, pesq, visqol, spread, .. } = self;
        write!(
            f,
            "    {}: PESQ-WB {pesq:.2}, ViSQOL {visqol:.2}, {loss:.1} % lost by {burst:.1}, delay within {spread:.0} ms; \
             late: talker {talker_late:.0} ms, path {path_late:.0} ms{}",
            key.join(" "),
            if self.stalled() { ", left out" } else { "" }
        )
    }
}

impl Results {
    /// Reads the file, where there is one.
    pub fn open() -> Self {
        let file = target_dir().join("bench/voice.json");
        let text = fs::read_to_string(&file).unwrap_or_default();
        let runs = serde_json::from_str::<Vec<Value>>(&text).unwrap_or_default();
        Self { file, runs: runs.iter().filter_map(Run::from_json).collect() }
    }

    /// Whether both directions of this call were measured, with nobody later than so many milliseconds.
    pub fn has(&self, call: &Planned, late_at_most: f64) -> bool {
        let key =
            [&call.cell, &call.phone.to_string(), &call.codec, &call.seed.to_string()].map(String::clone);
        self.runs.iter().filter(|run| run.key[..4] == key && run.late() <= late_at_most).count() == 2
    }

    /// Takes these in the place of what was measured of the same before, and writes the file.
    pub fn add(&mut self, runs: Vec<Run>) {
        self.runs.retain(|old| runs.iter().all(|new| new.key != old.key));
        self.runs.extend(runs);
        let all: Vec<Value> = self.runs.iter().map(Run::to_json).collect();
        fs::create_dir_all(self.file.parent().expect("it lies in a folder")).unwrap();
        fs::write(&self.file, Value::from(all).to_string()).unwrap();
    }

    /// The cells there are, in the order in which they were measured.
    pub fn cells(&self) -> Vec<&str> {
        let mut cells: Vec<&str> = Vec::new();
        for run in &self.runs {
            if !cells.contains(&run.key[0].as_str()) {
                cells.push(&run.key[0]);
            }
        }
        cells
    }

    /// The runs of a cell, a phone and a codec that count.
    pub fn of(&self, cell: &str, phone: &str, codec: &str) -> Vec<&Run> {
        self.runs.iter().filter(|run| !run.stalled() && run.key[..3] == [cell, phone, codec]).collect()
    }
}
