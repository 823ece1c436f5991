use std::f32::consts::TAU;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use devices::{RATE, Sink, Source};
use media::Codec;
use media::sdp::LocalMedia;

use super::*;

mod relay;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Two ends that have agreed on a codec.
fn agreed(codec: Codec) -> [(Sockets, Negotiated); 2] {
    let [caller, callee] = [Sockets::bind(LOOPBACK).unwrap(), Sockets::bind(LOOPBACK).unwrap()];
    let local = |s: &Sockets, id| LocalMedia::new(LOOPBACK, s.rtp_port, s.rtcp_port, vec![codec], id);
    let (mut ours, mut theirs) = (local(&caller, 1), local(&callee, 2));
    let (answer, at_callee) = theirs.answer(&ours.offer()).unwrap();
    let at_caller = ours.accept(&answer).unwrap();
    [(caller, at_caller), (callee, at_callee)]
}

const CALL: CallId = CallId(1);

/// A voice path with one call that talks.
fn start(
    (sockets, negotiated): (Sockets, Negotiated),
    microphone: Source,
    speaker: Sink,
) -> (Voice, Receiver<VoiceEvent>) {
    let (voice, events) = open(microphone, speaker);
    voice.join(CALL, sockets, negotiated);
    voice.attend(vec![(CALL, Attention::Talking)]);
    (voice, events)
}

fn open(microphone: Source, speaker: Sink) -> (Voice, Receiver<VoiceEvent>) {
    let (sender, events) = channel();
    let wanted = Wanted { microphones: vec![microphone], speakers: vec![speaker] };
    let voice =
        Voice::start(wanted, Stages::NONE, Arc::default(), move |event| drop(sender.send(event))).unwrap();
    (voice, events)
}

/// Something a codec takes for speech: a gliding voice with formants, in syllables, with pauses. No two
/// places in it are alike.
fn speech(seconds: f32) -> Vec<i16> {
    let mut phase = 0.0_f32;
    let at = |n: u32| n as f32 / RATE as f32;
    (0..(seconds * RATE as f32) as u32)
        .map(|n| {
            let t = at(n);
            let pitch = 125.0 + 25.0 * (TAU * 0.37 * t).sin() + 12.0 * (TAU * 1.3 * t).sin();
            phase += TAU * pitch / RATE as f32;
            let (first, second) =
                (500.0 + 250.0 * (TAU * 0.9 * t).sin(), 1500.0 + 500.0 * (TAU * 0.53 * t).cos());
            let voice: f32 = (1..=20)
                .map(|k| {
                    let hz = k as f32 * pitch;
                    let near = |formant: f32, width: f32| (-((hz - formant) / width).powi(2)).exp();
                    (0.1 + near(first, 200.0) + 0.5 * near(second, 300.0)) / k as f32
                        * (k as f32 * phase).sin()
                })
                .sum();
            let syllable = (TAU * 1.9 * t + (TAU * 0.7 * t).sin()).sin().max(0.0).sqrt();
            (7000.0 * syllable * voice) as i16
        })
        .collect()
}

fn write(path: &Path, samples: &[i16]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    samples.iter().for_each(|s| writer.write_sample(*s).unwrap());
    writer.finalize().unwrap();
}

fn read(path: &Path) -> Vec<i16> {
    hound::WavReader::open(path).unwrap().samples().map(Result::unwrap).collect()
}

