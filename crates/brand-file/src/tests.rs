use std::path::{Path, PathBuf};
use std::{env, fs};

use super::*;

fn brands() -> PathBuf {
    // Asked for at run time: the test may run where it was not built.
    PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("../../brand")
}

/// What becomes of Harbour when `what` in its `brand.toml` is `instead`.
fn with(what: &str, instead: &str) -> Result<Brand, String> {
    let dir = tempfile::tempdir().unwrap();
    copy(&brands().join("harbour"), dir.path());
    let path = dir.path().join("brand.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(what), "no {what:?}");
    fs::write(path, text.replacen(what, instead, 1)).unwrap();
    read(dir.path()).map_err(|fault| fault.to_string())
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn every_brand_in_the_tree_can_be_read() {
    let folders = fs::read_dir(brands()).unwrap().map(|entry| entry.unwrap());
    let folders: Vec<_> = folders.filter(|entry| entry.file_type().unwrap().is_dir()).collect();
    let read: Vec<_> = folders.iter().map(|folder| super::read(&folder.path()).unwrap()).collect();
    let taken = |of: fn(&Brand) -> &String| {
        let mut all: Vec<_> = read.iter().map(of).collect();
        all.sort();
        all.dedup();
        all.len()
    };
    assert!(read.len() >= 2);
    // Two phones on one machine have nothing in common.
    assert_eq!(taken(|brand| &brand.name), read.len());
    assert_eq!(taken(|brand| &brand.identifier), read.len());
    assert_eq!(taken(|brand| &brand.program), read.len());
    assert_eq!(taken(|brand| &brand.scheme), read.len());
    assert_eq!(taken(|brand| &brand.keychain), read.len());
}

#[test]
fn updates_need_an_address_and_a_key() {
    let harbour = read(&brands().join("harbour")).unwrap().updates.unwrap();
    assert!(harbour.manifest.starts_with("https://"));
    let refused = |what: &str, instead: &str| with(what, instead).unwrap_err();
    assert!(
        refused("https://harbour.example/voice", "http://harbour.example/voice").contains("updates.manifest")
    );
    assert!(refused("uJ0Z", "u").contains("updates.key"));
    assert!(refused("key = ", "lock = ").contains("lock"));
}

#[test]
fn harbour_locks_the_server_and_has_two_ways_in() {
    let harbour = read(&brands().join("harbour")).unwrap();
    assert_eq!(harbour.name, "Harbour Voice");
    assert_eq!(harbour.sign_in.server.is, FieldIs::Fixed);
    assert_eq!(harbour.sign_in.domain.is, FieldIs::Hidden);
    assert_eq!(harbour.sign_in.ways, [Way::Microsoft, Way::Qr]);
}

#[test]
fn an_unknown_key_is_refused_by_name() {
    for (what, instead, named) in [
        ("scheme =", "sheme =", "sheme"),
        ("hue =", "saturation = 1\nhue =", "saturation"),
        ("[sign_in.server]\n", "[sign_in.server]\nlocked = true\n", "locked"),
    ] {
        let fault = with(what, instead).unwrap_err();
        assert!(fault.contains(named) && fault.contains("brand.toml"), "{fault}");
    }
}

#[test]
fn a_missing_key_or_another_type_is_refused() {
    assert!(with("keychain =", "# keychain =").unwrap_err().contains("keychain"));
    assert!(with("hue = ", "hue = \"blue\" # ").unwrap_err().contains("hue"));
    assert!(with("is = \"fixed\"", "is = \"locked\"").unwrap_err().contains("locked"));
    assert!(with("\"qr\"", "\"fax\"").unwrap_err().contains("fax"));
}

#[test]
fn a_value_that_cannot_be_used_is_refused() {
    for (key, value) in [
        ("name", "\"\""),
        ("name", "\" Harbour\""),
        ("name", "\"<b>\""),
        ("identifier", "\"phone\""),
        ("identifier", "\"example.2harbour\""),
        ("identifier", "\"example.Harbour\""),
        ("program", "\"../harbour\""),
        ("program", "\"harbour voice\""),
        ("scheme", "\"https\""),
        ("scheme", "\"har bour\""),
        ("user_agent", "\"Harbour Voice/1\""),
        ("hue", "360"),
        ("chroma", "0.4"),
        ("chroma", "nan"),
        ("help", "\"http://harbour.example/help\""),
        ("help", "\"https://\""),
        ("help", "\"https://harbour.example/\\u0022>\""),
        ("ways", "[]"),
        ("ways", "[\"qr\", \"qr\"]"),
        ("value", "\"\""),
        ("value", "\"a b\""),
    ] {
        let fault =
            with(&format!("{key} = "), &format!("{key} = {value} # ")).map(|_| format!("{key} = {value}"));
        assert!(fault.unwrap_err().contains("brand.toml"));
    }
}

#[test]
fn a_logo_holds_shapes_only() {
    let svg = |inside: &str| format!("<svg xmlns=\"x\" viewBox=\"0 0 24 24\">{inside}</svg>\n");
    assert_eq!(check::logo(&svg("<path d=\"M0 0\"/>")), Ok(()));
    for inside in ["<script/>", "<path onclick=\"x\"/>", "<path style=\"x\"/>", "<use href=\"#a\"/>"] {
        assert!(check::logo(&svg(inside)).is_err(), "{inside}");
    }
    assert!(check::logo("<svg viewBox=\"0 0 1 1\"/>").is_err());
    assert!(check::logo("").is_err());
}

#[test]
fn a_brand_without_a_picture_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    copy(&brands().join("harbour"), dir.path());
    fs::remove_file(dir.path().join("icons/icon.ico")).unwrap();
    assert!(read(dir.path()).unwrap_err().to_string().contains("icon.ico"));
}
