//! Session descriptions: offers, answers, and what we answer to them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| media::fuzzing::description(bytes));
