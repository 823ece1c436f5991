//! A private desktop session: folders of its own, and where asked for a keychain, sound and a display.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{Place, Process};

/// A session nothing of this machine's user leaks into. Ends all it started when it goes out of scope.
pub struct Session {
    services: Vec<Process>,
    env: BTreeMap<&'static str, String>,
    dir: TempDir,
}

impl Session {
    /// A session with neither bus nor keychain, sound or display.
    pub fn bare() -> Self {
        let dir = TempDir::with_prefix("carillon-session-").unwrap();
        let mut env = BTreeMap::new();
        for (name, key) in [
            ("home", "HOME"),
            ("run", "XDG_RUNTIME_DIR"),
            ("data", "XDG_DATA_HOME"),
            ("config", "XDG_CONFIG_HOME"),
            ("cache", "XDG_CACHE_HOME"),
            ("state", "XDG_STATE_HOME"),
        ] {
            let path = dir.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
            env.insert(key, path.display().to_string());
        }
        Self { services: Vec::new(), env, dir }
    }

    /// With a session bus and GNOME's keychain on it, unlocked and empty.
    pub fn with_keychain(mut self) -> Self {
        let config = self.dir.path().join("bus.conf");
        fs::write(&config, BUS).unwrap();
        let mut command = self.command("dbus-daemon");
        command.arg("--config-file").arg(config).args([
            "--nofork",
            "--nopidfile",
            "--nosyslog",
            "--print-address",
        ]);
        let mut bus = Process::start("dbus-daemon", command);
        let address =
            bus.wait_for("its address", LIMIT, |l| l.text.starts_with("unix:").then(|| l.text.clone()));
        self.env.insert("DBUS_SESSION_BUS_ADDRESS", address);
        self.services.push(bus);
        let mut command = self.command("gnome-keyring-daemon");
        command.args(["--foreground", "--unlock", "--components=secrets"]);
        let mut keyring = Process::start("gnome-keyring-daemon", command);
        keyring.type_line("trial");
        keyring.close_stdin();
        self.services.push(keyring);
        let deadline = Instant::now() + LIMIT;
        while !self.keychain_answers() {
            assert!(Instant::now() < deadline, "gnome-keyring did not come up\n{}", self.services[1].log());
            std::thread::sleep(Duration::from_millis(50));
        }
        self
    }

