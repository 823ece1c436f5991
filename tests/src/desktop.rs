//! The desktop around the window, under X11: a window manager, a notification daemon, and hands on mouse and keys.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{Process, Session, product};

/// A window on the display.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its number.
    pub id: u32,
    /// Left and upper edge.
    pub at: (i32, i32),
    /// Width and height.
    pub size: (i32, i32),
}

/// A process that stands still as long as this lives.
pub struct Asleep(Pid);

impl Asleep {
    fn new(pid: u32) -> Self {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process's number");
        kill_process(pid, Signal::STOP).expect("it can be stopped");
        Self(pid)
    }
}

impl Drop for Asleep {
    fn drop(&mut self) {
        let _ = kill_process(self.0, Signal::CONT);
    }
}

impl Session {
    /// Starts the phone as a desktop starts it, without a driver that watches its window.
    pub fn start_phone(&self, arguments: &[&str]) -> Process {
        let mut command = self.command(product("carillon"));
        let backend = if self.is_wayland() { "wayland" } else { "x11" };
        command.envs([("NO_AT_BRIDGE", "1"), ("GTK_A11Y", "none"), ("GDK_BACKEND", backend)]);
        command.env("LIBGL_ALWAYS_SOFTWARE", "1").args(arguments);
        Process::start("carillon", command)
    }

    /// Writes what the user prefers of one matter into the settings, before the phone reads them.
    pub fn prefer(&self, matter: &str, preferences: Value) {
        let file = self.path("data/carillon/settings.json");
        let mut settings: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        settings[matter] = preferences;
        fs::write(&file, settings.to_string()).unwrap();
    }

    /// With a real window manager, openbox, which says who has the focus.
    pub fn with_window_manager(mut self) -> Self {
        let openbox = Process::start("openbox", self.command("openbox"));
        self.serve(openbox);
        // It is there once it says which window is active, be it none.
        self.wait_until("openbox", || {
            let mut command = self.command("xprop");
            command.args(["-root", "_NET_SUPPORTING_WM_CHECK"]);
            command.output().is_ok_and(|out| String::from_utf8_lossy(&out.stdout).contains("window id"))
        });
        self
    }

    /// Stops the window manager, as on a machine that has too much to do, and lets it go on when that is dropped.
    pub fn window_manager_sleeps(&self) -> Asleep {
        Asleep::new(self.service("openbox").pid())
    }

