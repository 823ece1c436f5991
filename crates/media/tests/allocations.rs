//! How often what the voice thread does for every 10 ms of sound asks the allocator for memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use media::sdp::LocalMedia;
use media::{Codec, Conference, FRAME, Gate, NoiseSuppression, Processing, Session, Stages, Talking};

thread_local! {
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, which counts how often each thread asks for memory.
struct Counted;

#[global_allocator]
static ALLOCATOR: Counted = Counted;

// Only what `System` gives is handed out and taken back, with the layout that was asked for.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note();
        unsafe { System.realloc(memory, layout, size) }
    }
}

fn note() {
    // A thread that ends has no count any more.
    ASKED.try_with(|asked| asked.set(asked.get() + 1)).ok();
}

/// How often `work` asks for memory.
fn asked(work: impl FnOnce()) -> usize {
    let before = ASKED.get();
    work();
    ASKED.get() - before
}

/// Frames until all has settled, and frames that are counted.
const SETTLES: usize = 500;
const COUNTED: usize = 500;

/// A voice of sorts: loud and soft, high and low.
fn voice(n: usize) -> [i16; FRAME] {
    let syllable = ((n as f32 / 17.0).sin().max(0.0) * 9000.0) as i32;
    std::array::from_fn(|k| {
        let t = (n * FRAME + k) as f32 / 48_000.0;
        let sound = (t * 780.0).sin() + 0.5 * (t * 2900.0).sin() + 0.3 * (t * 8100.0).sin();
        (sound * syllable as f32 / 2.0) as i16
    })
}

#[test]
fn processing_asks_for_no_memory_but_what_the_echo_canceller_and_the_limiter_take() {
    let none = Stages::NONE;
    let plain = Stages { noise: NoiseSuppression::High, high_pass: true, ..none };
    assert_eq!(processing(plain), 0);
    // What is not ours: a list of one channel in the limiter, and vectors of the canceller for each block of 4 ms.
    for (stages, most) in [(Stages { gain: true, ..none }, 1), (Stages { echo: true, ..none }, 32)] {
        let counted = processing(stages);
        assert!(counted <= most * COUNTED, "{stages:?}: {counted} times in {COUNTED} frames");
    }
}

fn processing(stages: Stages) -> usize {
    let (mut processing, mut talking) = (Processing::new(stages), Talking::new());
    let mut run = |n| {
        let mut frame = voice(n);
        processing.render(&voice(n + 50));
        processing.capture(&mut frame);
        talking.hear(&frame);
    };
    (0..SETTLES).for_each(&mut run);
    asked(|| (SETTLES..SETTLES + COUNTED).for_each(&mut run))
}

#[test]
fn a_conference_asks_for_no_memory() {
    let (mut floor, mut gate) = (Conference::default(), Gate::default());
    floor.seat(&[1, 2, 3]);
    let mut run = |n| {
        floor.hear(|key, frame| *frame = voice(n + key));
        floor.turn();
        let own = gate.pass(&voice(n), true);
        for key in [1, 2, 3] {
            floor.say(key, &own);
        }
    };
    (0..SETTLES).for_each(&mut run);
    assert_eq!(asked(|| (SETTLES..SETTLES + COUNTED).for_each(&mut run)), 0);
}

/// Two ends of a call, and how often each of its steps asks for memory: microphone to packet, packet to buffer,
/// buffer to speaker.
fn session(codec: Codec) -> [usize; 3] {
    let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let (mut ours, mut theirs) =
        (LocalMedia::new(ip, 4000, 4001, vec![codec], 1), LocalMedia::new(ip, 5000, 5001, vec![codec], 2));
    let (answer, at_callee) = theirs.answer(&ours.offer()).unwrap();
    let at_caller = ours.accept(&answer).unwrap();
    let mut now = Instant::now();
    let mut caller = Session::new(&at_caller, 1, now).unwrap();
    let mut callee = Session::new(&at_callee, 2, now).unwrap();
    let from = |port| SocketAddr::new(ip, port);
    let mut counts = [0; 3];
    for n in 0..SETTLES + COUNTED {
        now += Duration::from_millis(10);
        let mut out = [0; FRAME];
        let counted = n >= SETTLES;
        let mut packets = Vec::with_capacity(8);
        let mut step = [0; 3];
        step[0] = asked(|| {
            caller.capture(now, &voice(n));
            callee.capture(now, &voice(n + 9));
            while let Some(packet) = caller.poll_transmit(now) {
                packets.push((true, packet));
            }
            while let Some(packet) = callee.poll_transmit(now) {
                packets.push((false, packet));
            }
        });
        step[1] = asked(|| {
            for (ours, packet) in &packets {
                let rtcp = u16::from(packet.from_port == media::Channel::Rtcp);
                match ours {
                    true => callee.receive(now, from(4000 + rtcp), &packet.bytes),
                    false => caller.receive(now, from(5000 + rtcp), &packet.bytes),
                }
            }
        });
        step[2] = asked(|| {
            caller.play(now, &mut out);
            callee.play(now, &mut out);
        });
        if counted {
            counts.iter_mut().zip(step).for_each(|(count, step)| *count += step);
        }
    }
    counts
}

#[test]
fn a_call_asks_for_memory_only_for_the_packets_it_sends() {
    // Packets of 20 ms from both ends, and a few reports.
    let packets = COUNTED;
    for codec in [Codec::Pcmu, Codec::G722, Codec::Opus] {
        let [sent, received, played] = session(codec);
        println!("{codec:?}: {sent} sending, {received} receiving, {played} playing");
        assert!(sent <= packets + 16, "{codec:?}: {sent} times for {packets} packets sent");
        assert!(received <= 16, "{codec:?}: {received} times for {packets} packets received");
        assert_eq!(played, 0, "{codec:?}");
    }
}