/// By how many milliseconds `heard`, recorded from `late_s` after the beginning of `said` on, is behind
/// it, and how alike they are then: the medians over pieces of 0.4 s, because a jitter buffer may stretch
/// time between two of them.
fn find(said: &[i16], heard: &[i16], late_s: f32) -> (f32, f32) {
    const THIN: usize = 8;
    let second = RATE as usize / THIN;
    let thin = |s: &[i16]| -> Vec<f32> {
        s.chunks_exact(THIN).map(|c| c.iter().map(|s| f32::from(*s)).sum::<f32>()).collect()
    };
    let (said, heard) = (thin(said), thin(heard));
    let length = second * 2 / 5;
    let late = (late_s * second as f32) as isize;
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let (mut delays, mut likenesses): (Vec<f32>, Vec<f32>) = (second..4 * second)
        .step_by(length)
        .map(|from| {
            let piece = &said[from..from + length];
            let loud = dot(piece, piece);
            let (lag, likeness) = (0..second * 3 / 10)
                .map(|lag| {
                    let there = (from + lag).strict_sub_signed(late);
                    let there = &heard[there..there + length];
                    (lag, dot(piece, there) / (loud * dot(there, there) + 1.0).sqrt())
                })
                .max_by(|a, b| a.1.total_cmp(&b.1))
                .unwrap();
            (lag as f32 * 1000.0 / second as f32, likeness)
        })
        .unzip();
    let median = |values: &mut Vec<f32>| {
        values.sort_by(f32::total_cmp);
        values[values.len() / 2]
    };
    (median(&mut delays), median(&mut likenesses))
}

fn reports(events: &Receiver<VoiceEvent>) -> Vec<Report> {
    events
        .try_iter()
        .filter_map(|event| match event {
            VoiceEvent::Report(_, report) => Some(report),
            VoiceEvent::Devices(_) => None,
            other => panic!("{other:?}"),
        })
        .collect()
}

/// The last figures of the one call.
fn last(voice: Voice) -> Report {
    voice.stop().remove(&CALL).unwrap()
}

fn talk(codec: Codec) {
    carry(codec.name(), agreed(codec));
}

/// Talks both ways for a while; what was said must arrive. The last figures of both ends.
fn carry(what: &str, [caller, callee]: [(Sockets, Negotiated); 2]) -> [Report; 2] {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let said = speech(6.0);
    write(&path("said.wav"), &said);
    let (a, at_a) = start(caller, Source::Wav(path("said.wav")), Sink::Wav(path("a.wav")));
    let begun_a = Instant::now();
    let (b, at_b) = start(callee, Source::Wav(path("said.wav")), Sink::Wav(path("b.wav")));
    let begun = Instant::now();
    let b_later = begun.duration_since(begun_a).as_secs_f32();
    std::thread::sleep(Duration::from_secs(5));
    let (last_a, last_b) = (last(a), last(b));
    let took = begun.elapsed().as_secs_f32();

    let ends = [("a.wav", &last_a, at_a, -b_later), ("b.wav", &last_b, at_b, b_later)];
    for (name, last, events, late_s) in ends {
        let heard = read(&path(name));
        let seconds = heard.len() as f32 / RATE as f32;
        assert!(
            seconds >= 4.9 && seconds <= took + b_later + 0.1,
            "{name}: {seconds} s recorded in {took} s"
        );
        let (delay_ms, likeness) = find(&said, &heard, late_s);
        println!("{what} {name}: delay {delay_ms:.1} ms, likeness {likeness:.3}");
        assert!(likeness > 0.85, "{name}: likeness {likeness}");
        let told = reports(&events);
        assert!(told.len() >= 10, "{} reports in five seconds", told.len());
        assert!(last.rx_packets > 200 && last.tx_packets > 200, "{last:?}");
    }
    [last_a, last_b]
}

#[test]
fn speech_arrives_both_ways_with_opus() {
    talk(Codec::Opus);
}

#[test]
fn speech_arrives_both_ways_with_pcmu() {
    talk(Codec::Pcmu);
}

#[test]
fn muted_is_silent_and_digits_arrive() {
    let dir = tempfile::tempdir().unwrap();
    let (said, heard) = (dir.path().join("said.wav"), dir.path().join("heard.wav"));
    // The voice begins when the mute has long come through.
    write(&said, &[vec![0; RATE as usize], speech(6.0)].concat());
    let [caller, callee] = agreed(Codec::Opus);
    let (talker, _events) = start(caller, Source::Wav(said), Sink::Null);
    talker.mute(CALL, true);
    let (listener, events) = start(callee, Source::Silence, Sink::Wav(heard.clone()));
    for digit in "12#".chars() {
        talker.digit(CALL, Digit::new(digit).unwrap(), DigitBy::Event);
    }
    let (mut digits, mut packets) = (Vec::new(), 0);
    let end = Instant::now() + Duration::from_secs(20);
    while digits.len() < 3 || packets < 125 {
        let left = end.saturating_duration_since(Instant::now());
        if let VoiceEvent::Report(_, report) = events.recv_timeout(left).unwrap() {
            packets = report.rx_packets;
            digits.extend(report.digits.iter().map(|d| d.as_char()));
        }
    }
    assert_eq!(digits, ['1', '2', '#']);
    let last = last(listener);
    talker.stop();
    assert!(last.rx_packets > 0, "silence is sent, not nothing");
    let loudest = read(&heard).iter().map(|s| s.unsigned_abs()).max().unwrap();
    assert!(loudest < 100, "a muted voice was heard at {loudest}");
}

