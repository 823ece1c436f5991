//! Microsoft 365, in a real browser.

use std::time::Duration;

use system_tests::{Browser, Process, product};

use crate::Trial;

#[tokio::test(flavor = "multi_thread")]
async fn tokens_in_the_query() {
    comes_back("query").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_in_the_fragment() {
    comes_back("fragment").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_token() {
    comes_back("session-token").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code() {
    comes_back("code").await;
}

/// Signs erin in through the make-believe Microsoft page, whose answer comes back in this way.
async fn comes_back(way: &str) {
    let mut trial = Trial::begin(&format!("microsoft-{way}"), &["--microsoft-answer", way]).await;
    trial.find_server().await;
    trial.shoot("user").await;
    trial.click("microsoft").await;
    trial.shown("browser-again").await;
    trial.shoot("browser").await;
    let mut browser = Browser::open(&trial.shots).await;
    browser.go_to(&trial.session.opened(1)).await;
    fill_in(&mut browser, &trial).await;
    browser.click("ms-accept").await;
    browser.tells("return to Carillon").await;
    browser.shoot("left-in-the-browser").await;
    browser.close().await;
    trial.give_sip_password("erin").await;
    trial.ends_registered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn denied_once() {
    let mut trial = Trial::begin("microsoft-denied", &[]).await;
    trial.find_server().await;
    trial.click("microsoft").await;
    let mut browser = Browser::open(&trial.shots).await;
    browser.go_to(&trial.session.opened(1)).await;
    fill_in(&mut browser, &trial).await;
    browser.click("ms-deny").await;
    browser.tells("Nothing was allowed").await;
    browser.shoot("denied-in-the-browser").await;
    trial.shown("username").await;
    trial.fails_with("consentDenied").await;
    trial.shoot("denied").await;
    // The way back leads to the same button.
    trial.click("microsoft").await;
    browser.go_to(&trial.session.opened(2)).await;
    fill_in(&mut browser, &trial).await;
    browser.click("ms-accept").await;
    browser.tells("return to Carillon").await;
    browser.close().await;
    trial.give_sip_password("erin").await;
    trial.ends_registered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn given_up_for_a_password() {
    let mut trial = Trial::begin("microsoft-given-up", &[]).await;
    trial.find_server().await;
    trial.click("microsoft").await;
    trial.session.opened(1);
    // The browser was closed by mistake.
    trial.click("browser-again").await;
    let address = trial.session.opened(2);
    trial.click("browser-cancel").await;
    trial.shown("username").await;
    // Too late: nobody waits for it any more.
    let mut browser = Browser::open(&trial.shots).await;
    browser.go_to(&address).await;
    fill_in(&mut browser, &trial).await;
    browser.click("ms-accept").await;
    browser.close().await;
    let password = trial.demo.user("alice").1.to_owned();
    trial.sign_in("alice", &password).await;
    trial.give_sip_password("alice").await;
    trial.ends_registered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_browser_the_address_is_shown() {
    let nowhere = tempfile::tempdir().unwrap();
    let path = nowhere.path().display().to_string();
    let environment = [("PATH", path.as_str()), ("BROWSER", "")];
    let mut trial = Trial::begin_with("microsoft-no-browser", &[], &environment).await;
    trial.find_server().await;
    trial.click("microsoft").await;
    trial.fails_with("noBrowser").await;
    trial.shoot("address").await;
    let address = trial.text("browser-address").await;
    let mut browser = Browser::open(&trial.shots).await;
    browser.go_to(&address).await;
    fill_in(&mut browser, &trial).await;
    browser.click("ms-accept").await;
    browser.tells("return to Carillon").await;
    browser.close().await;
    trial.give_sip_password("erin").await;
    trial.ends_registered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn back_by_the_phones_own_scheme() {
    let mut trial = Trial::begin("microsoft-own-scheme", &["--refuse-loopback"]).await;
    trial.find_server().await;
    trial.click("microsoft").await;
    let asked = trial.session.opened(1);
    let (_, password) = trial.demo.user("erin");
    let link = trial.demo.accepted_by_microsoft(&asked, "erin@test.io", password);
    assert!(link.starts_with("carillon://callback/"), "{link}");
    // As the system opens a link: the program is started once more.
    let mut second = trial.session.command(product("carillon"));
    second.env("GDK_BACKEND", "x11").arg(&link);
    let mut second = Process::start("the second start", second);
    assert_eq!(second.wait_exit(Duration::from_secs(60)), 0, "{}", second.log());
    trial.give_sip_password("erin").await;
    trial.ends_registered().await;
}

async fn fill_in(browser: &mut Browser, trial: &Trial) {
    browser.type_into("ms-account", "erin@test.io").await;
    browser.type_into("ms-password", trial.demo.user("erin").1).await;
    browser.shoot("microsoft").await;
}
