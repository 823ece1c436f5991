//! The shell: opens the window, starts the phone behind it, carries commands down and events up.
//! It knows nothing of telephony, and the phone nothing of it.

mod args;
mod ipc;
mod leave;
mod line;
mod webview;

pub use args::Args;
pub use ipc::PhoneEvent;

use phone::Config;
use tauri::{App, Manager, RunEvent};
use tauri_specta::Event;

use crate::line::{Line, Lost, Starting};

/// Opens the window and runs until it is closed or the process is told to end. The phone is stopped
/// before this returns or the process exits.
///
/// # Errors
/// The webview or the directory for the user's data cannot be had.
pub fn run(args: Args) -> tauri::Result<()> {
    let ipc = ipc::ipc();
    let (line, starting) = Line::new();
    let app = tauri::Builder::default()
        .manage(line)
        .invoke_handler(ipc.invoke_handler())
        .plugin(webview::stay_home())
        .setup(|app| Ok(webview::reload_after_crash(app)?))
        .build(tauri::generate_context!())?;
    ipc.mount_events(&app);
    start_phone(&app, starting, args)?;
    leave::on_signal(app.handle());
    app.run(|app, event| {
        // Without a code the last window was closed; with one `leave` has done its work.
        if let RunEvent::ExitRequested { code: None, api, .. } = event {
            api.prevent_exit();
            leave::leave(app);
        }
    });
    Ok(())
}

fn start_phone(app: &App, starting: Starting, args: Args) -> tauri::Result<()> {
    let data_dir = match args.data_dir {
        Some(dir) => dir,
        None => app.path().app_data_dir()?,
    };
    let config =
        Config { suggested_domain: args.domain, suggested_server: args.server, ..Config::new(data_dir) };
    let handle = app.handle().clone();
    tauri::async_runtime::spawn(starting.start(config, move |news| {
        let told = match news {
            Ok(event) => PhoneEvent(event).emit(&handle),
            Err(Lost) => webview::reload(&handle),
        };
        if let Err(error) = told {
            tracing::warn!(%error, "the window was not told");
        }
    }));
    Ok(())
}
