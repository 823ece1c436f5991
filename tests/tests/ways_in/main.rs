//! Every way in, in the real window: each ends registered, leaves no secret lying open, and signing out
//! empties the keychain. Pictures of every page go to `output/ways-in`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod accounts;
mod code;
mod microsoft;
mod other_servers;
mod password;
mod trial;

use trial::Trial;
