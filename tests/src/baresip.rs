//! baresip as the other phone: speaks a WAV file, records what it heard, driven by its standard input.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::{Place, Process, Session, SipAccount, Speech};

/// A running, registered baresip. It refuses loopback, so it needs a namespace with an address.
pub struct Baresip {
    process: Process,
    registered_at: Instant,
    dir: TempDir,
}

impl Baresip {
    /// What the jitter buffer of its own template holds, packets.
    pub const TEMPLATE: &str = "5-10";

    /// Starts it with one account, one codec (`opus`, `G722`, `PCMU` or `PCMA`) and `speech` for a microphone, a WAV at
    /// the codec's rate, and waits until it is registered. It answers every call by itself.
    pub fn start(place: &Place, account: &SipAccount, codec: &str, speech: &Path) -> Self {
        Self::trusting(place, account, codec, speech, None)
    }

    /// The same, with the certificate of an authority to check the server's by, over TLS.
    pub fn trusting(
        place: &Place,
        account: &SipAccount,
        codec: &str,
        speech: &Path,
        authority: Option<&Path>,
    ) -> Self {
        Self::with(place, account, codec, speech, authority, "")
    }

    /// The same, with its media encrypted: `srtp` (offered beside plain RTP), `srtp-mand` or `dtls_srtp`.
    pub fn encrypting(
        place: &Place,
        account: &SipAccount,
        codec: &str,
        speech: &Path,
        encryption: &str,
    ) -> Self {
        Self::with(place, account, codec, speech, None, encryption)
    }

    fn with(
        place: &Place,
        account: &SipAccount,
        codec: &str,
        speech: &Path,
        authority: Option<&Path>,
        encryption: &str,
    ) -> Self {
        let source = format!("aufile,{}", speech.display());
        let wiring = Wiring { source: &source, player: NOWHERE, buffer: Self::TEMPLATE, encryption };
        Self::wired(place.command("baresip"), account, codec, &wiring, authority)
    }

    /// Starts it at a session's sound server: it either speaks what the microphone hears, or plays what it is told.
    /// `buffer` is what its jitter buffer holds, least and most, in packets.
    pub fn at_cable(
        session: &Session,
        place: &Place,
        account: &SipAccount,
        codec: &str,
        side: Side,
        buffer: &str,
    ) -> Self {
        let silence = format!("aufile,{}", Speech::silence().display());
        let source = if side == Side::Speaks { "alsa,pulse" } else { &silence };
        let wiring = Wiring { source, player: "alsa,pulse", buffer, encryption: "" };
        Self::wired(session.command_at(place, "baresip"), account, codec, &wiring, None)
    }

    fn wired(
        mut command: Command,
        account: &SipAccount,
        codec: &str,
        wiring: &Wiring<'_>,
        authority: Option<&Path>,
    ) -> Self {
        let dir = TempDir::with_prefix("carillon-baresip-").unwrap();
        let codecs = match codec {
            "opus" => "opus/48000/1".to_owned(),
            "G722" => "G722/16000/1".to_owned(),
            narrow => format!("{narrow}/8000/1"),
        };
        let SipAccount { user, domain, proxy, transport, password } = account;
        let encrypts = match wiring.encryption {
            "" => String::new(),
            encryption => format!("mediaenc={encryption};"),
        };
        fs::write(
            dir.path().join("accounts"),
            format!(
                "<sip:{user}@{domain}>;auth_user={user};auth_pass={password};regint=600;answermode=auto;\
                 audio_codecs={codecs};{encrypts}outbound=\"sip:{proxy};transport={transport}\"\n"
            ),
        )
        .unwrap();
        fs::write(dir.path().join("contacts"), "").unwrap();
        let config = CONFIG
            .replace("@SOURCE@", wiring.source)
            .replace("@PLAYER@", wiring.player)
            .replace("@BUFFER@", wiring.buffer)
            // With a module for cards it insists on one to play on.
            .replace("@CARDS@", if wiring.player == NOWHERE { "" } else { "module alsa.so" })
            .replace("@DIR@", &dir.path().display().to_string());
        let authority = authority.map(|file| format!("sip_cafile {}\n", file.display())).unwrap_or_default();
        let modules = match wiring.encryption {
            "" => "",
            "dtls_srtp" => "module dtls_srtp.so\nrtcp_mux yes\n",
            _ => "module srtp.so\n",
        };
        fs::write(dir.path().join("config"), config + modules + &authority).unwrap();
        command.arg("-f").arg(dir.path());
        let mut process = Process::start_voice("baresip", command);
        let registered_at = process.wait_for("its registration", Duration::from_secs(20), |l| {
            l.text.contains("200 OK").then_some(l.at)
        });
        Self { process, registered_at, dir }
    }

