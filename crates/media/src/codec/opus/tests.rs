use super::*;
use crate::jitter::Span;
use crate::testing::speech;

#[test]
fn speech_survives() {
    let sound = speech(48_000 * 2);
    let (mut encoder, mut decoder) = (Encoder::new().unwrap(), Decoder::new().unwrap());
    let (mut packet, mut heard) = (Vec::new(), Vec::new());
    for frame in sound.chunks_exact(960) {
        packet.clear();
        encoder.encode(frame, &mut packet).unwrap();
        assert_eq!(Decoder::samples(&packet), Some(960));
        let mut out = [0; 960];
        decoder.decode(&packet, &mut out).unwrap();
        heard.extend_from_slice(&out);
    }
    let (delay, likeness) = crate::testing::align(&sound, &heard, 600);
    assert!(likeness > 0.95, "likeness {likeness}");
    assert!((200..=400).contains(&delay), "delay {delay} samples");
}

#[test]
fn redundancy_is_there_and_brings_the_frame_back() {
    let sound = speech(48_000 * 2);
    let mut encoder = Encoder::new().unwrap();
    encoder.configure(Settings { loss: 10, ..Settings::CLEAN }).unwrap();
    let packets: Vec<Vec<u8>> = sound
        .chunks_exact(960)
        .map(|frame| {
            let mut packet = Vec::new();
            encoder.encode(frame, &mut packet).unwrap();
            packet
        })
        .collect();
    let redundant = packets.iter().filter(|p| Decoder::has_redundancy(p)).count();
    assert!(redundant * 2 > packets.len(), "{redundant} of {}", packets.len());
}

#[test]
fn garbage_is_refused() {
    let mut decoder = Decoder::new().unwrap();
    let mut out = [0; 960];
    assert_eq!(Decoder::samples(&[]), None);
    assert_eq!(Decoder::samples(&[0xff]), None);
    assert!(decoder.decode(&[], &mut out).is_err());
    assert!(decoder.decode(&[0xff; 3], &mut out).is_err());
    assert!(!Decoder::has_redundancy(&[]));
}

/// Packets of 20 ms.
fn packets(sound: &[i16], settings: Settings) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new().unwrap();
    encoder.configure(settings).unwrap();
    let encode = |frame| {
        let mut packet = Vec::new();
        encoder.encode(frame, &mut packet).unwrap();
        packet
    };
    sound.chunks_exact(960).map(encode).collect()
}

#[test]
fn deep_redundancy_is_there_and_rebuilds_what_was_lost() {
    let sound = speech(48_000 * 4);
    let armed = Settings { bit_rate: 64_000, wideband: true, loss: 25, dred_ms: 140, ..Settings::CLEAN };
    let packets = packets(&sound, armed);
    let mut decoder = Decoder::new().unwrap();
    let reach = |decoder: &mut Decoder, packet: &[u8]| decoder.read_history(packet, 4800).reach;
    let deep = packets.iter().filter(|packet| reach(&mut decoder, packet) >= 2880).count();
    assert!(deep * 2 > packets.len(), "{deep} of {}", packets.len());

    // Of every twenty packets three in a row are lost.
    let lost = |n: usize| n % 20 >= 17;
    let run = |deep: bool| {
        let mut decoder = Decoder::new().unwrap();
        let mut heard = Vec::new();
        for n in 0..packets.len() {
            let mut out = [0; 960];
            let next = (n + 1..packets.len()).find(|n| !lost(*n));
            let offset = next.map_or(0, |next| (next - n) * 960);
            match next {
                _ if !lost(n) => decoder.decode(&packets[n], &mut out).unwrap(),
                Some(next) if deep && decoder.read_history(&packets[next], offset).covers(offset, 960) => {
                    decoder.rebuild(offset, &mut out).unwrap();
                }
                _ => decoder.conceal(&mut out).unwrap(),
            }
            heard.extend_from_slice(&out);
        }
        // The level of each 10 ms, since redundancy this deep keeps the sound but not the wave.
        let levels = |sound: &[i16]| {
            sound
                .chunks_exact(480)
                .map(|ten| 20.0 * (crate::testing::rms(ten) + 10.0).log10())
                .collect::<Vec<_>>()
        };
        let (said, heard) = (levels(&sound[..sound.len() - 480]), levels(&heard[312..]));
        let off: Vec<f64> = said.iter().zip(&heard).map(|(a, b)| (a - b).abs()).collect();
        off.iter().sum::<f64>() / off.len() as f64
    };
    let (with, without) = (run(true), run(false));
    assert!(with < 0.8 * without, "off by {with} dB with, by {without} dB without");
}

#[test]
fn who_did_not_ask_gets_no_deep_redundancy() {
    let mut decoder = Decoder::new().unwrap();
    let plain = Settings { bit_rate: 64_000, loss: 25, ..Settings::CLEAN };
    for packet in packets(&speech(48_000 * 2), plain) {
        assert!(!decoder.has_history(&packet));
    }
}

#[test]
fn without_anything_read_rebuilding_conceals() {
    let mut decoder = Decoder::new().unwrap();
    let mut out = [0; 960];
    decoder.rebuild(960, &mut out).unwrap();
    assert_eq!(decoder.read_history(&[], 960), Span::default());
    assert_eq!(decoder.read_history(&[0xff; 3], 960), Span::default());
}
