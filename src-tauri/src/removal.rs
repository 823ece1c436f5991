//! The phone is being removed from the machine: what is to become of the user's settings and calls?

use std::path::Path;

use crate::args::RemoveData;

/// Deletes what the user had in the phone, where they want that. The removal goes on whatever comes of it.
pub fn remove_data(how: RemoveData, data_dir: Option<&Path>) {
    let Some(data_dir) = data_dir.filter(|dir| dir.exists()) else { return };
    if how == RemoveData::Ask && !agreed() {
        return;
    }
    // The runtime, because the keychain is asked beside it.
    if let Err(problem) = tauri::async_runtime::block_on(phone::remove_data(data_dir)) {
        tracing::warn!(?problem, "the user's settings could not be deleted");
    }
}

/// Asks the user.
#[cfg(windows)]
fn agreed() -> bool {
    crate::dialog::agreed(
        "Delete your accounts, passwords, settings and call list as well? Recordings stay where they are.",
    )
}

/// Elsewhere packages do not ask, and so nothing is deleted.
#[cfg(not(windows))]
fn agreed() -> bool {
    false
}
