//! Sessions whose datagrams are protected.

use std::sync::Arc;

use super::*;
use crate::sdp::{Negotiated, Srtp};
use crate::{Identity, Keying, Protected, Suite};

fn preferring(host: u8) -> LocalMedia {
    let mut media = media(host, &[Codec::Pcmu]);
    media.security.srtp = Srtp::Prefer;
    media
}

fn is_handshake(datagram: &[u8]) -> bool {
    Protocol::of(datagram) == Protocol::Dtls
}

fn negotiate(a: &mut LocalMedia, b: &mut LocalMedia) -> (Negotiated, Negotiated) {
    let (answer, for_b) = b.answer(&a.offer()).unwrap();
    (a.accept(&answer).unwrap(), for_b)
}

const ON: Protected = Protected::On(Keying::Sdes, Suite::AeadAes256Gcm);

#[test]
fn both_hear_each_other_and_nobody_else_does() {
    let mut pair = Pair::of(preferring(1), preferring(2));
    assert_eq!(pair.ends[0].protected(), Protected::Pending(Keying::Sdes));
    let said = speech(48_000 * 8);
    pair.talk(&said, |_, _| true);
    let now = pair.now;
    for end in 0..2 {
        let alike = align(&said[240_000..], &pair.heard[end][240_000..], 9600).1;
        assert!(alike > 0.9, "{alike}");
        let report = pair.ends[end].report(now);
        assert_eq!((report.protected, report.refused, report.lost), (ON, 0, 0));
        assert!(report.rtt_ms.is_some(), "RTCP goes through, too");
        for (_, transmit) in &pair.sent[end] {
            assert_eq!(rtcp::parse(&transmit.bytes), None, "no report is readable");
        }
    }
    // Who does not have the keys hears noise.
    let mut spy = Session::new(&plainly(), 9, now).unwrap();
    for (at, transmit) in pair.sent[0].iter().filter(|(_, t)| t.from_port == Channel::Rtp) {
        spy.receive(*at, address(1, 4000), &transmit.bytes);
    }
    let mut overheard = Vec::new();
    for _ in 0..400 {
        let mut out = [0; FRAME];
        spy.play(now, &mut out);
        overheard.extend_from_slice(&out);
    }
    assert!(align(&said[..overheard.len()], &overheard, 9600).1 < 0.1);
}

fn plainly() -> Negotiated {
    negotiate(&mut media(2, &[Codec::Pcmu]), &mut media(1, &[Codec::Pcmu])).0
}

#[test]
fn plain_packets_are_neither_taken_nor_sent() {
    let (mut a, mut b) = (preferring(1), preferring(2));
    let (for_a, _) = negotiate(&mut a, &mut b);
    let now = Instant::now();
    let mut protected = Session::new(&for_a, 1, now).unwrap();
    let mut plain = Session::new(&plainly(), 2, now).unwrap();
    for n in 1..100u32 {
        let now = now + TEN_MS * n;
        plain.capture(now, &[3000; FRAME]);
        while let Some(transmit) = plain.poll_transmit(now) {
            let from = address(2, if transmit.from_port == Channel::Rtp { 4000 } else { 4001 });
            protected.receive(now, from, &transmit.bytes);
        }
        let mut out = [0; FRAME];
        protected.play(now, &mut out);
        assert_eq!(out, [0; FRAME]);
    }
    let report = protected.report(now);
    assert_eq!((report.rx_packets, report.protected), (0, Protected::Pending(Keying::Sdes)));
    assert!(report.refused > 40, "{report:?}");
}

#[test]
fn the_counter_is_kept_when_an_address_changes() {
    let (mut a, mut b) = (preferring(1), preferring(2));
    let (for_a, for_b) = negotiate(&mut a, &mut b);
    let now = Instant::now();
    let mut ends = [Session::new(&for_a, 1, now).unwrap(), Session::new(&for_b, 2, now).unwrap()];
    // Far enough that the 16 bits have wrapped twice.
    let mut turn = 0;
    run(&mut ends, now, &mut turn, 140_000);
    assert!(ends[1].report(now).rx_packets > 139_000);
    let before = ends[1].report(now).rx_packets;
    a.rtp_port = 5000;
    a.rtcp_port = 5001;
    let (for_a, for_b) = negotiate(&mut a, &mut b);
    ends[0].renegotiate(&for_a, now).unwrap();
    ends[1].renegotiate(&for_b, now).unwrap();
    run(&mut ends, now, &mut turn, 100);
    let report = ends[1].report(now);
    assert!(report.rx_packets >= before + 99, "{report:?}");
    assert_eq!((report.refused, report.protected), (0, ON));
}

/// The first speaks, the second listens, from wherever the first is announced to be.
fn run(ends: &mut [Session; 2], start: Instant, turn: &mut u32, packets: u32) {
    let [speaker, listener] = ends;
    let from = listener.receiver.destination();
    for _ in 0..packets {
        *turn += 1;
        let now = start + TEN_MS * 2 * *turn;
        speaker.capture(now, &[0; FRAME]);
        speaker.capture(now + TEN_MS, &[0; FRAME]);
        while let Some(transmit) = speaker.poll_transmit(now) {
            if transmit.from_port == Channel::Rtp {
                listener.receive(now, from, &transmit.bytes);
            }
        }
    }
}

