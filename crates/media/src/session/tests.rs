use std::time::Duration;

use super::*;
use crate::Codec;
use crate::sdp::{Direction, LocalMedia};
use crate::testing::{align, rms, speech, tone};
use proptest::prelude::*;

mod protection;

const TEN_MS: Duration = Duration::from_millis(10);

fn address(host: u8, port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, host], port))
}

fn media(host: u8, codecs: &[Codec]) -> LocalMedia {
    LocalMedia::new(address(host, 0).ip(), 4000, 4001, codecs.to_vec(), 1)
}

/// Two ends with a path between them that takes 20 ms.
struct Pair {
    now: Instant,
    ends: [Session; 2],
    /// Arrival, which end, from where, what.
    way: VecDeque<(Instant, usize, SocketAddr, Vec<u8>)>,
    heard: [Vec<i16>; 2],
    /// Every datagram sent, by end.
    sent: [Vec<(Instant, Transmit)>; 2],
}

impl Pair {
    fn new(codecs: &[Codec]) -> Self {
        Self::of(media(1, codecs), media(2, &Codec::ALL))
    }

    fn of(a: LocalMedia, b: LocalMedia) -> Self {
        Self::in_packets_of(a, b, 20)
    }

    /// The first asks for packets of so many milliseconds.
    fn in_packets_of(mut a: LocalMedia, mut b: LocalMedia, ms: u32) -> Self {
        let offer = a.offer().replace("a=ptime:20", &format!("a=ptime:{ms}"));
        let (answer, for_b) = b.answer(&offer).unwrap();
        let for_a = a.accept(&answer).unwrap();
        let now = Instant::now();
        Self {
            now,
            ends: [Session::new(&for_a, 1, now).unwrap(), Session::new(&for_b, 2, now).unwrap()],
            way: VecDeque::new(),
            heard: [Vec::new(), Vec::new()],
            sent: [Vec::new(), Vec::new()],
        }
    }

    /// Runs 10 ms; what `pass` refuses is lost.
    fn step(&mut self, said: [&[i16; FRAME]; 2], pass: &mut dyn FnMut(usize, &Transmit) -> bool) {
        self.now += TEN_MS;
        let now = self.now;
        while self.way.front().is_some_and(|(at, ..)| *at <= now) {
            let (at, end, from, bytes) = self.way.pop_front().unwrap();
            self.ends[end].receive(at, from, &bytes);
        }
        for (end, said) in said.into_iter().enumerate() {
            self.ends[end].capture(now, said);
            let mut out = [0; FRAME];
            self.ends[end].play(now, &mut out);
            self.heard[end].extend_from_slice(&out);
            while let Some(transmit) = self.ends[end].poll_transmit(now) {
                if pass(end, &transmit) {
                    let port = if transmit.from_port == Channel::Rtp { 4000 } else { 4001 };
                    assert_eq!(transmit.to, address(2 - end as u8, port));
                    let from = address(1 + end as u8, port);
                    self.way.push_back((
                        now + Duration::from_millis(20),
                        1 - end,
                        from,
                        transmit.bytes.clone(),
                    ));
                }
                self.sent[end].push((now, transmit));
            }
        }
    }

    fn talk(&mut self, said: &[i16], mut pass: impl FnMut(usize, &Transmit) -> bool) {
        for frame in said.chunks_exact(FRAME) {
            let frame = frame.try_into().unwrap();
            self.step([frame, frame], &mut pass);
        }
    }
}

fn voice_of(sent: &[(Instant, Transmit)], pt: u8) -> Vec<Packet<'_>> {
    let rtp = sent.iter().filter(|(_, t)| t.from_port == Channel::Rtp);
    rtp.filter_map(|(_, t)| Packet::parse(&t.bytes)).filter(|p| p.payload_type == pt).collect()
}

