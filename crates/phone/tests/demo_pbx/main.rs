//! The whole phone against a PBX that speaks over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bench;
mod crossings;
mod recording;
mod several;
mod sound;
mod way;
