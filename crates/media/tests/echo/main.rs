//! The canceller in simulated rooms, with real speech at both ends. `cargo xtask bench echo` does more of it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code)]
mod room;
#[allow(dead_code)]
mod scene;
#[allow(dead_code)]
mod speech;

use media::{FRAME, NoiseSuppression, Stages, Talking};
use room::Room;
use scene::{Background, Scene, loss_db};

const USUAL: Stages = Stages { echo: true, noise: NoiseSuppression::Low, gain: false, high_pass: true };
/// Echo loss that is to be had after 3 s, dB.
const GOAL: f64 = 35.0;

/// Runs a scene and gives the echo loss from 3 s on.
fn run(scene: &Scene) -> f64 {
    let sounds = scene.sounds();
    let out = sounds.process(USUAL, |_, _| {});
    let loss = loss_db(&sounds, &out, 3.0, scene.seconds as f64);
    println!("{}: {loss:.1} dB", scene.name);
    loss
}

#[test]
fn echo_goes_whatever_the_delay() {
    for delay_ms in [20, 150, 400] {
        let loss = run(&Scene { delay_ms, seconds: 10, ..Scene::PLAIN });
        assert!(loss >= GOAL, "{loss:.1} dB at {delay_ms} ms");
    }
}

#[test]
fn echo_goes_when_the_clocks_differ() {
    for drift_ppm in [100.0, -100.0] {
        let loss = run(&Scene { drift_ppm, seconds: 20, bursts: 3, ..Scene::PLAIN });
        assert!(loss >= GOAL, "{loss:.1} dB at {drift_ppm} ppm");
    }
}

#[test]
fn echo_goes_when_the_microphone_moves() {
    let loss = run(&Scene { moves: Some([0.15, -0.1, 0.05]), seconds: 12, ..Scene::PLAIN });
    assert!(loss >= GOAL, "{loss:.1} dB");
}

#[test]
fn another_device_is_learned_anew_at_once() {
    let scene = Scene { later_delay_ms: Some(180), seconds: 16, ..Scene::PLAIN };
    let sounds = scene.sounds();
    let out = sounds.process(USUAL, |n, processing| {
        if n == 800 {
            processing.forget_echo();
        }
    });
    let loss = loss_db(&sounds, &out, 8.1, 16.0);
    println!("{loss:.1} dB");
    assert!(loss >= GOAL, "{loss:.1} dB");
}

#[test]
fn a_voice_at_the_microphone_passes() {
    let scene = Scene { near_db: Some(-26.0), echo_db: -30.0, seconds: 24, ..Scene::PLAIN };
    let sounds = scene.sounds();
    let out = sounds.process(USUAL, |_, _| {});
    let voice = |sound: &[f32]| speech::level(&sound[scene.seconds * 32_000..]);
    let (said, heard) = (voice(&sounds.near), voice(&out));
    println!("{said:.1} dBFS said, {heard:.1} heard");
    assert!((heard - said).abs() < 4.0, "{said:.1} dBFS said, {heard:.1} heard");
    assert!(loss_db(&sounds, &out, 3.0, 16.0) >= GOAL);
}

#[test]
fn talking_is_told_from_noise() {
    let talks = |sound: &[f32]| -> usize {
        let mut talking = Talking::new();
        let frames = sound.chunks_exact(FRAME);
        let said = frames.map(|f| talking.hear(&std::array::from_fn(|n| (f[n] * 32_767.0) as i16)));
        said.filter(|talks| *talks).count()
    };
    let voice = speech::at_level(speech::far(), -30.0);
    let fan = speech::at_level(&speech::background(Background::Fan, voice.len()), -40.0);
    let frames = voice.len() / FRAME;
    let (said, noise) = (talks(&voice), talks(&fan));
    println!("{said} of {frames} frames of a voice, {noise} of a fan");
    assert!(said * 10 > frames * 8, "{said} of {frames}");
    assert_eq!(noise, 0);
}

#[test]
fn without_the_canceller_the_echo_is_heard() {
    let scene = Scene { seconds: 8, ..Scene::PLAIN };
    let sounds = scene.sounds();
    let out = sounds.process(Stages { echo: false, ..USUAL }, |_, _| {});
    assert!(loss_db(&sounds, &out, 3.0, 8.0) < 6.0, "the measure can fail");
    assert!(run(&Scene { room: Room::OFFICE, ..scene }) >= GOAL);
}
