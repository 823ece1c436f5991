//! The phone starts with the user's session, without a window.

use std::path::{Path, PathBuf};
use std::{env, io};

use brand::BRAND;

/// Makes it so, or no longer. The program is started as this one was, and hidden.
///
/// # Errors
/// The system does not let itself be told.
pub fn set(wanted: bool, data_dir: Option<&Path>) -> io::Result<()> {
    let mut command = vec![program()?];
    if let Some(dir) = data_dir {
        command.extend(["--data-dir".to_owned(), std::path::absolute(dir)?.display().to_string()]);
    }
    command.push("--hidden".to_owned());
    if wanted { system::enable(&command) } else { system::disable() }
}

fn program() -> io::Result<String> {
    // Of an AppImage the program lies in a folder that is gone after its end.
    let image = env::var_os("APPIMAGE").map(PathBuf::from);
    let program = image.map_or_else(env::current_exe, Ok)?;
    Ok(program.display().to_string())
}

/// The XDG autostart specification.
#[cfg(all(unix, not(target_os = "macos")))]
mod system {
    use std::{fs, io};

    use super::{BRAND, PathBuf, env};

    pub fn enable(command: &[String]) -> io::Result<()> {
        let file = file()?;
        if let Some(dir) = file.parent() {
            fs::create_dir_all(dir)?;
        }
        fs::write(file, entry(command))
    }

    pub fn disable() -> io::Result<()> {
        match fs::remove_file(file()?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn file() -> io::Result<PathBuf> {
        let config = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute());
        let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".config"));
        let dir = config.or_else(home).ok_or(io::ErrorKind::NotFound)?;
        Ok(dir.join("autostart").join(format!("{}.desktop", BRAND.identifier)))
    }

    fn entry(command: &[String]) -> String {
        let exec: Vec<String> = command.iter().map(|argument| quoted(argument)).collect();
        let (name, exec) = (BRAND.name, exec.join(" "));
        format!(
            "[Desktop Entry]\nType=Application\nName={name}\nExec={exec}\nTerminal=false\nX-GNOME-Autostart-enabled=true\n"
        )
    }

    /// As the Desktop Entry Specification quotes an argument of `Exec`.
    fn quoted(argument: &str) -> String {
        let mut quoted = String::from("\"");
        for c in argument.chars() {
            match c {
                // Once for the argument, once more for the string that the key holds.
                '"' | '`' | '$' => quoted.extend(['\\', '\\', c]),
                '\\' => quoted.push_str(r"\\\\"),
                '%' => quoted.push_str("%%"),
                '\n' => quoted.push_str(r"\n"),
                c => quoted.push(c),
            }
        }
        quoted.push('"');
        quoted
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn odd_names_of_folders_are_kept_whole() {
            assert_eq!(quoted("/opt/my phone/bin"), "\"/opt/my phone/bin\"");
            assert_eq!(quoted("100%"), "\"100%%\"");
            assert_eq!(quoted("a$b"), r#""a\\$b""#);
            assert_eq!(quoted(r"a\b"), r#""a\\\\b""#);
        }

        #[test]
        fn it_starts_hidden() {
            let entry = entry(&["/usr/bin/phone".into(), "--hidden".into()]);
            assert!(entry.contains("\nExec=\"/usr/bin/phone\" \"--hidden\"\n"), "{entry}");
        }
    }
}

/// A LaunchAgent of the user's.
#[cfg(target_os = "macos")]
mod system {
    use std::{fs, io};

    use super::{BRAND, PathBuf, env};

    pub fn enable(command: &[String]) -> io::Result<()> {
        let file = file()?;
        if let Some(dir) = file.parent() {
            fs::create_dir_all(dir)?;
        }
        let escaped = |text: &String| text.replace('&', "&amp;").replace('<', "&lt;");
        let arguments: String =
            command.iter().map(|argument| format!("<string>{}</string>", escaped(argument))).collect();
        let label = BRAND.identifier;
        fs::write(
            file,
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\"><dict><key>Label</key>\
                 <string>{label}</string><key>ProgramArguments</key><array>{arguments}</array>\
                 <key>RunAtLoad</key><true/></dict></plist>\n"
            ),
        )
    }

    pub fn disable() -> io::Result<()> {
        match fs::remove_file(file()?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn file() -> io::Result<PathBuf> {
        let home = env::var_os("HOME").ok_or(io::ErrorKind::NotFound)?;
        Ok(PathBuf::from(home).join("Library/LaunchAgents").join(format!("{}.plist", BRAND.identifier)))
    }
}

/// The `Run` key of the user's registry.
#[cfg(windows)]
mod system {
    use std::io;
    use std::process::Command;

    use super::BRAND;

    const KEY: &str = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run";

    pub fn enable(command: &[String]) -> io::Result<()> {
        // No file name and no option of ours holds a quotation mark.
        let line = command.iter().map(|argument| format!("\"{argument}\"")).collect::<Vec<_>>().join(" ");
        reg(&["add", KEY, "/v", BRAND.name, "/t", "REG_SZ", "/d", &line, "/f"])
    }

    pub fn disable() -> io::Result<()> {
        if reg(&["query", KEY, "/v", BRAND.name]).is_err() {
            return Ok(());
        }
        reg(&["delete", KEY, "/v", BRAND.name, "/f"])
    }

    /// The system's own program for it, without a window of its own.
    fn reg(arguments: &[&str]) -> io::Result<()> {
        use std::os::windows::process::CommandExt;
        const CREATE_NO_WINDOW: u32 = 0x0800_0000;

        let status = Command::new("reg").args(arguments).creation_flags(CREATE_NO_WINDOW).status()?;
        if status.success() {
            Ok(())
        } else {
            Err(io::Error::other(format!("reg {}: {status}", arguments[0])))
        }
    }
}
