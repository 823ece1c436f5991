//! What crosses between the UI and the phone: two commands and one event; beside them what the desktop lets it do.

use phone::{Code, Command, Event, Picture, Problem};
use serde::Serialize;
use specta::Type;
use tauri::{Runtime, State};
use tauri_specta::{Builder, ErrorHandlingMode, collect_commands, collect_events};

use crate::desk::{DesktopView, Order, Orders, Shown};
use crate::line::Line;

/// One [`Event`] of the phone, as the UI gets it.
#[derive(Debug, Clone, Serialize, Type, tauri_specta::Event)]
pub struct PhoneEvent(pub Event);

/// Asks the phone for something. What comes of it arrives as a [`PhoneEvent`].
///
/// # Errors
/// Only where there is no phone to ask: why it did not start, or [`Code::NotNow`] once it stops.
#[tauri::command]
#[specta::specta]
pub async fn send(line: State<'_, Line>, command: Command) -> Result<(), Code> {
    line.send(command).await.map_err(|problem| problem.code)
}

/// The whole state of the phone, for a UI that starts or comes back. Listen first, then ask: events
/// that come between the two carry nothing the picture lacks.
///
/// # Errors
/// Why there is no phone.
#[tauri::command]
#[specta::specta]
pub async fn picture(line: State<'_, Line>) -> Result<Picture, Problem> {
    line.picture().await
}

/// Brings the main window to the front, from one of the small ones.
#[tauri::command]
#[specta::specta]
pub fn open_main(orders: State<'_, Orders>) {
    orders.send(Order::Open);
}

/// What the desktop lets the phone do; changes arrive as a [`DesktopView`].
#[tauri::command]
#[specta::specta]
pub fn desktop(shown: State<'_, Shown>) -> DesktopView {
    shown.view()
}

/// Commands and events, both for the running shell and for the generated bindings.
pub fn ipc<R: Runtime>() -> Builder<R> {
    Builder::new()
        .commands(collect_commands![send, picture, open_main, desktop])
        .events(collect_events![PhoneEvent, DesktopView])
        .error_handling(ErrorHandlingMode::Throw)
        // Nothing goes over the line in one shape and comes back in another.
        .disable_serde_phases()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::{env, fs};

    use specta_typescript::Typescript;

    use super::*;

    /// `UPDATE_BINDINGS=1 cargo test -p carillon bindings` writes the file anew.
    #[test]
    fn the_bindings_of_the_ui_are_up_to_date() {
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/src/backend/bindings.ts");
        let dir = tempfile::tempdir().unwrap();
        let fresh = dir.path().join("bindings.ts");
        ipc::<tauri::Wry>().export(Typescript::default(), &fresh).unwrap();
        let fresh = fs::read_to_string(fresh).unwrap();
        if env::var_os("UPDATE_BINDINGS").is_some() {
            fs::create_dir_all(committed.parent().unwrap()).unwrap();
            fs::write(&committed, &fresh).unwrap();
        }
        let stands = fs::read_to_string(&committed).unwrap().replace("\r\n", "\n");
        assert!(stands == fresh, "ui/src/backend/bindings.ts is stale: run the test with UPDATE_BINDINGS=1");
    }
}
