use super::*;
use crate::codec::{OpusSettings, VoiceDecoder, VoiceEncoder};
use crate::testing::{align, rms, speech, tone};

/// A sender, a path and a buffer in virtual time.
struct Rig {
    codec: Codec,
    /// Packets in sending order: 20 ms each.
    packets: Vec<Vec<u8>>,
    first_seq: i64,
    first_timestamp: u32,
    /// Sender's clock against ours, parts per million.
    drift_ppm: f64,
}

struct Heard {
    sound: Vec<i16>,
    buffer: JitterBuffer,
    /// Delay in ms each second.
    delays: Vec<f64>,
}

impl Rig {
    fn new(codec: Codec, sound: &[i16], loss_percent: u8) -> Self {
        Self::armed(codec, sound, OpusSettings { loss: loss_percent, ..OpusSettings::CLEAN })
    }

    fn armed(codec: Codec, sound: &[i16], settings: OpusSettings) -> Self {
        let mut encoder = VoiceEncoder::new(codec).unwrap();
        encoder.configure(settings).unwrap();
        let packets = sound
            .chunks_exact(960)
            .map(|frame| {
                let mut packet = Vec::new();
                encoder.encode(frame, &mut packet).unwrap();
                packet
            })
            .collect();
        Self { codec, packets, first_seq: 65_530, first_timestamp: u32::MAX - 100_000, drift_ppm: 0.0 }
    }

    /// Runs it; `way` gives the delays in ms after which copies of a packet arrive.
    fn run(&self, seconds: usize, mut way: impl FnMut(usize) -> Vec<f64>) -> Heard {
        let mut decoder = VoiceDecoder::new(self.codec).unwrap();
        let mut buffer = JitterBuffer::new(self.codec);
        let step = self.codec.clock_rate() / 50;
        let count = seconds * 50;
        let mut arrivals: Vec<(Ticks, usize)> = (0..count)
            .flat_map(|n| {
                let sent = n as f64 * 960.0 * (1.0 + self.drift_ppm / 1e6);
                way(n).into_iter().map(move |ms| ((sent + ms * 48.0) as Ticks, n)).collect::<Vec<_>>()
            })
            .collect();
        arrivals.sort();
        let mut arrivals = arrivals.into_iter().peekable();
        let (mut sound, mut delays) = (Vec::new(), Vec::new());
        let mut seen = std::collections::HashSet::new();
        for pull in 0..seconds * 100 {
            // Not in step with the sender.
            let now = pull as Ticks * 480 + 170;
            while let Some((at, n)) = arrivals.next_if(|(at, _)| *at <= now) {
                if !seen.insert(n) {
                    continue;
                }
                let timestamp = self.first_timestamp.wrapping_add(n as u32 * step);
                let packet = &self.packets[n % self.packets.len()];
                buffer.insert(at, self.first_seq + n as i64, timestamp, packet, &decoder);
            }
            let mut out = [0; FRAME];
            buffer.pull(now, &mut decoder, &mut out);
            sound.extend_from_slice(&out);
            if pull % 100 == 99 {
                delays.push(buffer.delay() as f64 / 48.0);
            }
        }
        Heard { sound, buffer, delays }
    }
}

/// A sequence of numbers in 0..1 that is the same every time.
fn random(seed: u32) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1u32 << 24)
    }
}

/// Likeness of each 200 ms of what was heard with what was said, at its own best delay: blind to delay
/// changes, not to damage.
fn likeness(said: &[i16], heard: &[i16]) -> f64 {
    let mut scores = Vec::new();
    for start in (0..said.len().saturating_sub(24_000)).step_by(9600) {
        let (said, heard) = (&said[start..], &heard[start..heard.len().min(start + 9600 + 14_400)]);
        let said = &said[..9600.min(said.len())];
        if rms(said) < 300.0 || heard.len() < said.len() {
            continue;
        }
        let mut padded = said.to_vec();
        padded.resize(heard.len(), 0);
        // `align` compares up to its longest lag short of the end, which here is just the piece said.
        scores.push(align(&padded, heard, heard.len() - said.len()).1);
    }
    scores.iter().sum::<f64>() / scores.len().max(1) as f64
}

