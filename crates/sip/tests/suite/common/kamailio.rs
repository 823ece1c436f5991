//! Kamailio as registrar and proxy with digest, over UDP and TCP.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use secrecy::SecretString;
use sip::{Account, Transport};
use tempfile::TempDir;

use super::{Running, account, free_port};

/// A running Kamailio on loopback with the users 101, 102 and 103 of `bell.test`.
pub struct Kamailio {
    process: Option<Running>,
    directory: TempDir,
    udp: u16,
    tcp: u16,
}

impl Kamailio {
    pub fn start() -> Self {
        Self::start_with("MD5")
    }

    /// Challenges with this digest algorithm.
    pub fn start_with(algorithm: &str) -> Self {
        Self::start_changed(algorithm, &[])
    }

    /// Runs with a configuration in which each first text is replaced by its second.
    pub fn start_changed(algorithm: &str, changes: &[(&str, &str)]) -> Self {
        let directory = TempDir::with_prefix("sip-kamailio-").unwrap();
        let (udp, tcp) = (free_port(), free_port());
        let database = directory.path().join("db");
        fs::create_dir(&database).unwrap();
        fs::create_dir(directory.path().join("run")).unwrap();
        let users = ["101", "102", "103"].map(|user| format!("{user}:bell.test:secret-of-{user}\n")).concat();
        fs::write(
            database.join("subscriber"),
            format!("username(string) domain(string) password(string)\n{users}"),
        )
        .unwrap();
        let changed = changes.iter().fold(CONFIG.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "nothing to change: {from}");
            text.replace(from, to)
        });
        let text = changed
            .replace("@UDP@", &udp.to_string())
            .replace("@TCP@", &tcp.to_string())
            .replace("@MODULES@", &modules().display().to_string())
            .replace("@DB@", &database.display().to_string())
            .replace("@ALGORITHM@", algorithm);
        fs::write(directory.path().join("kamailio.cfg"), text).unwrap();
        let mut kamailio = Self { process: None, directory, udp, tcp };
        kamailio.up();
        kamailio
    }

    /// Ends it without a word to anybody.
    pub fn down(&mut self) {
        let Some(process) = self.process.take() else { return };
        // It is the head of a group of its own; its children must go with it.
        let group = format!("-{}", process.0.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        drop(process);
    }

    /// Starts it on the ports it had before, with an empty location table.
    pub fn up(&mut self) {
        use std::os::unix::process::CommandExt;
        let log = self.directory.path().join("log");
        let process = Command::new("kamailio")
            .args(["-DD", "-E", "-m", "64", "-M", "8", "-f"])
            .arg(self.directory.path().join("kamailio.cfg"))
            .arg("-Y")
            .arg(self.directory.path().join("run"))
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .process_group(0)
            .spawn()
            .expect("kamailio is missing: install the packages kamailio and kamailio-extra-modules");
        self.process = Some(Running(process));
        let deadline = Instant::now() + Duration::from_secs(20);
        // The TCP listener comes up last.
        while std::net::TcpStream::connect(("127.0.0.1", self.tcp)).is_err() {
            assert!(
                Instant::now() < deadline,
                "kamailio does not listen: {}",
                fs::read_to_string(&log).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// One of its users.
    pub fn account(&self, user: &str, transport: Transport) -> Account {
        let port = if transport == Transport::Udp { self.udp } else { self.tcp };
        Account {
            user: user.into(),
            password: SecretString::from(format!("secret-of-{user}")),
            ..account(port, transport)
        }
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        self.down();
    }
}

fn modules() -> PathBuf {
    ["/usr/lib/x86_64-linux-gnu/kamailio/modules", "/usr/lib/aarch64-linux-gnu/kamailio/modules"]
        .into_iter()
        .map(Path::new)
        .find(|path| path.join("tm.so").is_file())
        .expect("kamailio's modules are missing: install the package kamailio")
        .into()
}

const CONFIG: &str = r#"#!KAMAILIO
debug=2
log_stderror=yes
children=2
tcp_children=2
auto_aliases=no
dns=no
rev_dns=no
alias="bell.test"
listen=udp:127.0.0.1:@UDP@
listen=tcp:127.0.0.1:@TCP@
tcp_connection_lifetime=3605
mpath="@MODULES@/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
loadmodule "db_text.so"
loadmodule "auth_db.so"
modparam("auth", "algorithm", "@ALGORITHM@")
modparam("auth_db", "db_url", "text://@DB@")
modparam("auth_db", "calculate_ha1", 1)
modparam("auth_db", "password_column", "password")
modparam("auth_db", "load_credentials", "")
modparam("auth_db", "version_table", 0)
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", 1800)

request_route {
    if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
    if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
    if (has_totag()) {
        if (loose_route()) t_relay();
        else if (is_method("ACK")) { if (t_check_trans()) t_relay(); }
        else sl_send_reply("404", "Not here");
        exit;
    }
    if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
    if (is_method("REGISTER")) {
        if (!auth_check("$td", "subscriber", "1")) { auth_challenge("$td", "1"); exit; }
        if (!save("location")) sl_reply_error();
        exit;
    }
    if (!auth_check("$fd", "subscriber", "1")) { auth_challenge("$fd", "1"); exit; }
    consume_credentials();
    record_route();
    if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
    if (!t_relay()) sl_reply_error();
    exit;
}
"#;
