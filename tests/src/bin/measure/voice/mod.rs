//! The voice on a bad network: ours beside others, on the same losses. `measure voice --help` says how to ask for
//! parts of it; what was measured before is kept in `target/bench/voice.json` and told with it.

mod recorded;
mod results;
mod table;

use std::process::exit;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use system_tests::{Heard, Impairment, Judge, Phone, Reading, Talk, hold, output_dir};

use results::{Results, Run, STALLED};

const USAGE: &str = "\
measure voice [--cells CELL,...] [--phones carillon,baresip,linphone] [--codecs opus,PCMU] [--seeds N | FIRST..LAST]
              [--at-once CALLS] [--again | --late-at-most MS] [--only-table]
CELL: clean, loss10, burst10 (in bursts of three), burst10x4, jitter50, reorder5, drift100, or several of them as in
loss3+jitter20. Without options the whole bench runs, for hours; what is there already is not measured again,
unless a talker or the path was later than MS at its worst.
";

/// Every cell of the whole bench.
const CELLS: &str = "clean,loss1,loss3,loss5,loss10,loss20,loss30,burst1,burst3,burst5,burst10,burst20,burst30,\
                     burst5x4,burst10x4,burst20x4,jitter20,jitter50,reorder5,drift100,drift-100";

/// What is to be measured.
struct Wanted {
    cells: Vec<(String, Impairment)>,
    phones: Vec<Phone>,
    codecs: Vec<String>,
    seeds: Vec<u64>,
    at_once: usize,
    again: bool,
    /// Milliseconds; more, and it was not measured.
    late_at_most: f64,
    only_table: bool,
}

/// A call that is to be measured, by its names.
#[derive(Debug, Clone, PartialEq)]
struct Planned {
    cell: String,
    impairment: Impairment,
    phone: Phone,
    codec: String,
    seed: u64,
}

/// Measures what the options ask for, and prints the table of all there is.
pub fn measure(options: &[String]) {
    let wanted = Wanted::from(options).unwrap_or_else(|problem| {
        eprint!("{problem}\n{USAGE}");
        exit(2);
    });
    let mut results = Results::open();
    if !wanted.only_table {
        let plan: Vec<Planned> = wanted
            .plan()
            .into_iter()
            .filter(|call| wanted.again || !results.has(call, wanted.late_at_most))
            .collect();
        rounds(&plan, wanted.at_once, &mut results);
    }
    table::print(&results);
}

/// Holds the calls, some at once, and judges each round while the next one talks.
fn rounds(plan: &[Planned], at_once: usize, results: &mut Results) {
    let reading = Reading::long();
    let started = Instant::now();
    let (held, to_judge) = mpsc::sync_channel(0);
    thread::scope(|scope| {
        scope.spawn(move || {
            for (n, round) in plan.chunks(at_once).enumerate() {
                // The judge may still listen to the round before, and the one before that is done.
                let dir = output_dir(&format!("bench-voice-{}", n % 3));
                let talks: Vec<Talk<'_>> = round.iter().map(Planned::talk).collect();
                held.send((round, hold(&talks, &reading, &dir))).expect("the judge waits");
            }
        });
        let (mut judges, mut done) = ([Judge::start(true), Judge::start(true)], 0);
        for (round, heard) in to_judge {
            let calls: Vec<_> = round.iter().zip(&heard).collect();
            results.add(shared_out(&mut judges, &calls));
            done += round.len();
            println!("{done} of {} calls after {} s", plan.len(), started.elapsed().as_secs());
        }
    });
}

/// What the calls are worth, each judge taking a part of them.
fn shared_out(judges: &mut [Judge], calls: &[(&Planned, &[Heard; 2])]) -> Vec<Run> {
    let each = calls.len().div_ceil(judges.len()).max(1);
    thread::scope(|scope| {
        let judging = judges.iter_mut().zip(calls.chunks(each)).map(|(judge, calls)| {
            let judge =
                move || calls.iter().flat_map(|(call, heard)| judged(judge, call, heard)).collect::<Vec<_>>();
            scope.spawn(judge)
        });
        // All of them begin before the first is waited for.
        let judging: Vec<_> = judging.collect();
        judging.into_iter().flat_map(|part| part.join().expect("a judge does not fail")).collect()
    })
}

