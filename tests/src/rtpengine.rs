//! rtpengine beside a Kamailio: it takes the media of every call and gives each side the protection it wants.

use std::net::Ipv4Addr;

use crate::{Place, Process, free_port};

/// A running rtpengine.
pub struct Rtpengine {
    _process: Process,
    control: u16,
}

impl Rtpengine {
    /// Starts it in user space.
    pub fn at(place: &Place, address: Ipv4Addr) -> Self {
        let control = free_port();
        let mut command = place.command("rtpengine");
        command.args([
            "--foreground",
            "--log-stderr",
            "--log-level=5",
            "--table=-1",
            "--num-threads=2",
            "--endpoint-learning=immediate",
        ]);
        command.args(["--config-file=none", "--port-min=30000", "--port-max=30999"]);
        command.arg(format!("--interface={address}")).arg(format!("--listen-ng={address}:{control}"));
        let process = Process::start_voice("rtpengine", command);
        place.wait_until_bound(&process, &[(address, control)]);
        Self { _process: process, control }
    }

    /// Port on which it is told what to do.
    pub(crate) fn control(&self) -> u16 {
        self.control
    }
}
