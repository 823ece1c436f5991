//! A bare Debian in a folder, into which packages can be installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{Process, Session, target_dir};

/// Debian with nothing in it that is not essential. Gone when it goes out of scope.
pub struct BareRoot {
    folder: TempDir,
    mounted: Vec<PathBuf>,
}

/// What it takes to fetch it, and what a phone needs.
const LIMIT: Duration = Duration::from_secs(900);
const RELEASE: &str = "bookworm";
/// Until a window shows something.
const SOON: Duration = Duration::from_secs(60);
/// Where the ordinary user is at home.
pub const USERS_HOME: &str = "/home/user";

impl BareRoot {
    /// Makes it, out of the archive this machine itself uses.
    pub fn new() -> Self {
        let folder = TempDir::with_prefix_in("root-", target_dir()).unwrap();
        let mut debootstrap = Command::new("debootstrap");
        debootstrap.args(["--variant=minbase", RELEASE]).arg(folder.path()).arg(mirror());
        Process::run_within("debootstrap", debootstrap, LIMIT);
        let mut root = Self { folder, mounted: Vec::new() };
        // apt goes where this machine's goes, security updates included.
        for sources in ["etc/apt/sources.list", "etc/apt/sources.list.d", "etc/apt/apt.conf.d"] {
            let from = Path::new("/").join(sources);
            if from.exists() {
                let mut copy = Command::new("cp");
                copy.arg("-rT").arg(from).arg(root.path().join(sources));
                Process::run("cp", copy);
            }
        }
        // Nobody needs it after a power cut.
        fs::write(root.path().join("etc/dpkg/dpkg.cfg.d/unsafe"), "force-unsafe-io\n").unwrap();
        for (kind, at) in [("proc", "proc"), ("tmpfs", "dev/shm")] {
            let at = root.path().join(at);
            fs::create_dir_all(&at).unwrap();
            let mut mount = Command::new("mount");
            mount.args(["-t", kind, kind]).arg(&at);
            Process::run("mount", mount);
            root.mounted.push(at);
        }
        root
    }

    /// A file in it.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A command that runs in it, with nothing of this one's environment.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("chroot");
        command.arg(self.path()).arg(program).args(arguments).env_clear();
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", "/root").env("LC_ALL", "C.UTF-8");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command
    }

    /// The same as an ordinary user, who has a home.
    pub fn command_of_user(&self, program: &str, arguments: &[&str]) -> Command {
        let home = self.path().join(USERS_HOME.trim_start_matches('/'));
        if !home.is_dir() {
            self.run("useradd", &["--create-home", "--home-dir", USERS_HOME, "user"]);
        }
        let mut command = Command::new("chroot");
        command.arg("--userspec=user:user").arg(self.path()).arg(program).args(arguments).env_clear();
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", USERS_HOME).env("LC_ALL", "C.UTF-8");
        command
    }

    /// Runs a command in it to its end.
    pub fn run(&self, program: &str, arguments: &[&str]) -> String {
        Process::run_within(program, self.command(program, arguments), LIMIT)
    }

    /// Every file in it but those of its package manager, of mounts and of caches.
    pub fn files(&self) -> Vec<PathBuf> {
        let mut find = Command::new("find");
        find.arg(self.path()).args(["-xdev", "-not", "-type", "d", "-printf", "%P\\n"]);
        let managers = ["var/lib/dpkg/", "var/lib/apt/", "var/cache/", "var/log/", "etc/", "tmp/", "root/"];
        let mut files: Vec<_> = Process::run("find", find)
            .lines()
            .filter(|file| !managers.iter().any(|folder| file.starts_with(folder)))
            .map(PathBuf::from)
            .collect();
        files.sort();
        files
    }
}

/// Starts a phone with a window on this display and waits until it shows something, which `picture` then is.
pub fn photographed(session: &Session, mut phone: Command, picture: &Path) -> Process {
    phone.env("DISPLAY", session.display()).env("GDK_BACKEND", "x11").env("LIBGL_ALWAYS_SOFTWARE", "1");
    let mut phone = Process::start("carillon", phone);
    phone.close_stdin();
    let deadline = Instant::now() + SOON;
    loop {
        let mut shot = session.command("import");
        shot.args(["-window", "root"]).arg(picture);
        Process::run("import", shot);
        let mut colours = session.command("identify");
        colours.args(["-format", "%k"]).arg(picture);
        // An empty screen has one, a window that has drawn nothing yet a few.
        let colours: u32 = Process::run("identify", colours).trim().parse().unwrap();
        if colours > 50 {
            return phone;
        }
        assert!(Instant::now() < deadline, "no window: {colours} colours\n{}", phone.log());
        sleep(Duration::from_millis(500));
    }
}

impl Default for BareRoot {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for BareRoot {
    fn drop(&mut self) {
        for at in self.mounted.iter().rev() {
            let _ = Command::new("umount").arg("--lazy").arg(at).status();
        }
    }
}

/// The archive this machine has its own packages from.
fn mirror() -> String {
    let policy = Process::run("apt-cache", {
        let mut policy = Command::new("apt-cache");
        policy.arg("policy");
        policy
    });
    let here = |line: &str| {
        let url = line.split_whitespace().find(|word| word.starts_with("http"))?;
        line.contains(&format!("{RELEASE}/main")).then(|| url.to_owned())
    };
    policy.lines().find_map(here).unwrap_or_else(|| "http://deb.debian.org/debian".to_owned())
}
