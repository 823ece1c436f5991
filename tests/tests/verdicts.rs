//! Why somebody cannot hear: the verdict of our phone while baresip is at the other end, through Kamailio, and a
//! packet filter between them takes voices away.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use system_tests::{Baresip, Cli, Kamailio, Network, Process, Session, Speech, Voice};

const SOON: Duration = Duration::from_secs(60);

/// Our phone, baresip that speaks, Kamailio and a filter between them.
struct Trial {
    network: Network,
    session: Session,
    kamailio: Kamailio,
    baresip: Option<Baresip>,
}

impl Trial {
    fn new() -> Self {
        let network = Network::new(2);
        let kamailio = Kamailio::at(&network.hub(), network.pbx());
        let trial = Self { network, session: Session::bare(), kamailio, baresip: None };
        trial.nft("add table ip guard");
        trial.nft("add chain ip guard way { type filter hook forward priority 0; }");
        trial
    }

    fn nft(&self, rule: &str) {
        let mut command = self.network.hub().command("nft");
        command.arg(rule);
        Process::run("nft", command);
    }

    /// Drops RTP of this phone, and lets its RTCP through, which has odd ports.
    fn drop_voice_of(&self, phone: usize) {
        let from = self.network.phone(phone).1;
        self.nft(&format!(
            "add rule ip guard way ip saddr {from} udp dport 1024-65535 udp dport & 1 == 0 udp dport != 5060 \
             udp sport != 5060 drop"
        ));
    }

    /// A call of ours to baresip that says what is in `say`; baresip speaks.
    fn call(&mut self, say: &str) -> Cli {
        let place = &self.network.phone(1).0;
        let account = self.kamailio.account("1002", "udp");
        let speech = Speech::spoken(Voice::Second, 8_000);
        self.baresip = Some(Baresip::start(place, &account, "PCMU", &speech));
        let account = self.kamailio.account("1001", "udp");
        let record = self.session.path("heard.wav").display().to_string();
        let arguments = ["call", "1002", "--codec", "PCMU", "--play", say, "--record", &record];
        let mut cli = Cli::with_account(&self.session, &self.network.phone(0).0, &account, &arguments);
        cli.wait_for("answered", SOON);
        cli
    }
}

fn speech() -> String {
    Speech::spoken(Voice::First, 16_000).display().to_string()
}

fn until(cli: &mut Cli, verdict: &str) {
    cli.wait_until(&format!("the verdict {verdict}"), SOON, |event| {
        event.name == "verdict" && event.text("verdict") == verdict
    });
}

#[test]
fn a_voice_that_is_kept_out_is_told_and_that_ours_arrives_too() {
    let mut trial = Trial::new();
    trial.drop_voice_of(1);
    let mut cli = trial.call(&speech());
    until(&mut cli, "nothingArrived");
    // Its RTCP tells that it hears us.
    until(&mut cli, "blockedInward");
    trial.nft("flush chain ip guard way");
    until(&mut cli, "");
}

#[test]
fn that_nothing_of_ours_arrives_there_is_told() {
    let mut trial = Trial::new();
    trial.drop_voice_of(0);
    let mut cli = trial.call(&speech());
    until(&mut cli, "notHeardThere");
}

#[test]
fn a_silent_microphone_is_told() {
    let mut trial = Trial::new();
    let silence = trial.session.path("silence.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&silence, spec).unwrap();
    (0..8_000).for_each(|_| writer.write_sample(0_i16).unwrap());
    writer.finalize().unwrap();
    let mut cli = trial.call(&silence.display().to_string());
    until(&mut cli, "microphoneSilent");
}
