//! The way to the outbound proxy and back: sockets, name resolution, keep-alive, noticing loss.

mod detour;
mod dial;
mod framing;
mod hops;
mod knock;
mod net;
mod probe;
mod pulse;
mod receive;
mod secure;
mod stream;
mod stun;
mod through;
mod udp;
mod websocket;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use pbx_api::Distrust;
use rsipstack::sip::{Header, Response};
use rsipstack::transport::SipConnection;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use crate::message::token;
use crate::registration::{Input, Told};
use crate::resolve::{LEFT_ALONE, Targets};
use crate::{Cause, Party, Transport};

pub(crate) use detour::Hop;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use framing::frames;
pub(crate) use hops::{AckMender, Hops, Locator, udp_address};
pub(crate) use knock::{knock_at, mapped, seen_by};
pub(crate) use net::{Net, Outlets};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use receive::mark;
pub(crate) use receive::marked;
pub(crate) use udp::Port;
pub(crate) use websocket::is_path;

/// One path to the proxy: a connection, or over UDP the socket and the proxy's address. Replaced when lost.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    pub connection: SipConnection,
    pub transport: Transport,
    pub local: SocketAddr,
    pub peer: SocketAddr,
    user: String,
    /// Our address as the proxy sees it, where it says.
    reflexive: Arc<Mutex<Option<SocketAddr>>>,
    loss: Arc<Loss>,
}

#[derive(Debug)]
struct Loss {
    token: CancellationToken,
    cause: OnceLock<Cause>,
    report: mpsc::UnboundedSender<Told>,
    /// The flow is not the one that the registration goes over, or not yet.
    aside: AtomicBool,
    targets: Arc<Mutex<Targets>>,
    /// The task that watches over the flow, where one can be replaced while it still works.
    watch: OnceLock<AbortHandle>,
}

impl Flow {
    /// A Via header with a new branch.
    pub(crate) fn via(&self) -> String {
        let alias = if self.transport == Transport::Udp { "" } else { ";alias" };
        format!("SIP/2.0/{} {};branch=z9hG4bK{};rport{alias}", self.transport.via(), self.local, token())
    }

    /// The Contact under which this flow is reached: behind NAT the address that the proxy sees.
    pub(crate) fn contact(&self) -> String {
        self.contact_under(&self.user)
    }

    /// The Contact in a dialog in which our side is called `local`: who is anonymous there, is so here
    /// (RFC 3323, section 4.1.1.3).
    pub(crate) fn contact_as(&self, local: &str) -> String {
        let anonymous = Party::parse(local).host.eq_ignore_ascii_case("anonymous.invalid");
        self.contact_under(if anonymous { "anonymous" } else { &self.user })
    }

    fn contact_under(&self, user: &str) -> String {
        let address = self.reflexive().unwrap_or(self.local);
        match self.transport {
            Transport::Udp => format!("<sip:{user}@{address}>"),
            other => format!("<sip:{user}@{address};transport={}>", other.parameter()),
        }
    }

    /// Our address as the proxy sees it, where it has said so.
    pub(crate) fn reflexive(&self) -> Option<SocketAddr> {
        self.reflexive.lock().ok().and_then(|known| *known)
    }

    /// Learns from a response of the proxy which address of ours the proxy sees (`received` and `rport`,
    /// RFC 3581). Whether that changed what is known: then [`contact`](Self::contact) is another one, too.
    pub(crate) fn observe(&self, response: &Response) -> bool {
        let via = response.headers.iter().find_map(|header| match header {
            Header::Via(via) => Some(via.value()),
            _ => None,
        });
        match via.and_then(|via| receive::reflexive(via, self.local)) {
            Some(seen) => self.learn(seen),
            None => false,
        }
    }

    /// Takes `seen` for our address as the proxy sees it; whether it is another one than before.
    fn learn(&self, seen: SocketAddr) -> bool {
        let Ok(mut known) = self.reflexive.lock() else { return false };
        let is_other = known.replace(seen).unwrap_or(self.local) != seen;
        if is_other && !self.loss.aside.load(Ordering::Relaxed) {
            let _ = self.loss.report.send(Input::ContactChanged.into());
        }
        is_other
    }

    /// Waits until the flow is lost.
    pub(crate) async fn lost(&self) -> Cause {
        self.loss.token.cancelled().await;
        self.loss.cause.get().copied().unwrap_or(Cause::ConnectionLost)
    }

    /// Gives the flow up: whoever uses it learns the cause, the next request opens another.
    pub(crate) fn lose(&self, cause: Cause) {
        if self.loss.cause.set(cause).is_err() {
            return;
        }
        self.loss.token.cancel();
        if self.loss.aside.load(Ordering::Relaxed) {
            return;
        }
        let is_their_fault =
            matches!(cause, Cause::Silence | Cause::ConnectionRefused | Cause::ConnectionLost);
        if let Ok(mut targets) = self.loss.targets.lock()
            && is_their_fault
        {
            targets.fail(self.transport, self.peer, LEFT_ALONE, Instant::now());
        }
        let _ = self.loss.report.send(Input::FlowLost(cause).into());
    }

    /// Closes a flow that nobody uses.
    fn discard(&self) {
        let _ = self.loss.cause.set(Cause::ConnectionLost);
        self.loss.token.cancel();
    }

    /// Whether anybody is to be told what becomes of this flow: not of one that serves single requests, nor before it
    /// is taken into use.
    fn set_aside(&self, aside: bool) {
        self.loss.aside.store(aside, Ordering::Relaxed);
    }

    /// Whether the flow is lost.
    pub(crate) fn is_lost(&self) -> bool {
        self.loss.token.is_cancelled()
    }
}

/// Why a flow could not be opened.
#[derive(Debug)]
struct Failure {
    cause: Cause,
    /// The certificate that is not trusted, where that is the cause.
    distrust: Option<Box<Distrust>>,
}

impl From<Cause> for Failure {
    fn from(cause: Cause) -> Self {
        Self { cause, distrust: None }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        cause_of(&error).into()
    }
}

fn cause_of(error: &io::Error) -> Cause {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Cause::ConnectionRefused,
        io::ErrorKind::TimedOut => Cause::Silence,
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => {
            Cause::ConnectionLost
        }
        _ => Cause::NetworkUnreachable,
    }
}

/// An address without the scope of a link-local one, which has no place in a SIP message.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
