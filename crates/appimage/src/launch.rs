//! Starting one of the programs inside.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use brand::BRAND;

/// By which word the phone without a window is meant.
const CLI: &str = "cli";
/// What the XDG Base Directory Specification has in the place of an empty `XDG_DATA_DIRS`.
const DATA_DIRS: &str = "/usr/local/share:/usr/share";

/// What to start.
pub struct Start<'a> {
    /// The folder of everything (`APPDIR`).
    pub folder: &'a Path,
    /// The file it came out of.
    pub image: Option<&'a Path>,
    /// As what this program was called.
    pub called: OsString,
    /// What it was given.
    pub arguments: Vec<OsString>,
}

/// Becomes the program that is meant; returns only why not.
pub fn start(start: Start<'_>) -> String {
    let Start { folder, image, called, mut arguments } = start;
    let cli = is_cli(&called, &mut arguments);
    let program = folder.join("usr/bin").join(if cli { BRAND.cli_program } else { BRAND.program });
    let mut command = Command::new(&program);
    command.args(arguments).env("APPDIR", folder).env("ARGV0", &called);
    if let Some(image) = image {
        command.env("APPIMAGE", image);
    }
    if let Ok(here) = env::current_dir() {
        command.env("OWD", here);
    }
    if !cli {
        command.env("XDG_DATA_DIRS", data_dirs(env::var_os("XDG_DATA_DIRS"), folder));
        // The libraries of the window look for what belongs to them from here.
        command.current_dir(folder.join("usr"));
    }
    let error = command.exec();
    format!("{}: {error}", program.display())
}

/// Whether the phone without a window is meant, by the name of a link or by the first word, which then goes.
fn is_cli(called: &OsStr, arguments: &mut Vec<OsString>) -> bool {
    if Path::new(called).file_name().is_some_and(|name| name == BRAND.cli_program) {
        return true;
    }
    let word = arguments.first().is_some_and(|word| word == CLI);
    if word {
        arguments.remove(0);
    }
    word
}

/// The image's own folder behind those of the system, which are newer.
fn data_dirs(set: Option<OsString>, folder: &Path) -> OsString {
    let mut all = set.filter(|set| !set.is_empty()).unwrap_or_else(|| DATA_DIRS.into());
    all.push(":");
    all.push(folder.join("usr/share"));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_meant_by_link_or_word() {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        let mut none = words(&["--version"]);
        assert!(!is_cli(OsStr::new("./phone.AppImage"), &mut none));
        let mut link = words(&["cli"]);
        assert!(is_cli(Path::new("/usr/local/bin").join(BRAND.cli_program).as_os_str(), &mut link));
        assert_eq!(link, words(&["cli"]));
        let mut word = words(&["cli", "call"]);
        assert!(is_cli(OsStr::new("phone"), &mut word));
        assert_eq!(word, words(&["call"]));
    }

    #[test]
    fn the_systems_data_come_first() {
        let ours = |set: Option<&str>| data_dirs(set.map(Into::into), Path::new("/a"));
        assert_eq!(ours(None), "/usr/local/share:/usr/share:/a/usr/share");
        assert_eq!(ours(Some("")), "/usr/local/share:/usr/share:/a/usr/share");
        assert_eq!(ours(Some("/b")), "/b:/a/usr/share");
    }
}
