//! The text of a QR code: a code that is taken leads to servers and to a file of theirs, nowhere else.
#![no_main]

use pbx_api::ServerAddress;
use sign_in::SignInCode;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match SignInCode::parse(text) {
        Ok(SignInCode::User(code)) => {
            assert!(!code.ways.is_empty());
            assert!(code.path.starts_with("/api/") || !code.path.contains('/'));
            assert!(!code.path.contains("//") && !code.path.contains("/../"));
        }
        Ok(SignInCode::Legacy(code)) => {
            assert!(code.proxies.iter().all(|proxy| proxy.parse::<ServerAddress>().is_ok()));
            assert!(code.transports.iter().all(|(_, port)| *port != 0));
        }
        Err(other) => assert!(other.to_string().len() < 500),
    }
});
