//! coturn: a STUN and TURN server.

use std::net::Ipv4Addr;

use tempfile::TempDir;

use crate::{Place, Process};

/// A running coturn, without TLS.
pub struct Coturn {
    _process: Process,
    _folder: TempDir,
    address: Ipv4Addr,
}

impl Coturn {
    /// Its one user, and that user's password.
    pub const LOGIN: (&'static str, &'static str) = ("anna", "secret");
    const PORT: u16 = 3478;

    /// Starts it on the port of STUN.
    pub fn at(place: &Place, address: Ipv4Addr) -> Self {
        let folder = TempDir::with_prefix("carillon-coturn-").unwrap();
        let file = |name: &str| folder.path().join(name).display().to_string();
        let (user, password) = Self::LOGIN;
        let here = address.to_string();
        let mut command = place.command("turnserver");
        command.args(["-n", "--no-cli", "--no-tls", "--no-dtls", "--lt-cred-mech", "--realm", "test.io"]);
        command.args(["--user", &format!("{user}:{password}"), "--listening-ip", &here, "--relay-ip", &here]);
        command.args(["--listening-port", &Self::PORT.to_string(), "--log-file", "stdout"]);
        command.args(["--pidfile", &file("pid"), "--userdb", &file("db")]);
        let process = Process::start_voice("turnserver", command);
        place.wait_until_bound(&process, &[(address, Self::PORT)]);
        Self { _process: process, _folder: folder, address }
    }

    /// Where it is, `host:port`.
    pub fn server(&self) -> String {
        format!("{}:{}", self.address, Self::PORT)
    }
}
