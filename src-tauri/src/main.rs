//! The window around the phone.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

#[cfg(windows)]
mod console;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use carillon_shell::Args;
use tracing_subscriber::EnvFilter;

/// What is logged unless `RUST_LOG` says otherwise.
const LOG: &str = "info";
/// The transaction layer below logs whole messages, credentials included, at `info`: never, whatever
/// `RUST_LOG` says.
const NO_SECRETS: &str = "rsipstack=warn";

fn main() -> ExitCode {
    #[cfg(windows)]
    if let Some(words) = console::words() {
        return carillon_cli::command_line(words);
    }
    let args = Args::read();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOG));
    let filter = NO_SECRETS.parse().into_iter().fold(filter, EnvFilter::add_directive);
    let colour = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colour).init();
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::error!("another crypto provider is installed already");
        return ExitCode::FAILURE;
    }
    match carillon_shell::run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            carillon_shell::explain(&error);
            ExitCode::FAILURE
        }
    }
}