fn judged(judge: &mut Judge, call: &Planned, heard: &[Heard; 2]) -> Vec<Run> {
    let runs = heard.iter().enumerate().map(|(direction, heard)| {
        let run = Run::new(call, direction, &heard.tally, &judge.judge(&heard.hearing));
        println!("{run}");
        run
    });
    runs.collect()
}

impl Planned {
    fn talk(&self) -> Talk<'_> {
        Talk { phone: self.phone, codec: &self.codec, impairment: Some(self.impairment), seed: self.seed }
    }
}

impl Wanted {
    fn from(options: &[String]) -> Result<Self, String> {
        let mut wanted = Self {
            cells: cells(CELLS)?,
            phones: Phone::ALL.to_vec(),
            codecs: vec!["opus".to_owned(), "PCMU".to_owned()],
            seeds: vec![1, 2, 3],
            at_once: 3,
            again: false,
            late_at_most: STALLED,
            only_table: false,
        };
        let mut options = options.iter();
        while let Some(option) = options.next() {
            let mut value =
                || options.next().map(String::as_str).ok_or_else(|| format!("{option} wants a value"));
            match option.as_str() {
                "--cells" => wanted.cells = cells(value()?)?,
                "--phones" => {
                    wanted.phones = value()?.split(',').map(str::parse).collect::<Result<_, _>>()?
                }
                "--codecs" => wanted.codecs = codecs(value()?)?,
                "--seeds" => wanted.seeds = seeds(value()?)?,
                "--at-once" => {
                    wanted.at_once =
                        value()?.parse().ok().filter(|n| (1..=12).contains(n)).ok_or("--at-once: 1 to 12")?
                }
                "--again" => wanted.again = true,
                "--late-at-most" => {
                    wanted.late_at_most = value()?
                        .parse()
                        .ok()
                        .filter(|ms| *ms >= 0.0)
                        .ok_or("--late-at-most: milliseconds")?;
                }
                "--only-table" => wanted.only_table = true,
                other => return Err(format!("no such option: {other}")),
            }
        }
        Ok(wanted)
    }

    /// Every call, in such an order that the phones of one cell and seed talk at the same time.
    fn plan(&self) -> Vec<Planned> {
        let mut plan = Vec::new();
        for &seed in &self.seeds {
            for (cell, impairment) in &self.cells {
                for codec in &self.codecs {
                    plan.extend(self.phones.iter().map(|&phone| Planned {
                        cell: cell.clone(),
                        impairment: *impairment,
                        phone,
                        codec: codec.clone(),
                        seed,
                    }));
                }
            }
        }
        plan
    }
}

fn cells(text: &str) -> Result<Vec<(String, Impairment)>, String> {
    text.split(',').map(|name| Ok((name.to_owned(), name.parse()?))).collect()
}

fn codecs(text: &str) -> Result<Vec<String>, String> {
    text.split(',')
        .map(|name| match name {
            "opus" | "PCMU" => Ok(name.to_owned()),
            other => Err(format!("no such codec: {other}")),
        })
        .collect()
}

/// `3` is the first three; `2..4` is the second to the fourth.
fn seeds(text: &str) -> Result<Vec<u64>, String> {
    let (first, last) = text.split_once("..").unwrap_or(("1", text));
    let number = |text: &str| text.parse::<u64>().map_err(|_| format!("no such seed: {text}"));
    Ok((number(first)?..=number(last)?).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phones_of_a_cell_and_seed_talk_at_the_same_time() {
        let options = ["--cells", "clean,loss5", "--codecs", "opus", "--seeds", "2..3"].map(str::to_owned);
        let plan = Wanted::from(&options).ok().unwrap().plan();
        assert_eq!(plan.len(), 12);
        for round in plan.chunks(3) {
            assert!(round.iter().all(|call| (&call.cell, call.seed) == (&round[0].cell, round[0].seed)));
            assert_eq!(round.iter().map(|call| call.phone).collect::<Vec<_>>(), Phone::ALL);
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for options in [
            ["--cells", "fog"],
            ["--phones", "skype"],
            ["--seeds", "x"],
            ["--at-once", "0"],
            ["--late-at-most", "x"],
            ["--fog", ""],
        ] {
            assert!(Wanted::from(&options.map(str::to_owned)).is_err(), "{options:?}");
        }
    }

    #[test]
    fn the_whole_bench_is_what_was_asked_for() {
        let plan = Wanted::from(&[]).ok().unwrap().plan();
        assert_eq!(plan.len(), 21 * 3 * 2 * 3);
    }
}
