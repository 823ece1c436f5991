//! `carillon-cli`, where it is a program of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    carillon_cli::command_line(std::env::args_os())
}
