//! A running ICE agent with a relay: datagrams of anybody, some with the password.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| media::fuzzing::ice(bytes));