    /// With a real notification daemon, dunst. Needs a bus and a display.
    pub fn with_notifications(mut self) -> Self {
        let (config, chooser) = (self.path("dunstrc"), self.path("chooser"));
        // It lists the actions of what it shows, and is told which is chosen.
        let script = format!("#!/bin/sh\ngrep -m1 \"$(cat '{}')\"\n", self.path("chosen").display());
        fs::write(&chooser, script).unwrap();
        fs::set_permissions(&chooser, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(&config, format!("[global]\n dmenu = {}\n font = DejaVu Sans 10\n", chooser.display()))
            .unwrap();
        let mut command = self.command("dunst");
        command.arg("-conf").arg(config);
        let dunst = Process::start("dunst", command);
        self.serve(dunst);
        self.wait_until("dunst", || self.notifications().is_some());
        self
    }

    /// How many notifications are shown now.
    pub fn notifications(&self) -> Option<u32> {
        let mut command = self.command("dunstctl");
        command.args(["count", "displayed"]);
        let out = command.output().ok()?;
        String::from_utf8_lossy(&out.stdout).trim().parse().ok()
    }

    /// Chooses the action with these words of the notification that is shown.
    pub fn choose_action(&self, words: &str) {
        fs::write(self.path("chosen"), words).unwrap();
        let mut command = self.command("dunstctl");
        command.arg("context");
        Process::run("dunstctl", command);
    }

    /// All windows of the product that are to be seen.
    pub fn windows(&self) -> Vec<Seen> {
        let mut command = self.command("xdotool");
        command.args(["search", "--onlyvisible", "--name", "^Carillon$"]);
        let out = command.output().expect("xdotool runs");
        let ids = String::from_utf8_lossy(&out.stdout).into_owned();
        ids.split_whitespace().filter_map(|id| id.parse().ok()).filter_map(|id| self.look_at(id)).collect()
    }

    /// Waits for the window of the product with this size, and gives it once it stands still.
    pub fn window_of(&self, size: (i32, i32)) -> Seen {
        let mut last = None;
        self.wait_for(&format!("a window of {size:?}"), || {
            let now = self.windows().into_iter().find(|seen| seen.size == size);
            let before = std::mem::replace(&mut last, now);
            now.filter(|_| now == before)
        })
    }

    /// Waits until no window of the product has this size.
    pub fn no_window_of(&self, size: (i32, i32)) {
        self.wait_until(&format!("no window of {size:?}"), || {
            self.windows().iter().all(|seen| seen.size != size)
        });
    }

    /// The window that has the keyboard; 0 is none, as it is for moments.
    pub fn active_window(&self) -> u32 {
        let mut command = self.command("xprop");
        command.args(["-root", "-notype", "_NET_ACTIVE_WINDOW"]);
        let said = Process::run("xprop", command);
        let id = said.trim().rsplit_once("0x").map(|(_, id)| u32::from_str_radix(id, 16));
        id.unwrap_or_else(|| panic!("xprop said {said}")).expect("a window's number")
    }

    /// Asks the window manager to close a window, as a taskbar does.
    pub fn close_window(&self, id: u32) {
        let mut command = self.command("wmctrl");
        command.args(["-i", "-c", &id.to_string()]);
        Process::run("wmctrl", command);
    }

    /// Clicks into a window, at this place of it.
    pub fn click_in(&self, window: Seen, (x, y): (i32, i32)) {
        let (x, y) = ((window.at.0 + x).to_string(), (window.at.1 + y).to_string());
        self.hand(&["mousemove", &x, &y, "click", "1"]);
    }

    /// Waits until a button in green or red is painted at this place of a window.
    pub fn painted(&self, window: Seen, (x, y): (i32, i32)) {
        // Beside its word and its picture.
        let point = format!("1x1+{}+{}", window.at.0 + x, window.at.1 + y - 14);
        self.wait_until(&format!("colour at {point}"), || {
            let mut command = self.command("import");
            command.args(["-window", "root", "-crop", &point, "-depth", "8", "rgb:-"]);
            let pixel = command.output().map(|out| out.stdout).unwrap_or_default();
            let (least, most) = (pixel.iter().min(), pixel.iter().max());
            least.zip(most).is_some_and(|(least, most)| most - least > 60)
        });
    }

    /// Lets `xdotool` do something.
    pub fn hand(&self, arguments: &[&str]) -> String {
        let mut command = self.command("xdotool");
        command.args(arguments);
        Process::run("xdotool", command)
    }

    /// Keeps a picture of the whole display.
    pub fn photograph(&self, file: &Path) {
        let (program, arguments): (_, &[_]) =
            if self.is_wayland() { ("grim", &[]) } else { ("import", &["-window", "root"]) };
        let mut command = self.command(program);
        command.args(arguments).arg(file);
        Process::run(program, command);
    }

    /// Waits until something is so, and fails the test when it does not come.
    pub fn wait_until(&self, what: &str, fits: impl Fn() -> bool) {
        self.wait_for(what, || fits().then_some(()));
    }

    /// Waits until something is found, and gives it as it was found; fails the test when it does not come.
    pub fn wait_for<T>(&self, what: &str, mut find: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(found) = find() {
                return found;
            }
            if Instant::now() >= deadline {
                self.photograph(&crate::output_file(Path::new("desktop/failed.png")));
                panic!("waited for {what}; windows: {:?}", self.windows());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn look_at(&self, id: u32) -> Option<Seen> {
        let mut command = self.command("xdotool");
        command.args(["getwindowgeometry", "--shell", &id.to_string()]);
        let out = command.output().ok()?;
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let number =
            |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')?.parse().ok());
        Some(Seen { id, at: (number("X")?, number("Y")?), size: (number("WIDTH")?, number("HEIGHT")?) })
    }
}
