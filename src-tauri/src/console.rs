//! On Windows the command line lies in the program with the window: `PROGRAM-cli.exe` starts it with one word before
//! the user's own.

use std::env;
use std::ffi::OsString;

/// The word by which the program is to be the command line.
const WORD: &str = "cli";

/// The words of the command line, where that is what was asked for.
pub fn words() -> Option<Vec<OsString>> {
    let mut words = env::args_os();
    let program = words.next()?;
    words.next().filter(|word| word == WORD)?;
    attach();
    Some([program].into_iter().chain(words).collect())
}

/// Joins the console of who started it, so that Ctrl+C is heard and output is seen. Without one it goes where the
/// handles lead that were passed on.
#[allow(unsafe_code)]
fn attach() {
    use windows_sys::Win32::System::Console::{ATTACH_PARENT_PROCESS, AttachConsole};
    // SAFETY: it takes a number and touches no memory of ours.
    unsafe { AttachConsole(ATTACH_PARENT_PROCESS) };
}
