//! Calls recorded, and what is wrong with their sound.

use std::path::Path;
use std::time::Duration;

use demo_pbx::Config as Pbx;
use phone::{
    CallPreferences, CallState, Code, Command, Event, RecordingNotice, RecordingPreferences, Verdict,
};

use crate::bench::{Bench, Running};
use crate::sound::{Talker, level};

const ALICE: f32 = 600.0;
const BOB: f32 = 900.0;

/// Alice, who records as she prefers, talks to bob.
async fn talk(bench: &Bench, recording: RecordingPreferences) -> (Talker, Talker, phone::CallId) {
    let mut alice = Talker::start(bench, "101", ALICE).await;
    let mut bob = Talker::start(bench, "102", BOB).await;
    alice.running.send(Command::PreferInCalls {
        preferences: CallPreferences { recording, ..CallPreferences::default() },
    });
    alice.running.dial("102");
    let ringing = bob.running.call("a call", |state| *state == CallState::Incoming).await;
    bob.running.send(Command::Answer { call: ringing.id });
    let call = alice.running.call("an answer", |state| matches!(state, CallState::Active { .. })).await;
    (alice, bob, call.id)
}

/// The recording's two sides, once the call is over.
async fn recorded(running: &mut Running) -> [Vec<i16>; 2] {
    let ended = running.call("the end", |state| matches!(state, CallState::Ended { .. })).await;
    assert!(!ended.recording);
    let path = ended.recorded.expect("a recording");
    let mut reader = hound::WavReader::open(Path::new(&path)).unwrap();
    let all: Vec<i16> = reader.samples().map(Result::unwrap).collect();
    [all.iter().copied().step_by(2).collect(), all.iter().copied().skip(1).step_by(2).collect()]
}

/// The loudest third of a second of a tone.
fn loudest(sound: &[i16], hz: f32) -> f32 {
    sound.chunks_exact(16_000).map(|part| level(part, hz)).fold(0.0, f32::max)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_recorded_where_that_is_wanted_ours_left_theirs_right() {
    let bench = Bench::new(Pbx::default()).await;
    let folder = bench.dir.path().join("my recordings").display().to_string();
    let notice = RecordingNotice::None;
    let preferences = RecordingPreferences { automatic: true, folder: Some(folder.clone()), notice };
    let (mut alice, bob, call) = talk(&bench, preferences).await;
    alice.until_hears("the talk", &[BOB], &[true]).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    alice.running.send(Command::HangUp { call });
    let summary = alice
        .running
        .until("the summary", |event| match event {
            Event::Summary { summary, .. } => Some(summary.clone()),
            _ => None,
        })
        .await;
    assert!(summary.rx_packets > 50 && summary.mos.is_some_and(|mos| mos.most > 3.0), "{summary:?}");
    let [left, right] = recorded(&mut alice.running).await;
    assert!(left.len() > 48_000 && left.len() == right.len());
    assert!(loudest(&left, ALICE) > 0.5 && loudest(&left, BOB) < 0.1);
    assert!(loudest(&right, BOB) > 0.5 && loudest(&right, ALICE) < 0.1);
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1);
    drop(bob);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_side_hears_that_it_is_recorded() {
    let bench = Bench::new(Pbx::default()).await;
    let (alice, bob, call) = talk(&bench, RecordingPreferences::default()).await;
    alice.until_hears("the talk", &[BOB], &[true]).await;
    alice.running.send(Command::Record { call, on: true });
    // The tone is softer than the voices are.
    let deadline = tokio::time::Instant::now() + crate::bench::PATIENCE;
    while !bob.hears_softly(1_400.0) {
        assert!(tokio::time::Instant::now() < deadline, "no notice was heard");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    alice.running.send(Command::HangUp { call });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_written_is_told_and_the_call_goes_on() {
    let bench = Bench::new(Pbx::default()).await;
    let file = bench.dir.path().join("no folder");
    std::fs::write(&file, "a file").unwrap();
    let preferences =
        RecordingPreferences { folder: Some(file.display().to_string()), ..RecordingPreferences::default() };
    let (mut alice, _bob, call) = talk(&bench, preferences).await;
    alice.running.send(Command::Record { call, on: true });
    let problem = alice
        .running
        .until("the notice", |event| match event {
            Event::Notice { problem, call: Some(about) } if *about == call => Some(problem.clone()),
            _ => None,
        })
        .await;
    assert_eq!(problem.code, Code::RecordingFailed);
    let view = alice.running.call("the call", |_| true).await;
    assert!(!view.recording && matches!(view.state, CallState::Active { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn that_we_are_muted_is_a_verdict_until_we_are_not() {
    let bench = Bench::new(Pbx::default()).await;
    let (mut alice, _bob, call) = talk(&bench, RecordingPreferences::default()).await;
    alice.running.send(Command::Mute { call, muted: true });
    alice.running.until("the verdict", |event| told(event, Some(Verdict::Muted))).await;
    alice.running.send(Command::Mute { call, muted: false });
    alice.running.until("that all is well", |event| told(event, None)).await;
}

fn told(event: &Event, verdict: Option<Verdict>) -> Option<()> {
    matches!(event, Event::Call { view } if view.verdict == verdict).then_some(())
}
