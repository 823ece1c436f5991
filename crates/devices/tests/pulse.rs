//! Real sound through a real PulseAudio server with virtual cables. The server is found through the
//! environment, which belongs to the whole process, so every trial runs in a process of its own.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::f32::consts::TAU;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use devices::{
    DeviceError, DeviceInfo, DeviceKind, DeviceWatch, FRAME, Present, RATE, Sink, Source, Wake,
    open_microphone, open_speaker,
};

/// A sound server of our own, without any card.
struct Server {
    process: Child,
    dir: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("test.pa");
        let socket = dir.path().join("native");
        let lines = format!(
            "load-module module-native-protocol-unix socket={} auth-anonymous=1\n\
             load-module module-null-sink sink_name=cable rate=48000 channels=2\n\
             load-module module-null-sink sink_name=odd rate=44100 channels=8 format=s24le\n\
             set-default-sink cable\n\
             set-default-source cable.monitor\n",
            socket.display()
        );
        std::fs::write(&config, lines).unwrap();
        let process = Command::new("pulseaudio")
            .args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes"])
            .args(["--high-priority=no", "--realtime=no", "--log-target=stderr", "--log-level=error"])
            .arg("-F")
            .arg(&config)
            .envs(environment(dir.path()))
            .stdout(Stdio::null())
            .spawn()
            .expect("pulseaudio is installed");
        let server = Self { process, dir };
        let end = Instant::now() + Duration::from_secs(20);
        while !server.pactl(&["get-default-source"]).contains("cable.monitor") {
            assert!(Instant::now() < end, "pulseaudio does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    fn pactl(&self, args: &[&str]) -> String {
        pactl(self.dir.path(), args)
    }

    /// Runs one of the ignored tests below beside this server.
    fn run(&self, trial: &str) {
        run(trial, self.dir.path());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn environment(dir: &Path) -> Vec<(&'static str, PathBuf)> {
    let mut server = std::ffi::OsString::from("unix:");
    server.push(dir.join("native"));
    let dir = dir.to_owned();
    vec![
        ("PULSE_SERVER", server.into()),
        ("PULSE_RUNTIME_PATH", dir.clone()),
        ("PULSE_STATE_PATH", dir.clone()),
        ("XDG_RUNTIME_DIR", dir.clone()),
        ("HOME", dir),
    ]
}

fn pactl(dir: &Path, args: &[&str]) -> String {
    let output =
        Command::new("pactl").args(args).envs(environment(dir)).output().expect("pactl is installed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn run(trial: &str, dir: &Path) {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", trial, "--nocapture"])
        .envs(environment(dir))
        // The server keeps its cookie in its home; a client without one must be let in all the same.
        .env("HOME", dir.join("nobody"))
        .status()
        .unwrap();
    assert!(status.success(), "{trial} failed");
}

#[test]
fn virtual_cables() {
    let server = Server::start();
    server.run("trial_devices_are_listed_and_found");
    server.run("trial_a_chirp_comes_back");
    server.run("trial_a_card_is_unplugged");
    server.run("trial_cards_are_watched");
    server.run("trial_a_voice_stays_in_front");
}

#[test]
fn a_server_that_dies_is_told_and_its_successor_is_found() {
    let mut server = Server::start();
    let dir = server.dir.path().to_owned();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "trial_the_server_dies", "--nocapture"])
        .envs(environment(&dir))
        .spawn()
        .unwrap();
    let begun = dir.join("begun");
    let end = Instant::now() + Duration::from_secs(30);
    while !begun.exists() {
        assert!(Instant::now() < end && child.try_wait().unwrap().is_none(), "the trial does not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
    server.process.kill().unwrap();
    server.process.wait().unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn without_a_server() {
    let dir = tempfile::tempdir().unwrap();
    run("trial_no_server", dir.path());
}

#[test]
#[ignore = "run by virtual_cables beside its server"]
fn trial_devices_are_listed_and_found() {
    let speakers = devices::speakers().unwrap();
    let ids: Vec<_> = speakers.iter().map(|d| (d.id.as_str(), d.default)).collect();
    assert_eq!(ids, [("pulseaudio:cable", true), ("pulseaudio:odd", false)]);
    let microphones = devices::microphones().unwrap();
    let ids: Vec<_> = microphones.iter().map(|d| (d.id.as_str(), d.default)).collect();
    assert_eq!(ids, [("pulseaudio:cable.monitor", true)], "what another speaker plays is no microphone");

    let (wake, _) = waker();
    for id in ["pulseaudio:nobody", "nonsense", "", "pulseaudio:cable"] {
        let microphone = open_microphone(&Source::Card(Some(id.into())), wake.clone());
        assert!(matches!(microphone.err(), Some(DeviceError::NotFound(missing)) if missing == id));
    }
    let speaker = open_speaker(&Sink::Card(Some("pulseaudio:cable.monitor".into())), wake);
    assert!(matches!(speaker.err(), Some(DeviceError::NotFound(_))));
}

#[test]
#[ignore = "run by virtual_cables beside its server"]
fn trial_a_chirp_comes_back() {
    for (speaker, microphone) in [
        (None, None),
        (Some("pulseaudio:cable"), Some("pulseaudio:cable.monitor")),
        (Some("pulseaudio:odd"), Some("pulseaudio:odd.monitor")),
    ] {
        let before = processor_time();
        let (played, heard, delay) = chirp_through(speaker, microphone);
        let used = processor_time() - before;
        let (lag, likeness) = find(&played, &heard);
        let name = speaker.unwrap_or("default");
        let delay_ms = (lag as f32 - delay as f32) / 48.0;
        println!(
            "{name}: delay {delay_ms:.1} ms, likeness {likeness:.4}, processor {:.2} % of a core",
            100.0 * used.as_secs_f32() / SECONDS
        );
        assert!(likeness > 0.95, "{name}: the chirp came back with a likeness of {likeness}");
        assert!((0.0..200.0).contains(&delay_ms), "{name}: {delay_ms} ms");
    }
}

#[test]
#[ignore = "run by virtual_cables beside its server"]
fn trial_a_card_is_unplugged() {
    let dir = PathBuf::from(std::env::var_os("XDG_RUNTIME_DIR").unwrap());
    let module = pactl(&dir, &["load-module", "module-null-sink", "sink_name=stick"]);
    let (wake, woken) = waker();
    let mut speaker = open_speaker(&Sink::Card(Some("pulseaudio:stick".into())), wake.clone()).unwrap();
    let mut microphone =
        open_microphone(&Source::Card(Some("pulseaudio:stick.monitor".into())), wake.clone()).unwrap();
    let mut talk = |frames: usize| {
        let (mut heard, mut written) = (0, 0);
        let end = Instant::now() + Duration::from_secs(20);
        while heard < frames || written < frames {
            assert!(Instant::now() < end, "only {heard} frames were heard and {written} taken");
            woken.recv_timeout(Duration::from_millis(50)).ok();
            while speaker.hungry() {
                speaker.write(&[0; FRAME]);
                written += 1;
            }
            assert!(speaker.failed().is_none(), "{:?}", speaker.failed());
            while microphone.read(&mut [0; FRAME]).unwrap() {
                heard += 1;
            }
        }
    };
    talk(20);
    pactl(&dir, &["unload-module", module.trim()]);
    // The server moves the call to its default devices; all that matters is that the talk goes on.
    talk(300);
    let gone = open_speaker(&Sink::Card(Some("pulseaudio:stick".into())), wake).err();
    assert!(matches!(gone, Some(DeviceError::NotFound(_))), "{gone:?}");
}

#[test]
#[ignore = "run by virtual_cables beside its server"]
fn trial_a_voice_stays_in_front() {
    let dir = PathBuf::from(std::env::var_os("XDG_RUNTIME_DIR").unwrap());
    let raw = dir.join("eight.raw");
    let mut recorder = Command::new("parec")
        .args([
            "-d",
            "odd.monitor",
            "--raw",
            "--channels=8",
            "--channel-map=surround-71",
            "--no-remix",
            "--rate=44100",
            "--format=s16le",
            "--latency-msec=20",
        ])
        .arg(&raw)
        .envs(environment(&dir))
        .spawn()
        .expect("parec is installed");
    let (wake, woken) = waker();
    let mut speaker = open_speaker(&Sink::Card(Some("pulseaudio:odd".into())), wake).unwrap();
    let begin = Instant::now();
    let length = || std::fs::metadata(&raw).map_or(0, |file| file.len());
    let mut written = 0;
    // Two seconds of eight channels.
    while length() < 2 * 44_100 * 16 {
        assert!(begin.elapsed() < Duration::from_secs(60), "only {} bytes were heard", length());
        woken.recv_timeout(Duration::from_millis(50)).ok();
        while speaker.hungry() {
            let tone = |n: usize| (8000.0 * (TAU * 500.0 * (written + n) as f32 / RATE as f32).sin()) as i16;
            speaker.write(&std::array::from_fn(tone));
            written += FRAME;
        }
    }
    recorder.kill().unwrap();
    recorder.wait().unwrap();
    let bytes = std::fs::read(&raw).unwrap();
    let loudest = |channel: usize| {
        let frames = bytes
            .chunks_exact(16)
            .map(|frame| i16::from_le_bytes([frame[2 * channel], frame[2 * channel + 1]]));
        frames.map(i16::unsigned_abs).max().unwrap()
    };
    let loudest: Vec<u16> = (0..8).map(loudest).collect();
    println!("loudest of each channel: {loudest:?}");
    assert!(loudest[..2].iter().all(|peak| (7000..9000).contains(peak)), "{loudest:?}");
    assert!(loudest[2..].iter().all(|peak| *peak == 0), "{loudest:?}");
}

/// A sink that looks like a USB headset; the number of its module.
fn plug(dir: &Path, sink: &str, serial: &str, port: &str, name: &str) -> String {
    let properties = format!(
        "sink_properties=\"device.bus=usb device.vendor.id=0b0e device.product.id=2457 device.serial={serial} \
         device.bus_path={port} device.form_factor=headset device.profile.name=analog-mono \
         device.description='{name}'\""
    );
    let sink = format!("sink_name={sink}");
    let module =
        pactl(dir, &["load-module", "module-null-sink", &sink, "rate=16000", "channels=1", &properties]);
    assert!(!module.trim().is_empty(), "the sink was not made");
    module.trim().to_owned()
}

/// Waits for a list of speakers of which this is true.
fn told(changes: &Receiver<Present>, what: &str, is: impl Fn(&[DeviceInfo]) -> bool) -> Vec<DeviceInfo> {
    let begin = Instant::now();
    let mut last = Vec::new();
    while begin.elapsed() < Duration::from_secs(60) {
        if let Ok(present) = changes.recv_timeout(Duration::from_secs(1)) {
            last = present.speakers;
            if is(&last) {
                println!("{what}: told after {} ms", begin.elapsed().as_millis());
                return last;
            }
        }
    }
    panic!("{what}: never told; last {last:?}");
}

#[test]
#[ignore = "run by virtual_cables beside its server"]
fn trial_cards_are_watched() {
    let dir = PathBuf::from(std::env::var_os("XDG_RUNTIME_DIR").unwrap());
    let (sender, changes) = std::sync::mpsc::channel();
    let _watch = DeviceWatch::start(move |present| sender.send(present).unwrap_or(()));
    told(&changes, "what there is", |speakers| speakers.len() == 2);
    let headset = |speakers: &[DeviceInfo]| speakers.iter().find(|d| d.kind == DeviceKind::Headset).cloned();

    let module = plug(&dir, "first", "SN1", "usb-0:2", "Konferenz — Ж");
    let speakers = told(&changes, "a headset appears", |s| headset(s).is_some());
    let first = headset(&speakers).unwrap();
    assert_eq!(first.id, "usb:0b0e:2457:SN1/analog-mono");
    assert_eq!((first.name.as_str(), first.model.as_deref()), ("Konferenz — Ж", Some("0b0e:2457")));

    pactl(&dir, &["unload-module", &module]);
    told(&changes, "it vanishes", |s| headset(s).is_none());
    let module = plug(&dir, "renamed", "SN1", "usb-0:7", "Another name");
    let speakers = told(&changes, "it is back under another name and index", |s| headset(s).is_some());
    let second = headset(&speakers).unwrap();
    assert_eq!((second.id, second.name.as_str()), (first.id.clone(), "Another name"));

    let twin = plug(&dir, "twin", "SN1", "usb-0:3", "Another name");
    let speakers = told(&changes, "a twin appears", |s| s.len() == 4);
    let mut ids: Vec<_> = speakers.iter().filter(|d| d.kind == DeviceKind::Headset).map(|d| &d.id).collect();
    ids.sort();
    assert_eq!(ids, [&format!("{}@usb-0:3", first.id), &format!("{}@usb-0:7", first.id)]);
    let (wake, _) = waker();
    for id in ids {
        assert!(open_speaker(&Sink::Card(Some(id.clone())), wake.clone()).is_ok(), "{id}");
    }

    pactl(&dir, &["set-default-sink", "twin"]);
    told(&changes, "the default changes", |s| {
        s.first().is_some_and(|d| d.default && d.id.contains("@usb-0:3"))
    });
    pactl(&dir, &["unload-module", &twin]);
    pactl(&dir, &["unload-module", &module]);
    pactl(&dir, &["set-default-sink", "cable"]);
    told(&changes, "as it was", |s| s.len() == 2 && s[0].id == "pulseaudio:cable");
}

#[test]
#[ignore = "run by a_server_that_dies_is_told_and_its_successor_is_found"]
fn trial_the_server_dies() {
    let dir = PathBuf::from(std::env::var_os("XDG_RUNTIME_DIR").unwrap());
    let (sender, changes) = std::sync::mpsc::channel();
    let _watch = DeviceWatch::start(move |present| sender.send(present).unwrap_or(()));
    told(&changes, "what there is", |speakers| speakers.len() == 2);
    let (wake, woken) = waker();
    let mut speaker = open_speaker(&Sink::Card(None), wake.clone()).unwrap();
    let mut microphone = open_microphone(&Source::Card(None), wake.clone()).unwrap();
    std::fs::write(dir.join("begun"), "").unwrap();
    let mut frame = [0; FRAME];
    let end = Instant::now() + Duration::from_secs(30);
    let (mut heard, mut failed) = (None, None);
    while heard.is_none() || failed.is_none() {
        assert!(Instant::now() < end, "{heard:?} {failed:?}");
        woken.recv_timeout(Duration::from_millis(50)).ok();
        while speaker.hungry() {
            speaker.write(&frame);
        }
        failed = speaker.failed();
        heard = heard.or_else(|| microphone.read(&mut frame).err());
    }
    assert!(matches!(open_speaker(&Sink::Card(None), wake.clone()).err(), Some(DeviceError::NoSpeaker)));
    told(&changes, "nothing without a server", <[_]>::is_empty);

    std::fs::remove_file(dir.join("native")).ok();
    let successor = Server::start();
    std::os::unix::fs::symlink(successor.dir.path().join("native"), dir.join("native")).unwrap();
    assert!(open_speaker(&Sink::Card(None), wake.clone()).is_ok());
    assert!(open_microphone(&Source::Card(None), wake).is_ok());
    told(&changes, "the successor's cards", |speakers| speakers.len() == 2);
}

#[test]
#[ignore = "run by without_a_server"]
fn trial_no_server() {
    let (wake, _) = waker();
    assert!(matches!(devices::microphones(), Err(DeviceError::NoMicrophone)));
    assert!(matches!(devices::speakers(), Err(DeviceError::NoSpeaker)));
    let microphone = open_microphone(&Source::Card(None), wake.clone()).err();
    assert!(matches!(microphone, Some(DeviceError::NoMicrophone)), "{microphone:?}");
    let speaker = open_speaker(&Sink::Card(None), wake.clone()).err();
    assert!(matches!(speaker, Some(DeviceError::NoSpeaker)), "{speaker:?}");
    let named = open_speaker(&Sink::Card(Some("pulseaudio:cable".into())), wake).err();
    assert!(matches!(named, Some(DeviceError::NotFound(_))), "{named:?}");
}

const SECONDS: f32 = 3.0;

fn waker() -> (Wake, Receiver<()>) {
    let (sender, woken) = sync_channel(1);
    let wake = move || {
        sender.try_send(()).ok();
    };
    (Arc::new(wake), woken)
}

/// Two tenths of a second of rising tone.
fn chirp() -> Vec<i16> {
    (0..RATE / 5)
        .map(|n| {
            let t = n as f32 / RATE as f32;
            let loud = (t / 0.2 * std::f32::consts::PI).sin();
            (12_000.0 * loud * (TAU * (300.0 * t + 6500.0 * t * t)).sin()) as i16
        })
        .collect()
}

/// Plays silence, then a chirp, and listens all the while. Gives the chirp, everything heard, and the
/// sample of it during which the chirp's first frame was written.
fn chirp_through(speaker: Option<&str>, microphone: Option<&str>) -> (Vec<i16>, Vec<i16>, usize) {
    let (wake, woken) = waker();
    let mut speaker = open_speaker(&Sink::Card(speaker.map(str::to_owned)), wake.clone()).unwrap();
    let mut microphone = open_microphone(&Source::Card(microphone.map(str::to_owned)), wake).unwrap();
    let chirp = chirp();
    let (mut heard, mut frame) = (Vec::new(), [0; FRAME]);
    let (mut frames, mut written_at) = (0, None);
    let begin = Instant::now();
    while heard.len() < (SECONDS * RATE as f32) as usize {
        assert!(begin.elapsed() < Duration::from_secs(20), "only {} samples were heard", heard.len());
        woken.recv_timeout(Duration::from_millis(50)).ok();
        while microphone.read(&mut frame).unwrap() {
            heard.extend_from_slice(&frame);
        }
        while speaker.hungry() {
            let mut out = [0; FRAME];
            if frames >= 100 {
                let from = (frames - 100) * FRAME;
                written_at.get_or_insert(heard.len());
                out.iter_mut().zip(chirp.iter().skip(from)).for_each(|(o, s)| *o = *s);
            }
            speaker.write(&out);
            frames += 1;
        }
        assert!(speaker.failed().is_none());
    }
    (chirp, heard, written_at.unwrap())
}

/// Where `wanted` is in `heard`, and how alike the two are there (1: the same but for loudness).
fn find(wanted: &[i16], heard: &[i16]) -> (usize, f32) {
    let thin = |s: &[i16]| -> Vec<f32> {
        s.chunks_exact(6).map(|c| c.iter().map(|s| f32::from(*s)).sum::<f32>()).collect()
    };
    let (coarse, coarse_heard) = (thin(wanted), thin(heard));
    let near = 6 * best(&coarse, &coarse_heard, 0..coarse_heard.len() - coarse.len()).0;
    let full = |s: &[i16]| -> Vec<f32> { s.iter().map(|s| f32::from(*s)).collect() };
    let last = heard.len() - wanted.len();
    best(&full(wanted), &full(heard), near.saturating_sub(12).min(last)..(near + 12).min(last))
}

fn best(wanted: &[f32], heard: &[f32], lags: std::ops::Range<usize>) -> (usize, f32) {
    let own: f32 = wanted.iter().map(|s| s * s).sum();
    lags.map(|lag| {
        let there = &heard[lag..lag + wanted.len()];
        let (mut both, mut energy) = (0.0, 1.0);
        for (a, b) in wanted.iter().zip(there) {
            (both, energy) = (both + a * b, energy + b * b);
        }
        (lag, both / (own * energy).sqrt())
    })
    .max_by(|a, b| a.1.total_cmp(&b.1))
    .unwrap()
}

/// Processor time used by this process so far.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).map(|n| n.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}
