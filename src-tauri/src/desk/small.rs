//! The small windows of a call: one while it rings, one while it goes on without the main window. They stand at the
//! screen's corner above all others, and none takes the keyboard from what the user does.

use tauri::{AppHandle, Manager, Monitor, WebviewUrl, WebviewWindow, WebviewWindowBuilder, Wry};

use super::main_window::MAIN;
use super::place::{self, Area, Screen};

/// One of the small windows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Small {
    /// Its name in the shell, and what the UI draws in it.
    pub label: &'static str,
    /// Logical size.
    size: (f64, f64),
    /// Logical height of what stands below it.
    above: f64,
}

/// A call rings.
pub const INCOMING: Small = Small { label: "incoming", size: (360.0, 140.0), above: 0.0 };
/// A call goes on.
pub const COMPACT: Small = Small { label: "compact", size: (360.0, 124.0), above: 0.0 };

impl Small {
    /// The same, above another one.
    pub fn above(self, other: Self) -> Self {
        Self { above: other.size.1, ..self }
    }

    /// Opens or closes it.
    pub fn show(self, app: &AppHandle, wanted: bool) {
        let done = match (app.get_webview_window(self.label), wanted) {
            (None, true) => self.open(app),
            (Some(window), false) => window.destroy(),
            _ => Ok(()),
        };
        if let Err(error) = done {
            tracing::warn!(%error, window = self.label, "a small window does not open or close");
        }
    }

    fn open(self, app: &AppHandle) -> tauri::Result<()> {
        let at = screen(app).map(|screen| {
            let (x, y) = place::corner(&screen, self.size, self.above);
            (f64::from(x) / screen.scale, f64::from(y) / screen.scale)
        });
        match self.open_beside_main(app, at) {
            Some(opened) => opened,
            None => self.builder(app, at).build().map(drop),
        }
    }

    /// Opens it in the web process of the main window, where there is one: to start another takes longer than callers
    /// and users should wait, and memory. All on the main thread: nothing of the new window happens meanwhile.
    #[cfg(target_os = "linux")]
    fn open_beside_main(self, app: &AppHandle, at: Option<(f64, f64)>) -> Option<tauri::Result<()>> {
        let (opened, waits) = std::sync::mpsc::channel();
        let here = app.clone();
        let open = move |builder: WebviewWindowBuilder<'_, Wry, AppHandle>| {
            // Whoever asked waits for it.
            let _ = opened.send(builder.build().and_then(|window| takes_keys_later(&window)));
        };
        match app.get_webview_window(MAIN) {
            Some(main) => main.with_webview(move |main| {
                open(self.builder(&here, at).with_related_view(main.inner()));
            }),
            None => app.run_on_main_thread(move || open(self.builder(&here, at))),
        }
        .ok()?;
        // Nothing comes from a main window that is gone meanwhile.
        waits.recv().ok()
    }

    /// Elsewhere the system's webview has one process for all windows.
    #[cfg(not(target_os = "linux"))]
    fn open_beside_main(self, _app: &AppHandle, _at: Option<(f64, f64)>) -> Option<tauri::Result<()>> {
        None
    }

    fn builder(self, app: &AppHandle, at: Option<(f64, f64)>) -> WebviewWindowBuilder<'_, Wry, AppHandle> {
        let (width, height) = self.size;
        let builder = WebviewWindowBuilder::new(app, self.label, WebviewUrl::App("index.html".into()))
            .title(brand::BRAND.name)
            .inner_size(width, height)
            .min_inner_size(width, height)
            .max_inner_size(width, height)
            // GTK makes no window that cannot be resized lower than 200; the bounds keep its size, too.
            .resizable(cfg!(target_os = "linux"))
            .maximizable(false)
            .minimizable(false)
            .decorations(false)
            .always_on_top(true)
            .visible_on_all_workspaces(true)
            .skip_taskbar(true)
            .focused(false)
            // On Linux it may be later.
            .focusable(!cfg!(target_os = "linux"));
        match at {
            Some((x, y)) => builder.position(x, y),
            None => builder,
        }
    }
}

/// How long after it mapped a window a window manager offers it the keyboard at most.
#[cfg(target_os = "linux")]
const OFFERS_WITHIN: std::time::Duration = std::time::Duration::from_secs(1);

/// A new window that takes no keyboard may have it later, when the user goes there. Window managers offer it to every
/// new window, however late they come to it: until they have, it is refused.
#[cfg(target_os = "linux")]
fn takes_keys_later(window: &WebviewWindow) -> tauri::Result<()> {
    use gtk::glib::{Propagation, timeout_add_local_once};
    use gtk::prelude::{GtkWindowExt, ObjectExt, WidgetExtManual};

    window.gtk_window()?.connect_map_event(|window, _| {
        let window = window.downgrade();
        timeout_add_local_once(OFFERS_WITHIN, move || {
            if let Some(window) = window.upgrade() {
                window.set_accept_focus(true);
            }
        });
        Propagation::Proceed
    });
    Ok(())
}

/// The screen the user looks at: the one with the pointer, else with the main window, else the first.
fn screen(app: &AppHandle) -> Option<Screen> {
    let pointed = app.cursor_position().ok().and_then(|at| app.monitor_from_point(at.x, at.y).ok().flatten());
    let main = || app.get_webview_window(MAIN).and_then(|main| main.current_monitor().ok().flatten());
    let first = || app.primary_monitor().ok().flatten();
    pointed.or_else(main).or_else(first).as_ref().map(of_monitor)
}

/// All screens, as [`place`] takes them.
pub fn screens(window: &WebviewWindow) -> Vec<Screen> {
    window.available_monitors().unwrap_or_default().iter().map(of_monitor).collect()
}

fn of_monitor(monitor: &Monitor) -> Screen {
    let free = monitor.work_area();
    let length = |pixels: u32| i32::try_from(pixels).unwrap_or(i32::MAX);
    let (width, height) = (length(free.size.width), length(free.size.height));
    Screen {
        free: Area { x: free.position.x, y: free.position.y, width, height },
        scale: monitor.scale_factor(),
    }
}
