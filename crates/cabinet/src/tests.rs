#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{Cursor, Read};

use super::*;

/// Unpacks with a decoder that somebody else wrote.
fn unpacked(cabinet: Vec<u8>, name: &str) -> Vec<u8> {
    let mut cabinet = cab::Cabinet::new(Cursor::new(cabinet)).unwrap();
    let mut bytes = Vec::new();
    cabinet.read_file(name).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

fn survives(bytes: &[u8]) -> usize {
    let sizes = [Effort::Most, Effort::Least].map(|effort| {
        let packed = cabinet(&[Packed { name: "a", bytes }], effort).unwrap();
        let size = packed.len();
        assert!(unpacked(packed, "a") == bytes, "{} bytes, {effort:?}", bytes.len());
        size
    });
    assert!(sizes[0] <= sizes[1], "{sizes:?}");
    sizes[0]
}

/// Bytes without a pattern, always the same (xorshift).
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 24) as u8
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn every_length_around_a_frame_s_end_comes_back() {
    let noise = noise(lzx::FRAME + 20);
    for around in [0, lzx::FRAME] {
        for length in around.saturating_sub(1)..around + 12 {
            survives(&noise[..length]);
            survives(&vec![b'a'; length]);
        }
    }
}

#[test]
fn what_repeats_is_small_and_noise_hardly_grows() {
    let piece = noise(1_000);
    let many: Vec<u8> =
        (0..300).flat_map(|n| piece.iter().map(move |byte| byte.wrapping_add(n as u8 / 100))).collect();
    assert!(survives(&many) < 8_000);
    let noise = noise(300_000);
    assert!(survives(&noise) < 303_000);
}

#[test]
fn a_match_reaches_as_far_as_the_window() {
    let mut bytes = noise(3 << 20);
    let (from, to) = bytes.split_at_mut((2 << 20) - 3);
    to[..60_000].copy_from_slice(&from[..60_000]);
    assert!(survives(&bytes) < (3 << 20) - 50_000);
}

#[test]
fn calls_of_one_place_from_everywhere_look_the_same() {
    let mut bytes = noise(200_000);
    for at in (0..199_000).step_by(40) {
        bytes[at] = 0xE8;
        bytes[at + 1..at + 5].copy_from_slice(&(150_000 - at as i32).to_le_bytes());
    }
    let mut others = bytes.clone();
    others.iter_mut().step_by(40).for_each(|byte| *byte = 0xE9);
    assert!(survives(&bytes) + 6_000 < survives(&others));
}

#[test]
fn files_come_back_by_their_names_whatever_is_before_them() {
    let (first, second) = (noise(70_000), b"second".repeat(9_000));
    let files = [("First", first.as_slice()), ("nothing", &[]), ("Second.dll", &second)];
    let packed = cabinet(&files.map(|(name, bytes)| Packed { name, bytes }), Effort::Most).unwrap();
    for (name, bytes) in files {
        assert!(unpacked(packed.clone(), name) == bytes, "{name}");
    }
    assert_eq!(packed, cabinet(&files.map(|(name, bytes)| Packed { name, bytes }), Effort::Most).unwrap());
}
