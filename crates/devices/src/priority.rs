//! Voice goes before other work of a busy machine.

/// Asks the system to let the calling thread run before others. What it refuses is no reason to fail: the thread goes
/// on as it is. Never blocks on anybody.
///
/// On Linux the thread's niceness becomes -11, by itself where the user may do that, by RealtimeKit on the desktops
/// that have it. Not real-time scheduling: there a slip of ours would be the end of the process.
pub fn prefer_this_thread() {
    system::prefer();
}

#[cfg(target_os = "linux")]
mod system {
    use std::thread;

    use rustix::process::{Pid, getpid, setpriority_process};
    use rustix::thread::gettid;
    use zbus::blocking::Connection;

    /// What sound servers of desktops run at.
    const NICENESS: i32 = -11;

    pub fn prefer() {
        let own = gettid();
        if setpriority_process(Some(own), NICENESS).is_ok() {
            return;
        }
        let ask = move || {
            if let Err(error) = ask(number(getpid()), number(own)) {
                tracing::info!(%error, "voice has no preference over other programs");
            }
        };
        if let Err(error) = thread::Builder::new().name("voice-priority".into()).spawn(ask) {
            tracing::info!(%error, "voice has no preference over other programs");
        }
    }

    fn number(id: Pid) -> u64 {
        id.as_raw_nonzero().get().unsigned_abs().into()
    }

    /// RealtimeKit's `MakeThreadHighPriorityWithPID`.
    fn ask(process: u64, thread: u64) -> zbus::Result<()> {
        let name = "org.freedesktop.RealtimeKit1";
        let body = (process, thread, NICENESS);
        Connection::system()?
            .call_method(
                Some(name),
                "/org/freedesktop/RealtimeKit1",
                Some(name),
                "MakeThreadHighPriorityWithPID",
                &body,
            )
            .map(drop)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use thread_priority::{ThreadPriority, set_current_thread_priority};

    pub fn prefer() {
        if let Err(error) = set_current_thread_priority(ThreadPriority::Max) {
            tracing::info!(?error, "voice has no preference over other programs");
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    use std::thread;

    use rustix::process::{geteuid, getpriority_process};
    use rustix::thread::gettid;

    #[test]
    fn only_the_thread_that_asks_is_preferred() {
        let before = getpriority_process(None).unwrap();
        let preferred = thread::spawn(|| {
            prefer_this_thread();
            getpriority_process(Some(gettid())).unwrap()
        });
        let preferred = preferred.join().unwrap();
        // Who may not do that by itself has it asked for, later.
        assert!(preferred == -11 || (!geteuid().is_root() && preferred == before), "{preferred}");
        assert_eq!(getpriority_process(Some(gettid())).unwrap(), before);
    }
}
