//! A call in one codec with a phone or PBX we did not write, judged by what each side heard.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use crate::{
    Asterisk, Baresip, Cli, Kamailio, Linphone, Network, Score, Session, SipAccount, Speech, Voice, score,
};

/// The other side of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodecPeer {
    /// baresip, which calls.
    Baresip,
    /// linphonec, which is called.
    Linphone,
    /// Asterisk, which is called, decodes and encodes.
    Asterisk,
}

impl fmt::Display for CodecPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

const SOON: Duration = Duration::from_secs(60);
/// A second of silence, eight of speech, and a little.
const TALK_S: f64 = 10.5;

/// Calls with `codec` (`opus`, `G722`, `PCMU`, `PCMA`), both sides speaking at once: what the peer heard of us, and we
/// of the peer.
pub fn codec_call(peer: CodecPeer, codec: &str) -> (Score, Score) {
    let network = Network::new(2);
    let scene = Scene { network: &network, session: Session::bare(), codec };
    let heard = match peer {
        CodecPeer::Baresip => scene.with_baresip(),
        CodecPeer::Linphone => scene.with_linphone(),
        CodecPeer::Asterisk => scene.with_asterisk(),
    };
    (heard, score(&Speech::reference(Voice::Second), &scene.session.path("heard.wav")))
}

struct Scene<'a> {
    network: &'a Network,
    session: Session,
    codec: &'a str,
}

impl Scene<'_> {
    fn cli(&self, account: &SipAccount, verb: &[&str]) -> Cli {
        let (say, hear) = (Speech::spoken(Voice::First, 16_000), self.session.path("heard.wav"));
        let (say, hear) = (say.display().to_string(), hear.display().to_string());
        let mut arguments = verb.to_vec();
        arguments.extend(["--play", &say, "--record", &hear, "--codec", self.codec]);
        Cli::with_account(&self.session, &self.network.phone(0).0, account, &arguments)
    }

    /// Calls, talks and hangs up.
    fn calls(&self, account: &SipAccount, target: &str) -> Cli {
        let mut cli = self.cli(account, &["call", target, "--duration", &TALK_S.to_string()]);
        assert_eq!(cli.wait_for("answered", SOON).text("codec"), self.codec);
        cli.wait_for("ended", SOON);
        cli.assert_exit(0, SOON);
        self.assert_whole(&cli);
        cli
    }

    fn assert_whole(&self, cli: &Cli) {
        let media = cli.events("media");
        let last = media.last().unwrap_or_else(|| panic!("no media event\n{}", cli.log()));
        assert!(last.number("rx_packets") > 400.0 && last.number("lost") == 0.0, "{last:?}");
    }

    fn heard(recording: &Path) -> Score {
        score(&Speech::reference(Voice::First), recording)
    }

    fn with_baresip(&self) -> Score {
        let kamailio = Kamailio::at(&self.network.hub(), self.network.pbx());
        let rate = match self.codec {
            "opus" => 48_000,
            "G722" => 16_000,
            _ => 8_000,
        };
        let mut cli = self.cli(&kamailio.account("1001", "udp"), &["answer", "--max-calls", "1"]);
        cli.wait_for("registered", SOON);
        let account = kamailio.account("1002", "udp");
        let speech = Speech::spoken(Voice::Second, rate);
        let mut baresip = Baresip::start(&self.network.phone(1).0, &account, self.codec, &speech);
        baresip.dial(&format!("1001@{}", Kamailio::DOMAIN));
        assert_eq!(cli.wait_for("answered", SOON).text("codec"), self.codec);
        baresip.wait_established();
        std::thread::sleep(Duration::from_secs_f64(TALK_S));
        baresip.hang_up();
        cli.wait_for("ended", SOON);
        cli.assert_exit(0, SOON);
        self.assert_whole(&cli);
        let recording = baresip.into_recording();
        Self::heard(&recording.path)
    }

    fn with_linphone(&self) -> Score {
        let kamailio = Kamailio::at(&self.network.hub(), self.network.pbx());
        let mut linphone = Linphone::start(&self.network.phone(1).0, &kamailio.account("1002", "udp"));
        let recording = self.session.path("linphone.wav");
        linphone.command(&format!("play {}", Speech::spoken(Voice::Second, 16_000).display()));
        linphone.command(&format!("record {}", recording.display()));
        let cli = self.calls(&kamailio.account("1001", "udp"), "1002");
        // It was asked how it hears us (RFC 3611), and has said so.
        let summary = cli.events("summary");
        let there = summary.last().map_or(0.0, |summary| summary.number("mosThere"));
        assert!((1.0..=5.0).contains(&there), "{summary:?}\n{}", cli.log());
        // The file is whole when the phone has ended.
        linphone.hang_up();
        drop(linphone);
        Self::heard(&recording)
    }

    fn with_asterisk(&self) -> Score {
        let asterisk = Asterisk::at(&self.network.hub(), self.network.pbx());
        asterisk.speaks(&Speech::spoken(Voice::Second, 16_000));
        self.calls(&asterisk.account("2009", "udp"), "607");
        Self::heard(&asterisk.received_wide())
    }
}
