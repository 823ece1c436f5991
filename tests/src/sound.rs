//! A real PulseAudio with virtual cables: a microphone to speak into and a speaker to listen to.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hound::{WavReader, WavWriter};
use rustix::process::Signal;

use crate::{Process, Session, Speech};

impl Session {
    /// With a sound server whose default microphone hears what is spoken into `mouth`, and whose default
    /// speaker can be listened to. Both are sides of one stereo cable, so that they share a clock.
    pub fn with_sound(self) -> Self {
        self.with_cables(CABLES)
    }

    /// With a sound server that has a speaker but no microphone.
    pub fn with_speaker_only(self) -> Self {
        self.with_cables(SPEAKER_ONLY)
    }

    /// With a sound server that has a microphone, in which something hums, but no speaker.
    pub fn with_microphone_only(self) -> Self {
        self.with_cables(MICROPHONE_ONLY)
    }

    /// The sound server's process id.
    pub fn sound_server(&self) -> u32 {
        self.service("pulseaudio").pid()
    }

    fn with_cables(mut self, cables: &str) -> Self {
        let runtime = self.path("run").join("pulse");
        fs::create_dir(&runtime).unwrap();
        let socket = runtime.join("native");
        let script = self.path("cables.pa");
        fs::write(&script, cables.replace("@SOCKET@", &socket.display().to_string())).unwrap();
        self.set("PULSE_SERVER", format!("unix:{}", socket.display()));
        let mut command = self.command("pulseaudio");
        command.args([
            "-n",
            "--daemonize=no",
            "--exit-idle-time=-1",
            "--use-pid-file=no",
            "--disable-shm=yes",
        ]);
        command.args([
            "--high-priority=no",
            "--realtime=no",
            "--log-target=stderr",
            "--log-level=notice",
            "-F",
        ]);
        command.arg(script);
        let process = Process::start("pulseaudio", command);
        self.serve(process);
        let mut ready = self.command("pactl");
        ready.arg("info");
        for _ in 0..200 {
            if ready.output().is_ok_and(|out| out.status.success()) {
                return self;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("PulseAudio did not come up");
    }

    /// Speaks a WAV file into the microphone.
    pub fn speak(&self, speech: &Path) -> Process {
        let mut command = self.command("paplay");
        command.arg("--device=mouth").arg(speech);
        Process::start("paplay", command)
    }

    /// Somebody hums into the microphone, from now on.
    pub fn hum(&self) -> Process {
        let humming = self.speak(&Speech::humming());
        // A microphone may take a while until it hears what is spoken into it.
        let mut ear = self.command("timeout");
        ear.args([
            "1",
            "parec",
            "--device=microphone",
            "--format=s16le",
            "--channels=1",
            "--latency-msec=20",
        ]);
        for _ in 0..60 {
            let heard = ear.output().unwrap().stdout;
            if heard.iter().any(|byte| *byte != 0) {
                return humming;
            }
        }
        panic!("nobody hums\n{}", humming.log());
    }

    /// Listens to what is spoken and to what the speaker plays, from now on.
    pub fn listen(&self) -> Listening {
        let both = self.path("both.wav");
        let mut command = self.command("parec");
        command.args(["--device=cable.monitor", "--format=s16le", "--rate=48000", "--channels=2"]);
        command.args(["--latency-msec=20", "--file-format=wav"]).arg(&both);
        let process = Process::start("parec", command);
        let mut outputs = self.command("pactl");
        outputs.args(["list", "short", "source-outputs"]);
        // The remapped microphone listens to the cable too; a recording names its sample format.
        for _ in 0..200 {
            if outputs.output().is_ok_and(|out| String::from_utf8_lossy(&out.stdout).contains("s16le 2ch")) {
                return Listening { process, both, dir: self.path("") };
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("parec does not record\n{}", process.log());
    }
}

/// A running recording of the cable.
pub struct Listening {
    process: Process,
    both: PathBuf,
    dir: PathBuf,
}

impl Listening {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Ends the recording and gives two WAV files on one clock: what was spoken, and what the speaker played.
    pub fn stop(mut self) -> (PathBuf, PathBuf) {
        self.process.signal(Signal::TERM);
        self.process.wait_exit(Duration::from_secs(10));
        let mut reader =
            WavReader::open(&self.both).unwrap_or_else(|e| panic!("{}: {e}", self.both.display()));
        let spec = hound::WavSpec { channels: 1, ..reader.spec() };
        let (mouth, ear) = (self.dir.join("mouth.wav"), self.dir.join("ear.wav"));
        let mut sides = [WavWriter::create(&mouth, spec).unwrap(), WavWriter::create(&ear, spec).unwrap()];
        for (n, sample) in reader.samples::<i16>().map_while(Result::ok).enumerate() {
            sides[n % 2].write_sample(sample).unwrap();
        }
        for side in sides {
            side.finalize().unwrap();
        }
        (mouth, ear)
    }
}

const CABLES: &str = "\
load-module module-native-protocol-unix socket=@SOCKET@ auth-anonymous=1
load-module module-null-sink sink_name=cable rate=48000 channels=2 channel_map=front-left,front-right format=s16le
load-module module-remap-sink sink_name=mouth master=cable channels=1 master_channel_map=front-left \
channel_map=mono remix=no
load-module module-remap-sink sink_name=speaker master=cable channels=1 master_channel_map=front-right \
channel_map=mono remix=no \
sink_properties=\"device.description=Speaker device.form_factor=headset\"
load-module module-remap-source source_name=microphone master=cable.monitor channels=1 \
master_channel_map=front-left channel_map=mono remix=no source_properties=device.description=Microphone
set-default-sink speaker
set-default-source microphone
";

/// A null sink brings its monitor, which is a source; a sink without one is a pipe nobody has to read.
const SPEAKER_ONLY: &str = "\
load-module module-native-protocol-unix socket=@SOCKET@ auth-anonymous=1
load-module module-null-sink sink_name=speaker rate=48000 channels=1
set-default-sink speaker
";

const MICROPHONE_ONLY: &str = "\
load-module module-native-protocol-unix socket=@SOCKET@ auth-anonymous=1
load-module module-sine-source source_name=microphone frequency=300
set-default-source microphone
";
