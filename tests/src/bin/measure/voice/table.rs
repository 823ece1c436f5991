//! The tables for BENCHMARKS.md.

use system_tests::Phone;

use super::recorded::PJSUA;
use super::results::{Results, Run};

const CODECS: [&str; 2] = ["opus", "PCMU"];

/// Prints one table a measure: cells down, phones across; means over clips, directions and seeds.
pub fn print(results: &Results) {
    table(results, "PESQ-WB", |runs| hundredths(runs, |run| run.pesq), Some(0));
    table(results, "ViSQOL, speech mode", |runs| hundredths(runs, |run| run.visqol), Some(1));
    let lost =
        |runs: &[&Run]| format!("{:.1} by {:.1}", mean(runs, |run| run.loss), mean(runs, |run| run.burst));
    table(results, "Lost on the path, %, by how many in a row", lost, None);
    table(results, "Directions that count", |runs| runs.len().to_string(), None);
}

/// `recorded` is the place of the measure in [`PJSUA`].
fn table(results: &Results, title: &str, figure: impl Fn(&[&Run]) -> String, recorded: Option<usize>) {
    let mut names: Vec<String> =
        CODECS.iter().flat_map(|codec| Phone::ALL.map(|phone| format!("{phone} {codec}"))).collect();
    if recorded.is_some() {
        names.extend(CODECS.map(|codec| format!("pjsua {codec}, recorded")));
    }
    println!("\n{title}\n\n| path | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()));
    for cell in results.cells() {
        let measured = CODECS.iter().flat_map(|codec| {
            Phone::ALL.map(|phone| {
                let runs = results.of(cell, &phone.to_string(), codec);
                if runs.is_empty() { "–".to_owned() } else { figure(&runs) }
            })
        });
        let mut fields: Vec<String> = measured.collect();
        if let Some(measure) = recorded {
            fields.extend(pjsua(cell, measure));
        }
        println!("| {cell} | {} |", fields.join(" | "));
    }
}

fn pjsua(cell: &str, measure: usize) -> [String; 2] {
    match PJSUA.iter().find(|(name, ..)| *name == cell) {
        Some((_, opus, pcmu)) => [opus, pcmu].map(|figures| format!("{:.2}", figures[measure])),
        None => [(); 2].map(|()| "–".to_owned()),
    }
}

fn hundredths(runs: &[&Run], of: impl Fn(&Run) -> f64) -> String {
    format!("{:.2}", mean(runs, of))
}

fn mean(runs: &[&Run], of: impl Fn(&Run) -> f64) -> f64 {
    runs.iter().map(|run| of(run)).sum::<f64>() / runs.len() as f64
}