#[test]
fn who_is_muted_and_talks_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let said = dir.path().join("said.wav");
    write(&said, &[vec![0; RATE as usize], speech(20.0)].concat());
    let [caller, _callee] = agreed(Codec::Pcmu);
    let (talker, events) = start(caller, Source::Wav(said), Sink::Null);
    talker.mute(CALL, true);
    let until = |wanted: bool| {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if let VoiceEvent::MutedTalk(talks) = events.recv_timeout(left).unwrap() {
                return assert_eq!(talks, wanted);
            }
        }
    };
    until(true);
    talker.mute(CALL, false);
    until(false);
    talker.stop();
}

#[test]
fn what_cannot_be_opened_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = dir.path().join("no/file.wav");
    let failure = |(voice, events): (Voice, Receiver<VoiceEvent>)| {
        let failed = events.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(voice.stop().is_empty());
        failed
    };
    let failed = failure(open(Source::Wav(nowhere.clone()), Sink::Null));
    assert!(
        matches!(failed, VoiceEvent::Failed(VoiceError::Microphone(DeviceError::File { .. }))),
        "{failed:?}"
    );
    let failed = failure(open(Source::Silence, Sink::Wav(nowhere)));
    assert!(
        matches!(failed, VoiceEvent::Failed(VoiceError::Speaker(DeviceError::File { .. }))),
        "{failed:?}"
    );
}

#[test]
fn a_defect_is_said_and_the_next_voice_path_talks() {
    let wanted = Wanted { microphones: vec![Source::Silence], speakers: vec![Sink::Null] };
    let free = Arc::default();
    let (sender, events) = channel();
    let stumbling = move |event| match event {
        VoiceEvent::Devices(_) => panic!("a defect"),
        event => drop(sender.send(event)),
    };
    let voice = Voice::start(wanted.clone(), Stages::NONE, Arc::clone(&free), stumbling).unwrap();
    let failed = events.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(matches!(failed, VoiceEvent::Failed(VoiceError::Defect)), "{failed:?}");

    let (sender, events) = channel();
    let next = Voice::start(wanted, Stages::NONE, free, move |event| drop(sender.send(event))).unwrap();
    let said = events.recv_timeout(Duration::from_secs(20)).unwrap();
    assert!(matches!(said, VoiceEvent::Devices(_)), "{said:?}");
    next.stop();
    drop(voice);
}

#[test]
fn dropping_ends_it_and_frees_the_ports() {
    let [caller, _callee] = agreed(Codec::Pcmu);
    let port = caller.0.rtp_port;
    let (voice, events) = start(caller, Source::Silence, Sink::Null);
    drop(voice);
    // The thread drops its end of the channel last of all that it owns.
    while events.recv_timeout(Duration::from_secs(20)).is_ok() {}
    std::net::UdpSocket::bind((LOOPBACK, port)).unwrap();
}

fn tone(hz: f32, seconds: f32) -> Vec<i16> {
    let at = |n: u32| n as f32 / RATE as f32;
    (0..(seconds * RATE as f32) as u32).map(|n| (6000.0 * (TAU * hz * at(n)).sin()) as i16).collect()
}

/// Level of a frequency, between 0 and 1 of the tone that is said.
fn level(samples: &[i16], hz: f32) -> f32 {
    let turn = TAU * hz / RATE as f32;
    let (re, im) = samples.iter().enumerate().fold((0.0, 0.0), |(re, im), (n, s)| {
        let (sin, cos) = (turn * n as f32).sin_cos();
        (re + f32::from(*s) * cos, im + f32::from(*s) * sin)
    });
    re.hypot(im) * 2.0 / samples.len() as f32 / 6000.0
}

