//! User name and password, and all that a PBX may want besides.

use system_tests::Browser;

use crate::Trial;

#[tokio::test(flavor = "multi_thread")]
async fn typed() {
    let mut trial = Trial::begin("typed", &[]).await;
    trial.find_server().await;
    trial.sign_in("alice", "not-her-password").await;
    trial.fails_with("wrongCredentials").await;
    trial.shoot("wrong-password").await;
    let password = trial.demo.user("alice").1.to_owned();
    trial.sign_in("alice", &password).await;
    trial.give_sip_password("alice").await;
    trial.ends_registered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn second_factor() {
    let mut trial = Trial::begin("second-factor", &[]).await;
    trial.find_server().await;
    let password = trial.demo.user("carol").1.to_owned();
    trial.sign_in("carol", &password).await;
    trial.shown("code").await;
    trial.shoot("code").await;
    let code = trial.demo.mail(1).code.expect("a code is in the e-mail");
    trial.secrets.learn(&code);
    let wrong: String = code.chars().rev().map(|c| if c == '7' { '3' } else { '7' }).collect();
    trial.type_into("code", &wrong).await;
    trial.click("code-continue").await;
    trial.fails_with("secondFactorWrong").await;
    trial.shoot("wrong-code").await;
    // As an e-mail program's selection brings it.
    trial.type_into("code", &format!(" {code} ")).await;
    trial.click("code-continue").await;
    trial.give_sip_password("carol").await;
    trial.ends_registered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn second_factor_without_a_session_in_the_answer() {
    let mut trial = Trial::begin("second-factor-without-session", &[]).await;
    trial.demo.fault(r#"{"verify_otp": "no-tokens"}"#);
    trial.find_server().await;
    let password = trial.demo.user("carol").1.to_owned();
    trial.sign_in("carol", &password).await;
    trial.shown("code").await;
    let code = trial.demo.mail(1).code.expect("a code is in the e-mail");
    trial.type_into("code", &code).await;
    trial.click("code-continue").await;
    trial.fails_with("sessionMissing").await;
    trial.shoot("no-session").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forced_change() {
    const NEW: &str = "Fresh-And-Long-27";
    let mut trial = Trial::begin("forced-change", &[]).await;
    trial.find_server().await;
    let password = trial.demo.user("dave").1.to_owned();
    trial.sign_in("dave", &password).await;
    trial.shown("new-password").await;
    trial.shoot("new-password").await;
    trial.secrets.learn(NEW);
    trial.type_into("new-password", NEW).await;
    trial.type_into("repeat-password", NEW).await;
    trial.shoot("chosen").await;
    trial.click("choose-password").await;
    trial.give_sip_password("dave").await;
    trial.registered().await;
    trial.sign_out().await;

    trial.find_known_server().await;
    trial.sign_in("dave", NEW).await;
    trial.give_sip_password("dave").await;
    trial.ends_registered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forgotten_password_with_the_link_pasted() {
    let mut trial = Trial::begin("forgotten-pasted", &[]).await;
    let link = ask_for_reset(&mut trial).await;
    trial.type_into("reset-link", &link).await;
    trial.shoot("pasted").await;
    trial.click("reset-use").await;
    choose_and_sign_in(trial).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forgotten_password_with_the_link_opened() {
    let mut trial = Trial::begin("forgotten-opened", &[]).await;
    let link = ask_for_reset(&mut trial).await;
    let mut browser = Browser::open(&trial.shots).await;
    browser.go_to(&link).await;
    browser.tells("return to Carillon").await;
    browser.shoot("left-in-the-browser").await;
    browser.close().await;
    choose_and_sign_in(trial).await;
}

/// Lets the PBX send its e-mail to bob, and gives the link in it.
async fn ask_for_reset(trial: &mut Trial) -> String {
    trial.find_server().await;
    trial.click("forgot").await;
    trial.type_into("reset-username", "bob").await;
    trial.shoot("forgot").await;
    trial.click("reset-ask").await;
    trial.shown("reset-link").await;
    trial.shoot("asked").await;
    let link = trial.demo.mail(1).link.expect("a link is in the e-mail");
    let token = link.rsplit(['=', '/', '#']).next().unwrap().to_owned();
    trial.secrets.learn(&token);
    link
}

async fn choose_and_sign_in(mut trial: Trial) {
    const NEW: &str = "Remembered-This-27";
    trial.shown("new-password").await;
    trial.shoot("new-password").await;
    trial.secrets.learn(NEW);
    trial.type_into("new-password", NEW).await;
    trial.type_into("repeat-password", NEW).await;
    trial.click("choose-password").await;
    trial.shown("username").await;
    trial.shoot("password-changed").await;
    trial.sign_in("bob", NEW).await;
    trial.give_sip_password("bob").await;
    trial.ends_registered().await;
}
