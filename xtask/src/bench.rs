//! `cargo xtask bench`: the figures of BENCHMARKS.md, measured on this machine.

use crate::machine::{Purpose, bench_python, prepare, qr_python, scoring_python};
use crate::shell::{cargo, command, show, target};
use crate::ui;

/// The version of scene-rir (PyPI) whose recordings are used.
const ROOMS: &str = "1.3.0";
/// Parts that need the window.
const WITH_WINDOW: &[&str] = &["registration", "window", "ring", "rest", "growth"];

/// Builds the product as it is shipped and measures it; `names` are parts, all of them without a name. What follows
/// `voice` belongs to it.
///
/// # Errors
/// Something is missing, does not build, or a measurement fails.
pub fn run(names: &[&str]) -> Result<bool, String> {
    prepare(&[Purpose::Build, Purpose::FastTest, Purpose::Test, Purpose::Bench])?;
    if names.first() == Some(&"loss") {
        return loss(names).map(|()| true);
    }
    if names.is_empty() || names.contains(&"qr") {
        qr()?;
    }
    if names.is_empty() || names.contains(&"echo") {
        echo()?;
    }
    let rest: Vec<&str> = names.iter().copied().filter(|name| !["qr", "echo"].contains(name)).collect();
    if names.is_empty() || !rest.is_empty() {
        product(&rest)?;
    }
    Ok(true)
}

fn product(names: &[&str]) -> Result<(), String> {
    scoring_python()?;
    bench_python()?;
    let mut product = vec!["build", "--release", "--package", "carillon-cli", "--package", "demo-pbx"];
    if names.is_empty() || names.iter().any(|name| WITH_WINDOW.contains(name)) {
        if let Some(install) = ui::install() {
            show(install)?;
        }
        show(ui::build())?;
        product.extend(["--package", "carillon"]);
    }
    show(cargo(&product))?;
    show(cargo(&["build", "--package", "system-tests", "--bin", "measure"]))?;
    let mut measure = command(target("debug/measure"), names);
    measure.env("CARILLON_BIN_DIR", target("release"));
    show(measure)
}

/// The voice path alone, over simulated loss.
fn loss(names: &[&str]) -> Result<(), String> {
    scoring_python()?;
    bench_python()?;
    show(cargo(&["build", "--release", "--package", "media", "--example", "loss"]))?;
    show(cargo(&["build", "--package", "system-tests", "--bin", "measure"]))?;
    let mut measure = command(target("debug/measure"), names);
    measure.env("CARILLON_BIN_DIR", target("release"));
    show(measure)
}

/// Echo, double talk and noise in simulated rooms, beside WebRTC's own audio processing.
fn echo() -> Result<(), String> {
    bench_python()?;
    let folder = target("bench/echo").display().to_string();
    std::fs::create_dir_all(&folder).map_err(|e| format!("{folder}: {e}"))?;
    // A clean voice for the microphone.
    let spoken = "/usr/share/asterisk/sounds/it_IT_m_Carlo/demo-echotest.g722";
    let voice = format!("{folder}/voice.wav");
    show(command(target("venv/bin/python"), &["tests/g722.py", spoken, &voice]))?;
    real_rooms(&folder)?;
    let lines = format!("{folder}/lines");
    let run = format!("cargo run --quiet --release -p media --example echo -- {folder} > {lines}");
    show(command("sh", &["-c", &run]))?;
    let score = format!("{} tests/echo.py {folder} < {lines}", target("venv/bin/python").display());
    show(command("sh", &["-c", &score]))
}

/// Impulse responses of real rooms, out of recordings that the source of a Python package brings.
fn real_rooms(folder: &str) -> Result<(), String> {
    let source = format!("{folder}/scene_rir-{ROOMS}.tar.gz");
    if !std::path::Path::new(&source).is_file() {
        let package = format!("scene-rir=={ROOMS}");
        let fetch =
            ["-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", folder, &package];
        show(command(target("venv/bin/python"), &fetch))?;
    }
    show(command(target("venv/bin/python"), &["tests/rooms.py", &source, folder]))
}

/// The reader of QR codes beside zbar and OpenCV, all on the same pictures.
fn qr() -> Result<(), String> {
    let python = qr_python()?;
    let pictures = target("qr-set").display().to_string();
    show(cargo(&["build", "--release", "--package", "sign-in", "--example", "qr_bench"]))?;
    println!(
        "\nQR codes\n\n| reader | read | readable ones | wrong | ms, median | ms, 95 % |\n|---|---|---|---|---|---|"
    );
    show(command(target("release/examples/qr_bench"), &[&pictures]))?;
    show(command(python, &["tests/qr/peers.py", &pictures]))
}
