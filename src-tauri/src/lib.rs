//! The shell: opens the window, starts the phone behind it, carries commands down and events up.
//! It knows nothing of telephony, and the phone nothing of it.

mod args;
#[cfg(windows)]
mod dialog;
mod instance;
mod ipc;
mod leave;
mod line;
mod links;
mod removal;
mod webview;

pub use args::Args;
pub use ipc::PhoneEvent;

use std::path::PathBuf;

use phone::{Code, Config, Event, Phone, Problem};
use tauri::{App, Manager, RunEvent};
use tauri_specta::Event as _;
use tokio::sync::broadcast::Receiver;

use crate::line::{Line, Lost};
use crate::links::Links;

/// Opens the window and runs until it is closed or the process is told to end. The phone is stopped
/// before this returns or the process exits. Where it does not start, the window says why. Where one runs
/// already on the same settings, that one gets the link and comes to the front, and this process ends.
///
/// # Errors
/// There is no webview.
pub fn run(args: Args) -> tauri::Result<()> {
    let data_dir = args.data_dir.clone().or_else(phone::default_data_dir);
    if let Some(how) = args.remove_data {
        removal::remove_data(how, data_dir.as_deref());
        return Ok(());
    }
    let (links, opened) = Links::new();
    let ipc = ipc::ipc();
    let builder = match data_dir.as_deref().and_then(|dir| instance::only_one(dir, links.clone())) {
        Some(only_one) => tauri::Builder::default().plugin(only_one),
        None => tauri::Builder::default(),
    };
    let app = builder
        .plugin(tauri_plugin_deep_link::init())
        .plugin(webview::stay_home())
        .invoke_handler(ipc.invoke_handler())
        .setup(|app| Ok(webview::reload_after_crash(app)?))
        .build(tauri::generate_context!())?;
    // A second start has ended by now: only the first may touch the settings and register.
    let phone = start(&args, data_dir);
    let events = phone.as_ref().ok().map(Phone::subscribe);
    app.manage(Line::new(phone));
    ipc.mount_events(&app);
    if let Some(events) = events {
        tell_window(&app, events);
    }
    if args.open_links {
        links::take(app.handle());
    }
    opened.deliver(app.handle());
    if let Some(link) = args.link {
        links.open(link);
    }
    leave::on_signal(app.handle());
    app.run(move |app, event| match event {
        // Without a code the last window was closed; with one `leave` has done its work.
        RunEvent::ExitRequested { code: None, api, .. } => {
            api.prevent_exit();
            leave::leave(app);
        }
        // Here links come so, and not as arguments.
        #[cfg(target_os = "macos")]
        RunEvent::Opened { urls } => {
            urls.iter().for_each(|url| links.open(url.as_str().into()));
            webview::to_front(app);
        }
        _ => {}
    });
    Ok(())
}

/// Tells who started the program why there is no window, where nobody reads what it logs.
pub fn explain(error: &tauri::Error) {
    tracing::error!(%error, "the window cannot be opened");
    #[cfg(windows)]
    if tauri::webview_version().is_err() {
        dialog::tell(
            "Microsoft Edge WebView2 is missing, which shows this program's window. It is free: look for \"WebView2 \
             Runtime\" on microsoft.com and install the Evergreen Bootstrapper, or ask your administrator.",
        );
    }
}

fn start(args: &Args, data_dir: Option<PathBuf>) -> Result<Phone, Problem> {
    let data_dir =
        data_dir.ok_or_else(|| Problem::new(Code::SettingsFailed, "there is no home directory"))?;
    let mut config = Config::new(data_dir);
    config.suggest(&args.domain, &args.server);
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
