//! What comes to the callback address, over HTTP or as a link: only our own nonce is let in.
#![no_main]

use std::time::{Duration, Instant};

use sign_in::callback::{
    Asked, Callback, Nonce, Parameters, Purpose, Return, parse_link, read_request, reset_token,
};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(Some(asked)) = read_request(bytes, 4711) {
        let (Asked::Page { nonce, parameters } | Asked::Handover { nonce, parameters }) = asked;
        arrive(&nonce, &parameters);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        arrive("", &Parameters::parse(text));
        if let Some((nonce, parameters)) = parse_link(text, "carillon") {
            arrive(&nonce, &parameters);
        }
        let _ = reset_token(text);
    }
});

fn arrive(given: &str, parameters: &Parameters) {
    let now = Instant::now();
    for purpose in [Purpose::SignIn, Purpose::Reset] {
        let nonce = Nonce::random();
        let mut way = Return::new(purpose, nonce.clone(), now, Duration::from_secs(1));
        assert!(way.accept(given, parameters, now).is_err());
        if let Ok(Callback::Failed { what }) = way.accept(nonce.expose(), parameters, now) {
            assert!(!what.chars().any(char::is_control));
        }
    }
}
