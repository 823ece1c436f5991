//! The package for Debian, in a bare root: installed with what it asks for, started, looked at, removed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::process::Command;

use system_tests::{BareRoot, Process, Session, output_file, photographed, target_dir};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// What the package brings, besides its papers.
const FILES: &[&str] = &[
    "usr/bin/carillon",
    "usr/bin/carillon-cli",
    "usr/share/applications/app.carillon.phone.desktop",
    "usr/share/metainfo/app.carillon.phone.metainfo.xml",
    "usr/share/icons/hicolor/128x128/apps/app.carillon.phone.png",
    "usr/share/icons/hicolor/scalable/apps/app.carillon.phone.svg",
    "usr/lib/udev/rules.d/70-carillon-headset.rules",
    "usr/share/doc/carillon/copyright",
    "usr/share/doc/carillon/sbom.cdx.json",
];

#[test]
fn installed_in_a_bare_debian_started_and_removed() {
    let root = BareRoot::new();
    let package = target_dir().join(format!("packages/carillon_{VERSION}_amd64.deb"));
    assert!(package.is_file(), "{}: `cargo xtask deb` builds it", package.display());
    fs::copy(&package, root.path().join("phone.deb")).unwrap();
    root.run("apt-get", &["-qq", "update"]);
    root.run("apt-get", &["-qq", "install", "-y", "--no-install-recommends", "/phone.deb"]);
    let missing: Vec<_> = FILES.iter().filter(|file| !root.path().join(file).is_file()).collect();
    assert!(missing.is_empty(), "not installed: {missing:?}");
    papers(root.path());
    let said = root.run("/usr/bin/carillon-cli", &["--version"]);
    assert!(said.contains(VERSION), "{said}");

    photograph(&root);

    root.run("apt-get", &["-qq", "remove", "-y", "carillon"]);
    let left: Vec<_> =
        root.files().into_iter().filter(|f| f.to_string_lossy().contains("carillon")).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}

/// Its papers are what desktops expect.
fn papers(root: &Path) {
    let mut validate = Command::new("desktop-file-validate");
    validate.arg(root.join("usr/share/applications/app.carillon.phone.desktop"));
    assert_eq!(Process::run("desktop-file-validate", validate), "");
    let mut validate = Command::new("appstreamcli");
    validate
        .args(["validate", "--no-net"])
        .arg(root.join("usr/share/metainfo/app.carillon.phone.metainfo.xml"));
    Process::run("appstreamcli", validate);
}

/// The window comes up and shows something.
fn photograph(root: &BareRoot) {
    let session = Session::bare().with_display();
    photographed(&session, root.command("/usr/bin/carillon", &[]), &output_file(Path::new("deb/window.png")));
}