#[test]
fn another_key_begins_anew_and_plain_rtp_ends_it() {
    let mut pair = Pair::of(preferring(1), preferring(2));
    pair.talk(&tone(500.0, 48_000.0, 8000.0, 48_000), |_, _| true);
    let (for_a, for_b) = negotiate(&mut preferring(1), &mut preferring(2));
    let now = pair.now;
    pair.way.clear();
    for (end, negotiated) in [for_a, for_b].iter().enumerate() {
        pair.ends[end].renegotiate(negotiated, now).unwrap();
    }
    let before = pair.ends[0].report(now).rx_packets;
    pair.talk(&tone(500.0, 48_000.0, 8000.0, 48_000), |_, _| true);
    let report = pair.ends[0].report(pair.now);
    assert!(report.rx_packets > before + 45, "{report:?}");
    assert_eq!((report.protected, report.refused), (ON, 0));
    pair.ends[0].renegotiate(&plainly(), now).unwrap();
    assert_eq!(pair.ends[0].protected(), Protected::Off);
}

#[test]
fn a_flood_of_forgeries_does_not_stop_the_voice() {
    let mut pair = Pair::of(preferring(1), preferring(2));
    let mut random = 1u32;
    let said = speech(48_000 * 4);
    for frame in said.chunks_exact(FRAME) {
        for _ in 0..20 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let mut packet = vec![0x80, 0];
            packet.extend_from_slice(&random.to_be_bytes().repeat(30));
            let now = pair.now;
            pair.ends[1].receive(now, address(1, 4000), &packet);
            packet[..4].copy_from_slice(&[0x80, 201, 0, 1]);
            pair.ends[1].receive(now, address(1, 4001), &packet);
        }
        let frame = frame.try_into().unwrap();
        pair.step([frame, frame], &mut |_, _| true);
    }
    let report = pair.ends[1].report(pair.now);
    assert_eq!((report.lost, report.concealed_ms), (0, 0), "{report:?}");
    assert!(report.refused > 10_000);
}

fn shaking(host: u8, srtp: Srtp) -> LocalMedia {
    let mut media = preferring(host);
    media.security.srtp = srtp;
    media.security.keying = Keying::Dtls;
    media.security.identity = Identity::generate().map(Arc::new);
    media
}

const SHAKEN: Protected = Protected::On(Keying::Dtls, Suite::AeadAes256Gcm);

#[test]
fn keys_come_of_a_handshake_on_the_same_way() {
    let mut pair = Pair::of(shaking(1, Srtp::Require), shaking(2, Srtp::Prefer));
    assert_eq!(pair.ends[0].protected(), Protected::Pending(Keying::Dtls));
    let said = speech(48_000 * 8);
    pair.talk(&said, |_, _| true);
    let now = pair.now;
    for end in 0..2 {
        let alike = align(&said[240_000..], &pair.heard[end][240_000..], 9600).1;
        assert!(alike > 0.9, "{alike}");
        let report = pair.ends[end].report(now);
        assert_eq!((report.protected, report.refused), (SHAKEN, 0));
        assert!(report.rtt_ms.is_some(), "RTCP shares the port and the keys");
        assert!(pair.sent[end].iter().all(|(_, t)| t.from_port == Channel::Rtp));
        let first = pair.sent[end].iter().position(|(_, t)| !is_handshake(&t.bytes)).unwrap();
        assert!(first > 0, "nothing is sent before the keys are known");
    }
}

#[test]
fn a_handshake_outlives_lost_datagrams() {
    for lose in 0..6 {
        let mut pair = Pair::of(shaking(1, Srtp::Require), shaking(2, Srtp::Prefer));
        let mut count = 0;
        pair.talk(&speech(48_000 * 4), |_, transmit| {
            count += usize::from(is_handshake(&transmit.bytes));
            !is_handshake(&transmit.bytes) || count - 1 != lose
        });
        assert_eq!(pair.ends.each_ref().map(Session::protected), [SHAKEN; 2], "without {lose}");
    }
}

#[test]
fn whoever_is_in_between_is_not_talked_to() {
    let (mut a, mut b) = (shaking(1, Srtp::Require), shaking(2, Srtp::Prefer));
    let (for_a, _) = negotiate(&mut a, &mut b);
    let (mut to_b, mut middle) = (shaking(1, Srtp::Require), shaking(2, Srtp::Prefer));
    let (_, for_middle) = negotiate(&mut to_b, &mut middle);
    let now = Instant::now();
    let mut ends = [Session::new(&for_a, 1, now).unwrap(), Session::new(&for_middle, 2, now).unwrap()];
    for n in 0..2500 {
        let now = now + TEN_MS * n;
        for end in 0..2 {
            ends[end].capture(now, &[1000; FRAME]);
            while let Some(transmit) = ends[end].poll_transmit(now) {
                if end == 0 {
                    assert!(is_handshake(&transmit.bytes), "nothing is said to a stranger");
                }
                ends[1 - end].receive(now, address(1 + end as u8, 4000), &transmit.bytes);
            }
        }
    }
    assert_eq!(ends[0].protected(), Protected::Failed);
}

#[test]
fn an_association_outlives_a_hold() {
    let (mut a, mut b) = (shaking(1, Srtp::Require), shaking(2, Srtp::Prefer));
    let (for_a, for_b) = negotiate(&mut a, &mut b);
    let offer = a.offer();
    assert!(offer.contains("a=setup:passive\r\n"), "the one who answered began: {offer}");
    let (answer, again_b) = b.answer(&offer).unwrap();
    assert_eq!(a.accept(&answer).unwrap().protection, for_a.protection);
    assert_eq!(again_b.protection, for_b.protection);
    let (answer, again_a) = a.answer(&b.offer()).unwrap();
    assert_eq!(b.accept(&answer).unwrap().protection, for_b.protection);
    assert_eq!(again_a.protection, for_a.protection, "offered by the other side");
}
