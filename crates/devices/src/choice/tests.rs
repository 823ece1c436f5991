use super::*;
use crate::DeviceKind;

fn device(id: &str, name: &str) -> DeviceInfo {
    DeviceInfo {
        id: id.into(),
        name: name.into(),
        default: false,
        kind: DeviceKind::Other,
        hardware: None,
        model: None,
    }
}

/// A USB device with a serial number.
fn usb(serial: &str, profile: &str, name: &str) -> DeviceInfo {
    let hardware = format!("usb:0b0e:2457:{serial}");
    let id = format!("{hardware}/{profile}");
    DeviceInfo { hardware: Some(hardware), model: Some("0b0e:2457".into()), ..device(&id, name) }
}

fn default(device: DeviceInfo) -> DeviceInfo {
    DeviceInfo { default: true, ..device }
}

fn laptop() -> DeviceInfo {
    default(device("pci:1f.3/analog", "Laptop"))
}

fn first(there: &[DeviceInfo], order: &[Known]) -> (String, Reason) {
    let chosen = candidates(there, order, &[]).into_iter().next().unwrap();
    (chosen.name, chosen.reason)
}

fn known(devices: &[&DeviceInfo]) -> Vec<Known> {
    devices.iter().map(|device| Known::from(*device)).collect()
}

#[test]
fn without_a_wish_it_is_the_systems_default_and_follows_it() {
    let (a, b) = (device("a", "A"), device("b", "B"));
    let there =
        |default_is: &str| [&a, &b].map(|d| DeviceInfo { default: d.id == default_is, ..d.clone() }).to_vec();
    assert_eq!(first(&there("a"), &[]), ("A".into(), Reason::Default));
    assert_eq!(first(&there("b"), &[]), ("B".into(), Reason::Default));
    assert_eq!(first(&there("nobody"), &[]), ("A".into(), Reason::Default), "any is better than none");
    assert_eq!(candidates(&[], &known(&[&a]), &[]), [], "without a device there is nothing to choose");
}

#[test]
fn an_unplugged_headset_gives_way_and_comes_back() {
    let headset = usb("1", "mono", "Headset");
    let order = known(&[&headset]);
    assert_eq!(first(&[laptop(), headset.clone()], &order), ("Headset".into(), Reason::First));
    let away = first(&[laptop()], &order);
    assert_eq!(away, ("Laptop".into(), Reason::Instead("Headset".into(), Passed::Absent)));
    assert_eq!(first(&[headset, laptop()], &order), ("Headset".into(), Reason::First));
}

#[test]
fn the_second_of_the_order_is_told_with_the_better_one() {
    let (headset, dock) = (usb("1", "mono", "Headset"), device("dock", "Dock"));
    let chosen = first(&[laptop(), dock.clone()], &known(&[&headset, &dock]));
    assert_eq!(chosen, ("Dock".into(), Reason::Better("Headset".into(), Passed::Absent)));
}

#[test]
fn a_new_name_is_no_new_device_and_the_same_name_no_old_one() {
    let headset = usb("1", "mono", "Kopfhörer");
    let renamed = DeviceInfo { name: "ヘッドセット — 왼쪽".into(), ..headset.clone() };
    assert_eq!(first(&[laptop(), renamed.clone()], &known(&[&headset])).0, renamed.name);
    let stranger = device("other", "Kopfhörer");
    let chosen = first(&[laptop(), stranger], &known(&[&headset]));
    assert_eq!(chosen.0, "Laptop", "what only has its name is another device");
}

#[test]
fn twins_of_one_name_are_told_apart() {
    let (left, right) = (usb("1", "mono", "Headset"), usb("2", "mono", "Headset"));
    let there = [laptop(), left.clone(), right.clone()];
    let chosen = |order: &[Known]| candidates(&there, order, &[]).into_iter().next().unwrap().id;
    assert_eq!(chosen(&known(&[&right])), right.id);
    assert_eq!(chosen(&known(&[&left])), left.id);
}

#[test]
fn another_profile_of_it_is_the_same_hardware() {
    let (plain, surround) = (usb("1", "analog-stereo", "Headset"), usb("1", "surround-71", "Headset 7.1"));
    assert_eq!(first(&[laptop(), surround.clone()], &known(&[&plain])).0, "Headset 7.1");
    let other = usb("1", "digital", "Headset digital");
    let both = [laptop(), surround, other];
    assert_eq!(first(&both, &known(&[&plain])).0, "Laptop", "which of two is meant cannot be told");
}

