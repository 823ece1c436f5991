//! The AppImage, in a bare root without GTK or WebKit: started by an ordinary user, looked at, started again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use system_tests::{
    BareRoot, Process, Session, USERS_HOME, descendants, output_file, photographed, target_dir,
};

const VERSION: &str = env!("CARGO_PKG_VERSION");
const LIMIT: Duration = Duration::from_secs(120);
const SOON: Duration = Duration::from_secs(30);
/// What every desktop has, and the AppImage is not to bring along: the drivers' side of the display, sound, fonts.
const DESKTOP: &[&str] = &[
    "libgl1",
    "libegl1",
    "libgles2",
    "libgbm1",
    "libdrm2",
    "libx11-6",
    "libx11-xcb1",
    "libxcb1",
    "libwayland-client0",
    "libwayland-server0",
    "libasound2",
    "libfontconfig1",
    "libfreetype6",
    "libexpat1",
    "zlib1g",
    "libstdc++6",
    "fonts-dejavu-core",
    "xkb-data",
];
/// Libraries of the desktop that its programs may use, without their versions: what the AppImage leaves to it, and what
/// those and Mesa's drivers need.
const OUTSIDE: &[&str] = &[
    "ld-linux-x86-64",
    "libEGL",
    "libEGL_mesa",
    "libGL",
    "libGLESv2",
    "libGLX",
    "libGLX_mesa",
    "libGLdispatch",
    "libLLVM-15",
    "libX11",
    "libX11-xcb",
    "libXau",
    "libXdmcp",
    "libXxf86vm",
    "libasound",
    "libbsd",
    "libc",
    "libdl",
    "libdrm",
    "libdrm_amdgpu",
    "libdrm_intel",
    "libdrm_nouveau",
    "libdrm_radeon",
    "libedit",
    "libexpat",
    "libfontconfig",
    "libfreetype",
    "libgbm",
    "libgcc_s",
    "libglapi",
    "libm",
    "libmd",
    "libpciaccess",
    "libpthread",
    "libresolv",
    "librt",
    "libsensors",
    "libstdc++",
    "libtinfo",
    "libwayland-client",
    "libwayland-server",
    "libxcb",
    "libxcb-dri2",
    "libxcb-dri3",
    "libxcb-glx",
    "libxcb-present",
    "libxcb-randr",
    "libxcb-sync",
    "libxcb-xfixes",
    "libxshmfence",
    "libz",
    "libz3",
    "swrast_dri",
];

#[test]
fn started_on_a_desktop_without_webkit() {
    let root = BareRoot::new();
    root.run("apt-get", &["-qq", "update"]);
    root.run("apt-get", &[&["-qq", "install", "-y", "--no-install-recommends"], DESKTOP].concat());
    let own = root.files().into_iter().map(|file| file.to_string_lossy().into_owned());
    let own: Vec<_> =
        own.filter(|f| f.contains("webkit") || f.contains("libgtk") || f.contains("glib-2.0")).collect();
    assert!(own.is_empty(), "no bare desktop: {own:?}");
    let user = User::with_the_image(root);

    user.is_told_of_a_file_that_is_cut_off();
    assert_eq!(user.unpacked(), Vec::<PathBuf>::new(), "something was unpacked of half a file");
    let said = user.run("phone.AppImage", &["--version"]);
    assert_eq!(said.trim(), format!("carillon {VERSION}"));
    let unpacked = user.unpacked();
    let [folder] = unpacked.as_slice() else { panic!("{unpacked:?}") };
    for arguments in [("carillon-cli", &["--version"][..]), ("phone.AppImage", &["cli", "--version"])] {
        assert_eq!(user.run(arguments.0, arguments.1).trim(), format!("carillon-cli {VERSION}"));
    }
    user.papers(folder);

    let made = changed(folder);
    user.prefers_to_start_with_the_session();
    for picture in ["appimage/first.png", "appimage/again.png"] {
        let session = Session::bare().with_display();
        let phone = photographed(&session, user.phone(), &output_file(Path::new(picture)));
        uses_its_own_libraries(&phone, &user.root, folder);
        user.autostart_names_the_file(&phone);
    }
    assert_eq!((user.unpacked(), changed(folder)), (unpacked.clone(), made), "unpacked again");
}

/// Somebody who has the file, and a link to it.
struct User {
    root: BareRoot,
}

impl User {
    fn with_the_image(root: BareRoot) -> Self {
        let image = target_dir().join(format!("packages/carillon-{VERSION}-x86_64.AppImage"));
        assert!(image.is_file(), "{}: `cargo xtask appimage` builds it", image.display());
        // Makes the user.
        Process::run("true", root.command_of_user("true", &[]));
        let user = Self { root };
        fs::copy(&image, user.home().join("phone.AppImage")).unwrap();
        symlink("phone.AppImage", user.home().join("carillon-cli")).unwrap();
        user
    }

