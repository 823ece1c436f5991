//! `cargo xtask demo`: a PBX and a phone, and who may sign in.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::machine::{Purpose, has_display, prepare};
use crate::shell::{cargo, command, root, show, target};
use crate::ui;

const DOMAIN: &str = "test.io";
/// Where a PortSIP PBX has its REST API.
const PORT: u16 = 8887;

/// Runs the demo until the window is closed. Headless, it opens the window where nobody sees it, keeps a
/// picture of it, and closes it.
///
/// # Errors
/// Something is missing, does not build or does not start.
pub fn run(headless: bool) -> Result<bool, String> {
    if !headless && !has_display() {
        return Err(
            "There is no display here to open a window on (neither DISPLAY nor WAYLAND_DISPLAY is set).\n\
                    `cargo xtask demo --headless` opens it where nobody sees it and keeps a picture."
                .to_owned(),
        );
    }
    prepare(if headless { &[Purpose::Build, Purpose::Headless] } else { &[Purpose::Build] })?;
    if let Some(install) = ui::install() {
        show(install)?;
    }
    show(ui::build())?;
    show(cargo(&["build", "--package", "demo-pbx", "--package", "carillon"]))?;

    let picture = target("demo-qr.png").display().to_string();
    let mut pbx =
        Running::start("demo-pbx", command(built("demo-pbx"), &["--qr", "--qr-picture", &picture]))?;
    pbx.wait_until_listening(PORT)?;
    let data = target("demo");
    let data = data.display().to_string();
    let server = Ipv4Addr::LOCALHOST.to_string();
    let window = command(built("carillon"), &["--domain", DOMAIN, "--server", &server, "--data-dir", &data]);
    if headless {
        photograph(window)?;
    } else {
        println!("\nThe demo ends when the window is closed.");
        show(window)?;
    }
    Ok(true)
}

fn photograph(mut window: Command) -> Result<(), String> {
    let mut xvfb = command("Xvfb", &["-displayfd", "1", "-screen", "0", "1280x900x24", "-nolisten", "tcp"]);
    xvfb.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut xvfb = Running::start("Xvfb", xvfb)?;
    let mut number = String::new();
    let out = xvfb.child.stdout.take().ok_or("Xvfb has no output")?;
    BufReader::new(out).read_line(&mut number).map_err(|e| format!("Xvfb: {e}"))?;
    let display = format!(":{}", number.trim());
    window.env("DISPLAY", &display).env("GDK_BACKEND", "x11").env("LIBGL_ALWAYS_SOFTWARE", "1");
    window.env("NO_AT_BRIDGE", "1").env_remove("WAYLAND_DISPLAY");
    let mut window = Running::start("carillon", window)?;
    let on_display = |program: &str, arguments: &[&str]| {
        let mut command = command(program, arguments);
        command.env("DISPLAY", &display);
        command
    };
    let found = window.wait("to show its window", || {
        let output =
            on_display("xdotool", &["search", "--onlyvisible", "--name", "^Carillon$"]).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().next().map(str::to_owned)
    })?;
    // The window is there before its first page is painted: wait until the picture has stopped changing.
    let folder = root().join("tests/output/demo");
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let picture = folder.join("window.png").display().to_string();
    let mut last = Vec::new();
    window.wait("to be painted", || {
        show(on_display("import", &["-window", &found, &picture])).ok()?;
        let now = fs::read(&picture).ok()?;
        let settled = now == last && now.len() > 8_000;
        last = now;
        sleep(Duration::from_millis(300));
        settled.then_some(())
    })?;
    // Nobody manages windows here, so there is no button to close it with.
    show(command("kill", &["-TERM", &window.child.id().to_string()]))?;
    window.wait_exit()?;
    println!("The window was shown and closed; its picture is {picture}");
    Ok(())
}

fn built(name: &str) -> PathBuf {
    target("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

const LIMIT: Duration = Duration::from_secs(60);

/// A child that does not outlive us.
struct Running {
    name: &'static str,
    child: Child,
}

impl Running {
    fn start(name: &'static str, mut command: Command) -> Result<Self, String> {
        let child = command.stdin(Stdio::null()).spawn().map_err(|e| format!("{name}: {e}"))?;
        Ok(Self { name, child })
    }

    fn wait<T>(&mut self, what: &str, mut there: impl FnMut() -> Option<T>) -> Result<T, String> {
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("{} ended ({status}) before it came {what}", self.name));
            }
            if let Some(found) = there() {
                return Ok(found);
            }
            if Instant::now() > deadline {
                return Err(format!("{} took too long {what}", self.name));
            }
            sleep(Duration::from_millis(50));
        }
    }

    fn wait_until_listening(&mut self, port: u16) -> Result<(), String> {
        self.wait("to listen", || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok().map(drop))
    }

    fn wait_exit(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + LIMIT;
        while Instant::now() < deadline {
            match self.child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(format!("{} failed ({status})", self.name)),
                _ => sleep(Duration::from_millis(50)),
            }
        }
        Err(format!("{} does not end", self.name))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