#[test]
fn an_undisturbed_path_adds_little_delay_and_no_damage() {
    for codec in Codec::ALL {
        let sound = speech(48_000 * 15);
        let heard = Rig::new(codec, &sound, 5).run(15, |_| vec![30.0]);
        let figures = heard.buffer.figures();
        assert_eq!((figures.late, figures.concealed), (0, 0), "{codec}");
        assert!(heard.delays[0] <= 45.0 && heard.delays[9] <= 20.0, "{codec}: {:?} ms", heard.delays);
        let (delay, alike) = align(&sound[480_000..], &heard.sound[480_000..], 6000);
        assert!(alike > 0.93, "{codec}: {alike}");
        // 30 ms of way, the buffer's own delay, the codec's (6.5 ms or 5 ms).
        assert!(delay <= (30 + 20 + 7) * 48, "{codec}: {} ms", delay / 48);
    }
}

#[test]
fn jitter_of_twenty_and_fifty_milliseconds_is_absorbed() {
    for spread in [20.0, 50.0] {
        let sound = speech(48_000 * 30);
        let rig = Rig::new(Codec::Opus, &sound, 5);
        let mut next = random(7);
        let mut last = 0.0f64;
        let heard = rig.run(30, |n| {
            // In order, as on most paths.
            let at = (n as f64 * 20.0 + next() * 2.0 * spread).max(last);
            last = at;
            vec![at - n as f64 * 20.0]
        });
        let figures = heard.buffer.figures();
        assert!(figures.late < 5, "{spread}: {figures:?}");
        assert!(figures.concealed < 48 * 400, "{spread}: {} ms", figures.concealed / 48);
        let settled = heard.delays[20..].iter().sum::<f64>() / 10.0;
        assert!(settled < 2.0 * spread + 25.0, "{spread}: {settled} ms");
        let alike = likeness(&sound, &heard.sound);
        assert!(alike > 0.9, "{spread}: {alike}");
    }
}

#[test]
fn reordering_and_duplicates_do_no_harm() {
    let sound = speech(48_000 * 20);
    let heard = Rig::new(Codec::Opus, &sound, 5).run(20, |n| {
        let late = if n % 7 == 3 { 25.0 } else { 0.0 };
        vec![10.0 + late, 12.0 + late]
    });
    let figures = heard.buffer.figures();
    assert!(figures.late <= 5, "{figures:?}");
    assert!(figures.concealed <= 48 * 200, "{} ms", figures.concealed / 48);
    assert!(heard.delays[19] < 55.0, "{:?}", heard.delays);
}

#[test]
fn fec_beats_concealment_alone() {
    let sound = speech(48_000 * 40);
    for (loss, seed) in [(0.05, 3), (0.1, 11)] {
        let run = |fec: bool| {
            let mut rig = Rig::new(Codec::Opus, &sound, if fec { 10 } else { 0 });
            rig.first_seq = 0;
            let mut next = random(seed);
            rig.run(40, |_| if next() < loss { vec![] } else { vec![20.0] })
        };
        let (with, without) = (run(true), run(false));
        assert!(with.buffer.figures().recovered > 0);
        assert_eq!(without.buffer.figures().recovered, 0);
        let ratio = with.buffer.figures().concealed as f64 / without.buffer.figures().concealed as f64;
        assert!(ratio < 0.6, "{loss}: concealed {ratio} of what it was");
        assert!(with.buffer.impairment() < 0.7 * without.buffer.impairment());
        let (a, b) = (likeness(&sound, &with.sound), likeness(&sound, &without.sound));
        assert!(a > b, "{loss}: {a} with, {b} without");
        let settled = with.delays[20..].iter().sum::<f64>() / 20.0;
        assert!(settled <= 45.0, "look-ahead costs one packet, not {settled} ms");
        assert!(without.delays[39] <= 30.0, "no redundancy, no look-ahead: {}", without.delays[39]);
    }
}

#[test]
fn deep_redundancy_fills_bursts() {
    let sound = speech(48_000 * 30);
    let armed = OpusSettings { bit_rate: 64_000, wideband: true, loss: 25, ..OpusSettings::CLEAN };
    let run = |dred_ms| {
        // Four of every forty.
        let rig = Rig::armed(Codec::Opus, &sound, OpusSettings { dred_ms, ..armed });
        rig.run(30, |n| if n % 40 >= 36 { vec![] } else { vec![20.0] })
    };
    let (with, without) = (run(140), run(0));
    let (deep, plain) = (with.buffer.figures(), without.buffer.figures());
    assert!(deep.rebuilt > 48 * 1000 && plain.rebuilt == 0, "{deep:?} {plain:?}");
    assert!(2 * deep.concealed < plain.concealed, "{deep:?} {plain:?}");
    assert!(with.buffer.impairment() < without.buffer.impairment());
    assert_eq!((deep.late, plain.late), (0, 0));
    let settled = with.delays[15..].iter().sum::<f64>() / 15.0;
    assert!((95.0..135.0).contains(&settled), "five packets of look-ahead, not {settled} ms");
    assert!(without.delays[29] < 45.0, "one packet without: {}", without.delays[29]);
    // Four whole frames of every forty come from elsewhere, the rest must be as good as ever.
    assert!(likeness(&sound, &with.sound) > likeness(&sound, &without.sound));
}

