//! The contacts of the PBX: kept, found, written, and known as callers.

use demo_pbx::{Config as Pbx, ECHO, RestFault};
use phone::{
    CallState, Code, Command, Config, ContactDraft, ContactFilter, ContactId, ContactKind, ContactNumber,
    ContactPage, ContactsState, ContactsView, Event, HitView, Lamp, NumberKind, SignInPage, Start, Transport,
};

use crate::bench::{Bench, Running};

/// A bench whose phones keep contacts.
async fn bench() -> Bench {
    Bench::new(Pbx { hand_over_password: true, ..Pbx::default() }).await
}

fn keeping(bench: &Bench, start: Start) -> Config {
    Config { contacts: true, start, ..bench.config() }
}

/// Alice, signed in, with her contacts.
async fn alice(bench: &Bench) -> Running {
    let mut running = bench.phone_with(keeping(bench, Start::None));
    running.send(bench.find_server());
    running.wizard(|view| view.page == SignInPage::User).await;
    running.send(bench.sign_in());
    // Five extensions, six contacts of the company, two of her own.
    running.contacts(|view| view.count == 13 && is_fresh(&view.state)).await;
    running
}

fn is_fresh(state: &ContactsState) -> bool {
    matches!(state, ContactsState::Fresh { .. })
}

impl Running {
    async fn contacts(&mut self, wanted: impl Fn(&ContactsView) -> bool) -> ContactsView {
        let now = self.phone.picture().await.unwrap().contacts;
        if wanted(&now) {
            return now;
        }
        self.until("the contacts", |event| match event {
            Event::Contacts { view } if wanted(view) => Some(view.clone()),
            _ => None,
        })
        .await
    }

    async fn find(&mut self, text: &str, filter: ContactFilter) -> ContactPage {
        self.send(Command::FindContacts { ask: 7, text: text.into(), filter, from: 0, most: 200 });
        self.until("contacts found", |event| match event {
            Event::ContactsFound { ask: 7, page } => Some(*page.clone()),
            _ => None,
        })
        .await
    }

    /// The names of what is found, once there are so many.
    async fn names(&mut self, text: &str, filter: ContactFilter) -> Vec<String> {
        self.find(text, filter).await.contacts.into_iter().map(|contact| contact.name).collect()
    }

    async fn search(&mut self, text: &str) -> Vec<HitView> {
        self.send(Command::Search { ask: 8, text: text.into(), most: 8 });
        self.until("hits", |event| match event {
            Event::Found { ask: 8, hits } => Some(hits.clone()),
            _ => None,
        })
        .await
    }

