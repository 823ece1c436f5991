//! The profile file: whatever it holds, what comes out is bounded, and no fault quotes it.
#![no_main]

use sign_in::Profile;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| match Profile::parse(bytes) {
    Ok(profile) => {
        let enforced = &profile.enforced;
        assert!(enforced.hidden.len() <= 64 && enforced.hidden.iter().all(|name| name.len() <= 64));
        assert!(enforced.codecs.len() <= 64 && enforced.codecs.iter().all(|name| name.len() <= 64));
    }
    Err(invalid) => assert!(invalid.what.len() < 100),
});
