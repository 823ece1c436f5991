//! The user agent in networks that change, made of Linux network namespaces. Needs root, iproute2, nftables,
//! conntrack and kamailio.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod calls;
#[path = "../../../../tests/src/kamailio_house.rs"]
mod kamailio_house;
mod nat;
mod outages;
mod pbx;
mod phone;
mod roads;
mod world;
