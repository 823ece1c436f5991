//! The real window, from the first page to an empty keychain: typed into, looked at and listened to, with a
//! real keychain, a real sound server and a demo PBX.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::thread::sleep;
use std::time::Duration;

use system_tests::{Demo, Session, Speech, Voice, Window, before_others, output_dir, score};

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_talk_to_the_echo_and_sign_out() {
    let demo = Demo::start(&[]);
    let session = Session::bare().with_keychain().with_sound().with_display();
    let mut window = Window::open(&session, &output_dir("window"), &[]).await;

    window.shown("domain").await;
    window.shoot("server").await;
    window.type_into("domain", "test.io").await;
    window.type_into("server", demo.server()).await;
    window.click("next").await;
    window.shown("trust").await;
    window.shoot("certificate").await;
    window.click("trust").await;

    window.type_into("username", demo.alice().0).await;
    window.type_into("password", demo.alice().1).await;
    window.shoot("user").await;
    window.click("sign-in").await;
    // This PBX does not hand the extension's password over, as no PortSIP PBX is known to.
    window.type_into("sip-password", &demo.alice_sip("udp").password).await;
    window.shoot("sip-password").await;
    window.click("sign-in").await;

    window.says("account-state", "Registered").await;
    window.shoot("registered").await;
    assert!(!session.keychain_entries().is_empty(), "nothing is in the keychain");

    // The way of the voice is scored, not what is done to it on purpose.
    window.click("settings").await;
    window.click("settings-voice").await;
    window.choose("voice-noise", "off").await;
    window.click("voice-high-pass").await;
    window.shoot("voice").await;

    window.type_into("find", "9196").await;
    window.shoot("dial").await;
    window.click("call-typed").await;
    window.shown("call-timer").await;
    let listening = session.listen();
    let mut speaking = session.speak(&Speech::reference(Voice::First));
    // The sound server, and who speaks and listens.
    let around = [session.sound_server(), speaking.pid(), listening.pid(), demo.pid()];
    around.into_iter().for_each(before_others);
    speaking.close_stdin();
    // In the middle of the speech, for the picture's sake.
    sleep(Duration::from_secs(4));
    window.shoot("call").await;
    assert_eq!(speaking.wait_exit(Duration::from_secs(20)), 0, "{}", speaking.log());
    // What was said last is still on its way back.
    sleep(Duration::from_secs(1));
    let (mouth, ear) = listening.stop();
    window.click("end").await;
    window.gone("call-timer").await;
    window.shoot("ended").await;
    let said = Speech::reference(Voice::First);
    score(&said, &mouth).assert_clean("spoken into the microphone", 4.3, 0.98);
    score(&said, &ear).assert_clean("heard from the speaker", 3.5, 0.75);

    window.click("own-menu").await;
    window.shoot("menu").await;
    window.click("sign-out").await;
    window.shown("domain").await;
    window.shoot("signed-out").await;
    assert_eq!(session.keychain_entries(), Vec::<String>::new());
    window.close().await;
}
