//! Sound over a TURN server that somebody else wrote (coturn), and by ICE without one.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use media::ice::Kind;
use media::{Login, Way};
use pbx_api::Trust;

use super::*;
use crate::nat::{Nat, Turn};

#[path = "../../../../../tests/src/authority.rs"]
mod authority;
#[allow(dead_code)]
#[path = "../../../../../tests/src/free_port.rs"]
mod free_port;

use authority::Authority;
use free_port::free_port;

const PATIENCE: Duration = Duration::from_secs(60);

/// A running coturn.
struct Coturn {
    child: Child,
    port: u16,
    tls_port: u16,
}

impl Coturn {
    fn start(folder: &Path, authority: &Authority) -> Self {
        let (port, tls_port) = (free_port(), free_port());
        let (certificate, key) = authority.sign(&["127.0.0.1"]);
        let file = |name: &str| folder.join(name).display().to_string();
        let child = Command::new("turnserver")
            .args(["-n", "--no-cli", "--allow-loopback-peers", "--lt-cred-mech"])
            .args(["--user", "anna:secret", "--realm", "test.io"])
            .args(["--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1"])
            .args(["--listening-port", &port.to_string(), "--tls-listening-port", &tls_port.to_string()])
            .args(["--cert", &certificate.display().to_string(), "--pkey", &key.display().to_string()])
            .args(["--log-file", &file("log"), "--pidfile", &file("pid"), "--userdb", &file("db")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("turnserver is installed");
        let begun = Instant::now();
        while TcpStream::connect((LOOPBACK, tls_port)).is_err() {
            assert!(begun.elapsed() < PATIENCE, "coturn does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, port, tls_port }
    }

    fn as_told(&self, over: &str, password: &str) -> Nat {
        let port = if over == "tls" { self.tls_port } else { self.port };
        let login = Login { user: "anna".into(), password: password.to_owned().into() };
        let turn = Turn::new(&format!("{over}:127.0.0.1:{port}"), login).unwrap();
        Nat { turn: Some(turn), ..Nat::default() }
    }
}

impl Drop for Coturn {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Sockets that have found what there is to be found, and our side of a call with these candidates alone.
fn gathered(nat: &Nat, trust: &Trust, only: Kind, id: u64) -> (Sockets, LocalMedia) {
    let sockets = Sockets::bind(LOOPBACK).unwrap().gather_within(nat, trust, PATIENCE);
    let mut ice = sockets.ice().expect("candidates");
    ice.candidates.retain(|candidate| candidate.kind == only);
    let address = ice.candidates.first().unwrap_or_else(|| panic!("no {only:?} candidate")).address;
    let mut media = LocalMedia::new(address.ip(), address.port(), address.port(), vec![Codec::Opus], id);
    media.ice = Some(ice);
    (sockets, media)
}

fn agreed_by_ice(nat: &Nat, trust: &Trust, only: Kind) -> [(Sockets, Negotiated); 2] {
    let ((caller, mut ours), (callee, mut theirs)) =
        (gathered(nat, trust, only, 1), gathered(nat, trust, only, 2));
    let (answer, at_callee) = theirs.answer(&ours.offer()).unwrap();
    let at_caller = ours.accept(&answer).unwrap();
    [(caller, at_caller), (callee, at_callee)]
}

fn over(transport: &str) {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path());
    let coturn = Coturn::start(folder.path(), &authority);
    let mut trust = Trust::default();
    trust.add_roots(&std::fs::read(authority.certificate()).unwrap()).unwrap();
    let calls = agreed_by_ice(&coturn.as_told(transport, "secret"), &trust, Kind::Relayed);
    let last = carry(&format!("TURN over {transport}"), calls);
    assert_eq!(last.map(|report| report.way), [Way::Relayed; 2]);
}

#[test]
fn speech_passes_a_relay_over_udp() {
    over("udp");
}

#[test]
fn speech_passes_a_relay_over_tcp() {
    over("tcp");
}

#[test]
fn speech_passes_a_relay_over_tls() {
    over("tls");
}

#[test]
fn speech_passes_by_ice_without_a_relay() {
    let calls = agreed_by_ice(&Nat::default(), &Trust::default(), Kind::Host);
    let last = carry("ICE", calls);
    assert_eq!(last.map(|report| report.way), [Way::Direct; 2]);
}

#[test]
fn a_relay_that_refuses_us_is_done_without() {
    let folder = tempfile::tempdir().unwrap();
    let coturn = Coturn::start(folder.path(), &Authority::new(folder.path()));
    let nat = coturn.as_told("tcp", "wrong");
    let sockets = Sockets::bind(LOOPBACK).unwrap().gather_within(&nat, &Trust::default(), PATIENCE);
    let kinds: Vec<Kind> = sockets.ice().unwrap().candidates.iter().map(|candidate| candidate.kind).collect();
    assert_eq!(kinds, [Kind::Host]);
}
