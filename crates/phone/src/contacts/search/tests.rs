use super::*;
use crate::{AccountId, ContactKind, ContactNumber, ContactView, NumberKind};

const NOW: UnixMs = UnixMs(1_800_000_000_000);

fn contact(id: i64, name: &str, numbers: &[&str]) -> ContactView {
    let number = |number: &&str| ContactNumber { kind: NumberKind::Business, number: (*number).into() };
    ContactView {
        id: ContactId(id),
        account: AccountId("alice@test.io".into()),
        kind: ContactKind::Business,
        name: name.into(),
        numbers: numbers.iter().map(number).collect(),
        email: None,
        company: None,
        title: None,
        department: None,
        address: None,
        notes: None,
        picture: None,
        favorite: false,
    }
}

fn directory(contacts: Vec<ContactView>) -> Directory {
    let with_ids = contacts.into_iter().map(|view| (view.clone(), format!("r{}", view.id.0)));
    Directory::new(1, HashMap::new(), with_ids)
}

fn office() -> Directory {
    directory(vec![
        contact(1, "Marta Oduya", &["+44 20 7946 0312", "+44 7700 900226"]),
        contact(2, "Jörg Müller", &["+49 30 23125 208"]),
        ContactView { company: Some("Müller & Söhne".into()), ..contact(3, "Ann O'Brien", &["102"]) },
        ContactView { favorite: true, ..contact(4, "Martin Dvořák", &["020 7946 0177"]) },
        contact(5, "Zoë", &[]),
        contact(6, "田中 太郎", &["+81 3 1234 5678"]),
    ])
}

fn called(calls: &[(&str, Option<&str>, u64)]) -> Vec<Called> {
    let peer = |number: &str, name: Option<&str>| PeerView {
        number: number.into(),
        name: name.map(Into::into),
        picture: None,
    };
    Called::of(calls.iter().map(|(number, name, ago)| (peer(number, *name), UnixMs(NOW.0 - ago))))
}

fn names(directory: &Directory, typed: &str, called: &[Called]) -> Vec<String> {
    let hits = directory.search(typed, called, NOW, 8);
    hits.into_iter().map(|hit| hit.name.unwrap_or(hit.number)).collect()
}

#[test]
fn words_may_come_in_any_order_and_without_accents() {
    let office = office();
    for typed in ["müller", "MULLER", "mueller jo", "jorg m", "joerg"] {
        assert_eq!(names(&office, typed, &[]).first().map(String::as_str), Some("Jörg Müller"), "{typed}");
    }
    assert_eq!(names(&office, "obrien", &[]), ["Ann O'Brien"]);
    assert_eq!(names(&office, "o'b a", &[]), ["Ann O'Brien"]);
    assert_eq!(names(&office, "soh ann", &[]), ["Ann O'Brien"], "by company and name");
    assert_eq!(names(&office, "太郎", &[]), ["田中 太郎"]);
    assert_eq!(names(&office, "artin", &[]), Vec::<String>::new(), "the middle of a word");
    assert_eq!(names(&office, "müller", &[]), ["Jörg Müller", "Ann O'Brien"], "the name before the company");
    assert_eq!(names(&office, "zoe", &[]), Vec::<String>::new(), "who has no number cannot be called");
}

#[test]
fn a_number_is_found_in_every_notation() {
    let office = office();
    for typed in ["+44 20 7946 0312", "0044 20 79460312", "020 7946 0312", "(020) 7946-03", "2079460312"] {
        assert_eq!(names(&office, typed, &[]).first().map(String::as_str), Some("Marta Oduya"), "{typed}");
    }
    assert_eq!(
        names(&office, "0312", &[]),
        ["田中 太郎", "Marta Oduya"],
        "+81 3 12… begins so, +44 20 7946 0312 ends so"
    );
    assert_eq!(names(&office, "020 7946", &[]), ["Martin Dvořák", "Marta Oduya"], "the favourite first");
    let hits = office.search("7700", &[], NOW, 8);
    assert_eq!(hits[0].number, "+44 7700 900226", "the number that was sought");
    assert_eq!(names(&office, "102", &[]), ["Ann O'Brien"]);
    assert_eq!(names(&office, "0", &[]), ["Martin Dvořák"], "one digit is sought only where a number begins");
}

