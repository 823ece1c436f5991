//! A picture file, and the QR codes in it.
#![no_main]

use std::sync::Once;

use sign_in::qr::{Reader, picture};

/// Most pixels looked at, so that many pictures a second are.
const MOST: u32 = 256 * 256;

static CAUGHT: Once = Once::new();

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // The decoders may panic, and are caught; only what is not caught is a finding.
    CAUGHT.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    let Ok(image) = picture(bytes) else { return };
    let luma = image.luma();
    if luma.width.saturating_mul(luma.height) <= MOST {
        Reader::new().read(luma);
    }
});
