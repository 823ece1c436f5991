//! Every answer of the PBX's REST API.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pbx_api::fuzzing::any_body(bytes));
