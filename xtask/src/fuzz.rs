//! `cargo xtask fuzz`: what reads bytes of strangers, fed with bytes that no honest peer would send.

use std::fs;
use std::path::Path;

use crate::shell::{cargo, command, keep, root, show, target};

/// Seconds that a target is fed where nothing is said.
pub const USUAL: u32 = 600;

/// Most inputs in a target's corpus.
const MOST_KEPT: usize = 190;

/// The targets, as `fuzz/fuzz_targets` has them.
const TARGETS: [&str; 14] = [
    "callback_request",
    "codec_payloads",
    "dtls",
    "ice",
    "profile",
    "qr_payload",
    "qr_picture",
    "rest_bodies",
    "rtp_session",
    "sdp",
    "sip_dialog",
    "sip_message",
    "srtp",
    "stun",
];

/// Instruments everything for libFuzzer; all of it is known to a stable compiler.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing";

/// Runs one target for some seconds, or all of them one after the other, and keeps what was learnt: `fuzz/corpus`,
/// which tests replay, is filled up out of the smallest set of inputs that reaches all that was reached.
///
/// # Errors
/// It does not build, or there is a finding: an input in `target/fuzz/findings` that panics, hangs or takes too
/// much memory.
pub fn run(wanted: Option<&str>, seconds: u32) -> Result<bool, String> {
    let targets: Vec<&str> = TARGETS.into_iter().filter(|name| wanted.is_none_or(|it| it == *name)).collect();
    if targets.is_empty() {
        return Err(format!("the targets are: {}", TARGETS.join(", ")));
    }
    let host = host()?;
    let folder = target("fuzz").display().to_string();
    let manifest = ["--manifest-path", "fuzz/Cargo.toml", "--target-dir", &folder];
    let mut build = cargo(&["build", "--locked", "--release", "--target", &host]);
    build.args(manifest).env("RUSTFLAGS", FLAGS);
    for name in &targets {
        build.args(["--bin", name]);
    }
    show(build)?;
    for name in targets {
        println!("{name}: {seconds} s");
        fuzz(name, &target("fuzz").join(&host).join("release").join(name), seconds)?;
    }
    Ok(true)
}

fn fuzz(name: &str, program: &Path, seconds: u32) -> Result<(), String> {
    let kept = root().join("fuzz/corpus").join(name);
    let (found, least) = (target("fuzz/corpus").join(name), target("fuzz/least").join(name));
    let findings = target("fuzz/findings").join(name);
    let _ = fs::remove_dir_all(&least);
    for folder in [&kept, &found, &least, &findings] {
        fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    let limits = ["-timeout=10", "-rss_limit_mb=2048", "-max_len=8192", "-print_final_stats=1"];
    let mut run = command(program, &limits);
    run.arg(format!("-max_total_time={seconds}"));
    run.arg(format!("-artifact_prefix={}/", findings.display()));
    run.args([&found, &kept]);
    show(run)?;
    let mut merge = command(program, &["-set_cover_merge=1", "-use_counters=0"]);
    merge.args(["-timeout=10", "-rss_limit_mb=2048", "-max_len=8192"]);
    merge.args([&least, &kept, &found]);
    let merged = keep(merge)?;
    if !merged.status.success() {
        return Err(merged.output);
    }
    keep_largest(&least, &kept).map_err(|e| format!("{}: {e}", kept.display()))
}

/// Fills the corpus up with new inputs, the largest first: they reach most.
fn keep_largest(from: &Path, to: &Path) -> std::io::Result<()> {
    let mut new = Vec::new();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        new.push((entry.metadata()?.len(), entry.path(), to.join(entry.file_name())));
    }
    new.retain(|(_, _, kept)| !kept.exists());
    new.sort_by(|a, b| b.cmp(a));
    let room = MOST_KEPT.saturating_sub(fs::read_dir(to)?.count());
    for (_, found, kept) in new.into_iter().take(room) {
        fs::copy(found, kept)?;
    }
    Ok(())
}

/// The platform's name, which makes Cargo leave build scripts and macros without the flags.
fn host() -> Result<String, String> {
    let said = keep(command("rustc", &["-vV"]))?.output;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc does not say its platform".to_owned())
}
