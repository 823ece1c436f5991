//! Three hosts: the phone's, a router, the PBX's. The phone has three ways to the router.
//!
//! ```text
//! phone p0 10.77.1.2 ── 10.77.1.1 r0 ┐
//!       p1 10.77.2.2 ── 10.77.2.1 r1 ├ router r9 10.77.9.1 ── 10.77.9.2 s0 PBX
//!       p2 10.77.3.2 ── 10.77.3.1 r2 ┘
//! ```
//!
//! Only the first one is in use at the beginning. A test runs twice: the outer one makes the world and runs the
//! inner one, which is ignored otherwise, in a process of its own on the phone's host.

use std::fs::File;
use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::process::Command;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Names the world in the environment of the inner test.
const NAME: &str = "SIP_NETNS";
/// The PBX.
pub const PBX: &str = "10.77.9.2";

/// The hosts' namespaces. Made by the outer test, which removes them at its end.
pub struct World {
    name: String,
    owned: bool,
}

impl World {
    /// Makes a world. `name` must differ between tests.
    fn new(name: &str) -> Self {
        assert!(rustix::process::getuid().is_root(), "these tests make network namespaces: run them as root");
        let world = Self { name: format!("sip-{}-{name}", std::process::id()), owned: true };
        for host in ["p", "r", "s"] {
            world.run(&["ip", "netns", "add", &world.host(host)]);
            world.ip(host, "link set lo up");
        }
        for (host, own, its, network) in
            [("p", "p0", "r0", 1), ("p", "p1", "r1", 2), ("p", "p2", "r2", 3), ("s", "s0", "r9", 9)]
        {
            let (host_name, router) = (world.host(host), world.host("r"));
            let veth =
                format!("ip link add {own} netns {host_name} type veth peer name {its} netns {router}");
            world.run(&veth.split(' ').collect::<Vec<_>>());
            world.ip("r", &format!("addr add 10.77.{network}.1/24 dev {its}"));
            world.ip("r", &format!("link set {its} up"));
        }
        world.run(&["ip", "netns", "exec", &world.host("r"), "sysctl", "-qw", "net.ipv4.ip_forward=1"]);
        world.ip("s", "addr add 10.77.9.2/24 dev s0");
        world.ip("s", "link set s0 up");
        world.ip("s", "route add default via 10.77.9.1");
        world.up(0);
        world.ip("p", "route add default via 10.77.1.1");
        world
    }

    /// Makes a world and runs the ignored test `case` on the phone's host.
    pub fn run_case(name: &str, case: &str) {
        let world = Self::new(name);
        let output = Command::new("ip")
            .args(["netns", "exec", &world.host("p")])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", case, "--ignored", "--nocapture"])
            .env(NAME, &world.name)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        println!("{said}");
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("1 passed"), "{said}\n{complaints}");
    }

    /// The world the inner test runs in.
    pub fn here() -> Self {
        let name = std::env::var(NAME).expect("run by the test of the same name");
        Self { name, owned: false }
    }

    fn host(&self, host: &str) -> String {
        format!("{}-{host}", self.name)
    }

    /// Arguments that run a command on a host.
    pub fn on(&self, host: &str) -> [String; 4] {
        ["ip".into(), "netns".into(), "exec".into(), self.host(host)]
    }

    /// Runs `ip` on a host: `p` the phone's, `r` the router, `s` the PBX's.
    pub fn ip(&self, host: &str, arguments: &str) {
        let host = self.host(host);
        let mut command = vec!["ip", "-n", &host];
        command.extend(arguments.split(' '));
        self.run(&command);
    }

    /// Feeds nftables on the router.
    pub fn nft(&self, rules: &str) {
        let mut command: Vec<String> = self.on("r").into();
        command.extend(["nft".to_owned(), rules.to_owned()]);
        self.run(&command.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// Brings a way of the phone up, without a route.
    pub fn up(&self, way: u8) {
        self.ip("p", &format!("link set p{way} up"));
        self.ip("p", &format!("addr replace 10.77.{}.2/24 dev p{way}", way + 1));
    }

    /// Takes a way of the phone down, along with its routes.
    pub fn down(&self, way: u8) {
        self.ip("p", &format!("addr flush dev p{way}"));
        self.ip("p", &format!("link set p{way} down"));
    }

    /// Runs a command that must succeed.
    pub fn run(&self, command: &[&str]) {
        let (program, arguments) = command.split_first().unwrap();
        let output = Command::new(program)
            .args(arguments)
            .output()
            .unwrap_or_else(|e| panic!("{program} is missing ({e}): install iproute2, nftables, conntrack"));
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// A UDP socket on the PBX's host; any port for 0.
    pub fn socket_at_pbx(&self, port: u16) -> tokio::net::UdpSocket {
        let namespace = File::open(format!("/run/netns/{}", self.host("s"))).unwrap();
        // Namespaces belong to threads; a socket stays where it was made.
        let socket = std::thread::spawn(move || {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            UdpSocket::bind((PBX, port)).unwrap()
        });
        let socket = socket.join().unwrap();
        socket.set_nonblocking(true).unwrap();
        tokio::net::UdpSocket::from_std(socket).unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if self.owned {
            for host in ["p", "r", "s"] {
                let _ = Command::new("ip").args(["netns", "del", &self.host(host)]).status();
            }
        }
    }
}