#[test]
fn drift_for_an_hour_neither_underruns_nor_grows() {
    let sound = speech(48_000 * 8);
    for drift_ppm in [100.0, -100.0] {
        let mut rig = Rig::new(Codec::Pcmu, &sound, 5);
        rig.drift_ppm = drift_ppm;
        let heard = rig.run(3600, |_| vec![20.0]);
        let figures = heard.buffer.figures();
        assert_eq!((figures.late, figures.concealed), (0, 0), "{drift_ppm}");
        let most = heard.delays[5..].iter().copied().fold(0.0, f64::max);
        assert!(most <= 35.0, "{drift_ppm}: {most} ms");
    }
}

#[test]
fn a_spike_is_played_late_and_caught_up_with() {
    let sound = speech(48_000 * 20);
    let heard = Rig::new(Codec::Opus, &sound, 5).run(35, |n| {
        // At 10 s nothing comes for 200 ms, then all at once.
        let stuck = if (500..510).contains(&n) { 200.0 - (n - 500) as f64 * 20.0 } else { 0.0 };
        vec![20.0 + stuck]
    });
    let figures = heard.buffer.figures();
    assert_eq!(figures.late, 0, "nothing is thrown away");
    assert!((48 * 120..48 * 260).contains(&figures.concealed), "{} ms", figures.concealed / 48);
    // One packet in a hundred may be late: the delay falls to what all but five of the last 500 needed.
    assert!(heard.delays[12] < 110.0, "caught up with: {:?}", heard.delays);
    assert!(heard.delays[24] < 35.0, "and nearly forgotten: {:?}", heard.delays);
    assert!(heard.delays[34] < 25.0, "and forgotten: {:?}", heard.delays);
}

#[test]
fn a_long_outage_and_a_restart() {
    let sound = speech(48_000 * 20);
    let heard = Rig::new(Codec::Opus, &sound, 5)
        .run(20, |n| if (300..600).contains(&n) { vec![] } else { vec![20.0] });
    assert!(heard.sound[48_000 * 8..48_000 * 11].iter().all(|s| *s == 0), "silence, not a robot");
    assert!(rms(&heard.sound[48_000 * 13..48_000 * 14]) > 200.0, "and back");
    assert!(heard.delays[19] < 40.0, "{:?}", heard.delays);
}

#[test]
fn a_jump_of_the_timestamp_is_a_new_beginning() {
    for jump in [-500_000i32, 90_000_000] {
        let sound = tone(300.0, 48_000.0, 8000.0, 48_000 * 4);
        let rig = Rig::new(Codec::Opus, &sound, 5);
        let mut decoder = VoiceDecoder::new(Codec::Opus).unwrap();
        let mut buffer = JitterBuffer::new(Codec::Opus);
        let mut last = Vec::new();
        for pull in 0..400i64 {
            if pull % 2 == 0 {
                let n = pull / 2;
                let shift = if n >= 100 { jump } else { 0 };
                let timestamp = (n as u32 * 960).wrapping_add_signed(shift);
                buffer.insert(pull * 480, n, timestamp, &rig.packets[n as usize], &decoder);
            }
            let mut out = [0; FRAME];
            buffer.pull(pull * 480 + 5, &mut decoder, &mut out);
            last = out.to_vec();
        }
        assert!(rms(&last) > 4000.0, "{jump}");
        assert!(buffer.figures().concealed < 48 * 100, "{jump}: {:?}", buffer.figures());
    }
}

