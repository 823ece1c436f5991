//! QR codes: out of a picture, a camera, the clipboard, and the code of old.

use system_tests::{FakeCamera, Fault, output_dir};

use crate::Trial;

const HANDED_OVER: &[&str] = &["--hand-over-password"];

#[tokio::test(flavor = "multi_thread")]
async fn in_a_picture_file() {
    let mut trial = Trial::begin("code-in-a-picture", HANDED_OVER).await;
    let picture = trial.sign_in_code("alice");
    trial.click("scan-open").await;
    // This machine has no camera; the page says so and offers the rest.
    trial.fails_with("noCamera").await;
    trial.shoot("scan").await;
    trial.choose_file("scan-picture", &picture).await;
    trial.click("trust").await;
    trial.ends_registered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_camera() {
    let empty = output_dir("ways-in/camera").join("empty.png");
    image::GrayImage::from_pixel(640, 480, image::Luma([128])).save(&empty).unwrap();
    let camera = FakeCamera::start(&empty);
    camera.fail(Some(Fault::Busy));
    let environment = camera.env();
    let environment = environment.each_ref().map(|(key, value)| (*key, value.as_str()));
    let mut trial = Trial::begin_with("code-before-the-camera", HANDED_OVER, &environment).await;
    trial.click("scan-open").await;
    trial.fails_with("cameraBusy").await;
    trial.says("camera", FakeCamera::NAME).await;
    trial.shoot("busy").await;
    camera.fail(None);
    trial.click("camera-again").await;
    trial.has_attribute("scan-state", "data-state", "looking").await;
    trial.shown("scan-preview").await;
    trial.shoot("looking").await;
    // Somebody holds a phone with the code into the picture.
    let code = trial.sign_in_code("alice");
    camera.show(&code);
    trial.shown("trust").await;
    trial.shoot("certificate").await;
    // Away from it and back to the same camera, which must have been let go of.
    trial.click("go-back").await;
    trial.has_attribute("scan-state", "data-state", "looking").await;
    trial.click("back").await;
    trial.click("scan-open").await;
    trial.click("trust").await;
    trial.says("account-state", "Registered").await;
    assert!(!trial.has("toast").await, "there was trouble on the way");
    trial.ends_registered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn that_is_no_sign_in_code() {
    let mut trial = Trial::begin("code-of-another-kind", &[]).await;
    trial.click("scan-open").await;
    let picture = trial.picture("WIFI:T:WPA;S:guests;P:guests-welcome;;");
    trial.choose_file("scan-picture", &picture).await;
    trial.says("scan-problem", "wireless network").await;
    trial.shoot("wifi").await;
    trial.click("back").await;
    trial.shown("domain").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_onto_the_window() {
    let mut trial = Trial::begin("code-dropped", HANDED_OVER).await;
    let picture = trial.sign_in_code("bob");
    trial.click("scan-open").await;
    trial.drop_file("scan-state", &picture).await;
    trial.click("trust").await;
    trial.ends_registered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn out_of_the_clipboard() {
    let mut trial = Trial::begin("code-in-the-clipboard", HANDED_OVER).await;
    trial.sign_in_code("alice");
    let code = trial.demo.qr("alice").to_owned();
    trial.cut_out_of("domain", &code).await;
    trial.click("scan-open").await;
    trial.click("scan-clipboard").await;
    trial.click("trust").await;
    trial.ends_registered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_screen() {
    let mut trial = Trial::begin("code-on-the-screen", HANDED_OVER).await;
    let picture = trial.sign_in_code("alice");
    trial.click("scan-open").await;
    trial.shown("scan-screen").await;
    let _shown = trial.session.show_picture(&picture, 700, 300);
    trial.click("scan-screen").await;
    trial.click("trust").await;
    trial.ends_registered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_old_kind() {
    let mut trial = Trial::begin("code-of-the-old-kind", &[]).await;
    let picture = trial.picture(trial.demo.legacy_qr("bob"));
    trial.secrets.learn(trial.demo.extension_password("bob"));
    trial.click("scan-open").await;
    trial.choose_file("scan-picture", &picture).await;
    trial.ends_registered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_what_the_profile_settles() {
    let settled = ["--enforce-theme", "dark", "--enforce-language", "de", "--enforce-hidden", "settings"];
    let mut trial = Trial::begin("code-with-settled-views", &[HANDED_OVER, &settled].concat()).await;
    let picture = trial.sign_in_code("alice");
    trial.click("scan-open").await;
    trial.choose_file("scan-picture", &picture).await;
    trial.click("trust").await;
    trial.says("account-state", "Registriert").await;
    assert_eq!(trial.run("return document.documentElement.dataset.theme", Vec::new()).await, "dark");
    assert!(!trial.has("settings").await, "a view that the PBX hides is shown");
    trial.shoot("settled").await;
    trial.sign_out().await;
    trial.quit().await;
}
