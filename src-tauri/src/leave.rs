//! The way out: the phone un-registers first, whether the window is closed or the process told to end.

use std::io;

use tauri::{AppHandle, Manager};

use crate::line::Line;

/// Stops the phone, then ends the process. Returns at once; asked twice, the work is done once.
pub fn leave(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        app.state::<Line>().stop().await;
        app.exit(0);
    });
}

/// Leaves when the process is told to end, as at log-out or by Ctrl+C.
pub fn on_signal(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        match told_to_end().await {
            Ok(()) => leave(&app),
            Err(error) => tracing::warn!(%error, "cannot hear when to end"),
        }
    });
}

/// A window before a dead phone would look as if somebody could still call: the program ends as by any other crash,
/// and is started again.
pub async fn end_with(died: impl Future<Output = ()>) {
    died.await;
    tracing::error!("the phone has died; so does the program");
    std::process::abort();
}

/// Panics when told to by a signal, in builds for tests, itself or the phone behind it: that it comes back after
/// either has to be tried.
#[cfg(all(unix, debug_assertions))]
#[allow(clippy::panic)]
pub fn crash_on_signal(app: &AppHandle) {
    use tokio::signal::unix::{SignalKind, signal};

    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let (own, phones) = (signal(SignalKind::user_defined2()), signal(SignalKind::alarm()));
        let (Ok(mut own), Ok(mut phones)) = (own, phones) else { return };
        tokio::select! {
            _ = own.recv() => {
                let _ = app.run_on_main_thread(|| panic!("told to"));
            }
            _ = phones.recv() => app.state::<Line>().crash().await,
        }
    });
}

#[cfg(unix)]
async fn told_to_end() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

#[cfg(not(unix))]
async fn told_to_end() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
