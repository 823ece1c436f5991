//! Cards come, go, change and are renamed under a running call, on a real sound server. The server is found
//! through the environment, which belongs to the whole process, so the trial runs in a process of its own.

use std::f32::consts::TAU;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Run, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use devices::{FRAME, RATE, Sink, Source, Wake, open_microphone, open_speaker};
use phone::{AudioConfig, CallState, Command, Config, DeviceNews, DeviceRole, Event, Processing, Start};
use tokio::time::timeout;

use crate::bench::{Bench, Running};
use crate::sound::{Talker, level};

const PATIENCE: Duration = Duration::from_secs(60);
/// What the other end says, and what is said into each of our microphones.
pub const THEIRS: f32 = 500.0;
const OURS: [f32; 2] = [700.0, 900.0];

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
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

fn pactl(args: &[&str]) -> String {
    let output = Run::new("pactl").args(args).output().expect("pactl is installed");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Runs an ignored test, by its whole name, beside a sound server with sinks of these names and rates. What is
/// played into the first is what the default microphone hears; the last is the default speaker.
pub fn beside_a_sound_server(sinks: &[(&str, u32)], trial: &str) {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("test.pa");
    let (mouth, ear) = (sinks[0].0, sinks[sinks.len() - 1].0);
    let socket = dir.path().join("native").display().to_string();
    let mut lines = format!("load-module module-native-protocol-unix socket={socket} auth-anonymous=1\n");
    for (sink, rate) in sinks {
        lines += &format!("load-module module-null-sink sink_name={sink} rate={rate}\n");
    }
    lines += &format!("set-default-sink {ear}\nset-default-source {mouth}.monitor\n");
    std::fs::write(&config, lines).unwrap();
    let server = Run::new("pulseaudio")
        .args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes"])
        .args(["--high-priority=no", "--realtime=no", "--log-target=stderr", "--log-level=error", "-F"])
        .arg(&config)
        .envs(environment(dir.path()))
        .stdout(Stdio::null())
        .spawn()
        .expect("pulseaudio is installed");
    let _server = Server(server);
    let end = Instant::now() + PATIENCE;
    let ready = || {
        let ask = Run::new("pactl").arg("get-default-source").envs(environment(dir.path())).output();
        ask.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).contains(&format!("{mouth}.monitor")))
    };
    while !ready() {
        assert!(Instant::now() < end, "pulseaudio does not answer");
        std::thread::sleep(Duration::from_millis(50));
    }
    let status = Run::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", trial, "--nocapture"])
        .envs(environment(dir.path()))
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn devices_change_under_a_call() {
    let sinks = [("mouth", 48_000), ("throat", 44_100), ("laptop", 48_000)];
    beside_a_sound_server(&sinks, "plugging::trial_devices_change_under_a_call");
}

/// A sink that looks like one and the same USB headset, whatever it is called.
fn plug_headset(sink: &str, rate: u32, channels: u32, name: &str) -> String {
    let properties = format!(
        "sink_properties=\"device.bus=usb device.vendor.id=0b0e device.product.id=2457 device.serial=SN1 \
         device.profile.name=output device.form_factor=headset device.description='{name}'\""
    );
    let [sink, rate, channels] =
        [format!("sink_name={sink}"), format!("rate={rate}"), format!("channels={channels}")];
    pactl(&["load-module", "module-null-sink", &sink, &rate, &channels, &properties])
}

fn waker() -> (Wake, std::sync::mpsc::Receiver<()>) {
    let (sender, woken) = sync_channel(1);
    (Arc::new(move || sender.try_send(()).unwrap_or(())), woken)
}

/// Says a tone into a virtual microphone until told to stop.
pub fn say(sink: &'static str, hz: f32, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let (wake, woken) = waker();
        let mut speaker = open_speaker(&Sink::Card(Some(format!("pulseaudio:{sink}"))), wake).unwrap();
        let mut said = 0;
        while !stop.load(Ordering::SeqCst) {
            woken.recv_timeout(Duration::from_millis(20)).ok();
            while speaker.hungry() {
                let tone = |n: usize| {
                    (6000.0 * (TAU * hz * ((said + n) % RATE as usize) as f32 / RATE as f32).sin()) as i16
                };
                speaker.write(&std::array::from_fn(tone));
                said += FRAME;
            }
        }
    })
}

/// Waits until the other end is heard at a sink.
pub fn heard_at(sink: &str) {
    let (wake, woken) = waker();
    let monitor = Source::Card(Some(format!("pulseaudio:{sink}.monitor")));
    let mut microphone = open_microphone(&monitor, wake).unwrap();
    let (begin, mut last) = (Instant::now(), Vec::new());
    let mut frame = [0; FRAME];
    loop {
        assert!(begin.elapsed() < PATIENCE, "nothing is heard at {sink}: {}", level(&last, THEIRS));
        woken.recv_timeout(Duration::from_millis(50)).ok();
        while microphone.read(&mut frame).unwrap() {
            last.extend_from_slice(&frame);
        }
        last.drain(..last.len().saturating_sub(RATE as usize / 5));
        if last.len() == RATE as usize / 5 && level(&last, THEIRS) > 0.3 {
            return;
        }
    }
}

