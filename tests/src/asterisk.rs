//! Asterisk 16 as a PBX that answers by itself, over UDP, TCP, TLS and WSS. Debian 12 has none: it runs in a root of
//! its own, which `cargo xtask test` fills with packages of Debian 11.

mod ami;
mod config;

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::paths::asterisk_root;
use crate::{Authority, Place, Process, SipAccount};

pub use ami::Ami;

/// A running Asterisk with the users 2001 to 2009 of the domain `bell.test`. They speak G.711 µ-law; 2009 also
/// A-law and G.722.
///
/// | number | what happens |
/// |---|---|
/// | 2001 to 2008 | the user is called for 20 s |
/// | 600 | echo |
/// | 601 | reads four digits and tells them in the manager's event `Digits` |
/// | 602 | busy |
/// | 603 | rings for 30 s |
/// | 604 | a tone of 1004 Hz |
/// | 605 | records its caller ([`received`](Self::received)) |
/// | 606 | tells the manager's event `Arrived` and is silent |
/// | 607 | says what [`speaks`](Self::speaks) was given and records its caller at 16 kHz ([`received_wide`](Self::received_wide)) |
/// | 700 | parks the call; 701 and on fetch it back |
/// | 9001 to 9008 | the voice mailbox of the user 2001 to 2008 |
pub struct Asterisk {
    process: Process,
    dir: TempDir,
    address: Ipv4Addr,
}

impl Asterisk {
    /// SIP domain of its users.
    pub const DOMAIN: &'static str = "bell.test";

    /// Starts it in a place of its own, on the ports of a PortSIP PBX, and waits until it is ready.
    pub fn at(place: &Place, address: Ipv4Addr) -> Self {
        let root = asterisk_root();
        fs::create_dir_all(root.join("srv")).unwrap();
        let dir = TempDir::with_prefix_in("carillon-", root.join("srv")).unwrap();
        let inside = PathBuf::from("/srv").join(dir.path().file_name().unwrap());
        for folder in ["etc", "run", "lib", "spool", "log"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
        }
        let authority = Authority::new(dir.path());
        let (certificate, key) = authority.sign(&[Self::DOMAIN, &address.to_string()]);
        let within = |file: PathBuf| inside.join(file.file_name().unwrap()).display().to_string();
        for (name, text) in config::files(&inside, address, &within(certificate), &within(key)) {
            fs::write(dir.path().join("etc").join(name), text).unwrap();
        }
        let mut command = place.command("chroot");
        command
            .arg(&root)
            .args(["/usr/sbin/asterisk", "-f", "-n", "-C"])
            .arg(inside.join("etc/asterisk.conf"));
        let mut process = Process::start("asterisk", command);
        process.wait_for("its start", Duration::from_secs(30), |l| {
            l.text.contains("Asterisk Ready").then_some(())
        });
        let ports = [5060, 5061, 5063, 5065, AMI_PORT].map(|port| (address, port));
        place.wait_until_bound(&process, &ports);
        Self { process, dir, address }
    }

    /// Name and version.
    pub fn version() -> String {
        let mut command = Command::new("chroot");
        command.arg(asterisk_root()).args(["/usr/sbin/asterisk", "-V"]);
        // "Asterisk 16.28.0~dfsg-0+deb11u4"
        Process::run("asterisk", command).split('~').next().unwrap_or_default().trim().to_owned()
    }

    /// One of its users, over `udp`, `tcp`, `tls` or `wss`.
    pub fn account(&self, user: &str, transport: &str) -> SipAccount {
        let port = match transport {
            "udp" => 5060,
            "tcp" => 5063,
            "tls" => 5061,
            "wss" => 5065,
            other => panic!("Asterisk does not listen for {other}"),
        };
        SipAccount {
            user: user.to_owned(),
            domain: Self::DOMAIN.to_owned(),
            proxy: format!("{}:{port}", self.address),
            transport: transport.to_owned(),
            password: format!("secret-of-{user}"),
        }
    }

    /// The certificate of the authority that vouches for it, PEM.
    pub fn authority(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// Its manager interface; whoever calls must be in a place that reaches it.
    pub fn manager(&self) -> Ami {
        Ami::open(self.address, AMI_PORT, Duration::from_secs(20))
    }

    /// What the number 605 received of its caller.
    pub fn received(&self) -> PathBuf {
        self.dir.path().join("spool/received.wav")
    }

    /// What the number 607 received of its caller.
    pub fn received_wide(&self) -> PathBuf {
        self.dir.path().join("spool/received.wav16")
    }

    /// The number 607 says this, a WAV at 16 kHz.
    pub fn speaks(&self, speech: &Path) {
        fs::copy(speech, self.dir.path().join("lib/speech.wav16")).unwrap();
    }

    /// What it printed last, for the message of a failing test.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

const AMI_PORT: u16 = 5038;
