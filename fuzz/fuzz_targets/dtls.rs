//! Handshakes of DTLS in both roles, with somebody in between.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| media::fuzzing::handshake(bytes));
