//! Where a machine keeps its policy: a file on Linux and macOS, the registry on Windows.

use crate::Reading;

/// Reads this machine's policy. `program` and `product` are the brand's: `carillon`, `Carillon`.
#[cfg(not(windows))]
pub fn of_machine(program: &str, product: &str) -> Reading {
    use std::path::{Path, PathBuf};
    let file: PathBuf = match cfg!(target_os = "macos") {
        true => Path::new("/Library/Application Support").join(product),
        false => Path::new("/etc").join(program),
    };
    crate::read_file(&file.join("policy.toml"))
}

/// Reads this machine's policy out of `HKEY_LOCAL_MACHINE\Software\Policies`. `product` is the brand's: `Carillon`.
#[cfg(windows)]
pub fn of_machine(_program: &str, product: &str) -> Reading {
    let mut reading = Reading::default();
    for (below, locked) in [("", true), ("\\Recommended", false)] {
        let path = format!("Software\\Policies\\{product}{below}");
        // A key that is not there settles nothing.
        let Ok(key) = windows_registry::LOCAL_MACHINE.open(&path) else { continue };
        match key.values() {
            Ok(values) => {
                let found: Vec<_> = values.map(|(name, value)| (name, raw(&value))).collect();
                crate::sort(&mut reading, locked, found);
            }
            Err(error) => {
                reading.faults.push(crate::Fault::Unreadable { place: path, why: error.to_string() });
            }
        }
    }
    reading
}

#[cfg(windows)]
fn raw(value: &windows_registry::Value) -> crate::Raw {
    use crate::Raw;
    use windows_registry::Type;
    match value.ty() {
        Type::U32 => u32::try_from(value.clone()).map_or(Raw::Other, |number| Raw::Number(number.into())),
        Type::String | Type::ExpandString => String::try_from(value.clone()).map_or(Raw::Other, Raw::Text),
        Type::MultiString => Vec::<String>::try_from(value.clone()).map_or(Raw::Other, Raw::List),
        _ => Raw::Other,
    }
}
