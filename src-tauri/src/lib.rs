//! The shell: opens the window, starts the phone behind it, carries commands down and events up.
//! It knows nothing of telephony, and the phone nothing of it.

mod args;
mod desk;
#[cfg(windows)]
mod dialog;
mod instance;
mod ipc;
mod leave;
mod line;
mod links;
mod removal;
mod watch;
mod webview;

pub use args::Args;
pub use ipc::PhoneEvent;

use std::path::PathBuf;
use std::sync::Arc;

use phone::{Code, Config, Event, Phone, Problem, Updates};
use tauri::{App, AppHandle, Manager, RunEvent};
use tauri_specta::Event as _;
use tokio::sync::Notify;
use tokio::sync::broadcast::Receiver;

use crate::desk::Orders;
use crate::line::{Line, Lost};
use crate::links::Links;

/// Opens the window and runs until it is closed, where the phone does not go on in the tray, or the process is told
/// to end. The phone is stopped before this returns or the process exits. Where it does not start, the window says
/// why. Where one runs already on the same settings, that one gets the link and comes to the front, and this process
/// ends.
///
/// # Errors
/// There is no webview.
pub fn run(args: Args) -> tauri::Result<()> {
    let data_dir = args.data_dir.clone().or_else(phone::default_data_dir);
    if let Some(how) = args.remove_data {
        removal::remove_data(how, data_dir.as_deref());
        return Ok(());
    }
    // Asked before anything begins: Tauri itself would say so and go on without a window.
    #[cfg(windows)]
    tauri::webview_version().map_err(|error| std::io::Error::other(error.to_string()))?;
    let (orders, given) = Orders::new();
    let (links, opened) = Links::new(orders.clone());
    let ipc = ipc::ipc();
    let builder = match data_dir.as_deref().and_then(|dir| instance::only_one(dir, links.clone())) {
        Some(only_one) => tauri::Builder::default().plugin(only_one),
        None => tauri::Builder::default(),
    };
    let app = builder
        .plugin(tauri_plugin_deep_link::init())
        .plugin(webview::stay_home())
        .invoke_handler(ipc.invoke_handler())
        .manage(desk::Memory::new(data_dir.as_deref()))
        .manage(desk::Shown::default())
        .manage(orders.clone())
        .setup(move |app| match args.hidden {
            true => Ok(()),
            false => Ok(desk::create(app.handle()).map(drop)?),
        })
        .build(tauri::generate_context!())?;
    // A second start has ended by now: only the first may touch the settings, be watched and register.
    app.manage(watch::Watch::start(&args));
    let phone = start(&args, data_dir);
    if let Ok(phone) = &phone {
        tauri::async_runtime::spawn(leave::end_with(phone.died()));
    }
    let events = phone.as_ref().ok().map(|phone| (phone.subscribe(), phone.subscribe()));
    app.manage(Line::new(phone));
    ipc.mount_events(&app);
    let (handle, ready) = (app.handle().clone(), Arc::new(Notify::new()));
    match events {
        Some((events, followed)) => {
            tell_window(&app, events);
            let (hidden, data_dir) = (args.hidden, args.data_dir.clone());
            let restarted = args.restarts.any();
            let options = desk::Options { hidden, restarted, data_dir, ready: Arc::clone(&ready) };
            tauri::async_runtime::spawn(desk::run(handle, followed, (orders.clone(), given), options));
        }
        None => {
            if args.hidden {
                orders.send(desk::Order::Open);
            }
            tauri::async_runtime::spawn(desk::run_without_phone(handle, given));
        }
    }
    if args.open_links {
        links::take(app.handle());
    }
    opened.deliver(app.handle());
    if let Some(link) = args.link {
        links.open(link);
    }
    leave::on_signal(app.handle());
    #[cfg(all(unix, debug_assertions))]
    leave::crash_on_signal(app.handle());
    app.run(move |app, event| match event {
        // With a code `leave` has done its work. Without one the last window is gone, which is no end, or the
        // system wants one.
        RunEvent::ExitRequested { code: None, api, .. } => {
            api.prevent_exit();
            if has_windows(app) {
                leave::leave(app);
            }
        }
        RunEvent::Exit => app.state::<watch::Watch>().farewell(),
        RunEvent::Ready => ready.notify_one(),
        RunEvent::WindowEvent { label, event, .. } => orders.window(&label, &event),
        // Here links come so, and not as arguments.
        #[cfg(target_os = "macos")]
        RunEvent::Opened { urls } => {
            urls.iter().for_each(|url| links.open(url.as_str().into()));
            orders.send(desk::Order::Open);
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
            "Microsoft Edge WebView2 is missing, which shows this program's window. It is free: install the Evergreen \
             Bootstrapper from https://developer.microsoft.com/microsoft-edge/webview2/ or ask your administrator.",
        );
    }
}

fn has_windows(app: &AppHandle) -> bool {
    !app.webview_windows().is_empty()
}

fn start(args: &Args, data_dir: Option<PathBuf>) -> Result<Phone, Problem> {
    let data_dir =
        data_dir.ok_or_else(|| Problem::new(Code::SettingsFailed, "there is no home directory"))?;
    let mut config = Config::new(data_dir);
    config.obey_machine();
    config.updates = Updates::of_brand();
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
