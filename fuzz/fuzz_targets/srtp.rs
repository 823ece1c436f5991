//! Protected packets: forged, bent, cut.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| media::fuzzing::protected(bytes));