    /// Calls `target`.
    pub fn dial(&mut self, target: &str) {
        self.process.type_line(&format!("/dial sip:{target}"));
    }

    /// Hangs up.
    pub fn hang_up(&mut self) {
        self.process.type_line("/hangup");
    }

    /// Waits until it is called, and says when that was.
    pub fn wait_incoming(&mut self) -> Instant {
        // It answers by itself, so this is the line with which it says that it is called.
        self.process.wait_for("a call", LIMIT, |l| l.text.contains("answering call").then_some(l.at))
    }

    /// Waits until the other phone rings.
    pub fn wait_ringing(&mut self) {
        self.wait("180 Ringing");
    }

    /// When it said that it is registered.
    pub fn registered_at(&self) -> Instant {
        self.registered_at
    }

    /// Waits until a call is answered, and says when that was.
    pub fn wait_established(&mut self) -> Instant {
        let words = "Call established";
        self.process.wait_for(words, LIMIT, |l| l.text.contains(words).then_some(l.at))
    }

    /// Waits until the other end has pressed a digit.
    pub fn wait_digit(&mut self, digit: char) {
        self.wait(&format!("event: '{digit}'"));
    }

    /// Waits until the call is over.
    pub fn wait_closed(&mut self) {
        let over = ["session closed", "terminated (duration"];
        self.process
            .wait_for("the call's end", LIMIT, |l| over.iter().any(|o| l.text.contains(o)).then_some(()));
    }

    /// What it printed last, for the message of a failing test.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Ends it and gives the WAV of what it heard: the decoded voice, as it would have gone to the speaker.
    /// Sample 0 is the moment its decoder started.
    pub fn into_recording(mut self) -> Recording {
        self.process.signal(Signal::TERM);
        self.process.wait_exit(Duration::from_secs(10));
        let files = fs::read_dir(self.dir.path()).unwrap().filter_map(Result::ok).map(|e| e.path());
        let found = files.into_iter().find(|p| p.to_string_lossy().ends_with("-dec.wav"));
        let path = found.unwrap_or_else(|| panic!("baresip recorded nothing\n{}", self.process.log()));
        Recording { path, _dir: self.dir }
    }

    fn wait(&mut self, words: &str) {
        self.process.wait_for(words, LIMIT, |l| l.text.contains(words).then_some(()));
    }
}

/// Where its voice comes from and goes to, and what its jitter buffer holds.
struct Wiring<'a> {
    source: &'a str,
    player: &'a str,
    buffer: &'a str,
    encryption: &'a str,
}

/// A player that is not there: it plays to nobody.
const NOWHERE: &str = "none,none";

/// What a phone at a cable does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It says what the microphone hears.
    Speaks,
    /// It plays what it is told.
    Listens,
}

const LIMIT: Duration = Duration::from_secs(30);

/// What baresip heard; the file goes with it.
pub struct Recording {
    /// The WAV file.
    pub path: PathBuf,
    _dir: TempDir,
}

const CONFIG: &str = "\
poll_method epoll
call_local_timeout 120
call_max_calls 4
audio_source @SOURCE@
audio_player @PLAYER@
audio_alert none,none
audio_level no
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
audio_buffer 20-160
jitter_buffer_delay @BUFFER@
opus_stereo no
opus_sprop_stereo no
snd_path @DIR@
module_path /usr/lib/baresip/modules
module stdio.so
module g711.so
module g722.so
module opus.so
module aufile.so
@CARDS@
module sndfile.so
module_tmp account.so
module_app menu.so
";
