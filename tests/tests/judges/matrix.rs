//! The operations, and the record of how each went.

use std::any::Any;
use std::fmt::Write;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use sip::Transport;
use system_tests::output_file;

use crate::stage::{Maker, Stage};
use crate::{calls, lamps, media, transfers};

/// One operation, judged on a stage of its own; a panic is its failure.
type Operation = fn(&Stage);

const OPERATIONS: [(&str, Operation); 10] = [
    ("register", calls::register),
    ("call out", calls::call_out),
    ("call in", calls::call_in),
    ("hold", calls::hold),
    ("blind transfer", transfers::blind),
    ("attended transfer", transfers::attended),
    ("DTMF", media::digits),
    ("conference", media::conference),
    ("message waiting", lamps::messages),
    ("busy lamp", lamps::busy),
];

/// Goes through all operations over one transport, whatever fails on the way, and writes down how each went.
pub fn judge(maker: Maker, transport: Transport) {
    let stage = Stage::set(maker, transport);
    let mut record = format!("pbx\t{}\n", stage.version());
    let mut failed = Vec::new();
    for (name, operation) in OPERATIONS {
        let outcome = catch_unwind(AssertUnwindSafe(|| stage.play(operation)));
        let word = if outcome.is_ok() { "passed" } else { "failed" };
        let _ = writeln!(record, "{name}\t{word}");
        println!("{maker:?} over {transport:?}: {name}: {word}");
        if let Err(why) = outcome {
            failed.push(format!("{name}: {}", said(why.as_ref())));
        }
    }
    let name = format!("{maker:?}-{transport:?}.tsv").to_lowercase();
    fs::write(output_file(&Path::new("judges").join(name)), record).unwrap();
    assert!(failed.is_empty(), "{maker:?} over {transport:?}:\n{}", failed.join("\n"));
}

fn said(why: &(dyn Any + Send)) -> &str {
    let text = why.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| why.downcast_ref::<&str>().copied()).unwrap_or("a panic without words")
}