#[test]
fn both_hear_each_other() {
    let said = speech(48_000 * 12);
    for codec in Codec::ALL {
        let mut pair = Pair::new(&[codec]);
        pair.talk(&said, |_, _| true);
        let now = pair.now;
        for end in 0..2 {
            let (delay, alike) = align(&said[480_000..], &pair.heard[end][480_000..], 9600);
            assert!(alike > 0.9, "{codec} {end}: {alike}");
            // Way 20 ms, the rest of the packet 10 ms, buffer under 22 ms, codec 7 ms.
            assert!(delay < 60 * 48, "{codec}: {} ms", delay / 48);
            let report = pair.ends[end].report(now);
            assert_eq!((report.lost, report.late, report.concealed_ms), (0, 0, 0), "{codec}");
            assert!(report.rx_packets > 590 && report.tx_packets >= 599, "{report:?}");
            let rtt = report.rtt_ms.unwrap();
            assert!((35.0..=65.0).contains(&rtt), "{rtt}");
            assert!(report.mos > report.best_mos - 0.15 && report.delay_ms < 22.0, "{report:?}");
            assert!(report.level_in > 50 && report.level_out > 50);
            assert!(report.media_silent_for <= TEN_MS * 3);
        }
    }
}

#[test]
fn packets_are_numbered_and_stamped_as_they_must_be() {
    for (codec, step, pt) in [(Codec::Opus, 960, 111), (Codec::Pcma, 160, 8)] {
        let mut pair = Pair::new(&[codec]);
        pair.talk(&speech(48_000), |_, _| true);
        let packets = voice_of(&pair.sent[0], pt);
        assert_eq!(packets.len(), 50);
        assert!(packets[0].marker && packets[1..].iter().all(|p| !p.marker));
        for two in packets.windows(2) {
            assert_eq!(two[1].seq, two[0].seq.wrapping_add(1));
            assert_eq!(two[1].timestamp, two[0].timestamp.wrapping_add(step));
            assert_eq!(two[1].ssrc, two[0].ssrc);
        }
    }
}

#[test]
fn loss_is_reported_and_armed_against() {
    let mut pair = Pair::new(&[Codec::Opus]);
    let mut count = 0;
    pair.talk(&speech(48_000 * 30), |end, transmit| {
        count += usize::from(end == 0 && transmit.from_port == Channel::Rtp);
        end == 1 || transmit.from_port == Channel::Rtcp || count % 10 != 0
    });
    let now = pair.now;
    let report = pair.ends[1].report(now);
    assert!((140..=150).contains(&report.lost), "{report:?}");
    assert!(report.concealed_ms < 150 * 20 / 2, "FEC: {report:?}");
    assert!(report.mos < 4.3 && report.mos > 3.0, "{report:?}");
    let settings = pair.ends[0].sender.settings();
    assert!(settings.wideband && settings.bit_rate >= 40_000, "1 in 10 is lost: {settings:?}");
    assert_eq!(pair.ends[1].sender.settings().loss, 0, "nothing is lost the other way");
}

/// Of every forty packets from the first end four in a row are lost.
fn in_bursts() -> impl FnMut(usize, &Transmit) -> bool {
    let mut count = 0;
    move |end, transmit| {
        let voice = end == 0 && transmit.from_port == Channel::Rtp;
        count += usize::from(voice);
        !voice || count % 40 < 36
    }
}

#[test]
fn two_of_ours_fight_bursts_with_deep_redundancy_and_look_ahead() {
    let mut pair = Pair::new(&[Codec::Opus]);
    pair.talk(&speech(48_000 * 40), in_bursts());
    let now = pair.now;
    let settings = pair.ends[0].sender.settings();
    assert_eq!((settings.bit_rate, settings.dred_ms), (64_000, 140), "{settings:?}");
    let report = pair.ends[1].report(now);
    assert_eq!(report.look_ahead_ms, 100.0, "{report:?}");
    assert!(report.target_ms > 100.0 && report.lengthened_ms >= 60, "{report:?}");
    // Fifty bursts of 80 ms, the first few without.
    assert!(report.dred_ms > 1500 && report.fec_ms > 400 && report.concealed_ms < 1200, "{report:?}");
    assert_eq!(pair.ends[1].sender.settings().loss, 0, "nothing is lost the other way");
}

