//! The whole phone against a PBX that speaks over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bench;
mod contacts;
mod crossings;
mod fleet;
mod headset;
mod hear_back;
mod history;
mod links;
mod meters;
#[cfg(target_os = "linux")]
mod plugging;
mod recording;
mod several;
mod sound;
mod way;
