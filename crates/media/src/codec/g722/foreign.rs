//! Held against SpanDSP, bit by bit.

use std::io::Write;
use std::process::{Command, Stdio};

use super::{Coder, Restorer};
use crate::testing::{speech, tone};

/// Codes 16 kHz sound, then decodes bytes, both as one stream: `LENGTH OF THE SOUND, SOUND, BYTES` on its standard
/// input gives `BYTES, SOUND`.
const SPANDSP: &str = r#"
import ctypes, struct, sys
lib = ctypes.CDLL("libspandsp.so.2")
for name in ("g722_encode_init", "g722_decode_init"):
    getattr(lib, name).restype = ctypes.c_void_p
    getattr(lib, name).argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_int)
for name in ("g722_encode", "g722_decode"):
    getattr(lib, name).argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
given = sys.stdin.buffer.read()
samples = struct.unpack("<I", given[:4])[0]
sound, codes = given[4:4 + 2 * samples], given[4 + 2 * samples:]
coded = ctypes.create_string_buffer(samples // 2)
n = lib.g722_encode(lib.g722_encode_init(None, 64000, 0), coded, sound, samples)
assert n == samples // 2
decoded = ctypes.create_string_buffer(4 * len(codes))
n = lib.g722_decode(lib.g722_decode_init(None, 64000, 0), decoded, codes, len(codes))
assert n == 2 * len(codes)
sys.stdout.buffer.write(coded.raw + decoded.raw)
"#;

fn spandsp(sound: &[i16], codes: &[u8]) -> (Vec<u8>, Vec<i16>) {
    let mut given = (sound.len() as u32).to_le_bytes().to_vec();
    given.extend(sound.iter().flat_map(|sample| sample.to_le_bytes()));
    given.extend_from_slice(codes);
    let mut python = Command::new("python3");
    let mut python =
        python.args(["-c", SPANDSP]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = python.stdin.take().unwrap();
    let writing = std::thread::spawn(move || stdin.write_all(&given));
    let out = python.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    assert!(out.status.success(), "python3 with libspandsp2 is needed");
    let (coded, decoded) = out.stdout.split_at(sound.len() / 2);
    (coded.to_vec(), decoded.as_chunks::<2>().0.iter().map(|two| i16::from_le_bytes(*two)).collect())
}

/// Speech, tones and noise from silence to full scale, and back.
fn hard_to_code() -> Vec<i16> {
    let mut sound: Vec<i16> = speech(48_000 * 6).into_iter().step_by(3).collect();
    sound.extend(tone(6_500.0, 16_000.0, 12_000.0, 16_000));
    sound.extend(tone(440.0, 16_000.0, 32_767.0, 16_000));
    let mut noise = 1u32;
    sound.extend((0..64_000i32).map(|n| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let loudness = n.min(64_000 - n);
        (i32::from((noise >> 16) as i16) * loudness / 32_000) as i16
    }));
    // A square wave at full scale saturates wherever something can.
    sound.extend((0..16_000).map(|n| if n / 37 % 2 == 0 { i16::MAX } else { i16::MIN }));
    sound.extend([0; 8_000]);
    sound
}

/// The same, but for overloads: SpanDSP lets them wrap around, we keep them at the limit.
fn assert_alike(ours: &[i16], theirs: &[i16]) {
    let overload = |a: i16, b: i16| matches!(a, i16::MAX | i16::MIN) && (a < 0) != (b < 0);
    let first = ours.iter().zip(theirs).position(|(a, b)| a != b && !overload(*a, *b));
    assert_eq!((ours.len(), first), (theirs.len(), None));
}

#[test]
fn coded_and_decoded_to_the_bit_as_by_spandsp() {
    let sound = hard_to_code();
    let mut codes = Vec::new();
    Coder::new().run(&sound, &mut codes);
    let (theirs, _) = spandsp(&sound, &[]);
    let first = codes.iter().zip(&theirs).position(|(a, b)| a != b);
    assert_eq!((codes.len(), first), (theirs.len(), None), "coded");

    let mut heard = Vec::new();
    Restorer::new().run(&codes, &mut heard);
    let (_, theirs) = spandsp(&[], &codes);
    assert_alike(&heard, &theirs);
}

#[test]
fn bytes_that_nobody_coded_are_decoded_to_the_bit_too() {
    let mut state = 7u32;
    let bytes: Vec<u8> = (0..200_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    let mut heard = Vec::new();
    Restorer::new().run(&bytes, &mut heard);
    let (_, theirs) = spandsp(&[], &bytes);
    assert_alike(&heard, &theirs);
}
