//! The hear-back test: what it says of a microphone, what it plays, and that calls go first.

use std::f32::consts::TAU;
use std::path::Path;
#[cfg(target_os = "linux")]
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use demo_pbx::{Config as Pbx, ECHO};
use devices::{Sink, Source};
use phone::{AudioConfig, CallState, Code, Command, Config, Event, HearBackView, Heard, Processing, Start};

use crate::bench::{Bench, Running};
#[cfg(target_os = "linux")]
use crate::plugging::{THEIRS, beside_a_sound_server, heard_at, say, until};
use crate::sound::level;

const TONE: f32 = 700.0;

impl Running {
    async fn hears(&mut self, what: &str, wanted: impl Fn(&HearBackView) -> bool) -> HearBackView {
        self.until(what, |event| match event {
            Event::HearBack { view } if wanted(view) => Some(view.clone()),
            _ => None,
        })
        .await
    }
}

/// Six seconds of a tone.
fn tone(path: &Path, amplitude: f32) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec).unwrap();
    for n in 0..6 * 48_000 {
        let sample = amplitude * (TAU * TONE * n as f32 / 48_000.0).sin();
        wav.write_sample(sample.clamp(-32_768.0, 32_767.0) as i16).unwrap();
    }
    wav.finalize().unwrap();
}

fn over(view: &HearBackView) -> bool {
    matches!(view, HearBackView::Done { .. } | HearBackView::Failed { .. })
}

#[tokio::test(flavor = "multi_thread")]
async fn one_s_own_voice_is_judged_and_heard_again() {
    let bench = Bench::new(Pbx::default()).await;
    let dir = bench.dir.path();
    let (said, played) = (dir.join("said.wav"), dir.join("played.wav"));
    tone(&said, 6_000.0);
    let audio = AudioConfig {
        microphone: Source::Wav(said),
        speaker: Sink::Wav(played.clone()),
        processing: Processing::Off,
    };
    let mut running = bench.phone_with(Config { start: Start::None, audio, ..bench.config() });
    running.send(Command::HearBack);
    let loud = |view: &HearBackView| matches!(view, HearBackView::Recording { level, .. } if *level > 50);
    running.hears("a level", loud).await;
    running.hears("it played", |view| matches!(view, HearBackView::Playing { heard: Heard::Good, .. })).await;
    assert_eq!(running.hears("its end", over).await, HearBackView::Done { heard: Heard::Good });
    running.phone.stop().await;
    let mut reader = hound::WavReader::open(&played).unwrap();
    let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
    let heard = samples.chunks_exact(16_000).filter(|part| level(part, TONE) > 0.5).count();
    assert!(heard >= 13, "{heard} of 15 thirds of a second were played");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_microphone_without_sound_is_said_to_be_silent() {
    let bench = Bench::new(Pbx::default()).await;
    let mut running = bench.phone(Start::None);
    running.send(Command::HearBack);
    assert_eq!(running.hears("its end", over).await, HearBackView::Done { heard: Heard::Silent });
    running.phone.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_go_first() {
    let bench = Bench::new(Pbx::default()).await;
    let mut bob = bench.bobs_phone().await;
    bob.send(Command::HearBack);
    bob.hears("a test", |view| matches!(view, HearBackView::Recording { .. })).await;
    bob.dial(ECHO);
    bob.hears("no test any more", |view| *view == HearBackView::Idle).await;
    let call = bob.call("an answer", |state| matches!(state, CallState::Active { .. })).await.id;
    bob.send(Command::HearBack);
    match bob.hears("a refusal", |_| true).await {
        HearBackView::Failed { problem } => assert_eq!(problem.code, Code::NotNow),
        other => panic!("{other:?}"),
    }
    bob.send(Command::HangUp { call });
    bob.ended().await;
    bob.send(Command::HearBack);
    bob.hears("a test again", |view| matches!(view, HearBackView::Recording { .. })).await;
    bob.send(Command::StopHearBack);
    bob.hears("stopped", |view| *view == HearBackView::Idle).await;
    bob.phone.stop().await;
}

#[cfg(target_os = "linux")]
#[test]
fn cards_of_a_real_sound_server_are_heard_back() {
    beside_a_sound_server(&[("mouth", 44_100), ("ear", 48_000)], "hear_back::trial_cards_are_heard_back");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by cards_of_a_real_sound_server_are_heard_back beside its server"]
async fn trial_cards_are_heard_back() {
    let test = async |phone: &mut Running, what: &str, wanted: fn(&HearBackView) -> bool| {
        let wanted = |event: &Event| match event {
            Event::HearBack { view } if wanted(view) => Some(view.clone()),
            _ => None,
        };
        until(phone, what, wanted).await
    };
    let stop = Arc::new(AtomicBool::new(false));
    let mouth = say("mouth", THEIRS, stop.clone());
    let bench = Bench::new(Pbx::default()).await;
    let audio = AudioConfig { processing: Processing::Off, ..AudioConfig::default() };
    let mut running = bench.phone_with(Config { start: Start::None, audio, ..bench.config() });
    running.send(Command::HearBack);
    let loud = |view: &HearBackView| matches!(view, HearBackView::Recording { level, .. } if *level > 50);
    test(&mut running, "a level", loud).await;
    let plays = |view: &HearBackView| matches!(view, HearBackView::Playing { heard: Heard::Good, .. });
    test(&mut running, "it played", plays).await;
    tokio::task::spawn_blocking(|| heard_at("ear")).await.unwrap();
    assert_eq!(test(&mut running, "its end", over).await, HearBackView::Done { heard: Heard::Good });
    stop.store(true, Ordering::SeqCst);
    mouth.join().unwrap();
    // Nobody speaks any more.
    running.send(Command::HearBack);
    assert_eq!(test(&mut running, "silence", over).await, HearBackView::Done { heard: Heard::Silent });
    running.phone.stop().await;
}