#[test]
fn a_stranger_never_gets_deep_redundancy() {
    let (mut a, mut b) = (media(1, &[Codec::Opus]), media(2, &[Codec::Opus]));
    let strange = |sdp: String| sdp.replace(";x-dred=12", "").replace("a=rtcp-xr:voip-metrics\r\n", "");
    let (answer, for_b) = b.answer(&strange(a.offer())).unwrap();
    let for_a = a.accept(&strange(answer)).unwrap();
    let mut pair = Pair::new(&[Codec::Opus]);
    pair.ends = [Session::new(&for_a, 1, pair.now).unwrap(), Session::new(&for_b, 2, pair.now).unwrap()];
    pair.talk(&speech(48_000 * 20), in_bursts());
    let now = pair.now;
    let report = pair.ends[1].report(now);
    assert_eq!((report.dred_ms, report.look_ahead_ms), (0, 20.0), "{report:?}");
    assert!(pair.ends[0].sender.settings().bit_rate == 64_000);
    // Compound packets of plain RFC 3550 only.
    for (_, transmit) in pair.sent[1].iter().filter(|(_, transmit)| transmit.from_port == Channel::Rtcp) {
        assert!(!transmit.bytes.windows(2).any(|two| two == [0x80, crate::rtcp_xr::EXTENDED_REPORT]));
    }
}

#[test]
fn pauses_are_left_out_where_the_other_side_prefers_it() {
    let (mut a, mut b) = (media(1, &[Codec::Opus]), media(2, &[Codec::Opus]));
    let (answer, for_b) = b.answer(&a.offer()).unwrap();
    let for_a = a.accept(&answer.replace("useinbandfec=1", "useinbandfec=1; usedtx=1")).unwrap();
    let mut pair = Pair::new(&[Codec::Opus]);
    pair.ends = [Session::new(&for_a, 1, pair.now).unwrap(), Session::new(&for_b, 2, pair.now).unwrap()];
    let mut said = speech(48_000 * 4);
    said.extend_from_slice(&[0; 48_000 * 6]);
    said.extend(speech(48_000 * 4));
    pair.talk(&said, |_, _| true);
    let now = pair.now;
    let packets = voice_of(&pair.sent[0], 111);
    assert!(packets.len() < 450, "{} of 700", packets.len());
    assert_eq!(voice_of(&pair.sent[1], 111).len(), 700, "nobody asked the other end");
    for two in packets.windows(2) {
        assert_eq!(two[1].seq, two[0].seq.wrapping_add(1));
        let pause = two[1].timestamp.wrapping_sub(two[0].timestamp) != 960;
        assert_eq!(two[1].marker, pause);
    }
    let report = pair.ends[1].report(now);
    assert_eq!((report.lost, report.late, report.concealed_ms), (0, 0, 0), "{report:?}");
    let last = 48_000 * 12 + 24_000;
    let (delay, alike) = align(&said[last..], &pair.heard[1][last..], 9600);
    assert!(alike > 0.9 && delay < 48 * 80, "{alike} after {} ms: {report:?}", delay / 48);
}

#[test]
fn digits_arrive_once_each_and_silence_the_voice() {
    for codec in [Codec::Opus, Codec::Pcmu] {
        let mut pair = Pair::new(&[codec]);
        let said = tone(500.0, 48_000.0, 8000.0, 48_000 * 2);
        pair.talk(&said[..48_000], |_, _| true);
        for digit in "5#5".chars() {
            assert!(pair.ends[0].send_digit(pair.now, Digit::new(digit).unwrap()));
        }
        // Every third datagram is lost: three end packets and five before them make up for it.
        let mut count = 0;
        pair.talk(&said, |_, transmit| {
            count += usize::from(transmit.from_port == Channel::Rtp);
            count % 3 != 0
        });
        let now = pair.now;
        let report = pair.ends[1].report(now);
        let digits: String = report.digits.iter().map(|d| d.as_char()).collect();
        assert_eq!(digits, "5#5");
        assert!(pair.ends[1].report(now).digits.is_empty());

        let (events_pt, rate) = if codec == Codec::Opus { (110, 48_000) } else { (101, 8_000) };
        let events = voice_of(&pair.sent[0], events_pt);
        assert_eq!(events.len(), 3 * 7);
        let first = &events[..7];
        assert!(first[0].marker && !first[1].marker);
        assert!(first.iter().all(|p| p.timestamp == first[0].timestamp));
        let read = |p: &Packet<'_>| crate::dtmf::Event::parse(p.payload).unwrap();
        assert_eq!(first.iter().filter(|p| read(p).end).count(), 3);
        assert_eq!(u32::from(read(&first[6]).duration), rate / 10);
        let gap = events[7].timestamp.wrapping_sub(first[0].timestamp);
        assert!((rate * 170 / 1000..=rate * 200 / 1000).contains(&gap), "{gap}");
        // All numbers in a row, and no voice stamped inside an event.
        let all: Vec<Packet<'_>> = pair.sent[0].iter().filter_map(|(_, t)| Packet::parse(&t.bytes)).collect();
        let rtp: Vec<&Packet<'_>> =
            all.iter().filter(|p| p.ssrc == first[0].ssrc && p.payload_type < 127).collect();
        assert!(rtp.windows(2).all(|two| two[1].seq == two[0].seq.wrapping_add(1)));
        let inside = |p: &Packet<'_>| p.timestamp.wrapping_sub(first[0].timestamp) < rate * 80 / 1000;
        assert_eq!(rtp.iter().filter(|p| p.payload_type != events_pt && inside(p)).count(), 0);
    }
}

