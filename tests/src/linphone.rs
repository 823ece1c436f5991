//! linphonec as the other phone, driven by its standard input. It answers every call by itself.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use tempfile::TempDir;

use crate::{Line, Place, Process, Session, SipAccount};

/// A running, registered linphonec, in a namespace of its own.
pub struct Linphone {
    process: Process,
    dir: TempDir,
}

impl Linphone {
    /// Starts it with one account and waits until it is registered.
    pub fn start(place: &Place, account: &SipAccount) -> Self {
        Self::trusting(place, account, None)
    }

    /// The same, with the certificate of an authority to check the server's by, over TLS. It cannot find an address in
    /// a certificate, so that is not checked.
    pub fn trusting(place: &Place, account: &SipAccount, authority: Option<&Path>) -> Self {
        Self::encrypting(place, account, authority, "none")
    }

    /// The same, with its media encrypted: `srtp`, `dtls` or `none`.
    pub fn encrypting(
        place: &Place,
        account: &SipAccount,
        authority: Option<&Path>,
        encryption: &str,
    ) -> Self {
        let mut linphone = Self::open(place.command("stdbuf"), account, authority, encryption);
        linphone.process.type_line("soundcard use files");
        linphone.registered()
    }

    /// Starts it at a session's sound server.
    pub fn at_cable(session: &Session, place: &Place, account: &SipAccount) -> Self {
        Self::open(session.command_at(place, "stdbuf"), account, None, "none").registered()
    }

    fn open(mut command: Command, account: &SipAccount, authority: Option<&Path>, encryption: &str) -> Self {
        let dir = TempDir::with_prefix("carillon-linphone-").unwrap();
        fs::create_dir_all(dir.path().join(".local/share/linphone")).unwrap();
        let SipAccount { user, domain, proxy, transport, password } = account;
        let config = CONFIG
            .replace("@USER@", user)
            .replace("@DOMAIN@", domain)
            .replace("@PROXY@", &format!("<sip:{proxy};transport={transport}>"))
            .replace("@PASSWORD@", password)
            .replace("@ENCRYPTION@", encryption)
            .replace("@CA@", &authority.map(|file| file.display().to_string()).unwrap_or_default())
            .replace("@DIR@", &dir.path().display().to_string());
        let file = dir.path().join("linphonerc");
        fs::write(&file, config).unwrap();
        // Into a pipe it would print late.
        let log = dir.path().join("log");
        command
            .args(["-oL", "linphonec", "-a", "-S", "-d", "6", "-l"])
            .arg(&log)
            .arg("-c")
            .arg(file)
            .env("TZ", "UTC");
        command.env("HOME", dir.path()).env_remove("XDG_CONFIG_HOME").env_remove("XDG_DATA_HOME");
        Self { process: Process::start_voice("linphonec", command), dir }
    }

    fn registered(mut self) -> Self {
        // It does not say when, only whether.
        let deadline = Instant::now() + LIMIT;
        loop {
            self.process.type_line("status register");
            let registered = |l: &Line| l.text.contains("registered, identity").then_some(());
            if self.process.look_for(Duration::from_millis(100), registered).is_ok() {
                return self;
            }
            assert!(Instant::now() < deadline, "linphonec does not register\n{}", self.process.log());
        }
    }

    /// Calls `target`.
    pub fn dial(&mut self, target: &str) {
        self.process.type_line(&format!("call sip:{target}"));
    }

    /// Types a command of its own.
    pub fn command(&mut self, line: &str) {
        self.process.type_line(line);
    }

    /// Leaves it this codec alone.
    pub fn only_codec(&mut self, codec: &str) {
        self.process.type_line("codec list");
        // " 0: opus (48000) enabled"; the list has an end, but no line says so.
        self.process.type_line("status register");
        let mut kept = false;
        loop {
            let line = self.wait_line("its codecs", |text| {
                (text.contains(" enabled")
                    || text.contains(" disabled")
                    || text.contains("registered, identity"))
                .then(|| text.to_owned())
            });
            let Some((number, name)) = line.trim().split_once(": ").filter(|(n, _)| n.parse::<u8>().is_ok())
            else {
                assert!(kept, "linphonec does not know {codec}\n{}", self.process.log());
                return;
            };
            let wanted = name.split(' ').next().is_some_and(|name| name.eq_ignore_ascii_case(codec));
            kept |= wanted;
            self.process.type_line(&format!("codec {} {number}", if wanted { "enable" } else { "disable" }));
        }
    }

    /// Ends it and waits until it has gone.
    pub fn quit(&mut self) {
        self.process.type_line("quit");
        self.process.wait_exit(LIMIT);
    }

    /// Ends all its calls.
    pub fn hang_up(&mut self) {
        self.process.type_line("terminate all");
    }

    /// Waits until it says this, and says when that was.
    pub fn wait(&mut self, words: &str) -> Instant {
        self.process.wait_for(words, LIMIT, |l| l.text.contains(words).then_some(l.at))
    }

    fn wait_line<T>(&mut self, what: &str, wanted: impl Fn(&str) -> Option<T>) -> T {
        self.process.wait_for(what, LIMIT, |line| wanted(&line.text))
    }

    /// When it was registered, as its log says.
    pub fn registered_at(&self) -> Instant {
        let log = fs::read_to_string(self.dir.path().join("log")).unwrap();
        let line = log.lines().find(|line| line.contains("Register refresher [200]"));
        let line = line.expect("its log tells of the registration");
        // "2026-11-22 07:35:34:199 liblinphone-message-..."
        let fields = line.split_whitespace().nth(1).unwrap().split(':').map(|n| n.parse::<u64>().unwrap());
        let fields: Vec<u64> = fields.collect();
        let then = ((fields[0] * 60 + fields[1]) * 60 + fields[2]) * 1000 + fields[3];
        let now =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64 % DAY_MS;
        Instant::now() - Duration::from_millis((now + DAY_MS - then) % DAY_MS)
    }

    /// What it printed last, for the message of a failing test.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

const LIMIT: Duration = Duration::from_secs(30);
const DAY_MS: u64 = 24 * 3600 * 1000;

const CONFIG: &str = "\
[sip]
root_ca=@CA@
verify_server_cn=0
sip_port=-1
sip_tcp_port=-1
sip_tls_port=-1
default_proxy=0
register_only_when_network_is_up=1
use_ipv6=0
media_encryption=@ENCRYPTION@
[audio_codec_0]
mime=opus
rate=48000
channels=2
enabled=1
[audio_codec_1]
mime=G722
rate=8000
channels=1
enabled=1
[audio_codec_2]
mime=PCMU
rate=8000
channels=1
enabled=1
[audio_codec_3]
mime=PCMA
rate=8000
channels=1
enabled=1
[rtp]
audio_rtp_port=7078
[sound]
playback_dev_id=PulseAudio Unknown: Speaker
capture_dev_id=PulseAudio Unknown: Microphone
echocancellation=0
[video]
display=0
capture=0
[auth_info_0]
username=@USER@
passwd=@PASSWORD@
domain=@DOMAIN@
[proxy_0]
reg_proxy=@PROXY@
reg_route=@PROXY@
reg_identity=sip:@USER@@@DOMAIN@
reg_expires=600
reg_sendregister=1
publish=0
[misc]
file_transfer_server_url=
[storage]
uri=@DIR@/linphone.db
";
