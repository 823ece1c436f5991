//! Portraits of contacts: asked of the PBX, kept, and gone with the account.

use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use demo_pbx::Config as Pbx;
use phone::{
    CallState, Command, Config, ContactFilter, ContactsState, DeclineReason, Event, SignInPage, Start,
};

use crate::bench::{Bench, Running};

fn keeping(bench: &Bench, start: Start) -> Config {
    Config { contacts: true, start, ..bench.config() }
}

impl Running {
    /// References to the portraits of Alice, Bob and Carol, once all contacts are known.
    async fn references(&mut self) -> Vec<String> {
        let all = |count| count == 13;
        if !all(self.phone.picture().await.unwrap().contacts.count) {
            self.until("the contacts", |event| match event {
                Event::Contacts { view } if all(view.count) => Some(()),
                _ => None,
            })
            .await;
        }
        self.send(Command::FindContacts {
            ask: 3,
            text: String::new(),
            filter: ContactFilter::Extension,
            from: 0,
            most: 9,
        });
        self.until("contacts found", |event| match event {
            Event::ContactsFound { ask: 3, page } => {
                Some(page.contacts.iter().filter_map(|contact| contact.picture.clone()).collect())
            }
            _ => None,
        })
        .await
    }

    async fn portrait(&mut self, bench: &Bench, wanted: &str) -> Option<String> {
        self.send(Command::AskPortrait { account: bench.alice(), reference: wanted.into() });
        self.until("a portrait", |event| match event {
            Event::Portrait { reference, portrait, .. } if reference == wanted => Some(portrait.clone()),
            _ => None,
        })
        .await
    }
}

fn kept(dir: &Path) -> usize {
    let folders = std::fs::read_dir(dir.join("portraits")).into_iter().flatten();
    folders.map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn portraits_come_from_the_pbx_outlive_it_and_go_with_the_account() {
    let bench = Bench::new(Pbx { hand_over_password: true, ..Pbx::default() }).await;
    let mut first = bench.phone_with(keeping(&bench, Start::None));
    first.send(bench.find_server());
    first.wizard(|view| view.page == SignInPage::User).await;
    first.send(bench.sign_in());
    first.registered().await;
    let references = first.references().await;
    let [alice, bob, carol] = references.as_slice() else { panic!("{references:?}") };

    let portrait = first.portrait(&bench, alice).await.unwrap();
    let bytes = BASE64_STANDARD.decode(portrait.strip_prefix("data:image/jpeg;base64,").unwrap()).unwrap();
    let seen = image::load_from_memory(&bytes).unwrap();
    assert_eq!((seen.width(), seen.height()), (144, 144), "cut and written anew by the phone");
    assert_ne!(first.portrait(&bench, bob).await.unwrap(), portrait);
    assert_eq!(first.portrait(&bench, carol).await, None, "hers is broken");
    for elsewhere in ["https://192.0.2.1/picture.png", "/api/../etc/passwd", "/api/blobs/0000", ""] {
        assert_eq!(first.portrait(&bench, elsewhere).await, None, "{elsewhere}");
    }
    assert_eq!(kept(&bench.config().data_dir), 2);

    // Calls say which is whose.
    let mut carols = bench.phone(Start::None);
    carols.send(bench.extension("103"));
    carols.registered().await;
    carols.dial("101");
    let rings = first.call("a ring", |state| *state == CallState::Incoming).await;
    assert_eq!(rings.peer.picture.as_ref(), Some(carol));
    first.send(Command::Decline { call: rings.id, reason: DeclineReason::Busy });
    carols.phone.stop().await;
    first.phone.stop().await;

    bench.pbx.go_down().await;
    let mut second = bench.phone_with(keeping(&bench, Start::All));
    assert_eq!(second.references().await, references);
    assert_eq!(second.portrait(&bench, alice).await, Some(portrait), "the PBX is gone, the portrait is not");
    bench.pbx.come_up().await.unwrap();
    second.send(Command::SyncContacts);
    second.send(Command::SignOut { account: bench.alice() });
    second
        .until("no contacts", |event| match event {
            Event::Contacts { view } => (view.count == 0 && view.state == ContactsState::None).then_some(()),
            _ => None,
        })
        .await;
    assert_eq!(kept(&bench.config().data_dir), 0);
    assert_eq!(second.portrait(&bench, alice).await, None);
    second.phone.stop().await;
}
