//! The packets of a call, RTP and RTCP, through jitter buffer and decoders.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| media::fuzzing::session(bytes));