#[test]
fn digits_need_no_microphone() {
    let mut pair = Pair::new(&[Codec::Opus]);
    let session = &mut pair.ends[0];
    let mut now = pair.now;
    for digit in "11".chars() {
        session.send_digit(now, Digit::new(digit).unwrap());
    }
    let mut stamps = Vec::new();
    for _ in 0..100 {
        let Some(at) = session.next_deadline() else { break };
        now = now.max(at);
        while let Some(transmit) = session.poll_transmit(now) {
            if transmit.from_port == Channel::Rtp {
                stamps.push(Packet::parse(&transmit.bytes).unwrap().timestamp);
            }
        }
        if stamps.len() >= 14 {
            break;
        }
    }
    stamps.dedup();
    assert_eq!(stamps.len(), 2, "two events, two timestamps");
}

#[test]
fn digits_in_band_take_the_place_of_the_voice() {
    let mut pair = Pair::new(&[Codec::Pcmu]);
    let said = speech(48_000);
    pair.talk(&said, |_, _| true);
    "5#".chars().for_each(|digit| assert!(pair.ends[0].send_digit_in_band(Digit::new(digit).unwrap())));
    let before = pair.heard[1].len();
    pair.talk(&said, |_, _| true);
    let heard = &pair.heard[1][before..];
    let loudest = heard.iter().map(|s| s.unsigned_abs()).max().unwrap();
    assert!(loudest > 18_000, "both tones together: {loudest}");
    let quiet = heard.windows(480).step_by(480).filter(|w| rms(w) < 5.0).count();
    assert!(quiet >= 10, "the voice is silent between and after them: {quiet}");
}

#[test]
fn goodbye_is_said_and_heard() {
    let mut pair = Pair::new(&[Codec::Opus]);
    let said = speech(48_000);
    pair.talk(&said, |_, _| true);
    pair.ends[0].close(pair.now);
    assert_eq!(pair.ends[0].next_deadline(), None);
    pair.talk(&said, |_, _| true);
    let now = pair.now;
    let report = pair.ends[1].report(now);
    assert!(report.remote_left);
    assert!(report.media_silent_for > Duration::from_millis(900));
    assert_eq!(pair.ends[0].poll_transmit(now), None);
}

#[test]
fn hold_and_another_codec() {
    let (mut a, mut b) = (media(1, &Codec::ALL), media(2, &Codec::ALL));
    let mut pair = Pair::new(&Codec::ALL);
    let said = speech(48_000 * 2);
    pair.talk(&said, |_, _| true);

    b.direction = Direction::SendOnly;
    let (answer, for_a) = a.answer(&b.offer()).unwrap();
    let for_b = b.accept(&answer).unwrap();
    assert_eq!((for_a.direction, for_b.direction), (Direction::RecvOnly, Direction::SendOnly));
    pair.ends[0].renegotiate(&for_a, pair.now).unwrap();
    pair.ends[1].renegotiate(&for_b, pair.now).unwrap();
    let before = pair.ends[0].report(pair.now).tx_packets;
    pair.talk(&said, |_, _| true);
    assert_eq!(pair.ends[0].report(pair.now).tx_packets, before);
    assert!(rms(&pair.heard[0][96_000 + 24_000..]) > 300.0, "music on hold is heard");

    b.direction = Direction::SendRecv;
    b.codecs = vec![Codec::Pcma];
    let (answer, for_a) = a.answer(&b.offer()).unwrap();
    let for_b = b.accept(&answer).unwrap();
    pair.ends[0].renegotiate(&for_a, pair.now).unwrap();
    pair.ends[1].renegotiate(&for_b, pair.now).unwrap();
    pair.talk(&said, |_, _| true);
    for end in 0..2 {
        assert!(rms(&pair.heard[end][192_000 + 24_000..]) > 300.0, "end {end}");
    }
}

