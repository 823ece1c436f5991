//! The whole phone against a PBX that speaks over real sockets.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bench;
mod caller_ids;
mod contacts;
mod crossings;
mod fleet;
mod forwarding;
mod greeting;
mod headset;
mod hear_back;
mod history;
mod links;
mod meters;
#[cfg(target_os = "linux")]
mod plugging;
mod portraits;
mod presence;
mod queues;
mod recording;
mod records;
mod several;
mod sound;
mod updates;
mod voicemail;
mod way;
