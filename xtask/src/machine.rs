//! What this machine lacks, and how it gets it.

use std::env;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::shell::{command, show, succeeds, target};

/// What the machine is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To build the programs and the UI.
    Build,
    /// To show the window where there is no display.
    Headless,
    /// To run each room's own tests and the demo PBX's; some of them bring a server along.
    FastTest,
    /// To run the foreign peers and the window under test.
    Test,
    /// To measure beside others.
    Bench,
    /// To build the package for Debian.
    Debian,
    /// To install it.
    DebianTest,
    /// To build the AppImage.
    AppImage,
    /// To build the packages for Windows.
    Windows,
    /// To install them.
    WindowsTest,
}

enum Probe {
    /// A program to be found.
    Program(&'static str),
    /// A library pkg-config knows.
    Library(&'static str),
    /// A file.
    File(&'static str),
    /// A file in some version's folder: in which folder, what the version's begins with, and the file.
    Version(&'static str, &'static str, &'static str),
    /// Something Python can do.
    Python(&'static str),
}

struct Need {
    purpose: Purpose,
    probe: Probe,
    package: &'static str,
}

const fn need(purpose: Purpose, probe: Probe, package: &'static str) -> Need {
    Need { purpose, probe, package }
}

/// Everything that may be missing, and the Debian package that brings it.
const NEEDS: &[Need] = &[
    need(Purpose::Build, Probe::Program("cc"), "build-essential"),
    need(Purpose::Build, Probe::Program("cmake"), "cmake"),
    need(Purpose::Build, Probe::Program("pkg-config"), "pkg-config"),
    need(Purpose::Build, Probe::Library("webkit2gtk-4.1"), "libwebkit2gtk-4.1-dev"),
    need(Purpose::Build, Probe::Library("gtk+-3.0"), "libgtk-3-dev"),
    need(Purpose::Build, Probe::Library("alsa"), "libasound2-dev"),
    need(Purpose::Build, Probe::Version("/usr/lib", "llvm-", "lib/libclang.so"), "libclang-dev"),
    need(Purpose::Headless, Probe::Program("Xvfb"), "xvfb"),
    need(Purpose::Headless, Probe::Program("xdotool"), "xdotool"),
    need(Purpose::Headless, Probe::Program("import"), "imagemagick"),
    need(Purpose::FastTest, Probe::Program("chromium"), "chromium"),
    need(Purpose::FastTest, Probe::Program("curl"), "curl"),
    need(Purpose::FastTest, Probe::Program("dbus-daemon"), "dbus-daemon"),
    need(Purpose::FastTest, Probe::Program("dbus-send"), "dbus-bin"),
    need(Purpose::FastTest, Probe::Program("gnome-keyring-daemon"), "gnome-keyring"),
    need(Purpose::FastTest, Probe::Program("secret-tool"), "libsecret-tools"),
    need(Purpose::FastTest, Probe::Program("pulseaudio"), "pulseaudio"),
    need(Purpose::FastTest, Probe::Program("parec"), "pulseaudio-utils"),
    need(Purpose::FastTest, Probe::Program("sox"), "sox"),
    need(Purpose::FastTest, Probe::Python("import ctypes; ctypes.CDLL('libspandsp.so.2')"), "libspandsp2"),
    need(
        Purpose::FastTest,
        Probe::File("/usr/share/pocketsphinx/test/data/librivox"),
        "pocketsphinx-testdata",
    ),
    need(Purpose::FastTest, Probe::Python("import venv, ensurepip"), "python3-venv"),
    need(
        Purpose::FastTest,
        Probe::Python("import os, sysconfig; open(os.path.join(sysconfig.get_path('include'), 'Python.h'))"),
        "python3-dev",
    ),
    need(Purpose::FastTest, Probe::Program("turnserver"), "coturn"),
    need(Purpose::FastTest, Probe::Program("kamailio"), "kamailio"),
    need(Purpose::Test, Probe::Program("squid"), "squid"),
    need(Purpose::Test, Probe::Program("microsocks"), "microsocks"),
    need(Purpose::Test, Probe::Program("openssl"), "openssl"),
    need(
        Purpose::FastTest,
        Probe::Version("/usr/lib", "", "kamailio/modules/websocket.so"),
        "kamailio-websocket-modules",
    ),
    need(
        Purpose::FastTest,
        Probe::Version("/usr/lib", "", "kamailio/modules/tls.so"),
        "kamailio-tls-modules",
    ),
    need(
        Purpose::FastTest,
        Probe::Version("/usr/lib", "", "kamailio/modules/presence.so"),
        "kamailio-presence-modules",
    ),
    need(Purpose::Test, Probe::File("/usr/libexec/at-spi-bus-launcher"), "at-spi2-core"),
    need(Purpose::Test, Probe::File("/usr/lib/python3/dist-packages/gi/__init__.py"), "python3-gi"),
    need(
        Purpose::Test,
        Probe::File("/usr/lib/x86_64-linux-gnu/girepository-1.0/Atspi-2.0.typelib"),
        "gir1.2-atspi-2.0",
    ),
    need(Purpose::Test, Probe::Program("baresip"), "baresip-core"),
    need(Purpose::Test, Probe::Program("linphonec"), "linphone-cli"),
    need(Purpose::Test, Probe::Program("rtpengine"), "rtpengine-daemon"),
    need(Purpose::FastTest, Probe::Python("import ctypes; ctypes.CDLL('libsrtp2.so.1')"), "libsrtp2-1"),
    need(
        Purpose::Test,
        Probe::File("/usr/share/keyrings/debian-archive-keyring.gpg"),
        "debian-archive-keyring",
    ),
    need(Purpose::FastTest, Probe::Program("sipp"), "sip-tester"),
    need(Purpose::FastTest, Probe::Program("ip"), "iproute2"),
    need(Purpose::FastTest, Probe::Program("nft"), "nftables"),
    need(Purpose::FastTest, Probe::Program("conntrack"), "conntrack"),
    need(Purpose::FastTest, Probe::Program("dnsmasq"), "dnsmasq-base"),
    need(Purpose::FastTest, Probe::Program("sysctl"), "procps"),
    need(Purpose::Test, Probe::Program("Xvfb"), "xvfb"),
    need(Purpose::Test, Probe::Program("xdotool"), "xdotool"),
    need(Purpose::Test, Probe::Program("wmctrl"), "wmctrl"),
    need(Purpose::Test, Probe::Program("openbox"), "openbox"),
    need(Purpose::Test, Probe::Program("dunst"), "dunst"),
    need(Purpose::Test, Probe::File("/usr/libexec/evolution-addressbook-factory"), "evolution-data-server"),
    need(Purpose::Test, Probe::Program("sway"), "sway"),
    need(Purpose::Test, Probe::Program("grim"), "grim"),
    need(Purpose::Test, Probe::Program("foot"), "foot"),
    need(Purpose::Test, Probe::Program("xprop"), "x11-utils"),
    need(Purpose::Test, Probe::Program("WebKitWebDriver"), "webkit2gtk-driver"),
    need(Purpose::Bench, Probe::File("/usr/share/buckle/wav"), "bucklespring-data"),
    need(Purpose::Bench, Probe::Python("import ctypes; ctypes.CDLL('libzbar.so.0')"), "libzbar0"),
    need(
        Purpose::Bench,
        Probe::File("/usr/share/asterisk/sounds/en_US_f_Allison/demo-congrats.g722"),
        "asterisk-core-sounds-en-g722",
    ),
    need(
        Purpose::Bench,
        Probe::File("/usr/share/asterisk/sounds/fr_CA_f_June/demo-congrats.g722"),
        "asterisk-core-sounds-fr-g722",
    ),
    need(
        Purpose::Bench,
        Probe::File("/usr/share/asterisk/sounds/it_IT_m_Carlo/demo-congrats.g722"),
        "asterisk-core-sounds-it-g722",
    ),
    need(Purpose::Test, Probe::Program("chromedriver"), "chromium-driver"),
    need(Purpose::Debian, Probe::Program("dpkg-shlibdeps"), "dpkg-dev"),
    need(Purpose::DebianTest, Probe::Program("debootstrap"), "debootstrap"),
    need(Purpose::DebianTest, Probe::Program("desktop-file-validate"), "desktop-file-utils"),
    need(Purpose::DebianTest, Probe::Program("appstreamcli"), "appstream"),
    need(Purpose::AppImage, Probe::Program("mksquashfs"), "squashfs-tools"),
    need(Purpose::AppImage, Probe::Program("patchelf"), "patchelf"),
    need(Purpose::AppImage, Probe::Program("glib-compile-schemas"), "libglib2.0-bin"),
    need(
        Purpose::AppImage,
        Probe::File("/usr/lib/x86_64-linux-gnu/gdk-pixbuf-2.0/2.10.0/loaders/libpixbufloader-svg.so"),
        "librsvg2-common",
    ),
    need(Purpose::Windows, Probe::Program("x86_64-w64-mingw32-gcc-posix"), "gcc-mingw-w64-x86-64-posix"),
    need(Purpose::Windows, Probe::Program("x86_64-w64-mingw32-g++-posix"), "g++-mingw-w64-x86-64-posix"),
    need(Purpose::Windows, Probe::Program("nasm"), "nasm"),
    need(Purpose::Windows, Probe::Program("wixl"), "wixl"),
    need(Purpose::Windows, Probe::Program("msibuild"), "msitools"),
    need(Purpose::WindowsTest, Probe::Program("wine"), "wine"),
    need(Purpose::WindowsTest, Probe::File("/usr/lib/wine/wine64"), "wine64"),
    need(Purpose::WindowsTest, Probe::Program("wrestool"), "icoutils"),
    need(Purpose::Windows, Probe::Program("osslsigncode"), "osslsigncode"),
    need(Purpose::WindowsTest, Probe::Program("openssl"), "openssl"),
    need(Purpose::WindowsTest, Probe::Program("Xvfb"), "xvfb"),
    need(Purpose::Test, Probe::Program("display"), "imagemagick"),
];

/// Makes sure this machine has what it takes.
///
/// # Errors
/// Something is missing and cannot be, or is not wanted to be, installed; the text says what.
pub fn prepare(purposes: &[Purpose]) -> Result<(), String> {
    node()?;
    if !cfg!(target_os = "linux") {
        return elsewhere(purposes);
    }
    let missing = missing(purposes);
    if missing.is_empty() {
        return Ok(());
    }
    if !is_debian() {
        return Err(format!(
            "This machine lacks what these Debian packages bring; install them or what they are called here:\n  {}",
            missing.join(" ")
        ));
    }
    install(&missing)?;
    let still = self::missing(purposes);
    if still.is_empty() { Ok(()) } else { Err(format!("Installed, yet still missing: {}", still.join(" "))) }
}

/// A folder with a Python that has what the tests' scoring needs, made once.
///
/// # Errors
/// Python or its packages cannot be had.
pub fn scoring_python() -> Result<(), String> {
    python("venv", "tests/requirements.txt").map(drop)
}

/// The same with what the bench of the voice needs as well: ViSQOL, and a decoder of G.722 for the speech.
///
/// # Errors
/// Python or its packages cannot be had.
pub fn bench_python() -> Result<(), String> {
    python("venv", "tests/bench-requirements.txt").map(drop)
}

/// A Python that has zbar and OpenCV, made once.
///
/// # Errors
/// Python or its packages cannot be had.
pub fn qr_python() -> Result<PathBuf, String> {
    python("venv-qr", "tests/qr/requirements.txt")
}

/// The Python in a folder of its own below the target folder, with the packages that `wanted` lists.
fn python(folder: &str, wanted: &str) -> Result<PathBuf, String> {
    let venv = target(folder);
    let stamp = venv.join(Path::new(wanted).file_name().unwrap_or_default());
    let python = venv.join("bin/python");
    let wanted_text = fs::read(crate::shell::root().join(wanted)).map_err(|e| format!("{wanted}: {e}"))?;
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted_text) {
        return Ok(python);
    }
    let venv_text = venv.display().to_string();
    show(command("python3", &["-m", "venv", &venv_text]))?;
    show(command(&python, &["-m", "pip", "install", "--quiet", "-r", wanted]))?;
    fs::write(&stamp, wanted_text).map_err(|e| format!("{}: {e}", stamp.display()))?;
    Ok(python)
}

/// Whether there is a display to show a window on.
pub fn has_display() -> bool {
    !cfg!(target_os = "linux") || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|key| set(key))
}

fn missing(purposes: &[Purpose]) -> Vec<&'static str> {
    let mut packages: Vec<_> = NEEDS
        .iter()
        .filter(|n| purposes.contains(&n.purpose) && !there(&n.probe))
        .map(|n| n.package)
        .collect();
    packages.sort_unstable();
    packages.dedup();
    packages
}

fn there(probe: &Probe) -> bool {
    match probe {
        Probe::Program(name) => find(name).is_some(),
        Probe::Library(name) => succeeds("pkg-config", &["--exists", name]),
        Probe::File(path) => Path::new(path).exists(),
        Probe::Version(dir, version, file) => fs::read_dir(dir).is_ok_and(|found| {
            let mut versions = found.filter_map(Result::ok);
            versions
                .any(|v| v.file_name().to_string_lossy().starts_with(version) && v.path().join(file).exists())
        }),
        Probe::Python(code) => succeeds("python3", &["-c", code]),
    }
}

fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    // Daemons lie where only root looks.
    let also = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    env::split_paths(&path).chain(also).map(|dir| dir.join(program)).find(|file| file.is_file())
}

fn node() -> Result<(), String> {
    let text =
        command("node", &["--version"]).output().map(|out| String::from_utf8_lossy(&out.stdout).into_owned());
    let text = text.unwrap_or_default();
    let mut numbers = text.trim().trim_start_matches('v').split('.').map_while(|n| n.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version >= (20, 19) {
        return Ok(());
    }
    let found =
        if text.trim().is_empty() { "there is none".to_owned() } else { format!("here is {}", text.trim()) };
    Err(format!("The UI needs Node.js 20.19 or later with npm; {found}. Install it from nodejs.org."))
}

fn is_debian() -> bool {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let ids = release.lines().filter_map(|l| l.strip_prefix("ID=").or_else(|| l.strip_prefix("ID_LIKE=")));
    ids.flat_map(|ids| ids.trim_matches('"').split(' ')).any(|id| id == "debian" || id == "ubuntu")
}

fn install(packages: &[&str]) -> Result<(), String> {
    println!("This machine lacks these Debian packages:\n  {}", packages.join(" "));
    let root = succeeds("sh", &["-c", "test $(id -u) = 0"]);
    if !root && !set("CI") && !agreed("Install them with sudo apt-get?")? {
        return Err(format!(
            "Not installed. To do it yourself:\n  sudo apt-get install {}",
            packages.join(" ")
        ));
    }
    println!("Installing them.");
    let apt = |arguments: &[&str]| {
        let mut all =
            vec!["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-oDPkg::Lock::Timeout=300"];
        all.extend(arguments);
        let mut apt = if root { command("env", &all[1..]) } else { command("sudo", &all) };
        // Its errors are told on standard error; the rest is hundreds of lines about unpacking.
        apt.stdout(Stdio::null());
        show(apt)
    };
    apt(&["update"])?;
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(packages);
    apt(&arguments)
}

fn agreed(question: &str) -> Result<bool, String> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    print!("{question} [y/N] ");
    io::stdout().flush().map_err(|e| e.to_string())?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(|e| e.to_string())?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// On Windows and macOS: what to look for, and what to do about it.
fn elsewhere(purposes: &[Purpose]) -> Result<(), String> {
    if purposes.contains(&Purpose::Test) || purposes.contains(&Purpose::FastTest) {
        return Err("The system tests run on Linux only. `cargo test` runs the unit tests here.".to_owned());
    }
    let mut lacks = Vec::new();
    if !succeeds("cmake", &["--version"]) {
        lacks.push("CMake (cmake.org)");
    }
    if cfg!(target_os = "macos") && !succeeds("xcode-select", &["-p"]) {
        lacks.push("the Xcode command line tools (xcode-select --install)");
    }
    if cfg!(windows) && !windows_compiler() {
        lacks.push("the C++ Build Tools of Visual Studio (visualstudio.microsoft.com/downloads)");
    }
    if lacks.is_empty() { Ok(()) } else { Err(format!("This machine lacks: {}", lacks.join("; "))) }
}

fn windows_compiler() -> bool {
    let installer = env::var_os("ProgramFiles(x86)").map(PathBuf::from).unwrap_or_default();
    let vswhere = installer.join("Microsoft Visual Studio/Installer/vswhere.exe").display().to_string();
    let tools = "Microsoft.VisualStudio.Component.VC.Tools.x86.x64";
    let found =
        command(&vswhere, &["-products", "*", "-requires", tools, "-property", "installationPath"]).output();
    found.is_ok_and(|out| !out.stdout.trim_ascii().is_empty())
}

fn set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| !value.is_empty())
}
