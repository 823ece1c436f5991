//! The whole phone against a PBX that speaks over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bench;
mod contacts;
mod crossings;
mod fleet;
mod greeting;
mod headset;
mod hear_back;
mod history;
mod links;
mod meters;
#[cfg(target_os = "linux")]
mod plugging;
mod presence;
mod recording;
mod several;
mod sound;
mod updates;
mod voicemail;
mod way;
