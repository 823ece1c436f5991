//! `PROGRAM-cli.exe` on Windows. There a program either has a window or a console, and the phone is large: this one has
//! the console, and lets `PROGRAM.exe` beside it do the work.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tokio::process::Command;

/// What this program's name has behind the phone's.
const SUFFIX: &str = "-cli";
/// By which word `PROGRAM.exe` knows that it is to be the command line.
const WORD: &str = "cli";
/// As when the phone cannot be reached.
const NOT_STARTED: u8 = 4;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let started = env::current_exe().and_then(|own| {
        let phone = beside(&own);
        let arguments: Vec<OsString> = env::args_os().skip(1).collect();
        Command::new(&phone)
            .arg(WORD)
            .args(arguments)
            .spawn()
            .map_err(|error| std::io::Error::new(error.kind(), format!("{}: {error}", phone.display())))
    });
    let mut phone = match started {
        Ok(phone) => phone,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(NOT_STARTED);
        }
    };
    loop {
        tokio::select! {
            ended = phone.wait() => {
                let code = ended.ok().and_then(|status| status.code()).and_then(|code| u8::try_from(code).ok());
                return ExitCode::from(code.unwrap_or(u8::MAX));
            }
            // The phone gets it too, and hangs up before it ends.
            Ok(()) = tokio::signal::ctrl_c() => {}
        }
    }
}

/// The phone beside a command line of this path.
fn beside(own: &Path) -> PathBuf {
    let name = own.file_stem().unwrap_or_default().to_string_lossy();
    let phone = name.strip_suffix(SUFFIX).unwrap_or(&name);
    own.with_file_name(format!("{phone}{}", env::consts::EXE_SUFFIX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phone_lies_beside_under_its_own_name() {
        let exe = env::consts::EXE_SUFFIX;
        let own = Path::new("/opt/phone").join(format!("harbour-voice-cli{exe}"));
        assert_eq!(beside(&own), Path::new("/opt/phone").join(format!("harbour-voice{exe}")));
    }
}
