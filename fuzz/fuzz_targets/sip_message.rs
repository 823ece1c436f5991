//! SIP messages, from the stream to the headers and bodies.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sip::fuzzing::message(bytes));
