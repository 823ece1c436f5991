//! What the fuzz targets have found worth keeping is read again, in every build: nothing may panic.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sign_in::callback::{Asked, Nonce, Parameters, Purpose, Return, parse_link, read_request, reset_token};
use sign_in::qr::{Reader, picture};
use sign_in::{Profile, SignInCode};

/// The inputs kept for a target.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let inputs: Vec<Vec<u8>> = entries.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect();
    assert!((10..200).contains(&inputs.len()), "{target}: {} inputs", inputs.len());
    inputs
}

fn texts(target: &str) -> Vec<String> {
    corpus(target).into_iter().filter_map(|bytes| String::from_utf8(bytes).ok()).collect()
}

#[test]
fn texts_of_qr_codes() {
    let codes = texts("qr_payload").iter().filter(|text| SignInCode::parse(text).is_ok()).count();
    assert!(codes > 0);
}

#[test]
fn pictures() {
    let mut found = 0;
    for bytes in corpus("qr_picture") {
        if let Ok(image) = picture(&bytes) {
            let luma = image.luma();
            if luma.width.saturating_mul(luma.height) <= 256 * 256 {
                found += Reader::new().read(luma).len();
            }
        }
    }
    assert!(found > 0);
}

#[test]
fn profile_files() {
    let profiles = corpus("profile").iter().filter(|bytes| Profile::parse(bytes).is_ok()).count();
    assert!(profiles > 0);
}

#[test]
fn callbacks() {
    let mut requests = 0;
    for bytes in corpus("callback_request") {
        if let Ok(Some(Asked::Page { nonce, parameters } | Asked::Handover { nonce, parameters })) =
            read_request(&bytes, 4711)
        {
            requests += 1;
            arrive(&nonce, &parameters);
        }
        let Ok(text) = std::str::from_utf8(&bytes) else { continue };
        arrive("", &Parameters::parse(text));
        if let Some((nonce, parameters)) = parse_link(text, "carillon") {
            arrive(&nonce, &parameters);
        }
        let _ = reset_token(text);
    }
    assert!(requests > 0);
}

fn arrive(given: &str, parameters: &Parameters) {
    let now = Instant::now();
    for purpose in [Purpose::SignIn, Purpose::Reset] {
        let nonce = Nonce::random();
        let mut way = Return::new(purpose, nonce.clone(), now, Duration::from_secs(1));
        assert!(way.accept(given, parameters, now).is_err());
        assert!(way.accept(nonce.expose(), parameters, now).is_ok());
    }
}
