//! Running other programs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// The folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_path_buf()
}

/// A file or folder below the target folder.
pub fn target(below: &str) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from).join(below)
}

/// A command in the workspace's folder.
pub fn command(program: impl AsRef<Path>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program.as_ref());
    command.args(arguments).current_dir(root());
    command
}

/// Cargo, the one that runs us.
pub fn cargo(arguments: &[&str]) -> Command {
    command(std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from), arguments)
}

/// npm in the UI's folder.
pub fn npm(arguments: &[&str]) -> Command {
    let mut npm = command(if cfg!(windows) { "npm.cmd" } else { "npm" }, arguments);
    npm.current_dir(root().join("ui"));
    npm
}

/// Runs a command before the user's eyes.
///
/// # Errors
/// It cannot be started, or fails.
pub fn show(mut command: Command) -> Result<(), String> {
    let status = command.status().map_err(|e| format!("{}: {e}", name(&command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed ({status})", name(&command))) }
}

/// What a command printed, and how it ended.
pub struct Outcome {
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output and standard error, as they came.
    pub output: String,
}

/// Runs a command and keeps what it prints, without a standard input.
///
/// # Errors
/// It cannot be started, or what it prints cannot be kept.
pub fn keep(mut command: Command) -> Result<Outcome, String> {
    let problem = |e: std::io::Error| format!("{}: {e}", name(&command));
    let path = target(&format!("xtask-output-{}", std::process::id()));
    fs::create_dir_all(target("")).map_err(problem)?;
    let file = File::create(&path).map_err(problem)?;
    let copy = file.try_clone().map_err(problem)?;
    command.stdin(Stdio::null()).stdout(file).stderr(copy);
    let status = command.status().map_err(|e| format!("{}: {e}", name(&command)))?;
    let bytes = fs::read(&path).unwrap_or_default();
    let _ = fs::remove_file(&path);
    Ok(Outcome { status, output: String::from_utf8_lossy(&bytes).into_owned() })
}

/// What a command prints.
///
/// # Errors
/// It fails; what it printed.
pub fn output(command: Command) -> Result<String, String> {
    let outcome = keep(command)?;
    if outcome.status.success() { Ok(outcome.output) } else { Err(outcome.output) }
}

/// Whether a command can be run and succeeds; it prints nothing.
pub fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = command(program, arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}
