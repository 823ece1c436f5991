//! The second brand: its own name and colours, a server that is settled, and two ways in.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::Command;
use std::time::Duration;

use system_tests::{Process, Session, Window, branded, output_dir, product};

/// Where `brand/harbour/brand.toml` says that the PBX is.
const SERVER: &str = "127.0.87.1";

#[tokio::test(flavor = "multi_thread")]
async fn harbour_voice_has_its_server_settled_and_two_ways_in() {
    let _pbx = pbx();
    let session = Session::bare().with_keychain().with_display().with_browser();
    let program = branded("harbour", "harbour-voice");
    // Nothing the user asks for unlocks what the brand has settled.
    let elsewhere = ["--server", "elsewhere.example", "--domain", "elsewhere.example"];
    let mut window = Window::open_program(&program, &session, &output_dir("brand"), &elsewhere, &[]).await;

    window.shown("next").await;
    window.says("server", SERVER).await;
    let server = window.shown("server").await;
    assert_ne!(server.tag_name().await.unwrap().to_lowercase(), "input", "the server can be typed");
    assert!(!window.has("domain").await, "the domain is shown");
    assert!(!window.has("other-sip").await, "a plain SIP account is offered");
    window.shown("scan-open").await;
    let mut titled = session.command("xdotool");
    titled.args(["search", "--onlyvisible", "--name", "^Harbour Voice$"]);
    assert!(!Process::run("xdotool", titled).trim().is_empty());
    window.shoot("server").await;
    // The window never leaves its own page; the browser gets the link.
    window.click("brand-help").await;
    assert_eq!(session.opened(1), "https://harbour.example/help");
    window.shown("next").await;

    window.click("next").await;
    window.click("trust").await;
    window.shown("microsoft").await;
    window.shown("scan-open").await;
    for typed in ["username", "password", "sign-in", "forgot"] {
        assert!(!window.has(typed).await, "{typed} is offered");
    }
    window.shoot("user").await;
    window.close().await;
    // Its settings are its own, and where its name says.
    assert!(session.path("data/harbourvoice").is_dir());
    assert!(!session.path("data/carillon").exists());
}

#[test]
fn its_command_line_bears_its_name() {
    let mut cli = Command::new(branded("harbour", "harbour-voice-cli"));
    cli.arg("--version");
    assert!(Process::run("harbour-voice-cli", cli).starts_with("harbour-voice-cli "));
}

/// The PBX of the brand, on an address of this machine's own.
fn pbx() -> Process {
    let mut command = Command::new(product("demo-pbx"));
    command.args(["--json", "--bind", SERVER, "--sip-udp-port", "0", "--sip-tcp-port", "0"]);
    let mut pbx = Process::start("demo-pbx", command);
    pbx.wait_for("its first line", Duration::from_secs(20), |line| line.text.starts_with('{').then_some(()));
    pbx
}
