//! Echo and noise in simulated rooms: `cargo run --release -p media --example echo -- FOLDER [SCENE...]` writes what
//! the speaker is given, the microphone hears and the network gets, for `tests/echo.py` to score, and prints a line
//! of JSON a scene. `voice.wav` in that folder speaks at the microphone; each `room-1.wav` and on is a real room.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../tests/echo/room.rs"]
mod room;
#[path = "../tests/echo/scene.rs"]
mod scene;
#[path = "../tests/echo/speech.rs"]
mod speech;

use std::path::Path;

use media::{FRAME, NoiseSuppression, Stages, Talking};
use room::{RATE, Room};
use scene::{Background, Scene, Sounds, loss_db};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("a folder to write to");
    let names: Vec<String> = arguments.collect();
    let voice = Path::new(&folder).join("voice.wav");
    if voice.is_file() {
        speech::speak_near(voice);
    }
    talking();
    let scenes = [scenes(), recorded(Path::new(&folder))].concat();
    for scene in scenes.iter().filter(|scene| names.is_empty() || names.iter().any(|n| n == scene.name)) {
        let sounds = scene.sounds();
        write(Path::new(&folder), scene.name, &sounds);
        for (what, stages) in variants(scene) {
            let (before, mut converged) = (processor_s(), None);
            let out = sounds.process(stages, |n, processing| {
                let found = processing.echo().is_some_and(|echo| echo.enhancement_db >= 6.0);
                converged = converged.or(found.then_some(n as f64 / 100.0));
            });
            let cost = (processor_s() - before) * 1000.0 / scene.seconds as f64;
            save(&Path::new(&folder).join(format!("{}.{what}.out.wav", scene.name)), &out);
            let number =
                |x: Option<f64>| x.filter(|x| x.is_finite()).map_or("null".into(), |x| format!("{x:.1}"));
            let loss = |from, to| number(Some(loss_db(&sounds, &out, from, to)));
            let [early, all] = [loss(3.0, 6.0), loss(3.0, scene.seconds as f64)];
            // What changes halfway may take as long to learn as the beginning does.
            let changes = scene.moves.is_some() || scene.later_delay_ms.is_some();
            let end = scene.seconds as f64;
            let relearnt = if changes { loss(end / 2.0 + 3.0, end) } else { number(None) };
            let (name, speaks, learned) =
                (scene.name, scene.near_from() as f64 / RATE as f64, number(converged));
            println!(
                r#"{{"scene":"{name}","stages":"{what}","speaks":{speaks:.1},"loss_3_6":{early},"loss":{all},"relearnt":{relearnt},"cost":{cost:.1},"learned":{learned}}}"#
            );
        }
    }
}

const NONE: Stages = Stages::NONE;
const USUAL: Stages = Stages { echo: true, noise: NoiseSuppression::Low, gain: false, high_pass: true };

fn variants(scene: &Scene) -> Vec<(&'static str, Stages)> {
    match scene.background {
        Background::Hiss => vec![
            ("echo", Stages { echo: true, high_pass: true, ..NONE }),
            ("usual", USUAL),
            ("all", Stages { gain: true, noise: NoiseSuppression::High, ..USUAL }),
        ],
        _ => vec![
            ("low", Stages { noise: NoiseSuppression::Low, high_pass: true, ..NONE }),
            ("high", Stages { noise: NoiseSuppression::High, high_pass: true, ..NONE }),
            ("usual", USUAL),
        ],
    }
}

