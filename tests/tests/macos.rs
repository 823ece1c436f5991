//! What a bundle for macOS would say of itself, read by Python: no bundle was built.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use system_tests::Process;

fn shell(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../src-tauri").join(file)
}

fn plist(file: &str) -> Value {
    let mut python = Command::new("python3");
    python.args([
        "-c",
        "import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], 'rb'))))",
    ]);
    python.arg(shell(file));
    serde_json::from_str(&Process::run("plistlib", python)).unwrap()
}

#[test]
fn what_the_system_asks_its_user_is_explained() {
    let info = plist("Info.plist");
    for why in ["NSMicrophoneUsageDescription", "NSCameraUsageDescription", "NSLocalNetworkUsageDescription"]
    {
        assert!(info[why].as_str().is_some_and(|text| text.len() > 20), "{why}: {info}");
    }
    // Written here they would take the place of the brand's own scheme.
    assert_eq!(info["CFBundleURLTypes"], Value::Null);
}

#[test]
fn microphone_and_camera_are_asked_for_and_nothing_else() {
    let config: Value = serde_json::from_slice(&fs::read(shell("tauri.conf.json")).unwrap()).unwrap();
    let bundle = &config["bundle"]["macOS"];
    let entitlements = plist(bundle["entitlements"].as_str().unwrap());
    assert_eq!(
        entitlements,
        json!({ "com.apple.security.device.audio-input": true, "com.apple.security.device.camera": true })
    );
    assert_eq!(bundle["minimumSystemVersion"], "11.0");
    let schemes = &config["plugins"]["deep-link"]["desktop"]["schemes"];
    assert_eq!(*schemes, json!(["carillon", "tel", "sip", "sips", "callto"]));
}
