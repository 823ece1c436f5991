//! The main window: opened as it was left, hidden, and given back when nobody looks at it.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};
use tauri::{
    AppHandle, Manager, PhysicalPosition, PhysicalSize, WebviewWindow, WebviewWindowBuilder, WindowEvent,
};

use super::model::MainWindow;
use super::place::{self, Area};
use super::small::screens;

/// Its name in the shell.
pub const MAIN: &str = "main";
/// What it was like when it was last seen, in the directory of the settings.
const FILE: &str = "window.json";

/// How the window was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Left {
    area: Area,
    maximised: bool,
}

/// Where that is kept.
#[derive(Debug, Clone)]
pub struct Memory(Option<PathBuf>);

impl Memory {
    /// In this directory; without one nothing is kept.
    pub fn new(dir: Option<&Path>) -> Self {
        Self(dir.map(|dir| dir.join(FILE)))
    }

    fn read(&self) -> Option<Left> {
        serde_json::from_slice(&fs::read(self.0.as_ref()?).ok()?).ok()
    }

    fn write(&self, left: Left) -> io::Result<()> {
        let Some(file) = &self.0 else { return Ok(()) };
        let beside = file.with_extension("json.new");
        fs::write(&beside, serde_json::to_vec(&left)?)?;
        fs::rename(&beside, file)
    }
}

/// Brings the main window before the user, wherever it is; opens it anew where it was given back.
pub fn open(app: &AppHandle) {
    let shown = match app.get_webview_window(MAIN) {
        Some(window) => window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus()),
        None => create(app).and_then(|window| window.set_focus()),
    };
    if let Err(error) = shown {
        tracing::warn!(%error, "the window does not come to the front");
    }
}

/// Opens the main window as it was left.
///
/// # Errors
/// There is no webview.
pub fn create(app: &AppHandle) -> tauri::Result<WebviewWindow> {
    let config = app.config().app.windows.iter().find(|window| window.label == MAIN);
    let config = config.ok_or(tauri::Error::WindowNotFound)?;
    let left = app.state::<Memory>().read();
    let builder = WebviewWindowBuilder::from_config(app, config)?;
    // Where it stands is known only once the screens are: it is shown when it is there.
    let window = builder.visible(left.is_none()).build()?;
    if let Some(left) = left {
        restore(&window, left)?;
        window.show()?;
    }
    Ok(window)
}

fn restore(window: &WebviewWindow, Left { area, maximised }: Left) -> tauri::Result<()> {
    let size = (u32::try_from(area.width), u32::try_from(area.height));
    if let (true, (Ok(width), Ok(height))) = (place::is_found(&area, &screens(window)), size) {
        window.set_size(PhysicalSize { width, height })?;
        window.set_position(PhysicalPosition { x: area.x, y: area.y })?;
    }
    if maximised { window.maximize() } else { Ok(()) }
}

/// Hides it. The phone does not notice.
pub fn hide(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(MAIN) {
        remember(&window);
        let _ = window.hide().inspect_err(|error| tracing::warn!(%error, "the window cannot be hidden"));
    }
}

/// Closes it for good, with all the memory it has.
pub fn drop_it(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(MAIN) {
        let _ = window.destroy().inspect_err(|error| tracing::warn!(%error, "the window cannot be closed"));
    }
}

/// Gives it the keyboard. A window that was only now asked to show itself takes none yet.
pub fn focus(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(MAIN) {
        let _ = window.set_focus().inspect_err(|error| tracing::debug!(%error, "the window takes no focus"));
    }
}

/// How it stands now.
pub fn look(app: &AppHandle) -> MainWindow {
    let Some(window) = app.get_webview_window(MAIN) else { return MainWindow::Away };
    let away = !window.is_visible().unwrap_or(true) || window.is_minimized().unwrap_or(false);
    match away {
        true => MainWindow::Away,
        false if window.is_focused().unwrap_or(false) => MainWindow::Front,
        false => MainWindow::Open,
    }
}

/// Keeps in mind how it stands, so that it is opened like that.
pub fn remember(window: &WebviewWindow) {
    let (Ok(visible), Ok(minimised)) = (window.is_visible(), window.is_minimized()) else { return };
    if !visible || minimised {
        return;
    }
    let memory = window.state::<Memory>();
    let maximised = window.is_maximized().unwrap_or(false);
    // What it was before it was maximised is what it becomes again.
    let before = memory.read().map(|left| left.area).filter(|_| maximised);
    let Some(area) = before.or_else(|| area(window)) else { return };
    let left = Left { area, maximised };
    if memory.read() == Some(left) {
        return;
    }
    if let Err(error) = memory.write(left) {
        tracing::warn!(%error, "how the window stood is not kept");
    }
}

fn area(window: &WebviewWindow) -> Option<Area> {
    let (at, size) = (window.outer_position().ok()?, window.inner_size().ok()?);
    let (width, height) = (i32::try_from(size.width).ok()?, i32::try_from(size.height).ok()?);
    Some(Area { x: at.x, y: at.y, width, height })
}

/// Whether an event may have changed how it stands.
pub fn moves(event: &WindowEvent) -> bool {
    matches!(
        event,
        WindowEvent::Resized(_) | WindowEvent::Moved(_) | WindowEvent::Focused(_) | WindowEvent::Destroyed
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_read_and_nonsense_is_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let memory = Memory::new(Some(dir.path()));
        assert_eq!(memory.read(), None);
        let left = Left { area: Area { x: -5, y: 7, width: 800, height: 600 }, maximised: true };
        memory.write(left).unwrap();
        assert_eq!(memory.read(), Some(left));
        fs::write(dir.path().join(FILE), "{").unwrap();
        assert_eq!(memory.read(), None);
    }
}
