//! linphonec as the other phone, driven by its standard input. It answers every call by itself.

use std::fs;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{Line, Place, Process, SipAccount};

/// A running, registered linphonec, in a namespace of its own.
pub struct Linphone {
    process: Process,
    _dir: TempDir,
}

impl Linphone {
    /// Starts it with one account and waits until it is registered.
    pub fn start(place: &Place, account: &SipAccount) -> Self {
        let dir = TempDir::with_prefix("carillon-linphone-").unwrap();
        fs::create_dir_all(dir.path().join(".local/share/linphone")).unwrap();
        let SipAccount { user, domain, proxy, transport, password } = account;
        let config = CONFIG
            .replace("@USER@", user)
            .replace("@DOMAIN@", domain)
            .replace("@PROXY@", &format!("<sip:{proxy};transport={transport}>"))
            .replace("@PASSWORD@", password)
            .replace("@DIR@", &dir.path().display().to_string());
        let file = dir.path().join("linphonerc");
        fs::write(&file, config).unwrap();
        // Into a pipe it would print late.
        let mut command = place.command("stdbuf");
        command.args(["-oL", "linphonec", "-a", "-S", "-c"]).arg(file);
        command.env("HOME", dir.path()).env_remove("XDG_CONFIG_HOME").env_remove("XDG_DATA_HOME");
        let mut process = Process::start("linphonec", command);
        process.type_line("soundcard use files");
        // It does not say when, only whether.
        let deadline = Instant::now() + LIMIT;
        loop {
            process.type_line("status register");
            let registered = |l: &Line| l.text.contains("registered, identity").then_some(());
            if process.look_for(Duration::from_millis(100), registered).is_ok() {
                return Self { process, _dir: dir };
            }
            assert!(Instant::now() < deadline, "linphonec does not register\n{}", process.log());
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

    /// Ends all its calls.
    pub fn hang_up(&mut self) {
        self.process.type_line("terminate all");
    }

    /// Waits until it says this.
    pub fn wait(&mut self, words: &str) {
        self.process.wait_for(words, LIMIT, |l| l.text.contains(words).then_some(()));
    }

    /// What it printed last, for the message of a failing test.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

const LIMIT: Duration = Duration::from_secs(30);

const CONFIG: &str = "\
[sip]
sip_port=-1
sip_tcp_port=-1
sip_tls_port=-1
default_proxy=0
register_only_when_network_is_up=1
use_ipv6=0
[rtp]
audio_rtp_port=7078
[sound]
playback_dev_id=
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
