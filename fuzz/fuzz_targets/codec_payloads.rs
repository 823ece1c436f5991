//! Packets of every codec, and comfort noise: what they are decoded to.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| media::fuzzing::payloads(bytes));
