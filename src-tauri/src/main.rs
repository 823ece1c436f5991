//! The window around the phone.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

#[cfg(windows)]
mod console;

use std::backtrace::Backtrace;
use std::io::{self, IsTerminal};
use std::panic;
use std::process::ExitCode;
use std::sync::Mutex;

use carillon_shell::Args;
use phone::{CrashReport, LogFile};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

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
    let level = phone::machine_log_level();
    let usual = level.as_deref().unwrap_or(LOG);
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let filter = NO_SECRETS.parse().into_iter().fold(filter, EnvFilter::add_directive);
    let colour = io::stderr().is_terminal();
    let screen = fmt::layer().with_writer(io::stderr).with_ansi(colour);
    let data_dir = args.data_dir.clone().or_else(phone::default_data_dir);
    // What is about to be deleted is not begun anew.
    let data_dir = data_dir.filter(|_| args.remove_data.is_none());
    let log = data_dir.as_deref().and_then(|dir| LogFile::open(dir).ok());
    let disk = log.map(|log| fmt::layer().with_writer(Mutex::new(log)).with_ansi(false));
    tracing_subscriber::registry().with(filter).with(screen).with(disk).init();
    // What a crash leaves is read by people: where, and through what it came there.
    let crashes = data_dir.clone();
    panic::set_hook(Box::new(move |info| {
        let backtrace = Backtrace::force_capture();
        tracing::error!(%info, %backtrace, "crash");
        if let Some(dir) = &crashes {
            let _ = CrashReport::of_a_panic(dir, info, &backtrace);
        }
    }));
    let Some(args) = args.after_a_crash(data_dir.as_deref()) else {
        tracing::error!("the phone has crashed too often to be started again");
        return ExitCode::FAILURE;
    };
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
