//! The programs for Windows x86_64, built where this runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::brand::Edition;
use crate::shell::{cargo, command, keep, show, succeeds, target};
use crate::ui;

/// What they are built for: by Mingw on Linux, by Microsoft's tools on Windows.
pub const TRIPLE: &str = if cfg!(windows) { "x86_64-pc-windows-msvc" } else { "x86_64-pc-windows-gnu" };
/// Mingw's tools, under the names that Cargo and the build scripts of C libraries look for.
const MINGW: &[(&str, &str)] = &[
    ("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER", "x86_64-w64-mingw32-gcc-posix"),
    ("CC_x86_64_pc_windows_gnu", "x86_64-w64-mingw32-gcc-posix"),
    ("CXX_x86_64_pc_windows_gnu", "x86_64-w64-mingw32-g++-posix"),
    ("AR_x86_64_pc_windows_gnu", "x86_64-w64-mingw32-ar"),
];
/// What the window needs beside it; Tauri's build leaves it there.
const LOADER: &str = "WebView2Loader.dll";
/// Libraries that are part of Windows 10, in lower case. `api-ms-win-` stands before those of its own C runtime.
const OF_WINDOWS: &[&str] = &[
    "advapi32",
    "avrt",
    "bcrypt",
    "bcryptprimitives",
    "cfgmgr32",
    "combase",
    "comctl32",
    "crypt32",
    "d3d11",
    "dbghelp",
    "dwmapi",
    "dxgi",
    "gdi32",
    "hid",
    "imm32",
    "iphlpapi",
    "kernel32",
    "ktmw32",
    "mf",
    "mfplat",
    "mfreadwrite",
    "mfuuid",
    "mmdevapi",
    "msvcrt",
    "ncrypt",
    "netapi32",
    "ntdll",
    "ole32",
    "oleaut32",
    "powrprof",
    "propsys",
    "psapi",
    "rpcrt4",
    "secur32",
    "setupapi",
    "shcore",
    "shell32",
    "shlwapi",
    "user32",
    "userenv",
    "uxtheme",
    "version",
    "windowscodecs",
    "winmm",
    "ws2_32",
];

/// How programs are built for a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// As they are shipped.
    Release,
    /// Without optimisation, but otherwise as they are shipped: for tests of the package.
    Trial,
}

/// Builds the programs of a brand and lays what is to be installed into a folder of its own; which.
///
/// # Errors
/// The target cannot be had, something does not build, or wants a library that would not be there.
pub fn build(edition: &Edition, profile: Profile) -> Result<PathBuf, String> {
    add_target()?;
    if let Some(install) = ui::install() {
        show(install)?;
    }
    show(edition.ui())?;
    let mut programs = cargo(&["build", "--profile", profile.name(), "--target", TRIPLE]);
    programs.args(["--package", "carillon", "--package", "launcher"]);
    edition.prepare(&mut programs)?;
    mingw(&mut programs);
    show(programs)?;
    let folder = collect(edition, profile)?;
    let foreign = foreign_libraries(&folder)?;
    if foreign.is_empty() { Ok(folder) } else { Err(format!("Not on every Windows: {}", foreign.join(", "))) }
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Trial => "trial",
        }
    }
}

/// The target's own libraries, fetched by rustup where they are missing.
fn add_target() -> Result<(), String> {
    let libraries = keep(command("rustc", &["--print", "target-libdir", "--target", TRIPLE]))?;
    if Path::new(libraries.output.trim()).is_dir() || succeeds("rustup", &["target", "add", TRIPLE]) {
        return Ok(());
    }
    Err(format!("Rust's library for {TRIPLE} is missing: `rustup target add {TRIPLE}` did not bring it."))
}

fn mingw(command: &mut Command) {
    if !cfg!(windows) {
        command.envs(MINGW.iter().copied());
    }
}

fn collect(edition: &Edition, profile: Profile) -> Result<PathBuf, String> {
    let (built, folder) = (target(TRIPLE).join(profile.name()), built(edition));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let program = &edition.brand.program;
    let files = [
        ("carillon.exe".to_owned(), format!("{program}.exe")),
        ("launcher.exe".to_owned(), format!("{program}-cli.exe")),
        (LOADER.to_owned(), LOADER.to_owned()),
    ];
    for (from, to) in files {
        fs::copy(built.join(&from), folder.join(to)).map_err(|e| format!("{from}: {e}"))?;
    }
    Ok(folder)
}

/// Where what is to be installed was laid.
pub fn built(edition: &Edition) -> PathBuf {
    target("windows").join(&edition.name)
}

/// Programs and libraries in `folder`.
///
/// # Errors
/// It cannot be read.
pub fn programs(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let files = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let files = files.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(files.filter(|file| file.extension().is_some_and(|ext| ext == "exe" || ext == "dll")).collect())
}

/// Libraries that a program in `folder` wants and that neither Windows nor the folder has, each with who wants it.
///
/// # Errors
/// A program cannot be read.
pub fn foreign_libraries(folder: &Path) -> Result<Vec<String>, String> {
    if cfg!(windows) {
        return Ok(Vec::new());
    }
    let files = programs(folder)?;
    let name = |file: &Path| file.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let beside: Vec<String> = files.iter().map(|file| name(file)).collect();
    let mut foreign = Vec::new();
    for file in &files {
        let listed = keep(command("x86_64-w64-mingw32-objdump", &["-p", &file.display().to_string()]))?;
        if !listed.status.success() {
            return Err(listed.output);
        }
        let wanted =
            imports(&listed.output).filter(|library| !is_of_windows(library) && !beside.contains(library));
        foreign.extend(wanted.map(|library| format!("{library} for {}", name(file))));
    }
    Ok(foreign)
}

/// The libraries in what objdump says of a program, in lower case.
fn imports(listing: &str) -> impl Iterator<Item = String> + '_ {
    listing.lines().filter_map(|line| Some(line.trim().strip_prefix("DLL Name:")?.trim().to_lowercase()))
}

fn is_of_windows(library: &str) -> bool {
    library.starts_with("api-ms-win-")
        || library.strip_suffix(".dll").is_some_and(|name| OF_WINDOWS.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_windows_brings_is_found() {
        let listing = "\tDLL Name: KERNEL32.dll\n 1234 10 Sleep\n\tDLL Name: libssp-0.dll\n\tDLL Name: api-ms-win-core-synch-l1-2-0.dll\n";
        let foreign: Vec<_> = imports(listing).filter(|library| !is_of_windows(library)).collect();
        assert_eq!(foreign, ["libssp-0.dll"]);
    }
}
