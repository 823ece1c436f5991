//! What the voice path itself makes of loss: a reading spoken through two sessions in simulated time, so that two
//! runs give the same figures on any machine. `measure loss [CELL...]`; the cells are those of the example `loss`.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use serde_json::Value;
use system_tests::{Hearing, Judge, Reading, output_dir, product};

const SEEDS: usize = 3;
/// Means over the seeds of a cell.
#[derive(Debug, Default)]
struct Row {
    calls: usize,
    pesq_wb: f64,
    visqol: f64,
    figures: BTreeMap<&'static str, f64>,
}

const FIGURES: [&str; 8] =
    ["loss", "kbit", "delay_ms", "look_ahead_ms", "fec_ms", "dred_ms", "concealed_ms", "cost"];

/// Measures the cells, all of them without a name, and prints the table.
pub fn measure(cells: &[String]) {
    let reading = Reading::long();
    let folder = output_dir("loss");
    let mut command = Command::new(product("examples/loss"));
    command.arg(reading.spoken(48_000)).arg(&folder).arg(SEEDS.to_string()).args(cells);
    let done = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(done.status.success(), "loss: {}", done.status);
    let told = String::from_utf8(done.stdout).unwrap();
    let calls: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut judge = Judge::start(true);
    let mut rows: Vec<(String, Row)> = Vec::new();
    for call in &calls {
        let recording = call["file"].as_str().unwrap().into();
        let clips = judge.judge(&Hearing { recording, reading: reading.clone() });
        let cell = call["cell"].as_str().unwrap();
        if rows.last().is_none_or(|(last, _)| last != cell) {
            rows.push((cell.to_owned(), Row::default()));
        }
        let row = &mut rows.last_mut().unwrap().1;
        let count = clips.len() as f64;
        row.calls += 1;
        row.pesq_wb += clips.iter().map(|clip| clip.pesq_wb).sum::<f64>() / count;
        row.visqol += clips.iter().filter_map(|clip| clip.visqol).sum::<f64>() / count;
        for figure in FIGURES {
            *row.figures.entry(figure).or_default() += call[figure].as_f64().unwrap();
        }
    }
    print(&rows);
}

fn print(rows: &[(String, Row)]) {
    println!(
        "\n| peer, loss | PESQ-WB | ViSQOL | lost, % | kbit/s | buffer delay, ms | of it look-ahead | FEC, ms | \
         DRED, ms | invented, ms | both ends, CPU ms/s |\n|---|---|---|---|---|---|---|---|---|---|---|"
    );
    for (cell, row) in rows {
        let mean = |sum: f64| sum / row.calls as f64;
        let [loss, kbit, delay, ahead, fec, dred, concealed, cost] =
            FIGURES.map(|figure| mean(row.figures[figure]));
        println!(
            "| {cell} | {:.2} | {:.2} | {loss:.1} | {kbit:.0} | {delay:.0} | {ahead:.0} | {fec:.0} | {dred:.0} | \
             {concealed:.0} | {cost:.0} |",
            mean(row.pesq_wb),
            mean(row.visqol),
        );
    }
}
