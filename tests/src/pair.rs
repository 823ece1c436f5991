//! Two of the same phone in a call, each saying a reading and recording what it hears.

use std::fmt;
use std::fs;
use std::path::{Path as File, PathBuf};
use std::str::FromStr;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::{Baresip, Cli, Kamailio, Linphone, Network, Reading, Session, SipAccount};

/// A phone to be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phone {
    /// Ours: `carillon-cli`.
    Carillon,
    /// baresip, with the buffers of its own template.
    Baresip,
    /// linphonec.
    Linphone,
}

impl Phone {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Carillon, Self::Baresip, Self::Linphone];

    fn name(self) -> &'static str {
        match self {
            Self::Carillon => "carillon",
            Self::Baresip => "baresip",
            Self::Linphone => "linphone",
        }
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Phone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|phone| phone.name() == text)
            .ok_or_else(|| format!("no such phone: {text}"))
    }
}

/// Two of the same phone, talking.
pub struct Pair {
    caller: End,
    callee: End,
    target: String,
    since: Instant,
    lasts: Duration,
}

/// One of them.
enum End {
    Carillon { cli: Cli, heard: PathBuf },
    Baresip(Baresip),
    Linphone { phone: Linphone, heard: PathBuf },
}

/// How long a phone listens after the last word.
const AFTER: Duration = Duration::from_secs(2);
const SOON: Duration = Duration::from_secs(60);

impl Pair {
    /// Sits the phones of this number and the next one in the network down: the caller will say the reading, the
    /// callee the same in another order. A `codec` is `opus` or `PCMU`.
    pub fn seat(
        (network, first): (&Network, usize),
        kamailio: &Kamailio,
        (phone, codec): (Phone, &str),
        reading: &Reading,
        session: &Session,
    ) -> Self {
        let rate = if codec == "opus" { 48_000 } else { 8_000 };
        let account = |n: usize| kamailio.account(&(1001 + n).to_string(), "udp");
        let target = format!("{}@{}", account(first + 1).user, Kamailio::DOMAIN);
        let seat = |n: usize, reading: &Reading| {
            // A busy disk must not take a phone's breath away: a session may be put where there is none.
            let speech = session.path(&format!("said-{n}.wav"));
            fs::copy(reading.spoken(rate), &speech).unwrap();
            let heard = session.path(&format!("heard-{n}.wav"));
            Seat { network, n, account: account(n), codec, speech, heard }
        };
        let (calling, called) = (seat(first, reading), seat(first + 1, &reading.turned()));
        let (caller, callee) = match phone {
            Phone::Carillon => (calling.carillon(session, Some(kamailio)), called.carillon(session, None)),
            Phone::Baresip => (calling.baresip(), called.baresip()),
            Phone::Linphone => (calling.linphone(), called.linphone()),
        };
        let lasts = Duration::from_secs_f64(reading.length_s());
        Self { caller, callee, target, since: Instant::now(), lasts }
    }

    /// Has one call the other, and both speak from then on.
    pub fn call(&mut self) {
        let target = &self.target;
        match &mut self.caller {
            End::Carillon { cli, .. } => {
                cli.say(&format!("dial {target}"));
                cli.wait_for("answered", SOON);
            }
            End::Baresip(baresip) => {
                baresip.dial(target);
                baresip.wait_established();
            }
            End::Linphone { phone, .. } => {
                phone.dial(target);
                phone.wait("connected");
            }
        }
        self.since = Instant::now();
    }

    /// Waits until the last word is said and heard.
    pub fn until_last_word(&self) {
        sleep((self.since + self.lasts + AFTER).saturating_duration_since(Instant::now()));
    }

    /// Waits for the last word, hangs up, and gives what caller and callee heard: WAV files, kept below `dir`.
    pub fn finish(mut self, dir: &File) -> [PathBuf; 2] {
        self.until_last_word();
        self.caller.hang_up();
        fs::create_dir_all(dir).unwrap();
        let [caller, callee] = [("caller", self.caller), ("callee", self.callee)].map(|(name, end)| {
            let kept = dir.join(name).with_extension("wav");
            end.recording(&kept);
            kept
        });
        [caller, callee]
    }
}

/// Where a phone is and what it gets.
struct Seat<'a> {
    network: &'a Network,
    n: usize,
    account: SipAccount,
    codec: &'a str,
    speech: PathBuf,
    heard: PathBuf,
}

impl Seat<'_> {
    /// With the PBX to call through it waits to be told whom; without, for the one call it answers.
    fn carillon(self, session: &Session, calls: Option<&Kamailio>) -> End {
        let files = ["--play", self.speech.to_str().unwrap(), "--record", self.heard.to_str().unwrap()];
        let all = [&["--codec", self.codec], &files[..]].concat();
        let place = self.network.phone(self.n).0;
        let mut cli = match calls {
            Some(pbx) => Cli::console(session, &place, &self.account, &pbx.authority(), &all),
            None => {
                let answer = [&["answer", "--max-calls", "1"], &all[..]].concat();
                Cli::with_account(session, &place, &self.account, &answer)
            }
        };
        cli.wait_for("registered", SOON);
        End::Carillon { cli, heard: self.heard }
    }

    fn baresip(self) -> End {
        End::Baresip(Baresip::start(&self.network.phone(self.n).0, &self.account, self.codec, &self.speech))
    }

    fn linphone(self) -> End {
        let mut phone = Linphone::start(&self.network.phone(self.n).0, &self.account);
        phone.only_codec(self.codec);
        phone.command(&format!("play {}", self.speech.display()));
        phone.command(&format!("record {}", self.heard.display()));
        End::Linphone { phone, heard: self.heard }
    }
}

impl End {
    fn hang_up(&mut self) {
        match self {
            Self::Carillon { cli, .. } => cli.interrupt(),
            Self::Baresip(baresip) => baresip.hang_up(),
            Self::Linphone { phone, .. } => phone.hang_up(),
        }
    }

    /// Ends it and keeps what it heard.
    fn recording(self, kept: &File) {
        let heard = match self {
            Self::Carillon { mut cli, heard } => {
                cli.wait_exit(SOON);
                heard
            }
            Self::Baresip(mut baresip) => {
                baresip.wait_closed();
                let recording = baresip.into_recording();
                fs::copy(&recording.path, kept)
                    .unwrap_or_else(|e| panic!("{}: {e}", recording.path.display()));
                return;
            }
            Self::Linphone { mut phone, heard } => {
                phone.wait("ended");
                // Its file is whole when it has gone.
                phone.quit();
                heard
            }
        };
        fs::copy(&heard, kept).unwrap_or_else(|e| panic!("{}: {e}", heard.display()));
    }
}
