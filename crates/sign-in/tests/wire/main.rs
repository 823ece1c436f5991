//! Wizard and session against a server of raw bytes.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../../../pbx-api/tests/rest/peer.rs"]
mod peer;
mod session;
mod vault;
mod wizard;

use peer::{Identity, Peer};

const ACCOUNT: &str = "alice@test.io";

fn identity() -> Identity {
    Identity::signed(|_| {})
}

fn count(peer: &Peer, line: &str) -> usize {
    peer.lines().iter().filter(|seen| seen.ends_with(line)).count()
}
