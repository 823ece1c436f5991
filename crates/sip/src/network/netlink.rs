//! On Linux the kernel rings when links, addresses or routes change (netlink, family `ROUTE`). What it says is not
//! read: a look at the network tells more.

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};
use rustix::time::{ClockId, clock_gettime};

/// Links, IPv4 and IPv6 addresses and routes, as bits of a netlink address.
const GROUPS: u32 = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;
/// Between looks at the clocks.
const TICK: Duration = Duration::from_secs(1);
/// Between looks at the network where the kernel does not ring.
const BLIND: Duration = Duration::from_millis(500);

/// Rings when it is time to look.
pub(super) struct Bell {
    socket: Option<OwnedFd>,
    stop: PipeReader,
}

/// Stops the bell when dropped.
pub(super) struct Stop {
    _end: PipeWriter,
}

/// Why [`Bell::wait`] returns.
pub(super) enum Rung {
    Stop,
    /// The network may have changed.
    Look,
    /// Time has passed.
    Nothing,
}

impl Bell {
    pub(super) fn new() -> io::Result<(Self, Stop)> {
        let (stop, end) = io::pipe()?;
        let socket = listen().inspect_err(|error| tracing::debug!(%error, "no word from the kernel")).ok();
        Ok((Self { socket, stop }, Stop { _end: end }))
    }

    /// Waits until there is something to look at, at most for `limit` or a second.
    pub(super) fn wait(&self, limit: Option<Duration>) -> Rung {
        let tick = if self.socket.is_some() { TICK } else { BLIND };
        let timeout = Timespec::try_from(limit.map_or(tick, |limit| limit.min(tick))).ok();
        let mut ready = vec![PollFd::new(&self.stop, PollFlags::IN)];
        ready.extend(self.socket.as_ref().map(|socket| PollFd::new(socket, PollFlags::IN)));
        // An interruption is a short tick.
        let _ = poll(&mut ready, timeout.as_ref());
        let rings = |index: usize| ready.get(index).is_some_and(|ready| !ready.revents().is_empty());
        match &self.socket {
            _ if rings(0) => Rung::Stop,
            None => Rung::Look,
            Some(socket) if rings(1) => {
                let mut buffer = [0_u8; 16 * 1024];
                while recv(socket, &mut buffer, RecvFlags::DONTWAIT).is_ok() {}
                Rung::Look
            }
            Some(_) => Rung::Nothing,
        }
    }
}

fn listen() -> io::Result<OwnedFd> {
    // The protocol of the family `ROUTE` is number 0.
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    bind(&socket, &SocketAddrNetlink::new(0, GROUPS))?;
    Ok(socket)
}

/// A clock that goes on while the machine sleeps.
pub(super) fn real_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default()
}
