//! Web proxies: Squid for CONNECT, microsocks for SOCKS 5, and such as only pretend to be one.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{Place, Process};

const LIMIT: Duration = Duration::from_secs(60);

/// A running Squid, which lets only its one user through, and only to these ports.
pub struct Squid {
    process: Process,
    folder: TempDir,
    address: Ipv4Addr,
}

impl Squid {
    /// Its one user, and that user's password.
    pub const LOGIN: (&'static str, &'static str) = ("anna", "pr\u{f6}xy: secret");
    /// The same, as it stands in an address.
    const IN_URL: &'static str = "anna:pr%C3%B6xy%3A%20secret";
    const PORT: u16 = 3128;

    /// Starts it.
    pub fn at(place: &Place, address: Ipv4Addr, ports: &[u16]) -> Self {
        let folder = TempDir::with_prefix("carillon-squid-").unwrap();
        // Squid becomes another user.
        let inside = folder.path().join("squid");
        fs::create_dir(&inside).unwrap();
        for (path, mode) in [(folder.path(), 0o755), (&*inside, 0o777)] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let mut openssl = Place::Here.command("openssl");
        openssl.args(["passwd", "-apr1", Self::LOGIN.1]);
        let hash = Process::run("openssl passwd", openssl);
        fs::write(inside.join("users"), format!("{}:{hash}", Self::LOGIN.0)).unwrap();
        let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
        let values = [
            ("FOLDER", inside.display().to_string()),
            ("LISTEN", format!("{address}:{}", Self::PORT)),
            ("PORTS", ports.join(" ")),
        ];
        let filled = values.iter().fold(CONFIG.to_owned(), |text, (name, value)| text.replace(name, value));
        let file = inside.join("squid.conf");
        fs::write(&file, filled).unwrap();
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("carillon{}x{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut command = place.command("squid");
        command.args(["-N", "-n", &name, "-f"]).arg(file);
        let process = Process::start("squid", command);
        place.wait_until_bound(&process, &[(address, Self::PORT)]);
        Self { process, folder, address }
    }

    /// Its address, with name and password.
    pub fn url(&self) -> String {
        format!("http://{}@{}:{}", Self::IN_URL, self.address, Self::PORT)
    }

    /// Its address alone.
    pub fn bare_url(&self) -> String {
        format!("http://{}:{}", self.address, Self::PORT)
    }

    /// Waits until its own log says that it let its user through to here; it says so when the connection is over.
    pub fn wait_let_through(&self, to: &str) {
        let way = format!(" CONNECT {to} {} ", Self::LOGIN.0);
        let deadline = Instant::now() + LIMIT;
        while !self.log().lines().any(|line| line.contains(" TCP_TUNNEL/200 ") && line.contains(&way)) {
            assert!(Instant::now() < deadline, "no {way:?} in\n{}\n{}", self.log(), self.process.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Its own log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.file()).unwrap_or_default()
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("squid/access.log")
    }
}

/// A running microsocks, which lets only its one user through.
pub struct Microsocks {
    process: Process,
    address: Ipv4Addr,
}

impl Microsocks {
    /// Its one user, and that user's password.
    pub const LOGIN: (&'static str, &'static str) = ("anna", "secret");
    const PORT: u16 = 1080;

    /// Starts it.
    pub fn at(place: &Place, address: Ipv4Addr) -> Self {
        let mut command = place.command("microsocks");
        let (here, port) = (address.to_string(), Self::PORT.to_string());
        command.args(["-i", &here, "-p", &port, "-u", Self::LOGIN.0, "-P", Self::LOGIN.1]);
        let process = Process::start("microsocks", command);
        place.wait_until_bound(&process, &[(address, Self::PORT)]);
        Self { process, address }
    }

    /// Its address, with name and password.
    pub fn url(&self) -> String {
        format!("socks5://{}:{}@{}:{}", Self::LOGIN.0, Self::LOGIN.1, self.address, Self::PORT)
    }

    /// Waits until it says that it connected somebody to here.
    pub fn wait_let_through(&mut self, to: &str) {
        let said = format!("connected to {to}");
        self.process.wait_for(&said, LIMIT, |line| line.text.contains(&said).then_some(()));
    }
}

/// Somebody at the port of a proxy who says this to everybody who asks, and nothing where that is empty.
pub struct PretendedProxy {
    _process: Process,
    address: Ipv4Addr,
}

impl PretendedProxy {
    const PORT: u16 = 3129;

    /// Starts it.
    pub fn at(place: &Place, address: Ipv4Addr, says: &str) -> Self {
        let mut command = place.command("python3");
        command.args(["-c", PRETENDING, &address.to_string(), &Self::PORT.to_string(), says]);
        let process = Process::start("pretended proxy", command);
        place.wait_until_bound(&process, &[(address, Self::PORT)]);
        Self { _process: process, address }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}:{}", self.address, Self::PORT)
    }
}

const PRETENDING: &str = "\
import socket, sys, threading
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
def serve(peer):
    if peer.recv(4096) and sys.argv[3]:
        peer.sendall(sys.argv[3].encode())
        peer.shutdown(socket.SHUT_WR)
    while peer.recv(4096): pass
while True:
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
";

const CONFIG: &str = "\
http_port LISTEN
pid_filename FOLDER/pid
access_log stdio:FOLDER/access.log
cache_log FOLDER/cache.log
netdb_filename none
coredump_dir none
logfile_rotate 0
buffered_logs off
cache deny all
pinger_enable off
shutdown_lifetime 0 seconds
connect_timeout 2 seconds
auth_param basic program /usr/lib/squid/basic_ncsa_auth FOLDER/users
auth_param basic realm Bell
auth_param basic utf8 on
acl known proxy_auth REQUIRED
acl good port PORTS
http_access deny !good
http_access allow known
http_access deny all
";