#[test]
fn without_a_serial_number_the_only_one_of_its_make_is_it() {
    let port = |port: &str| usb(port, "mono", "Headset");
    let order = known(&[&port("usb-0:2")]);
    assert_eq!(first(&[laptop(), port("usb-0:7")], &order).1, Reason::First, "plugged in elsewhere");
    let strangers = [laptop(), port("usb-0:7"), port("usb-0:8")];
    assert_eq!(first(&strangers, &order).0, "Laptop");
}

#[test]
fn what_cannot_be_opened_is_tried_last() {
    let (headset, dock) = (usb("1", "mono", "Headset"), device("dock", "Dock"));
    let there = [laptop(), headset.clone(), dock.clone()];
    let failed = [headset.id.clone()];
    let chosen = candidates(&there, &known(&[&headset, &dock]), &failed);
    let names: Vec<_> = chosen.iter().map(|chosen| chosen.name.as_str()).collect();
    assert_eq!(names, ["Dock", "Laptop", "Headset"]);
    assert_eq!(chosen[0].reason, Reason::Better("Headset".into(), Passed::Failed));
    let all = [headset.id.clone(), dock.id.clone(), laptop().id];
    assert_eq!(candidates(&there, &known(&[&headset]), &all).len(), 3, "better a bad one than none");
}

fn place(speakers: &[&DeviceInfo]) -> Present {
    Present { microphones: Vec::new(), speakers: speakers.iter().map(|d| (*d).clone()).collect() }
}

#[test]
fn every_place_has_its_own_order() {
    let (laptop, dock, headset) = (laptop(), device("dock", "Dock"), usb("1", "mono", "Headset"));
    let (office, home) = (place(&[&laptop, &dock, &headset]), place(&[&laptop, &headset]));
    let mut book = PlaceBook::default();
    assert_eq!(book.order(&office, Role::Speaker), []);
    book.set(&office, Role::Speaker, known(&[&dock]));
    book.set(&home, Role::Speaker, known(&[&headset]));
    assert_eq!(book.order(&office, Role::Speaker), known(&[&dock]));
    assert_eq!(book.order(&home, Role::Speaker), known(&[&headset]));
    assert_eq!(book.order(&office, Role::Microphone), [], "each role for itself");
    book.set(&home, Role::Speaker, Vec::new());
    assert_eq!(book.order(&home, Role::Speaker), [], "an order can be taken back");
    assert_eq!(book.order(&office, Role::Speaker), known(&[&dock]));
}

#[test]
fn a_place_never_seen_is_like_the_one_it_shares_most_with() {
    let (laptop, dock, headset) = (laptop(), device("dock", "Dock"), usb("1", "mono", "Headset"));
    let screen = device("screen", "Screen");
    let mut book = PlaceBook::default();
    book.set(&place(&[&laptop, &dock, &headset]), Role::Speaker, known(&[&headset, &dock]));
    book.set(&place(&[&laptop, &screen]), Role::Speaker, known(&[&screen]));
    let without_headset = place(&[&laptop, &dock]);
    assert_eq!(book.order(&without_headset, Role::Speaker), known(&[&headset, &dock]));
    let elsewhere = place(&[&device("new", "New")]);
    assert_eq!(book.order(&elsewhere, Role::Speaker), known(&[&screen]), "nothing alike: the one set last");
}

#[test]
fn roles_set_at_a_place_stay_together_and_places_are_few() {
    let (laptop, headset) = (laptop(), usb("1", "mono", "Headset"));
    let here = place(&[&laptop, &headset]);
    let mut book = PlaceBook::default();
    book.set(&here, Role::Speaker, known(&[&headset]));
    book.set(&here, Role::Ringer, known(&[&laptop]));
    assert_eq!(book.order(&here, Role::Speaker), known(&[&headset]));
    assert_eq!(book.order(&here, Role::Ringer), known(&[&laptop]));
    for n in 0..40 {
        let new = device(&format!("new{n}"), "New");
        book.set(&place(&[&new]), Role::Speaker, known(&[&new]));
    }
    assert_eq!(book.0.len(), PLACES);
}

#[test]
fn the_book_is_kept_as_it_is() {
    let headset = usb("1", "mono", "Headset");
    let mut book = PlaceBook::default();
    book.set(&place(&[&headset]), Role::Ringer, known(&[&headset]));
    let text = serde_json::to_string(&book).unwrap();
    assert_eq!(serde_json::from_str::<PlaceBook>(&text).unwrap(), book);
}