fn scenes() -> Vec<Scene> {
    let plain = Scene::PLAIN;
    let talk = Scene { near_db: Some(-26.0), seconds: 30, ..plain.clone() };
    let noise = Scene { echo_db: f32::NEG_INFINITY, ..talk.clone() };
    vec![
        Scene { name: "delay-20", delay_ms: 20, ..plain.clone() },
        Scene { name: "delay-60", ..plain.clone() },
        Scene { name: "delay-150", delay_ms: 150, ..plain.clone() },
        Scene { name: "delay-400", delay_ms: 400, ..plain.clone() },
        Scene { name: "hall", room: Room::HALL, ..plain.clone() },
        Scene { name: "moving", moves: Some([0.15, -0.1, 0.05]), ..plain.clone() },
        Scene { name: "other-device", later_delay_ms: Some(180), ..plain.clone() },
        Scene { name: "fast-100", drift_ppm: 100.0, seconds: 60, ..plain.clone() },
        Scene { name: "slow-100", drift_ppm: -100.0, seconds: 60, ..plain.clone() },
        Scene { name: "bursts", bursts: 4, ..plain.clone() },
        Scene { name: "distorted", distorted: true, ..plain.clone() },
        Scene { name: "loud", echo_db: -12.0, ..plain.clone() },
        Scene { name: "hissing", noise_db: -55.0, ..plain.clone() },
        Scene { name: "talk-quiet-echo", echo_db: -38.0, ..talk.clone() },
        Scene { name: "talk", echo_db: -32.0, ..talk.clone() },
        Scene { name: "talk-equal", ..talk.clone() },
        Scene { name: "talk-drift", echo_db: -32.0, drift_ppm: 100.0, ..talk.clone() },
        Scene { name: "talk-hall", echo_db: -32.0, room: Room::HALL, ..talk },
        Scene { name: "babble", background: Background::Babble, noise_db: -41.0, ..noise.clone() },
        Scene { name: "typing", background: Background::Typing, noise_db: -41.0, ..noise.clone() },
        Scene { name: "fan", background: Background::Fan, noise_db: -41.0, ..noise.clone() },
        Scene { name: "fan-loud", background: Background::Fan, noise_db: -34.0, ..noise },
    ]
}

/// The usual echo in each real room whose impulse response lies in the folder: `room-1.wav` and on (`tests/rooms.py`).
fn recorded(folder: &Path) -> Vec<Scene> {
    let rooms =
        (1..).map(|n| (n, folder.join(format!("room-{n}.wav")))).take_while(|(_, file)| file.is_file());
    rooms
        .flat_map(|(n, file)| {
            let response: &'static [f32] = speech::wav(&file).leak();
            let room = Scene { recorded: Some(response), ..Scene::PLAIN };
            let talk = Scene { near_db: Some(-26.0), seconds: 30, echo_db: -32.0, ..room.clone() };
            let named = |name: String, scene: Scene| Scene { name: name.leak(), ..scene };
            [named(format!("room-{n}"), room), named(format!("talk-room-{n}"), talk)]
        })
        .collect()
}

/// In how much of a minute of each somebody is said to talk, percent.
fn talking() {
    for (what, sound) in [
        ("voice", speech::far().to_vec()),
        ("typing", speech::background(Background::Typing, 60 * RATE)),
        ("fan", speech::background(Background::Fan, 60 * RATE)),
    ] {
        let mut talking = Talking::new();
        let sound = speech::at_level(&sound, -32.0);
        let frames = sound.chunks_exact(FRAME);
        let said =
            frames.filter(|f| talking.hear(&std::array::from_fn(|n| (f[n] * 32_767.0) as i16))).count();
        println!("{what}: talks in {:.1} %", 100.0 * said as f64 / (sound.len() / FRAME) as f64);
    }
}

fn write(folder: &Path, name: &str, sounds: &Sounds) {
    let Sounds { played, echo, near, microphone, .. } = sounds;
    for (what, sound) in [("played", played), ("echo", echo), ("near", near), ("microphone", microphone)] {
        save(&folder.join(format!("{name}.{what}.wav")), sound);
    }
}

fn save(path: &Path, sound: &[f32]) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE as u32,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer =
        hound::WavWriter::create(path, spec).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    sound.iter().for_each(|s| writer.write_sample((s * 32_767.0).round() as i16).unwrap());
    writer.finalize().unwrap();
}

/// Processor time of this thread, seconds.
fn processor_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}