#[test]
fn who_is_called_often_and_was_of_late_comes_first() {
    let office = office();
    assert_eq!(names(&office, "mart", &[]), ["Martin Dvořák", "Marta Oduya"]);
    let calls = called(&[
        ("07700 900226", None, 1000),
        ("020 7946 0950", Some("Marten"), 3 * DAY),
        ("+447700900226", None, DAY),
    ]);
    assert_eq!(names(&office, "mart", &calls), ["Marta Oduya", "Martin Dvořák", "Marten"]);
    let hits = office.search("marta", &calls, NOW, 8);
    assert_eq!((hits[0].number.as_str(), hits[0].called), ("+44 7700 900226", Some(UnixMs(NOW.0 - 1000))));
}

#[test]
fn without_a_text_those_called_before_are_told_by_their_names() {
    let calls = called(&[
        ("00442079460312", None, 1000),
        ("9196", None, 2000),
        ("bob@far.example", Some("Bob"), 3000),
    ]);
    let office = office();
    assert_eq!(names(&office, " ", &calls), ["Marta Oduya", "9196", "Bob"]);
    assert_eq!(names(&office, "bob@f", &calls), ["Bob"]);
    assert_eq!(names(&office, "919", &calls), ["9196"]);
}

#[test]
fn a_caller_is_known_by_number_at_the_right_account() {
    let (alice, bob) = (AccountId("alice@test.io".into()), AccountId("bob@other.io".into()));
    let extension = ContactView {
        numbers: vec![ContactNumber { kind: NumberKind::Extension, number: "102".into() }],
        kind: ContactKind::Extension,
        picture: Some("/api/blobs/b0b".into()),
        ..contact(9, "Bob Chen", &[])
    };
    let mine = ContactView { account: bob.clone(), ..contact(8, "Marta (private)", &["020 7946 0312"]) };
    let directory = directory(vec![contact(1, "Marta Oduya", &["+44 20 7946 0312"]), extension, mine]);
    assert_eq!(directory.name_of(&alice, "02079460312"), Some("Marta Oduya"));
    assert_eq!(directory.name_of(&bob, "+442079460312"), Some("Marta (private)"));
    assert_eq!(directory.name_of(&alice, "102"), Some("Bob Chen"));
    assert_eq!(directory.name_of(&bob, "102"), None, "extensions are known at their own PBX");
    assert_eq!(directory.name_of(&alice, "anonymous"), None);
    for (account, picture) in [(&alice, Some("/api/blobs/b0b".to_owned())), (&bob, None)] {
        let mut peer = PeerView { number: "102".into(), name: None, picture: Some("/another".into()) };
        directory.name(account, &mut peer);
        assert_eq!(peer.picture, picture, "{account:?}");
    }
}

#[test]
fn contacts_are_told_in_parts_favourites_first() {
    let office = office();
    let page = office.find("", ContactFilter::All, 0, 2);
    let shown = |page: &ContactPage| page.contacts.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
    assert_eq!(
        (page.total, page.favorites, shown(&page)),
        (6, 1, vec!["Martin Dvořák".into(), "Ann O'Brien".into()])
    );
    let page = office.find("", ContactFilter::All, 4, 100);
    assert_eq!(shown(&page), ["Zoë", "田中 太郎"]);
    assert_eq!(office.find("", ContactFilter::Favorites, 0, 9).total, 1);
    assert_eq!(
        office.find("", ContactFilter::Personal, 0, 9),
        ContactPage { from: 0, total: 0, favorites: 0, contacts: vec![] }
    );
    let page = office.find("mart", ContactFilter::Business, 0, 9);
    assert_eq!((shown(&page), page.favorites), (vec!["Martin Dvořák".to_owned(), "Marta Oduya".into()], 0));
}

proptest::proptest! {
    #[test]
    fn anything_may_be_typed(typed in "\\PC{0,80}", name in "\\PC{1,20}", number in "\\PC{0,20}") {
        let directory = directory(vec![contact(1, &name, &[&number])]);
        let calls = called(&[(&number, Some(&name), 0)]);
        directory.search(&typed, &calls, NOW, 8);
        directory.find(&typed, ContactFilter::All, 0, 8);
    }
}