#[test]
fn a_stranger_neither_hears_nor_is_heard() {
    let mut pair = Pair::new(&[Codec::Pcmu]);
    let said = speech(48_000 * 2);
    for (seq, frame) in (0u16..).zip(said.chunks_exact(FRAME)) {
        let frame: &[i16; FRAME] = frame.try_into().unwrap();
        // `step` itself checks that everything goes to the other end.
        pair.step([&[0; FRAME], frame], &mut |_, _| true);
        let packet = Packet {
            marker: false,
            payload_type: 0,
            seq,
            timestamp: u32::from(seq) * 160,
            ssrc: 99,
            payload: &[],
        };
        let mut bytes = Vec::new();
        packet.write_header(&mut bytes);
        bytes.extend_from_slice(&[0x80; 160]);
        pair.ends[1].receive(pair.now, address(66, 6666), &bytes);
    }
    assert!(rms(&pair.heard[1]) < 10.0, "{}", rms(&pair.heard[1]));
}

#[test]
fn a_line_that_echoes_packets_as_they_are_is_heard() {
    let mut a = media(1, &[Codec::Pcmu]);
    let (answer, _) = media(2, &[Codec::Pcmu]).answer(&a.offer()).unwrap();
    let start = Instant::now();
    let mut session = Session::new(&a.accept(&answer).unwrap(), 5, start).unwrap();
    let mut heard = Vec::new();
    for (n, frame) in speech(48_000 * 4).chunks_exact(FRAME).enumerate() {
        let now = start + TEN_MS * n as u32;
        session.capture(now, frame.try_into().unwrap());
        while let Some(transmit) = session.poll_transmit(now) {
            if transmit.from_port == Channel::Rtp {
                session.receive(now, transmit.to, &transmit.bytes);
            }
        }
        let mut out = [0; FRAME];
        session.play(now, &mut out);
        heard.extend_from_slice(&out);
    }
    assert!(rms(&heard[96_000..]) > 300.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_datagrams_make_it_panic(
        datagrams in proptest::collection::vec(
            (
                proptest::collection::vec(any::<u8>(), 0..80),
                prop_oneof![Just(None), Just(Some(111u8)), Just(Some(0)), Just(Some(8)), Just(Some(110)), Just(Some(200)), Just(Some(201))],
                any::<bool>(),
            ),
            0..200,
        )
    ) {
        let mut a = media(1, &Codec::ALL);
        let offer = a.offer();
        // All codecs in the answer, so that every decoder is met.
        let answer = offer.replace("192.0.2.1", "192.0.2.2");
        let start = Instant::now();
        let mut session = Session::new(&a.accept(&answer).unwrap(), 5, start).unwrap();
        for (n, (mut bytes, kind, announced)) in datagrams.into_iter().enumerate() {
            if let (Some(kind), [first, second, ..]) = (kind, bytes.as_mut_slice()) {
                *first = 0x80 | *first & 0x3f;
                *second = kind;
            }
            // One source, so that packets get as far as the buffer.
            if let (true, Some(ssrc)) = (kind.is_some(), bytes.get_mut(8..12)) {
                ssrc.fill(7);
            }
            let now = start + Duration::from_millis(7) * n as u32;
            session.receive(now, address(2, if announced { 4000 } else { 4001 }), &bytes);
            let mut out = [0; FRAME];
            session.play(now, &mut out);
            while session.poll_transmit(now).is_some() {}
            session.report(now);
        }
        prop_assert!(session.queue.is_empty());
    }
}

#[test]
fn a_flood_of_voice_does_not_grow() {
    let mut pair = Pair::new(&[Codec::Pcmu]);
    for n in 0..20_000u32 {
        let packet = Packet {
            marker: false,
            payload_type: 0,
            seq: n as u16,
            timestamp: n * 160,
            ssrc: 7,
            payload: &[],
        };
        let mut bytes = Vec::new();
        packet.write_header(&mut bytes);
        bytes.extend_from_slice(&[0x55; 160]);
        pair.ends[0].receive(pair.now, address(2, 4000), &bytes);
        pair.ends[0].capture(pair.now, &[0; FRAME]);
    }
    assert!(pair.ends[0].queue.len() <= MOST_QUEUED);
}

#[test]
fn another_clock_rate_of_the_same_source_is_no_jitter() {
    let (mut a, mut b) = (media(1, &Codec::ALL), media(2, &Codec::ALL));
    b.answer(&a.offer()).unwrap();
    let answer = b.answer(&a.offer()).unwrap().0.replace("RTP/AVP 111", "RTP/AVP 111 0");
    let start = Instant::now();
    let mut session = Session::new(&a.accept(&answer).unwrap(), 5, start).unwrap();
    for seq in 0..200u16 {
        let now = start + Duration::from_millis(20) * u32::from(seq);
        let (payload_type, step) = if seq < 100 { (111, 960) } else { (0, 160) };
        let timestamp = u32::from(seq) * step + if seq < 100 { 0 } else { 0x7000_0000 };
        let packet = Packet { marker: false, payload_type, seq, timestamp, ssrc: 9, payload: &[] };
        let mut bytes = Vec::new();
        packet.write_header(&mut bytes);
        bytes.resize(12 + 160, 0xff);
        session.receive(now, address(2, 4000), &bytes);
        let jitter = session.report(now).jitter_ms;
        assert!(jitter < 10.0, "packet {seq}: {jitter} ms");
    }
}

#[test]
fn on_hold_no_digits_are_sent() {
    let (mut a, mut b) = (media(1, &Codec::ALL), media(2, &Codec::ALL));
    let mut pair = Pair::new(&Codec::ALL);
    let said = speech(48_000);
    pair.talk(&said, |_, _| true);
    for digit in "123".chars() {
        assert!(pair.ends[0].send_digit(pair.now, Digit::new(digit).unwrap()));
    }
    b.direction = Direction::SendOnly;
    let (answer, for_a) = a.answer(&b.offer()).unwrap();
    b.accept(&answer).unwrap();
    pair.ends[0].renegotiate(&for_a, pair.now).unwrap();
    let before = pair.ends[0].report(pair.now).tx_packets;
    pair.talk(&said, |_, _| true);
    assert_eq!(pair.ends[0].report(pair.now).tx_packets, before);
}

#[test]
fn nothing_goes_to_an_address_that_means_this_machine() {
    let (mut a, mut b) = (media(1, &Codec::ALL), media(2, &Codec::ALL));
    let mut pair = Pair::new(&Codec::ALL);
    pair.talk(&speech(48_000), |_, _| true);
    let held = b.offer().replace("c=IN IP4 192.0.2.2", "c=IN IP4 0.0.0.0");
    let (_, for_a) = a.answer(&held).unwrap();
    let session = &mut pair.ends[0];
    session.renegotiate(&for_a, pair.now).unwrap();
    for n in 0..1500 {
        let now = pair.now + TEN_MS * n;
        session.capture(now, &[0; FRAME]);
        while let Some(transmit) = session.poll_transmit(now) {
            assert!(!transmit.to.ip().is_unspecified(), "{transmit:?}");
        }
    }
}

#[test]
fn digits_and_pauses_are_no_loss() {
    for codec in [Codec::Opus, Codec::Pcmu] {
        let mut pair = Pair::new(&[codec]);
        let said = speech(48_000 * 3);
        pair.talk(&said, |_, _| true);
        let before = pair.ends[1].report(pair.now);
        for digit in "123".chars() {
            pair.ends[0].send_digit(pair.now, Digit::new(digit).unwrap());
        }
        pair.talk(&said, |_, _| true);
        let after = pair.ends[1].report(pair.now);
        assert_eq!((after.digits.len(), after.concealed_ms), (3, 0), "{codec}");
        assert!(after.mos > before.mos - 0.1, "{codec}: {} became {}", before.mos, after.mos);
    }
    // A sender that falls silent in pauses, without or with comfort noise in their place, is as good as one that
    // never does.
    let [talks_on, silent, comfort] = [None, Some(false), Some(true)].map(estimate_of_a_sender_with_pauses);
    assert!(silent > talks_on - 0.1 && comfort > talks_on - 0.1, "{talks_on}, {silent}, {comfort}");
}

/// Every second second is a pause in which nothing is sent, or comfort noise; or there is none.
fn estimate_of_a_sender_with_pauses(pauses: Option<bool>) -> f32 {
    let mut a = media(1, &[Codec::Pcmu]);
    let (answer, _) = media(2, &[Codec::Pcmu]).answer(&a.offer()).unwrap();
    let start = Instant::now();
    let mut session = Session::new(&a.accept(&answer).unwrap(), 5, start).unwrap();
    let mut seq = 0;
    for n in 0..1000u32 {
        let now = start + TEN_MS * 2 * n;
        let in_pause = pauses.is_some() && n / 50 % 2 == 1;
        if !in_pause || (pauses == Some(true) && n % 50 == 0) {
            let payload_type = if in_pause { 13 } else { 0 };
            let packet =
                Packet { marker: false, payload_type, seq, timestamp: n * 160, ssrc: 9, payload: &[] };
            let mut bytes = Vec::new();
            packet.write_header(&mut bytes);
            bytes.resize(12 + if in_pause { 1 } else { 160 }, 0x55);
            session.receive(now, address(2, 4000), &bytes);
            seq += 1;
        }
        for half in 0..2 {
            session.play(now + TEN_MS * half, &mut [0; FRAME]);
        }
    }
    let report = session.report(start + TEN_MS * 2000);
    assert_eq!(report.concealed_ms, 0, "{pauses:?}");
    report.mos
}

#[test]
fn silence_is_left_out_and_heard_as_background() {
    for codec in [Codec::G722, Codec::Pcma] {
        let (mut a, mut b) = (media(1, &[codec]), media(2, &[codec]));
        (a.pauses, b.pauses) = (true, true);
        let mut pair = Pair::of(a, b);
        // Speech for a second, a humming room for two, five times.
        let hum = tone(250.0, 48_000.0, 150.0, 48_000 * 15);
        let talk = speech(48_000 * 15).into_iter().zip(hum).enumerate();
        let talk =
            talk.map(|(i, (said, hum))| if i / 48_000 % 3 == 0 { said.saturating_add(hum) } else { hum });
        let said: Vec<i16> = talk.collect();
        pair.talk(&said, |_, _| true);
        let report = pair.ends[1].report(pair.now);
        assert!((260..420).contains(&report.rx_packets), "{codec}: {} of 750 packets", report.rx_packets);
        assert_eq!((report.lost, report.concealed_ms), (0, 0), "{codec}");
        let heard = &pair.heard[1];
        for second in (3..15).step_by(3) {
            // The way takes some 60 ms.
            let (then, later) = (second * 48_000, second * 48_000 + 2_880);
            let (there, here) = (rms(&said[then..then + 48_000]), rms(&heard[later..later + 48_000]));
            assert!((0.85..1.15).contains(&(here / there)), "{codec}, second {second}: {here} for {there}");
        }
        // The room is heard on in the middle of the last pause, and is as loud as it was.
        let (there, here) = (rms(&said[48_000 * 14..]), rms(&heard[48_000 * 14..]));
        assert!((0.5..2.0).contains(&(here / there)), "{codec}: {here} for {there}");
        let packets = voice_of(&pair.sent[0], 13);
        assert!(packets.len() > 10 && packets.iter().all(|p| !p.marker && p.payload.len() == 1));
    }
}

#[test]
fn packets_are_as_long_as_the_other_side_wants() {
    let said = speech(48_000 * 2);
    for codec in [Codec::G722, Codec::Pcma] {
        for ms in [10, 20, 30, 40, 50, 60] {
            let mut pair = Pair::in_packets_of(media(1, &[codec]), media(2, &[codec]), ms);
            pair.talk(&said, |_, _| true);
            for end in 0..2 {
                let packets = voice_of(&pair.sent[end], if codec == Codec::G722 { 9 } else { 8 });
                assert_eq!(packets.len(), 2_000 / ms as usize, "{codec}, {ms} ms");
                assert!(packets.iter().all(|packet| packet.payload.len() == 8 * ms as usize));
                assert!(
                    packets.windows(2).all(|two| two[1].timestamp.wrapping_sub(two[0].timestamp) == 8 * ms)
                );
                let loudness = rms(&pair.heard[end][24_000..]) / rms(&said[24_000..]);
                assert!((0.8..1.2).contains(&loudness), "{codec}, {ms} ms: {loudness}");
            }
        }
    }
}

#[test]
fn another_codec_that_was_offered_is_heard_without_a_word() {
    let (mut a, mut b) = (media(1, &Codec::ALL), media(2, &Codec::ALL));
    let (answer, for_b) = b.answer(&a.offer()).unwrap();
    let mut pair = Pair::of(media(1, &Codec::ALL), media(2, &Codec::ALL));
    a.accept(&answer).unwrap();
    let said = speech(48_000 * 2);
    pair.talk(&said, |_, _| true);
    for codec in [Codec::Pcma, Codec::G722, Codec::Opus] {
        let send = *for_b.receive.iter().find(|payload| payload.codec == codec).unwrap();
        let switched = Negotiated { send, ..for_b.clone() };
        pair.ends[1].renegotiate(&switched, pair.now).unwrap();
        let before = pair.heard[0].len();
        pair.talk(&said, |_, _| true);
        let loudness = rms(&pair.heard[0][before + 24_000..]) / rms(&said[24_000..]);
        assert!((0.8..1.2).contains(&loudness), "{codec}: {loudness}");
    }
}

#[test]
fn the_far_end_tells_whether_it_hears_us() {
    let said = speech(48_000 * 20);
    let mut pair = Pair::new(&[Codec::Pcmu]);
    pair.talk(&said, |_, _| true);
    let now = pair.now;
    let far = pair.ends[0].report(now).far.unwrap();
    assert!(far.hears && far.reports >= 2 && far.deaf_reports == 0, "{far:?}");
    assert!(far.lost_percent < 1.0 && far.jitter_ms < 1.0, "{far:?}");
    // Our voice stops arriving; what the other side says of it still does.
    pair.talk(&said, |end, t| end == 1 || t.from_port == Channel::Rtcp);
    let now = pair.now;
    let far = pair.ends[0].report(now).far.unwrap();
    assert!(far.hears && far.deaf_reports >= 2, "{far:?}");
}

#[test]
fn that_nothing_of_us_arrives_is_known_though_nothing_arrives_here() {
    let said = speech(48_000 * 20);
    let mut pair = Pair::new(&[Codec::Pcmu]);
    pair.talk(&said, |_, t| t.from_port == Channel::Rtcp);
    let now = pair.now;
    for end in &mut pair.ends {
        let report = end.report(now);
        let far = report.far.unwrap();
        assert_eq!(report.rx_packets, 0);
        assert!(!far.hears && far.deaf_reports >= 2, "{far:?}");
    }
}

#[test]
fn who_asks_for_voip_metrics_gets_them() {
    let (mut a, mut b) = (media(1, &[Codec::Pcmu]), media(2, &Codec::ALL));
    let (answer, for_b) = b.answer(&a.offer()).unwrap();
    let for_a = a.accept(&answer.replace("a=rtcp-xr:voip-metrics\r\n", "")).unwrap();
    assert!(for_b.voip_metrics && !for_a.voip_metrics);
    let now = Instant::now();
    let ends = [Session::new(&for_a, 1, now).unwrap(), Session::new(&for_b, 2, now).unwrap()];
    let mut pair = Pair { ends, ..Pair::new(&[Codec::Pcmu]) };
    let mut sent = 0;
    pair.talk(&speech(48_000 * 30), |end, t| {
        sent += usize::from(end == 0 && t.from_port == Channel::Rtp);
        // Five in a row of a hundred.
        end == 1 || t.from_port == Channel::Rtcp || sent % 100 >= 5
    });
    let now = pair.now;
    let metrics = pair.ends[0].report(now).far.unwrap().voip.unwrap();
    assert!((3.0..7.0).contains(&metrics.lost_percent), "{metrics:?}");
    assert!(metrics.burst_percent > 80.0 && (60..=140).contains(&metrics.burst_ms), "{metrics:?}");
    assert!(metrics.mos.is_some_and(|mos| (1.5..3.2).contains(&mos)), "{metrics:?}");
    assert_eq!(pair.ends[1].report(now).far.unwrap().voip, None, "nobody asked for that");
}
