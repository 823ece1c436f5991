//! The client against servers of every kind.
#![allow(clippy::unwrap_used, clippy::panic)]

mod contract;
mod cookies;
mod operations;
mod peer;
mod prism;
mod wire;