    /// With an X display of 1280 by 900 pixels that nobody sees.
    pub fn with_display(mut self) -> Self {
        let mut command = self.command("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "1280x900x24", "-nolisten", "tcp", "-noreset"]);
        let mut xvfb = Process::start("Xvfb", command);
        let number = xvfb.wait_for("its display", LIMIT, |l| l.text.trim().parse::<u32>().ok());
        self.env.insert("DISPLAY", format!(":{number}"));
        self.services.push(xvfb);
        self
    }

    /// The number of its display, with the colon before it.
    pub fn display(&self) -> &str {
        &self.env["DISPLAY"]
    }

    /// Whether its desktop is a Wayland one.
    pub fn is_wayland(&self) -> bool {
        self.env.contains_key("WAYLAND_DISPLAY")
    }

    /// With a system's browser that opens nothing by itself, but notes the addresses it is called with.
    pub fn with_browser(mut self) -> Self {
        let (program, notes) = (self.path("browser"), self.opened_file());
        fs::write(&notes, "").unwrap();
        fs::write(&program, format!("#!/bin/sh\nprintf '%s\\n' \"$1\" >>'{}'\n", notes.display())).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        self.env.insert("BROWSER", program.display().to_string());
        self
    }

    /// Waits until the system's browser was called for this time, counted from 1, and gives the address.
    pub fn opened(&self, time: usize) -> String {
        let deadline = Instant::now() + LIMIT;
        loop {
            let notes = fs::read_to_string(self.opened_file()).unwrap();
            // A line without its end is still being written.
            if let Some(line) = notes.split_inclusive('\n').filter_map(|l| l.strip_suffix('\n')).nth(time - 1)
            {
                return line.to_owned();
            }
            assert!(Instant::now() < deadline, "no browser was opened for time {time}: {notes:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A command within the session.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        self.command_at(&Place::Here, program)
    }

    /// A command within the session and in a place of the network.
    pub fn command_at(&self, place: &Place, program: impl AsRef<Path>) -> Command {
        let mut command = place.command(program);
        for foreign in
            ["DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "PULSE_SERVER", "PULSE_SINK"]
        {
            command.env_remove(foreign);
        }
        command.env_remove("XAUTHORITY").env_remove("CARILLON_SIP_PASSWORD").env_remove("BROWSER");
        command.envs(&self.env);
        command
    }

    /// What the keychain holds: one name an entry.
    pub fn keychain_entries(&self) -> Vec<String> {
        let mut command = self.dbus_send(COLLECTION);
        command.arg("org.freedesktop.DBus.Properties.Get");
        command.args(["string:org.freedesktop.Secret.Collection", "string:Items"]);
        let said = Process::run("dbus-send", command);
        said.split_whitespace()
            .filter(|word| word.starts_with("/org/freedesktop/"))
            .map(str::to_owned)
            .collect()
    }

    /// Locks the keychain. There is nobody who could answer the prompt that unlocks it.
    pub fn lock_keychain(&self) {
        let mut command = self.dbus_send("/org/freedesktop/secrets");
        command.args(["org.freedesktop.Secret.Service.Lock", &format!("array:objpath:{COLLECTION}")]);
        Process::run("dbus-send", command);
    }

    /// Shows a picture file at these pixels of the display, above everything else, and waits until it can be seen.
    pub fn show_picture(&self, file: &Path, x: u32, y: u32) -> Process {
        let wanted = image::open(file).unwrap_or_else(|e| panic!("{}: {e}", file.display())).to_luma8();
        let mut command = self.command("display");
        command.args(["-immutable", "-borderwidth", "0", "-geometry", &format!("+{x}+{y}")]).arg(file);
        let display = Process::start("display", command);
        let seen = self.path("seen.png");
        let deadline = Instant::now() + LIMIT;
        loop {
            let mut command = self.command("import");
            command.args(["-window", "root"]).arg(&seen);
            Process::run("import", command);
            let mut screen = image::open(&seen).unwrap().to_luma8();
            let shown = image::imageops::crop(&mut screen, x, y, wanted.width(), wanted.height()).to_image();
            if shown == wanted {
                fs::remove_file(&seen).unwrap();
                return display;
            }
            assert!(Instant::now() < deadline, "the picture is not to be seen\n{}", display.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// A folder of the session, for whatever a test wants to keep in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Address of the session bus; fails the test where there is none.
    pub fn bus_address(&self) -> &str {
        self.env.get("DBUS_SESSION_BUS_ADDRESS").expect("the session has a bus")
    }

    /// Process ids of the services it has started.
    pub fn services(&self) -> Vec<u32> {
        self.services.iter().map(Process::pid).collect()
    }

    pub(crate) fn serve(&mut self, process: Process) {
        self.services.push(process);
    }

    /// One of the servers that run in it.
    pub(crate) fn service(&self, name: &str) -> &Process {
        self.services.iter().find(|one| one.name() == name).unwrap_or_else(|| panic!("no {name} runs"))
    }

    /// Gives whatever runs in it another variable.
    pub fn set(&mut self, key: &'static str, value: String) {
        self.env.insert(key, value);
    }

    fn opened_file(&self) -> PathBuf {
        self.path("opened")
    }

    fn keychain_answers(&self) -> bool {
        let mut command = self.dbus_send(COLLECTION);
        command.arg("org.freedesktop.DBus.Properties.Get");
        command.args(["string:org.freedesktop.Secret.Collection", "string:Locked"]);
        command.output().is_ok_and(|out| String::from_utf8_lossy(&out.stdout).contains("false"))
    }

    fn dbus_send(&self, path: &str) -> Command {
        let mut command = self.command("dbus-send");
        command.args(["--session", "--print-reply=literal", "--dest=org.freedesktop.secrets", path]);
        command
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        while self.services.pop().is_some() {}
    }
}

const LIMIT: Duration = Duration::from_secs(20);
const COLLECTION: &str = "/org/freedesktop/secrets/collection/login";

/// A bus that starts nothing by itself: what a test did not start is not there.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;
