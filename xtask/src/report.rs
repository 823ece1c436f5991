//! A line a step, and the sum at the end.

use std::process::Command;
use std::time::Instant;

use crate::shell::{Outcome, keep};

/// How many tests passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Passed.
    pub passed: u32,
    /// Failed.
    pub failed: u32,
}

/// The run so far.
#[derive(Debug, Default)]
pub struct Report {
    total: Counts,
    failed_steps: Vec<String>,
}

impl Report {
    /// A step that is one command and counts as one: whether it succeeds.
    pub fn step(&mut self, name: &str, command: Command) -> bool {
        self.judge(name, || {
            let outcome = keep(command)?;
            let ok = outcome.status.success();
            Ok((Counts { passed: ok.into(), failed: (!ok).into() }, outcome.output))
        })
    }

    /// A step that runs tests, counted by `count` out of what they print.
    pub fn tests(&mut self, name: &str, command: Command, count: impl FnOnce(&str) -> Counts) -> bool {
        self.judge(name, || {
            let Outcome { status, output } = keep(command)?;
            let mut counts = count(&output);
            if !status.success() && counts.failed == 0 {
                // It ended before it could count.
                counts.failed = 1;
            }
            Ok((counts, output))
        })
    }

    /// A step that is any work: its counts and what to show should any have failed. Nothing is said of a
    /// program without tests.
    pub fn judge(&mut self, name: &str, work: impl FnOnce() -> Result<(Counts, String), String>) -> bool {
        let started = Instant::now();
        let (counts, output) = work().unwrap_or_else(|problem| (Counts { passed: 0, failed: 1 }, problem));
        if counts == Counts::default() {
            return true;
        }
        let verdict = if counts.failed == 0 { "ok    " } else { "FAILED" };
        let seconds = started.elapsed().as_secs_f64();
        let figures = match counts {
            Counts { passed: 0 | 1, failed: 0 } | Counts { passed: 0, failed: 1 } => String::new(),
            Counts { passed, failed: 0 } => format!("{passed} passed"),
            Counts { passed, failed } => format!("{passed} passed, {failed} failed"),
        };
        println!("{verdict}  {name:<44} {seconds:>7.1} s  {figures}");
        if counts.failed > 0 {
            println!("{}", indented(&output));
            self.failed_steps.push(name.to_owned());
        }
        self.total.passed += counts.passed;
        self.total.failed += counts.failed;
        counts.failed == 0
    }

    /// Says the sum; whether nothing failed.
    pub fn close(self) -> bool {
        if !self.failed_steps.is_empty() {
            println!("\nFailed: {}", self.failed_steps.join(", "));
        }
        println!("\n{} passed, {} failed", self.total.passed, self.total.failed);
        self.total.failed == 0
    }
}

/// What the last of Rust's test runners says at its end; a test may have run others before.
pub fn count_last_libtest(output: &str) -> Counts {
    output.lines().rev().find_map(libtest_line).unwrap_or_default()
}

/// The sum of what several of Rust's test runners say at their ends.
pub fn count_every_libtest(output: &str) -> Counts {
    output.lines().filter_map(libtest_line).fold(Counts::default(), |sum, one| Counts {
        passed: sum.passed + one.passed,
        failed: sum.failed + one.failed,
    })
}

fn libtest_line(line: &str) -> Option<Counts> {
    let line = line.strip_prefix("test result: ")?;
    Some(Counts { passed: before(line, " passed"), failed: before(line, " failed") })
}

fn before(line: &str, word: &str) -> u32 {
    line.split(word)
        .next()
        .and_then(|l| l.rsplit([' ', ';']).next())
        .and_then(|n| n.parse().ok())
        .unwrap_or(0)
}

fn indented(text: &str) -> String {
    text.trim_end().lines().map(|line| format!("        {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libtest_lines_are_counted() {
        let output = "running 3 tests\ntest result: ok. 3 passed; 0 failed; 0 ignored; 0 measured\n\
                      test result: FAILED. 12 passed; 2 failed; 1 ignored; 0 measured\n";
        assert_eq!(count_every_libtest(output), Counts { passed: 15, failed: 2 });
        assert_eq!(count_last_libtest(output), Counts { passed: 12, failed: 2 });
        assert_eq!(count_last_libtest("thread panicked"), Counts::default());
    }

    #[test]
    fn a_run_that_ends_without_counting_has_failed() {
        let mut report = Report::default();
        assert!(!report.tests("crash", Command::new("false"), count_last_libtest));
        assert_eq!(report.total, Counts { passed: 0, failed: 1 });
        assert!(!report.close());
    }
}
