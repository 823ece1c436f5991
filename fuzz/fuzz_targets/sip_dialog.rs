//! A registered phone that lives through calls in which anything may be said.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sip::fuzzing::dialog(bytes));