    fn home(&self) -> PathBuf {
        self.root.path().join(USERS_HOME.trim_start_matches('/'))
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        self.root.command_of_user(&format!("{USERS_HOME}/{program}"), arguments)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> String {
        Process::run_within(program, self.command(program, arguments), LIMIT)
    }

    /// The copies in the cache, whole or not.
    fn unpacked(&self) -> Vec<PathBuf> {
        let copies = fs::read_dir(self.home().join(".cache/carillon/appimage"));
        copies.into_iter().flatten().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect()
    }

    fn is_told_of_a_file_that_is_cut_off(&self) {
        let (whole, half) = (self.home().join("phone.AppImage"), self.home().join("half.AppImage"));
        fs::copy(&whole, &half).unwrap();
        File::options()
            .write(true)
            .open(&half)
            .unwrap()
            .set_len(fs::metadata(&whole).unwrap().len() / 2)
            .unwrap();
        let mut started = Process::start("half of it", self.command("half.AppImage", &["--version"]));
        assert_eq!(started.wait_exit(LIMIT), 126);
        assert!(started.log().contains("half.AppImage is not whole"), "{}", started.log());
        fs::remove_file(half).unwrap();
    }

    /// What desktops read is right, and every library comes with its licence.
    fn papers(&self, folder: &Path) {
        let mut validate = Command::new("desktop-file-validate");
        validate.arg(folder.join("app.carillon.phone.desktop"));
        assert_eq!(Process::run("desktop-file-validate", validate), "");
        for paper in ["carillon/licences.txt", "libwebkit2gtk-4.1-0/copyright", "libgtk-3-0/copyright"] {
            assert!(folder.join("usr/share/doc").join(paper).is_file(), "{paper}");
        }
        let bill = fs::read_to_string(folder.join("usr/share/doc/carillon/sbom.cdx.json")).unwrap();
        assert!(bill.contains("pkg:deb/debian/libwebkit2gtk-4.1-0@"));
    }

    /// The phone with a window, started in the user's home with a folder of settings that lies there.
    fn phone(&self) -> Command {
        let chdir = format!("--chdir={USERS_HOME}");
        self.root.command_of_user("env", &[&chdir, "./phone.AppImage", "--data-dir", "settings"])
    }

    fn prefers_to_start_with_the_session(&self) {
        let folder = self.home().join("settings");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("settings.json"), r#"{"version":11,"desktop":{"autostart":true}}"#).unwrap();
        self.root.run("chown", &["-R", "user:user", &format!("{USERS_HOME}/settings")]);
    }

    /// Not a program in the cache, and not a folder seen from there.
    fn autostart_names_the_file(&self, phone: &Process) {
        let file = self.home().join(".config/autostart/app.carillon.phone.desktop");
        let deadline = Instant::now() + SOON;
        let entry = loop {
            match fs::read_to_string(&file) {
                Ok(entry) if entry.ends_with("=true\n") => break entry,
                _ => assert!(Instant::now() < deadline, "no {}\n{}", file.display(), phone.log()),
            }
            sleep(Duration::from_millis(100));
        };
        let exec = format!(
            "\nExec=\"{USERS_HOME}/phone.AppImage\" \"--data-dir\" \"{USERS_HOME}/settings\" \"--hidden\"\n"
        );
        assert!(entry.contains(&exec), "{entry}");
        fs::remove_file(file).unwrap();
    }
}

/// The phone and WebKit's processes have the libraries of the image, and of the desktop only what is listed.
fn uses_its_own_libraries(phone: &Process, root: &BareRoot, folder: &Path) {
    let mut web = false;
    for pid in descendants(phone.pid()) {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
        let mapped = maps.lines().filter_map(|line| Some(line.get(line.find('/')?..)?.trim()));
        let libraries: BTreeSet<&Path> = mapped.filter(|file| file.contains(".so")).map(Path::new).collect();
        let (own, outside): (Vec<&Path>, Vec<&Path>) =
            libraries.into_iter().partition(|file| file.starts_with(folder));
        if own.is_empty() {
            // The shell that waits for a crash.
            continue;
        }
        let foreign: Vec<_> = outside.iter().filter(|file| !of_the_desktop(file, root)).collect();
        assert!(foreign.is_empty(), "{name} has {foreign:?}");
        assert!(own.iter().any(|file| file.ends_with("libwebkit2gtk-4.1.so.0")), "{name} has {own:?}");
        web |= name.starts_with("WebKitWebProces");
    }
    assert!(web, "no page was shown by a process of WebKit's");
}

fn of_the_desktop(file: &Path, root: &BareRoot) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let name = name.split(".so").next().unwrap_or_default();
    file.starts_with(root.path()) && OUTSIDE.contains(&name)
}

/// When something came into a folder or left it.
fn changed(folder: &Path) -> SystemTime {
    fs::metadata(folder).unwrap().modified().unwrap()
}
