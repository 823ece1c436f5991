//! The shell: opens the window, starts the phone behind it, carries commands down and events up.
//! It knows nothing of telephony, and the phone nothing of it.

mod args;
mod ipc;
mod leave;
mod line;
mod webview;

pub use args::Args;
pub use ipc::PhoneEvent;

use phone::{Code, Config, Event, Phone, Problem};
use tauri::{App, RunEvent};
use tauri_specta::Event as _;
use tokio::sync::broadcast::Receiver;

use crate::line::{Line, Lost};

/// Opens the window and runs until it is closed or the process is told to end. The phone is stopped
/// before this returns or the process exits. Where it does not start, the window says why.
///
/// # Errors
/// There is no webview.
pub fn run(args: Args) -> tauri::Result<()> {
    let phone = start(args);
    let events = phone.as_ref().ok().map(Phone::subscribe);
    let ipc = ipc::ipc();
    let app = tauri::Builder::default()
        .manage(Line::new(phone))
        .invoke_handler(ipc.invoke_handler())
        .plugin(webview::stay_home())
        .setup(|app| Ok(webview::reload_after_crash(app)?))
        .build(tauri::generate_context!())?;
    ipc.mount_events(&app);
    if let Some(events) = events {
        tell_window(&app, events);
    }
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

fn start(args: Args) -> Result<Phone, Problem> {
    let data_dir = args
        .data_dir
        .or_else(phone::default_data_dir)
        .ok_or_else(|| Problem::new(Code::SettingsFailed, "there is no home directory"))?;
    let config =
        Config { suggested_domain: args.domain, suggested_server: args.server, ..Config::new(data_dir) };
    // On the runtime, because the phone lives there.
    tauri::async_runtime::block_on(async { Phone::start(config) })
        .inspect_err(|problem| tracing::error!(?problem, "the phone does not start"))
}

fn tell_window(app: &App, events: Receiver<Event>) {
    let handle = app.handle().clone();
    tauri::async_runtime::spawn(line::forward(events, move |news| {
        let told = match news {
            Ok(event) => PhoneEvent(event).emit(&handle),
            Err(Lost) => webview::reload(&handle),
        };
        if let Err(error) = told {
            tracing::warn!(%error, "the window was not told");
        }
    }));
}