    async fn save(&mut self, id: Option<ContactId>, draft: ContactDraft) -> Result<ContactId, Code> {
        self.send(Command::SaveContact { ask: 9, account: None, id, draft });
        self.until("a contact saved", |event| match event {
            Event::ContactSaved { ask: 9, contact, problem } => match problem {
                Some(problem) => Some(Err(problem.code)),
                None => Some(Ok(contact.unwrap())),
            },
            _ => None,
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_come_with_the_session_outlive_the_phone_and_go_with_the_account() {
    let bench = bench().await;
    let mut first = alice(&bench).await;
    assert_eq!(
        first.names("", ContactFilter::Extension).await,
        ["Alice Martin", "Bob Chen", "Carol Nakamura", "Dave Okafor", "Erin Larsen"]
    );
    assert_eq!(first.names("muller", ContactFilter::All).await, ["Wanda Müller"]);
    let hits = first.search("020 7946").await;
    let found: Vec<_> = hits.iter().map(|hit| (hit.name.as_deref().unwrap(), hit.number.as_str())).collect();
    assert_eq!(found, [("Priya Raman", "020 7946 0177"), ("Marta Oduya", "+44 20 7946 0312")]);
    let [bob] = first.search("bob").await.try_into().unwrap();
    assert_eq!(bob.account, Some(bench.alice()));
    assert_eq!(bob.picture, first.find("bob", ContactFilter::All).await.contacts[0].picture);
    assert!(bob.picture.is_some());
    first.phone.stop().await;

    // The PBX is away: what is known is shown, and that it may be outdated is said.
    bench.pbx.go_down().await;
    let mut second = bench.phone_with(keeping(&bench, Start::All));
    second.contacts(|view| view.count == 13).await;
    let stale = second.contacts(|view| matches!(view.state, ContactsState::Stale { .. })).await;
    let ContactsState::Stale { at, .. } = stale.state else { panic!("{stale:?}") };
    assert!(at.is_some() && stale.count == 13);
    assert_eq!(second.names("bob", ContactFilter::All).await, ["Bob Chen"]);
    let page = second.find("", ContactFilter::All).await;
    let pictured: Vec<_> = page.contacts.iter().filter(|contact| contact.picture.is_some()).collect();
    let names: Vec<_> = pictured.iter().map(|contact| contact.name.as_str()).collect();
    assert_eq!(names, ["Alice Martin", "Bob Chen", "Carol Nakamura"]);
    bench.pbx.come_up().await.unwrap();
    second.send(Command::SyncContacts);
    second.contacts(|view| is_fresh(&view.state)).await;
    assert_eq!(bench.pbx.count("GET /user/contacts"), 1, "the token of the first run tells what changed");
    second.send(Command::SignOut { account: bench.alice() });
    second.contacts(|view| view.count == 0 && view.state == ContactsState::None).await;
    second.phone.stop().await;
    let mut third = bench.phone_with(keeping(&bench, Start::None));
    assert_eq!(third.names("", ContactFilter::All).await, Vec::<String>::new());
    third.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_at_the_pbx_is_followed_and_a_forgotten_token_leads_to_everything() {
    let bench = bench().await;
    let mut alice = alice(&bench).await;
    let id = bench.pbx.add_company_contact("Nora Quist", "+45 33 13 01 12").unwrap();
    alice.send(Command::SyncContacts);
    alice.contacts(|view| view.count == 14).await;
    assert!(bench.pbx.rename_company_contact(&id, "Nora Weller"));
    bench.pbx.faults().forget_sync_tokens();
    alice.send(Command::SyncContacts);
    let version = alice.contacts(|_| true).await.version;
    alice.contacts(|view| view.version > version && view.count == 14).await;
    alice.until_names("nora", &["Nora Weller"]).await;
    // Gone, and the token forgotten too: what is not told any more is taken away.
    assert!(bench.pbx.remove_company_contact(&id));
    bench.pbx.faults().forget_sync_tokens();
    alice.send(Command::SyncContacts);
    alice.contacts(|view| view.count == 13).await;
    // A PBX that cannot be asked loses nothing.
    bench.pbx.faults().rest(RestFault::Garbage);
    alice.send(Command::SyncContacts);
    alice.contacts(|view| matches!(view.state, ContactsState::Stale { .. }) && view.count == 13).await;
    alice.phone.stop().await;
}

impl Running {
    /// Asks until these are found: what was told may still be on its way.
    async fn until_names(&mut self, text: &str, names: &[&str]) {
        for _ in 0..200 {
            if self.names(text, ContactFilter::All).await == names {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{names:?} are not found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_contacts_are_written_at_the_pbx() {
    let bench = bench().await;
    let mut alice = alice(&bench).await;
    let mobile = |number: &str| ContactNumber { kind: NumberKind::Mobile, number: number.into() };
    let draft = ContactDraft {
        name: "Zoë Ångström".into(),
        numbers: vec![mobile("07700 900555"), mobile("07700 900556")],
        notes: "Twins".into(),
        ..ContactDraft::default()
    };
    let id = alice.save(None, draft.clone()).await.unwrap();
    let page = alice.find("angstrom", ContactFilter::Personal).await;
    let [zoe] = page.contacts.as_slice() else { panic!("{page:?}") };
    assert_eq!(
        (zoe.id, zoe.kind, &zoe.numbers, zoe.notes.as_deref()),
        (id, ContactKind::Personal, &draft.numbers, Some("Twins"))
    );

    let other = ContactDraft {
        name: "Zoë Ito".into(),
        numbers: vec![mobile("07700 900556")],
        ..ContactDraft::default()
    };
    assert_eq!(alice.save(Some(id), other).await, Ok(id));
    let page = alice.find("zoe", ContactFilter::All).await;
    let [zoe] = page.contacts.as_slice() else { panic!("{page:?}") };
    assert_eq!((zoe.name.as_str(), zoe.numbers.len(), zoe.notes.as_deref()), ("Zoë Ito", 1, None));
    assert_eq!(alice.save(None, ContactDraft::default()).await, Err(Code::ContactInvalid));
    let company = alice.find("marta", ContactFilter::Business).await.contacts[0].id;
    assert_eq!(alice.save(Some(company), draft).await, Err(Code::NotNow));

    alice.send(Command::FavorContact { id, favorite: true });
    alice.until_favorites(&["Zoë Ito"]).await;
    alice.send(Command::DeleteContact { id });
    alice.contacts(|view| view.count == 13).await;
    alice.until_favorites(&[]).await;
    alice.send(Command::DeleteContact { id });
    let gone = alice.until("a notice", |event| match event {
        Event::Notice { problem, .. } => Some(problem.code),
        _ => None,
    });
    assert_eq!(gone.await, Code::NoSuchContact);
    alice.phone.stop().await;
}

impl Running {
    async fn until_favorites(&mut self, names: &[&str]) {
        for _ in 0..200 {
            if self.names("", ContactFilter::Favorites).await == names {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("the favourites are not {names:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_are_known_by_their_names_and_favourites_by_their_lamps() {
    let bench = bench().await;
    let mut alice = alice(&bench).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let mut bob =
        bench.phone_with(Config { start: Start::None, data_dir: elsewhere.path().into(), ..bench.config() });
    bob.send(bench.bob_named(Transport::Udp, Some("Call me Bobby")));
    bob.registered().await;
    let id = alice.find("bob", ContactFilter::Extension).await.contacts[0].id;
    alice.send(Command::FavorContact { id, favorite: true });
    let lamp = |wanted: fn(&Lamp) -> bool| {
        move |event: &Event| match event {
            Event::Watched { view } if view.number == "102" => {
                view.lamp.as_ref().filter(|lamp| wanted(lamp)).cloned()
            }
            _ => None,
        }
    };
    alice.until("a lamp that is out", lamp(|lamp| *lamp == Lamp::Idle)).await;
    bob.dial(ECHO);
    alice.until("a lamp", lamp(|lamp| *lamp == Lamp::Talking)).await;
    let talk = bob.call("an answer", |state| matches!(state, CallState::Active { .. })).await.id;
    bob.send(Command::HangUp { call: talk });
    bob.ended().await;

    bob.dial("101");
    let call = alice.call("a ring", |state| *state == CallState::Incoming).await;
    assert_eq!(call.peer.name.as_deref(), Some("Bob Chen"), "the directory knows better than the caller");
    alice.send(Command::Decline { call: call.id, reason: phone::DeclineReason::Busy });
    let past = alice
        .until("the past", |event| match event {
            Event::Past { view } => Some(view.peer.clone()),
            _ => None,
        })
        .await;
    assert_eq!(past.name.as_deref(), Some("Bob Chen"));
    let hits = alice.search("").await;
    assert_eq!((hits[0].name.as_deref(), hits[0].contact), (Some("Bob Chen"), Some(id)));
    alice.dial("102");
    let call = alice.call("a call", |_| true).await;
    assert_eq!(call.peer.name.as_deref(), Some("Bob Chen"));

    alice.send(Command::FavorContact { id, favorite: false });
    alice
        .until("a lamp less", |event| {
            matches!(event, Event::WatchedGone { number, .. } if number == "102").then_some(())
        })
        .await;
    bob.phone.stop().await;
    alice.phone.stop().await;
}
