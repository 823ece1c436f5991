//! The user agent against real and scripted peers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod callers;
mod common;
mod digest;
mod edges;
mod forks;
mod hostile;
mod kamailio;
#[cfg(target_os = "linux")]
mod leaks;
#[cfg(target_os = "linux")]
mod load;
mod notifiers;
mod offers;
mod presence;
mod registrars;
mod servers;
mod sipp;
mod timers;
#[cfg(target_os = "linux")]
mod torture;
mod transfers;
mod transports;
mod wire;
