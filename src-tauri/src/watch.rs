//! A phone that crashes is started again: by a small companion, or on Windows by the system.
//!
//! The companion reads what the phone says through a pipe. A pipe that ends without a farewell is a crash, whatever
//! the cause: a panic, an abort, a signal. It is a few lines of shell: this program itself, with nothing running in it,
//! would take twenty times the memory.

mod history;

#[cfg(unix)]
use std::io;
#[cfg(unix)]
use std::process::ChildStdin;
use std::sync::{Mutex, PoisonError};

pub use history::{Restarts, unix_now};

use crate::Args;

/// The companion: what it is given is whether the window is hidden, the program and its words. Between the crash and
/// the new start whoever ends the whole session ends the companion, too, and the former phone's name on the bus and its
/// ports become free.
#[cfg(unix)]
const COMPANION: &str = "\
hidden=$1
shift
while read -r word; do
  case $word in
    farewell) exit 0 ;;
    shown) hidden= ;;
    hidden) hidden=--hidden ;;
  esac
done
sleep 1
exec \"$@\" $hidden </dev/null
";

/// The way to the companion, where there is one.
#[derive(Debug, Default)]
pub struct Watch {
    #[cfg(unix)]
    pipe: Mutex<Option<ChildStdin>>,
    shown: Mutex<Option<bool>>,
}

impl Watch {
    /// Has the phone watched that was started so. Without a companion it lives as before.
    pub fn start(args: &Args) -> Self {
        #[cfg(unix)]
        {
            // Who drives the phone by itself ends it as it likes.
            let driven = std::env::var_os("TAURI_WEBVIEW_AUTOMATION").is_some();
            let pipe = (!driven).then(|| companion(args)).transpose();
            let pipe = pipe
                .inspect_err(|error| tracing::warn!(%error, "nobody starts the phone again should it crash"));
            Self { pipe: Mutex::new(pipe.ok().flatten()), shown: Mutex::new(None) }
        }
        #[cfg(windows)]
        {
            register(args);
            Self::default()
        }
        #[cfg(not(any(unix, windows)))]
        {
            let _ = args;
            Self::default()
        }
    }

    /// Whether the main window is there has to be known when the phone comes back.
    pub fn shown(&self, shown: bool) {
        let mut known = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if known.replace(shown) != Some(shown) {
            #[cfg(unix)]
            self.say(if shown { "shown\n" } else { "hidden\n" });
        }
    }

    /// The phone ends on purpose.
    pub fn farewell(&self) {
        #[cfg(unix)]
        self.say("farewell\n");
        #[cfg(windows)]
        unregister();
    }

    #[cfg(unix)]
    fn say(&self, word: &str) {
        use std::io::Write;
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = pipe.as_mut()
            && let Err(error) = open.write_all(word.as_bytes())
        {
            tracing::debug!(%error, "the companion has gone");
            *pipe = None;
        }
    }
}

/// Starts the companion; what is said into the pipe, it hears.
#[cfg(unix)]
fn companion(args: &Args) -> io::Result<ChildStdin> {
    use std::process::{Command, Stdio};

    let mut command = Command::new("/bin/sh");
    command.args(["-c", COMPANION, "companion", if args.hidden { "--hidden" } else { "" }]);
    command.arg(std::env::current_exe()?).args(args.again(false));
    let mut child = command.stdin(Stdio::piped()).spawn()?;
    child.stdin.take().ok_or_else(|| io::ErrorKind::BrokenPipe.into())
}

/// Has the system start the phone again after a crash (the system itself sees to it that this is no loop: only who has
/// run for a minute comes back).
#[cfg(windows)]
#[allow(unsafe_code)]
fn register(args: &Args) {
    use windows_sys::Win32::System::Recovery::{
        RESTART_NO_HANG, RESTART_NO_PATCH, RESTART_NO_REBOOT, RegisterApplicationRestart,
    };
    let words = args.again(args.hidden);
    let line: Vec<String> = words.iter().map(|word| format!("\"{}\"", word.to_string_lossy())).collect();
    let wide: Vec<u16> = line.join(" ").encode_utf16().chain([0]).collect();
    let flags = RESTART_NO_HANG | RESTART_NO_PATCH | RESTART_NO_REBOOT;
    // SAFETY: the text ends with a zero and lives until it returns.
    let done = unsafe { RegisterApplicationRestart(wide.as_ptr(), flags) };
    if done != 0 {
        tracing::warn!(done, "the system does not start the phone again should it crash");
    }
}

#[cfg(windows)]
#[allow(unsafe_code)]
fn unregister() {
    // SAFETY: it takes nothing.
    unsafe { windows_sys::Win32::System::Recovery::UnregisterApplicationRestart() };
}
