use super::*;
use crate::testing::{align, rms, speech, tone};

/// What is heard of `sound` where `lost` says that a packet of 20 ms is lost.
fn through(sound: &[i16], lost: impl Fn(usize) -> bool) -> Vec<i16> {
    let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new());
    let (mut packet, mut heard) = (Vec::new(), Vec::new());
    for (number, frame) in sound.chunks_exact(960).enumerate() {
        packet.clear();
        encoder.encode(frame, &mut packet);
        assert_eq!(Decoder::samples(&packet), Some(960));
        let mut out = [0; 960];
        if lost(number) {
            decoder.conceal(&mut out);
        } else {
            decoder.decode(&packet, &mut out).unwrap();
        }
        heard.extend_from_slice(&out);
    }
    heard
}

#[test]
fn speech_survives() {
    let sound = speech(48_000 * 2);
    let (delay, alike) = align(&sound, &through(&sound, |_| false), 600);
    assert!(alike > 0.97, "{alike}");
    // Resampling 3.5 ms, the filters of G.722 1.4 ms.
    assert!((220..=245).contains(&delay), "{delay} samples");
}

#[test]
fn both_bands_are_carried() {
    for hz in [200.0, 1000.0, 3000.0, 5000.0, 6800.0] {
        let sound = tone(hz, 48_000.0, 8_000.0, 48_000);
        let heard = through(&sound, |_| false);
        let db = 20.0 * (rms(&heard[4_800..]) / rms(&sound)).log10();
        assert!(db.abs() < 1.0, "{hz} Hz: {db:.2} dB");
    }
}

#[test]
fn after_a_loss_the_voice_is_found_again_at_once() {
    let sound = speech(48_000 * 8);
    let clean = through(&sound, |_| false);
    let lossy = through(&sound, |packet| packet % 5 == 2);
    // Of the packets after a loss, from where nothing invented is blended in any more.
    let after = |packet: usize| (packet + 1) * 960 + 530..(packet + 2) * 960;
    let (mut error, mut level) = (0.0, 0.0);
    for range in (0..sound.len() / 960 - 2).filter(|packet| packet % 5 == 2).map(after) {
        let (clean, lossy) = (&clean[range.clone()], &lossy[range]);
        let difference: Vec<i16> = clean.iter().zip(lossy).map(|(a, b)| a.saturating_sub(*b)).collect();
        error += rms(&difference).powi(2);
        level += rms(clean).powi(2);
    }
    let db = 10.0 * (level / error).log10();
    assert!(db > 11.0, "{db:.1} dB");
}

#[test]
fn odd_packets_are_refused_or_decoded() {
    let mut decoder = Decoder::new();
    assert_eq!(Decoder::samples(&[]), None);
    assert_eq!(Decoder::samples(&[0; 961]), None);
    assert!(decoder.decode(&[0; 160], &mut [0; 480]).is_err());
    let mut out = [0; 6];
    for byte in 0..=255u8 {
        decoder.decode(&[byte], &mut out).unwrap();
    }
}
