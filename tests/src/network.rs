//! Networks of the tests' own: a hub with the PBX, and phones each behind a link of their own.

use std::fs::File;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::Process;

/// Where a program runs.
#[derive(Debug, Clone)]
pub enum Place {
    /// On this machine, as it is.
    Here,
    /// In a network namespace.
    Namespace(String),
}

impl Place {
    /// A command that runs there.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        match self {
            Self::Here => Command::new(program.as_ref()),
            Self::Namespace(name) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", name]).arg(program.as_ref());
                command
            }
        }
    }

    /// Moves the calling thread there, and with it every thread it starts from now on.
    pub fn enter(&self) {
        if let Self::Namespace(name) = self {
            let file = File::open(Path::new("/var/run/netns").join(name)).expect("the namespace stands");
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
                .expect("root may enter it");
        }
    }

    /// Waits until `process`, which runs there, has bound all these addresses.
    pub(crate) fn wait_until_bound(&self, process: &Process, wanted: &[(Ipv4Addr, u16)]) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let mut command = self.command("ss");
            command.arg("-lntuH");
            let bound = Process::run("ss", command);
            if wanted.iter().all(|(address, port)| bound.contains(&format!("{address}:{port} "))) {
                return;
            }
            assert!(Instant::now() < deadline, "{wanted:?} is not bound\n{}", process.log());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A hub that routes between phones. Each phone has its own namespace, link and address; the hub holds the
/// address of the PBX.
pub struct Network {
    id: String,
    phones: Vec<(Place, Ipv4Addr)>,
    homes: Vec<Place>,
}

/// How a router translates addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nat {
    /// The port stays as long as nobody else has it, whomever it talks to; only who was talked to may answer.
    PortRestricted,
    /// Another port for everybody it talks to.
    Symmetric,
}

impl Network {
    /// A network with this many phones.
    pub fn new(phones: u8) -> Self {
        assert!(
            rustix::process::geteuid().is_root(),
            "foreign peers run in network namespaces of their own, and only root can make those: run as root"
        );
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let id = format!("car{}x{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut network = Self { id, phones: Vec::new(), homes: Vec::new() };
        let hub = network.hub_name();
        ip(&["netns", "add", &hub]);
        ip(&["-n", &hub, "link", "set", "lo", "up"]);
        ip(&["-n", &hub, "addr", "add", &format!("{}/32", network.pbx()), "dev", "lo"]);
        let mut forward = network.hub().command("sysctl");
        forward.args(["-q", "-w", "net.ipv4.ip_forward=1"]);
        Process::run("ip forwarding", forward);
        for n in 1..=phones {
            let name = format!("{}p{n}", network.id);
            let (ours, theirs) = (Ipv4Addr::new(10, 77, n, 1), Ipv4Addr::new(10, 77, n, 2));
            let link = format!("p{n}");
            network.phones.push((Place::Namespace(name.clone()), theirs));
            ip(&["netns", "add", &name]);
            ip(&["-n", &name, "link", "set", "lo", "up"]);
            ip(&[
                "link", "add", &link, "netns", &hub, "type", "veth", "peer", "name", "eth0", "netns", &name,
            ]);
            ip(&["-n", &hub, "addr", "add", &format!("{ours}/24"), "dev", &link]);
            ip(&["-n", &hub, "link", "set", &link, "up"]);
            ip(&["-n", &name, "addr", "add", &format!("{theirs}/24"), "dev", "eth0"]);
            ip(&["-n", &name, "link", "set", "eth0", "up"]);
            ip(&["-n", &name, "route", "add", "default", "via", &ours.to_string()]);
        }
        network
    }

    /// A place behind the phone of this number, which becomes its router and translates addresses. What was not asked
    /// for does not come in.
    pub fn behind(&mut self, n: usize, nat: Nat) -> Place {
        let (router, _) = self.phone(n);
        let (Place::Namespace(outside), inside) = (&router, format!("{}h{n}", self.id)) else {
            unreachable!("phones have namespaces")
        };
        if self.homes.is_empty() {
            // The rest of the world, where private addresses lead nowhere.
            let hub = self.hub_name();
            ip(&["-n", &hub, "link", "add", "world", "type", "veth", "peer", "name", "nowhere"]);
            ip(&["-n", &hub, "link", "set", "nowhere", "up"]);
            ip(&["-n", &hub, "link", "set", "world", "up", "arp", "off"]);
            ip(&["-n", &hub, "route", "add", "default", "dev", "world"]);
        }
        ip(&["netns", "add", &inside]);
        ip(&["-n", &inside, "link", "set", "lo", "up"]);
        ip(&[
            "link", "add", "home", "netns", outside, "type", "veth", "peer", "name", "eth0", "netns", &inside,
        ]);
        ip(&["-n", outside, "addr", "add", "192.168.7.1/24", "dev", "home"]);
        ip(&["-n", outside, "link", "set", "home", "up"]);
        ip(&["-n", &inside, "addr", "add", "192.168.7.2/24", "dev", "eth0"]);
        ip(&["-n", &inside, "link", "set", "eth0", "up"]);
        ip(&["-n", &inside, "route", "add", "default", "via", "192.168.7.1"]);
        let masquerade = match nat {
            Nat::PortRestricted => "masquerade",
            Nat::Symmetric => "masquerade fully-random",
        };
        let rule = format!("add rule ip nat out oifname eth0 {masquerade}");
        for words in [
            "sysctl -qw net.ipv4.ip_forward=1",
            "nft add table ip nat",
            "nft add chain ip nat out { type nat hook postrouting priority 100 ; }",
            &format!("nft {rule}"),
            "nft add table ip guard",
            "nft add chain ip guard in { type filter hook input priority 0 ; }",
            "nft add rule ip guard in iifname eth0 ct state new drop",
            "nft add chain ip guard way { type filter hook forward priority 0 ; }",
            "nft add rule ip guard way iifname eth0 ct state new drop",
        ] {
            let (program, arguments) = words.split_once(' ').expect("a program and what it is told");
            let mut command = router.command(program);
            command.args(arguments.split(' '));
            Process::run(words, command);
        }
        let place = Place::Namespace(inside);
        self.homes.push(place.clone());
        place
    }

    /// Where the PBX runs.
    pub fn hub(&self) -> Place {
        Place::Namespace(self.hub_name())
    }

    /// Address of the PBX.
    pub fn pbx(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 77, 0, 1)
    }

    /// Where the phone of this number runs, counted from 0, and its address.
    pub fn phone(&self, n: usize) -> (Place, Ipv4Addr) {
        self.phones[n].clone()
    }

    fn hub_name(&self) -> String {
        format!("{}hub", self.id)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let phones = self.phones.iter().map(|(place, _)| place.clone());
        for place in phones.chain(self.homes.iter().cloned()).chain([self.hub()]) {
            if let Place::Namespace(name) = place {
                let _ = Command::new("ip").args(["netns", "del", &name]).status();
            }
        }
    }
}

fn ip(arguments: &[&str]) {
    let mut command = Command::new("ip");
    command.args(arguments);
    Process::run(&format!("ip {}", arguments.join(" ")), command);
}
