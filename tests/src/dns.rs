//! A name server with the records a test needs.

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use crate::{Place, Process};

/// A running dnsmasq, which programs in the other places of its network ask.
pub struct Dns {
    _process: Process,
    told: Vec<PathBuf>,
}

impl Dns {
    /// Answers with these records, given as dnsmasq's options, and knows no other names in `test`. Programs that are
    /// started in `asking` from now on ask it.
    pub fn at(place: &Place, address: Ipv4Addr, records: &[&str], asking: &[&Place]) -> Self {
        let mut command = place.command("dnsmasq");
        command.args(["--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--user="]);
        command.args(["--no-resolv", "--no-hosts", "--bind-interfaces", "--local=/test/"]);
        command.arg(format!("--listen-address={address}")).args(records);
        let process = Process::start("dnsmasq", command);
        place.wait_until_bound(&process, &[(address, 53)]);
        let told = asking.iter().filter_map(|place| tell(place, address)).collect();
        Self { _process: process, told }
    }
}

/// Writes what `ip netns exec` lays over the system's own configuration.
fn tell(place: &Place, address: Ipv4Addr) -> Option<PathBuf> {
    let Place::Namespace(name) = place else { return None };
    let folder = PathBuf::from("/etc/netns").join(name);
    fs::create_dir_all(&folder).expect("root may configure a namespace");
    fs::write(folder.join("resolv.conf"), format!("nameserver {address}\n")).expect("the folder stands");
    Some(folder)
}

impl Drop for Dns {
    fn drop(&mut self) {
        for folder in &self.told {
            let _ = fs::remove_dir_all(folder);
        }
    }
}
