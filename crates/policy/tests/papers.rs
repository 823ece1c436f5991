//! The templates and the page stand in the repository as the table makes them, and hold together.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs};

use policy::templates::{Brand, page};
use quick_xml::Reader;
use quick_xml::events::Event;

const BRAND: Brand<'_> = Brand { name: "Carillon", program: "carillon", identifier: "app.carillon.phone" };

#[test]
fn papers_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policy");
    let papers = [
        ("carillon.admx", policy::templates::admx(&BRAND)),
        ("en-US/carillon.adml", policy::templates::adml(&BRAND)),
        ("README.md", page(&BRAND)),
    ];
    for (name, text) in papers {
        let file = folder.join(name);
        if env::var_os("UPDATE_POLICY").is_some() {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, &text).unwrap();
        }
        let standing = fs::read_to_string(&file).unwrap_or_default();
        assert!(standing == text, "policy/{name} is stale: UPDATE_POLICY=1 cargo test -p policy");
    }
}

/// Every attribute of a document, by element; it is well formed.
fn attributes(xml: &str) -> Vec<(String, String, String)> {
    let mut reader = Reader::from_str(xml);
    let mut found = Vec::new();
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("not well formed: {error}")) {
            Event::Start(element) | Event::Empty(element) => {
                let name = element.name().as_ref().to_owned();
                for attribute in element.attributes() {
                    let attribute = attribute.unwrap();
                    found.push((
                        name.clone(),
                        attribute.key.as_ref().to_owned(),
                        attribute.value.into_owned(),
                    ));
                }
            }
            Event::Eof => return found,
            _ => {}
        }
    }
}

#[test]
fn every_word_the_template_refers_to_is_there() {
    let (admx, adml) = (policy::templates::admx(&BRAND), policy::templates::adml(&BRAND));
    let ids = |element: &str| -> BTreeSet<String> {
        let all = attributes(&adml).into_iter();
        all.filter(|(of, name, _)| of == element && name == "id").map(|(.., value)| value).collect()
    };
    let (strings, presentations) = (ids("string"), ids("presentation"));
    let mut references = 0;
    for (_, _, value) in attributes(&admx) {
        let within = |kind: &str| {
            value
                .strip_prefix(&format!("$({kind}."))
                .and_then(|rest| rest.strip_suffix(')'))
                .map(str::to_owned)
        };
        if let Some(id) = within("string") {
            assert!(strings.contains(&id), "no string {id}");
            references += 1;
        }
        if let Some(id) = within("presentation") {
            assert!(presentations.contains(&id), "no presentation {id}");
            references += 1;
        }
    }
    assert!(references > 2 * policy::KEYS.len());
}

#[test]
fn every_key_is_in_the_template_twice() {
    let admx = policy::templates::admx(&BRAND);
    let values: Vec<String> = attributes(&admx)
        .into_iter()
        .filter(|(_, name, _)| name == "valueName")
        .map(|(.., value)| value)
        .collect();
    for key in policy::KEYS {
        assert_eq!(values.iter().filter(|value| **value == key.key).count(), 2, "{}", key.key);
    }
}
