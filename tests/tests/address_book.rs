//! The computer's own address book: shown where the user wants it, followed as another program changes it, and gone
//! again without a trace.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;

use system_tests::{AddressBook, Demo, Session, Window, output_dir};

/// WebDriver's code point of the key.
const ESCAPE: &str = "\u{e00c}";

#[tokio::test(flavor = "multi_thread")]
async fn contacts_of_the_computer_are_shown_where_the_user_wants_them() {
    let demo = Demo::start(&[]);
    let session = Session::bare().with_keychain().with_display().with_address_book();
    let book = AddressBook::of(&session).await;
    book.add("FN:Yusuf Demir\r\nTEL;TYPE=CELL:07700 900733\r\nORG:Demir Roofing;Yard").await;
    let mut window = Window::open(&session, &output_dir("address-book"), &[]).await;
    window.sign_in(&demo).await;

    window.click("contacts").await;
    window.tells("Bob Chen").await;
    assert!(!window.has("contacts-computer").await && !window.body().await.contains("Yusuf Demir"));

    choose(&window).await;
    window.click("contacts").await;
    window.click("contacts-computer").await;
    window.tells("Yusuf Demir").await;
    assert!(!window.body().await.contains("Bob Chen"));
    window.shoot("shown").await;

    // Another program writes into it.
    let zoe = book.add("FN:Zoë Falk\r\nTEL;TYPE=WORK:020 7946 0555").await;
    window.tells("Zoë Falk").await;
    book.remove(&zoe).await;
    window.until("Zoë Falk to be gone", async || !window.body().await.contains("Zoë Falk")).await;

    // Found by number, as everybody is.
    window.type_into("find", "900733").await;
    window.says("hit", "Yusuf Demir").await;
    window.shoot("found").await;
    window.type_into("find", ESCAPE).await;

    choose(&window).await;
    window.click("contacts").await;
    window.gone("contacts-computer").await;
    window.tells("Bob Chen").await;
    assert!(!window.body().await.contains("Yusuf Demir"));
    for file in ["contacts.db", "contacts.db-wal"] {
        let bytes = fs::read(session.path("data/carillon").join(file)).unwrap_or_default();
        let name = b"Yusuf";
        assert!(!bytes.windows(name.len()).any(|part| part == name), "{file} still knows him");
    }
}

/// Wants them shown, or no longer.
async fn choose(window: &Window) {
    window.click("settings").await;
    window.click("settings-privacy").await;
    window.click("computer-contacts").await;
}