/// Waits until every call has received this many packets more.
fn flow(events: &Receiver<VoiceEvent>, calls: usize, packets: u32) {
    let mut counts = std::collections::BTreeMap::<CallId, (u32, u32)>::new();
    let end = Instant::now() + Duration::from_secs(30);
    while counts.len() < calls || counts.values().any(|(first, now)| now - first < packets) {
        let left = end.saturating_duration_since(Instant::now());
        if let VoiceEvent::Report(call, report) = events.recv_timeout(left).unwrap() {
            counts.entry(call).or_insert((report.rx_packets, 0)).1 = report.rx_packets;
        }
    }
}

/// One phone between two others, each of which says a tone of its own: who hears whom while the one between
/// talks to the first, holds both, and merges them.
#[test]
fn each_of_a_conference_hears_the_others_and_nobody_else_is_heard() {
    const OURS: f32 = 440.0;
    const THEIRS: [f32; 2] = [700.0, 1100.0];
    const CALLS: [CallId; 2] = [CallId(1), CallId(2)];
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    write(&path("ours.wav"), &tone(OURS, 60.0));
    let (host, events) = open(Source::Wav(path("ours.wav")), Sink::Wav(path("host.wav")));
    let others: Vec<_> = THEIRS
        .iter()
        .zip(CALLS)
        .map(|(hz, call)| {
            let (said, heard) = (path(&format!("{hz}-said.wav")), path(&format!("{hz}-heard.wav")));
            write(&said, &tone(*hz, 60.0));
            let [near, far] = agreed(Codec::Pcmu);
            host.join(call, near.0, near.1);
            (start(far, Source::Wav(said), Sink::Wav(heard.clone())), heard)
        })
        .collect();
    // What each has heard since the last look, once all is long in flow again.
    let listen = |wanted: Vec<(CallId, Attention)>| {
        host.attend(wanted);
        flow(&events, 2, 60);
        let paths = [path("host.wav"), others[0].1.clone(), others[1].1.clone()];
        let heard = paths.map(|path| {
            let all = read_growing(&path);
            all[all.len().saturating_sub(RATE as usize / 2)..].to_vec()
        });
        while events.try_recv().is_ok() {}
        heard.map(|sound| [OURS, THEIRS[0], THEIRS[1]].map(|hz| level(&sound, hz) > 0.4))
    };
    let (silence, both) = ([false; 3], |a| vec![(CALLS[0], a), (CALLS[1], a)]);
    assert_eq!(
        listen(vec![(CALLS[0], Attention::Talking)]),
        [[false, true, false], [true, false, false], silence],
        "the second sleeps"
    );
    assert_eq!(
        listen(both(Attention::Talking)),
        [[false, true, true], [true, false, true], [true, true, false]],
        "all hear each other, and nobody himself"
    );
    assert_eq!(listen(vec![]), [silence; 3]);
    assert_eq!(
        listen(vec![(CALLS[1], Attention::Listening)]),
        [[false, false, true], silence, silence],
        "early media: nothing is heard of us"
    );
    host.mute(CALLS[0], true);
    assert_eq!(
        listen(both(Attention::Talking)),
        [[false, true, true], [false, false, true], [true, true, false]],
        "muted to the first, who still hears the second"
    );
    host.leave(CALLS[0]);
    let left = std::iter::from_fn(|| events.recv_timeout(Duration::from_secs(20)).ok())
        .find_map(|event| match event {
            VoiceEvent::Left(call, report) => Some((call, report.rx_packets)),
            _ => None,
        })
        .unwrap();
    assert!(left.0 == CALLS[0] && left.1 > 100, "{left:?}");
    assert_eq!(host.stop().into_keys().collect::<Vec<_>>(), [CALLS[1]]);
}

/// Reads a recording that goes on: its header does not know yet how long it is.
fn read_growing(path: &Path) -> Vec<i16> {
    let bytes = std::fs::read(path).unwrap();
    bytes[44..].chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}
