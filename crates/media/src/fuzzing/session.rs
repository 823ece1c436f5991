use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use crate::rtp::Packet;
use crate::sdp::LocalMedia;
use crate::{Codec, FRAME, Session};

/// Packets fed at most: an input must not take long.
const MOST: usize = 400;

/// Takes some bytes for what happens to a voice path: packets of voice with any payload, number and timestamp, RTCP,
/// plain datagrams, and time that passes. Nothing may panic or grow, and the figures stay figures.
pub fn session(mut bytes: &[u8]) {
    let mut now = Instant::now();
    let Some(mut session) = begin(now) else { return };
    let from = SocketAddr::from((Ipv4Addr::new(192, 0, 2, 2), 4000));
    let (mut seq, mut timestamp) = (1000u16, 50_000u32);
    for _ in 0..MOST {
        let Some(([kind, step, jump, length], rest)) = bytes.split_first_chunk() else { break };
        let (payload, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        bytes = rest;
        // Mostly the next packet, now and then one far off.
        seq = seq.wrapping_add(if step & 0x80 == 0 { u16::from(step % 8) } else { u16::from(*step) << 6 });
        let samples = if jump & 0x80 == 0 { u32::from(jump % 8) * 960 } else { u32::from(*jump) << 20 };
        timestamp = timestamp.wrapping_add(samples);
        let packet = |payload_type| {
            let packet = Packet { marker: false, payload_type, seq, timestamp, ssrc: 7, payload: &[] };
            let mut datagram = Vec::new();
            packet.write_header(&mut datagram);
            datagram.extend_from_slice(payload);
            datagram
        };
        match kind % 8 {
            0..=2 => session.receive(now, from, &packet(111)),
            3 => session.receive(now, from, &packet(*step & 0x7f)),
            4 => session.receive(now, from, &control(*jump, payload)),
            5 => session.receive(now, from, payload),
            _ => now += Duration::from_millis(u64::from(*length) / 4),
        }
        let mut out = [0; FRAME];
        session.play(now, &mut out);
        session.capture(now, &out);
        let sent = std::iter::from_fn(|| session.poll_transmit(now)).count();
        assert!(sent < 100, "{sent} datagrams at once");
        now += Duration::from_millis(10);
        let report = session.report(now);
        assert!((1.0..=5.0).contains(&report.mos) && report.target_ms < 1000.0, "{report:?}");
    }
}

fn begin(now: Instant) -> Option<Session> {
    let end = |host| {
        let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, host));
        LocalMedia::new(address, 4000, 4001, Codec::ALL.to_vec(), 1)
    };
    let mut ours = end(1);
    // All our codecs come back in the answer, so that every decoder is met.
    let answer = ours.offer().replace("192.0.2.1", "192.0.2.2");
    Session::new(&ours.accept(&answer).ok()?, 1, now).ok()
}

/// A compound of RTCP: a report in front, then a packet of any type with these bytes.
fn control(kind: u8, bytes: &[u8]) -> Vec<u8> {
    let mut datagram = vec![0x80, 201, 0, 1, 0, 0, 0, 7];
    let words = (bytes.len() / 4) as u8;
    datagram.extend_from_slice(&[0x80 | kind >> 4, 200 + kind % 8, 0, words]);
    datagram.extend(bytes.iter().take(usize::from(words) * 4));
    datagram
}