#[test]
fn pauses_of_the_sender_are_nobodys_fault() {
    let sound = speech(48_000 * 20);
    let rig = Rig::new(Codec::Pcma, &sound, 5);
    let mut decoder = VoiceDecoder::new(Codec::Pcma).unwrap();
    let mut buffer = JitterBuffer::new(Codec::Pcma);
    let mut seq = 0;
    for pull in 0..2000i64 {
        if pull % 2 == 0 {
            let n = pull / 2;
            // Half a second of every two nothing is sent, and no number is used up.
            if n % 100 < 75 {
                buffer.insert(pull * 480, seq, n as u32 * 160, &rig.packets[n as usize], &decoder);
                seq += 1;
            }
        }
        let mut out = [0; FRAME];
        buffer.pull(pull * 480 + 5, &mut decoder, &mut out);
    }
    let figures = buffer.figures();
    assert_eq!(figures.late, 0);
    assert!(figures.concealed <= 48 * 20, "{} ms", figures.concealed / 48);
    assert!(buffer.delay() < 48 * 40, "{} ms", buffer.delay() / 48);
}

#[test]
fn memory_is_bounded() {
    let sound = speech(48_000);
    let rig = Rig::new(Codec::Opus, &sound, 5);
    let decoder = VoiceDecoder::new(Codec::Opus).unwrap();
    let mut buffer = JitterBuffer::new(Codec::Opus);
    for n in 0..10_000i64 {
        buffer.insert(0, n, n as u32 * 960, &rig.packets[0], &decoder);
    }
    assert!(buffer.packets.len() <= MOST_PACKETS);
    assert!(buffer.spare.len() <= MOST_PACKETS);
}

#[test]
fn a_much_slower_or_faster_path_is_heard_well_soon() {
    for codec in Codec::ALL {
        let sound = speech(48_000 * 12);
        let rig = Rig::new(codec, &sound, 5);
        for step in [500.0, 1000.0, 1800.0] {
            let slower = rig.run(12, |n| vec![if n < 200 { 30.0 } else { 30.0 + step }]);
            let from = 48 * (4000 + 30 + step as usize + 1500);
            let alike = likeness(&sound[48 * 5500..48 * 10_000], &slower.sound[from..]);
            assert!(alike > 0.85, "{codec}, slower by {step} ms: {alike}");
            // As when a switchboard's timestamps jump ahead: nothing of before comes after.
            let before = 200 - step as usize / 20;
            let faster = rig.run(12, |n| match n {
                n if n < before => vec![30.0 + step],
                n if n < 200 => vec![],
                _ => vec![30.0],
            });
            assert!(faster.delays[8] < 60.0, "{codec}, faster by {step} ms: {:?}", faster.delays);
        }
    }
}

#[test]
fn after_a_gap_whose_packets_all_come_at_once_the_delay_goes_down() {
    for codec in Codec::ALL {
        let sound = speech(48_000 * 30);
        let rig = Rig::new(codec, &sound, 5);
        let heard = rig.run(30, |n| {
            let sent = n as f64 * 20.0;
            vec![if (5000.0..10_000.0).contains(&sent) { 10_030.0 - sent } else { 30.0 }]
        });
        assert!(heard.delays[24] < 60.0, "{codec}: {:?}", heard.delays);
        let alike = likeness(&sound[48 * 22_000..48 * 28_000], &heard.sound[48 * 22_030..]);
        assert!(alike > 0.85, "{codec}: {alike}");
    }
}

/// The least delay at which one packet in a hundred would come too late, ms.
fn needed_for_one_percent(ways: &[f64]) -> f64 {
    let mut sorted = ways.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() * 99 / 100] - sorted[0]
}

#[test]
fn jitter_adds_no_more_delay_than_losing_one_packet_in_a_hundred_would_need() {
    let sound = speech(48_000 * 40);
    let rig = Rig::new(Codec::Opus, &sound, 5);
    let settled = |heard: &Heard| heard.delays[10..].iter().sum::<f64>() / 30.0;
    let clean = settled(&rig.run(40, |_| vec![20.0]));
    for (spread, in_order) in [(20.0, true), (50.0, true), (50.0, false)] {
        let mut next = random(5);
        let mut last = 0.0f64;
        let mut way = |n: usize| {
            let sent = n as f64 * 20.0;
            let at = sent + next() * 2.0 * spread;
            last = if in_order { at.max(last) } else { at };
            last - sent
        };
        let ways: Vec<f64> = (0..2000).map(&mut way).collect();
        let heard = rig.run(40, |n| vec![ways[n]]);
        let (added, needed) = (settled(&heard) - clean, needed_for_one_percent(&ways));
        assert!(added <= needed, "{spread} {in_order}: added {added} ms, needed {needed} ms");
        let figures = heard.buffer.figures();
        assert!(figures.late <= 20 && figures.concealed < 48 * 400, "{spread} {in_order}: {figures:?}");
    }
}
