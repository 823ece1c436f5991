//! One phone a directory of settings: a second start hands over what it was given, and ends.

use std::path::{Path, PathBuf};
use std::{fs, path};

use tauri::Wry;
use tauri::plugin::TauriPlugin;

use crate::links::Links;

/// Ends this program while it starts, where one runs already on these settings; that one gets the arguments.
/// Belongs before every other plugin.
///
/// Only Linux can tell phones with settings elsewhere from each other: on other systems each of them stands
/// alone, and nothing is given back.
pub fn only_one(data_dir: &Path, links: Links) -> Option<TauriPlugin<Wry>> {
    let elsewhere = elsewhere(data_dir);
    if elsewhere.is_some() && !cfg!(target_os = "linux") {
        return None;
    }
    let plugin = tauri_plugin_single_instance::Builder::new()
        .callback(move |app, arguments, _| links.second_start(app, arguments));
    Some(match elsewhere {
        Some(data_dir) => plugin.dbus_id(bus_name(&data_dir)).build(),
        None => plugin.build(),
    })
}

/// The directory, where it is not the user's own.
fn elsewhere(data_dir: &Path) -> Option<PathBuf> {
    let asked = real(data_dir);
    let own = phone::default_data_dir().map(|own| real(&own));
    (own.as_deref() != Some(&asked)).then_some(asked)
}

/// The one name of a directory, however it was written.
fn real(dir: &Path) -> PathBuf {
    // Its name is settled only once it is there; where it cannot be made, the phone says why.
    let _ = fs::create_dir_all(dir);
    fs::canonicalize(dir).or_else(|_| path::absolute(dir)).unwrap_or_else(|_| dir.to_owned())
}

/// Name on the session bus of the phone with these settings.
fn bus_name(data_dir: &Path) -> String {
    // FNV-1a, which says the same in every build.
    let hash =
        data_dir.as_os_str().as_encoded_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    format!("{}.at_{hash:016x}", brand::BRAND.identifier)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_directory_has_one_name_however_it_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let plain = dir.path().join("settings");
        let winding = dir.path().join("other/../settings/.");
        fs::create_dir(dir.path().join("other")).unwrap();
        assert_eq!(real(&plain), real(&winding));
        assert!(elsewhere(&plain).is_some());
        let other = dir.path().join("other");
        assert_ne!(bus_name(&real(&plain)), bus_name(&real(&other)));
    }

    #[test]
    fn the_name_is_one_that_a_bus_takes() {
        let name = bus_name(Path::new("/home/someone/with spaces and ü"));
        assert!(name.len() < 200);
        assert!(name.split('.').all(|part| part.starts_with(|c: char| c.is_ascii_alphabetic())));
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.'), "{name}");
    }
}
