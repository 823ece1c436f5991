//! A Wayland desktop that nobody sees: sway, which tells of its windows and of who has the keyboard.

use std::fs;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::getuid;
use serde_json::Value;
use tempfile::TempDir;

use crate::{Process, Session};

/// A user without rights: sway does not run for root.
const NOBODY: u32 = 65534;
const CONFIG: &str = "output HEADLESS-1 resolution 1280x900\nxwayland disable\n";

/// The desktop. It ends when it goes out of scope.
pub struct Wayland {
    _sway: Process,
    dir: TempDir,
}

/// A window that is to be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pane {
    /// What sway knows it by.
    pub id: u64,
    /// The process that shows it.
    pub pid: u32,
    /// Left and upper edge, without its frame.
    pub at: (i64, i64),
    /// Width and height, without its frame.
    pub size: (i64, i64),
    /// Whether it has the keyboard.
    pub focused: bool,
}

impl Session {
    /// With a Wayland desktop of 1280 by 900 pixels, and no X.
    pub fn with_wayland(mut self) -> (Self, Wayland) {
        let dir = TempDir::with_prefix("carillon-wayland-").unwrap();
        let config = dir.path().join("config");
        fs::write(&config, CONFIG).unwrap();
        let mut command = match getuid().is_root() {
            true => {
                chown(dir.path(), Some(NOBODY), Some(NOBODY)).unwrap();
                let mut command = self.command("setpriv");
                command.args([&format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}")]);
                command.args(["--clear-groups", "sway"]);
                command
            }
            false => self.command("sway"),
        };
        command.arg("-c").arg(config).env("XDG_RUNTIME_DIR", dir.path()).env("HOME", dir.path());
        command.envs([
            ("WLR_BACKENDS", "headless"),
            ("WLR_LIBINPUT_NO_DEVICES", "1"),
            ("WLR_RENDERER", "pixman"),
        ]);
        let sway = Process::start("sway", command);
        let desktop = Wayland { _sway: sway, dir };
        let socket = |start: &str| desktop.file(|name| name.starts_with(start) && !name.ends_with(".lock"));
        let display = self.wait_for("sway", || socket("wayland-").zip(socket("sway-ipc")));
        self.set("WAYLAND_DISPLAY", display.0.display().to_string());
        (self, desktop)
    }
}

impl Wayland {
    /// All windows.
    pub fn panes(&self) -> Vec<Pane> {
        let tree = self.say(&["-t", "get_tree"]);
        let mut panes = Vec::new();
        gather(&serde_json::from_str(&tree).unwrap(), &mut panes);
        panes
    }

    /// Starts a program as its user would.
    pub fn start(&self, program: &str) {
        self.say(&["exec", program]);
    }

    fn say(&self, words: &[&str]) -> String {
        let socket = self.file(|name| name.starts_with("sway-ipc")).expect("sway's socket");
        let mut command = Command::new("swaymsg");
        command.arg("-r").arg("-s").arg(socket).args(words);
        Process::run("swaymsg", command)
    }

    fn file(&self, fits: impl Fn(&str) -> bool) -> Option<PathBuf> {
        let files = fs::read_dir(self.dir.path()).ok()?.filter_map(Result::ok);
        files
            .map(|file| file.path())
            .find(|path| fits(&path.file_name().unwrap_or_default().to_string_lossy()))
    }
}

/// The windows of a part of sway's tree.
fn gather(part: &Value, panes: &mut Vec<Pane>) {
    let number = |of: &Value, key: &str| of[key].as_i64().unwrap_or_default();
    if let Some(pid) = part["pid"].as_u64() {
        let (outer, inner) = (&part["rect"], &part["window_rect"]);
        panes.push(Pane {
            id: part["id"].as_u64().unwrap_or_default(),
            pid: u32::try_from(pid).unwrap_or_default(),
            at: (number(outer, "x") + number(inner, "x"), number(outer, "y") + number(inner, "y")),
            size: (number(inner, "width"), number(inner, "height")),
            focused: part["focused"].as_bool().unwrap_or_default(),
        });
    }
    for below in ["nodes", "floating_nodes"] {
        part[below].as_array().into_iter().flatten().for_each(|part| gather(part, panes));
    }
}
