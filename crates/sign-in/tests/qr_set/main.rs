//! The picture set before the reader: every code a person would call readable is read within one second of
//! camera frames, and nothing is ever read wrongly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod scene;
mod set;

use std::collections::BTreeMap;

use scene::{HEIGHT, Scene, WIDTH};
use secrecy::ExposeSecret;
use sign_in::qr::{Luma, Reader};

/// Frames of a slow camera in one second.
const A_SECOND: u64 = 10;

/// The text found in at most a second of frames.
fn read(scene: &Scene) -> Option<String> {
    let exposed = scene.expose();
    let mut reader = Reader::new();
    (0..A_SECOND).find_map(|number| {
        let pixels = exposed.frame(number);
        let frame =
            Luma { width: WIDTH as u32, height: HEIGHT as u32, stride: WIDTH as u32, pixels: &pixels };
        reader.read(frame).first().map(|text| text.expose_secret().to_owned())
    })
}

#[test]
fn readable_codes_are_read_within_a_second_and_none_is_read_wrongly() {
    let scenes = set::scenes();
    assert!(scenes.len() >= 200, "only {} scenes", scenes.len());
    let (mut read_of, mut missed) = (BTreeMap::<&str, (u32, u32)>::new(), Vec::new());
    for (number, scene) in scenes.iter().enumerate() {
        let found = read(scene);
        if let Some(text) = &found {
            assert_eq!(Some(text.as_str()), scene.text, "scene {number}, {}", scene.kind);
        }
        if scene.text.is_some() {
            let (read, all) = read_of.entry(scene.kind).or_default();
            *all += 1;
            *read += u32::from(found.is_some());
            if scene.readable && found.is_none() {
                missed.push(format!("scene {number}, {}", scene.kind));
            }
        }
    }
    println!("{read_of:?}");
    assert!(missed.is_empty(), "a person would read {missed:?}");
    let (read, all) = read_of.values().fold((0, 0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
    assert!(read * 100 >= all * 85, "only {read} of {all} codes are read, readable or not");
}
