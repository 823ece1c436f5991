//! The SIP side: registrar, proxy and the service lines, over UDP and TCP (RFC 3261).
//!
//! The message layer is the demo PBX's own, so that a fault of the phone's SIP stack is not hidden by
//! the same fault on this side. [`Switch`](switch::Switch) is pure: messages and the current time go in,
//! messages and the next deadline come out. [`transport`] owns the sockets and drives it.

mod call;
mod digest;
mod forward;
mod ledger;
mod line;
mod message;
mod park;
mod privacy;
mod proxy;
mod registrar;
mod route;
mod subscription;
mod switch;
#[cfg(test)]
mod tests;
mod transaction;
pub(crate) mod transport;
mod uri;

pub(crate) use forward::Wishes;
pub(crate) use ledger::Told;
pub use line::{BUSY, DECLINE, ECHO, NO_ANSWER};
pub use park::{INTERCOM, PARK, RETRIEVE, VOICEMAIL};
pub use privacy::HIDE;
pub use registrar::Registration;
pub(crate) use switch::CALLER_IDS;
pub(crate) use switch::Order;
