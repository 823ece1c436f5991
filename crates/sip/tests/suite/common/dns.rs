//! A name server with the records a test needs.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sip::{Account, Proxy, TransportChoice};

use super::{Running, free_port};

/// A running dnsmasq on loopback.
pub struct Dns {
    _process: Running,
    address: SocketAddr,
}

impl Dns {
    /// Answers with these records, given as dnsmasq's options, and knows no other names in `test`.
    pub fn start(records: &[String]) -> Self {
        let port = free_port();
        let process = Command::new("dnsmasq")
            .args(["--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--user="])
            .args(["--no-resolv", "--no-hosts", "--bind-interfaces", "--listen-address=127.0.0.1"])
            .args(["--local=/test/", &format!("--port={port}")])
            .args(records)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("dnsmasq is missing: install the package dnsmasq-base");
        let process = Running(process);
        let deadline = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "dnsmasq does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { _process: process, address: ([127, 0, 0, 1], port).into() }
    }

    /// The account, with its proxy found by the domain `bell.test` alone.
    pub fn account(&self, account: Account, transport: impl Into<TransportChoice>) -> Account {
        Account {
            proxy: Proxy { host: "bell.test".into(), port: None },
            transport: transport.into(),
            name_servers: Some(vec![self.address]),
            ..account
        }
    }
}

/// An address record.
pub fn host(name: &str, address: &str) -> String {
    format!("--host-record={name},{address}")
}

/// A service record.
pub fn srv(service: &str, target: &str, port: u16, priority: u16) -> String {
    format!("--srv-host={service},{target},{port},{priority},1")
}

/// What leads from the domain to a service.
pub fn naptr(order: u16, services: &str, service: &str) -> String {
    format!("--naptr-record=bell.test,{order},50,s,{services},,{service}")
}