async fn changed(phone: &mut Running, what: &str, role: DeviceRole, name: &str) -> DeviceNews {
    let wanted = |event: &Event| match event {
        Event::DeviceChanged { news } if news.role == role && news.name == name => Some(news.clone()),
        _ => None,
    };
    let begin = Instant::now();
    let news = until(phone, what, wanted).await;
    println!("{what}: after {} ms, {} ms without sound", begin.elapsed().as_millis(), news.gap_ms);
    news
}

/// As [`Running::until`], with more patience: a sound server on a busy machine takes its time.
pub async fn until<T>(phone: &mut Running, what: &str, wanted: impl Fn(&Event) -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = wanted(&phone.events.recv().await.unwrap()) {
                return found;
            }
        }
    };
    timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

async fn listed(phone: &mut Running, name: &str) -> String {
    let wanted = |event: &Event| match event {
        Event::Audio { view } => {
            let mut all = view.speaker.order.iter().chain(&view.speaker.others).filter(|device| device.here);
            all.find(|device| device.name == name).map(|device| device.id.clone())
        }
        _ => None,
    };
    until(phone, name, wanted).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by devices_change_under_a_call beside its server"]
async fn trial_devices_change_under_a_call() {
    let stop = Arc::new(AtomicBool::new(false));
    let mouths = [say("mouth", OURS[0], stop.clone()), say("throat", OURS[1], stop.clone())];
    let bench = Bench::new(demo_pbx::Config::default()).await;
    let mut bob = Talker::start(&bench, "102", THEIRS).await;
    let data_dir = bench.dir.path().join("alice");
    // A tone that goes on and on is noise to who removes that.
    let audio = AudioConfig { processing: Processing::Off, ..AudioConfig::default() };
    let mut alice =
        bench.phone_with(Config { audio, data_dir: data_dir.clone(), start: Start::None, ..bench.config() });
    alice.send(bench.extension("101"));
    alice.registered().await;
    bob.running.dial("101");
    let call = alice.call("the call", |state| matches!(state, CallState::Incoming)).await.id;
    alice.send(Command::Answer { call });
    alice.call("talking", |state| matches!(state, CallState::Active { .. })).await;
    heard_at("laptop");
    bob.until_hears("the system's microphone", &OURS, &[true, false]).await;

    let module = plug_headset("first", 16_000, 1, "Jabra — Ж");
    let headset = listed(&mut alice, "Jabra — Ж").await;
    alice.send(Command::UseDevice { role: DeviceRole::Speaker, id: Some(headset.clone()) });
    let news = changed(&mut alice, "a headset is chosen", DeviceRole::Speaker, "Jabra — Ж").await;
    assert!(!news.unplugged && news.instead_of.is_some());
    heard_at("first");

    pactl(&["unload-module", &module]);
    let news = changed(&mut alice, "the headset is unplugged", DeviceRole::Speaker, "Null Output").await;
    assert!(news.unplugged, "{news:?}");
    assert_eq!(news.instead_of.as_deref(), Some("Jabra — Ж"));
    heard_at("laptop");

    let module = plug_headset("second", 44_100, 8, "Renamed");
    let news =
        changed(&mut alice, "it is back: renamed, 8 channels, 44.1 kHz", DeviceRole::Speaker, "Renamed")
            .await;
    assert!(!news.unplugged, "{news:?}");
    heard_at("second");

    pactl(&["set-default-source", "throat.monitor"]);
    bob.until_hears("the microphone follows the system's default", &OURS, &[false, true]).await;

    alice.send(Command::UseDevice { role: DeviceRole::Speaker, id: None });
    heard_at("laptop");
    pactl(&["set-default-sink", "second"]);
    heard_at("second");
    pactl(&["unload-module", &module]);
    // Which one is the default after it the server would choose by itself.
    pactl(&["set-default-sink", "laptop"]);
    heard_at("laptop");
    bob.until_hears("and still", &OURS, &[false, true]).await;

    alice.send(Command::HangUp { call });
    alice.ended().await;
    bob.running.ended().await;
    stop.store(true, Ordering::SeqCst);
    mouths.into_iter().for_each(|mouth| mouth.join().unwrap());
    let kept = phone::Settings::load(&data_dir).unwrap();
    assert_ne!(kept.devices, devices::PlaceBook::default(), "what was chosen is kept for this place");
}
