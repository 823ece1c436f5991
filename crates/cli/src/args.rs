//! The command line, as scripts rely on it.

use std::path::PathBuf;
use std::time::Duration;

use brand::BRAND;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// The phone without a window: sign in, register, call and answer from a script.
#[derive(Debug, Parser)]
#[command(name = BRAND.cli_program, version, propagate_version = true)]
pub struct Cli {
    /// Print every event as one JSON object a line
    #[arg(long, global = true)]
    pub json: bool,
    /// Keep settings here instead of the user's own place
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Sign in to a PBX and keep the session in the keychain
    SignIn(SignIn),
    /// End a session and empty the keychain of it
    SignOut(Which),
    /// Ask the PBX who is signed in
    Whoami(Which),
    /// List the accounts signed in to
    Accounts,
    /// Register and stay registered
    Register(Register),
    /// Call somebody
    Call(Call),
    /// Wait for calls and answer them
    Answer(Answer),
    /// Read commands line by line from standard input, for several calls at once; `help` lists them
    Console(Console),
    /// List microphones and speakers with their stable ids
    Devices,
    /// Record five seconds of the microphone, judge them and play them back
    HearBack(HearBack),
    /// List calls that are over, newest first, with what each was like
    History(History),
    /// Print what the QR code in a picture holds, its secrets left out
    Qr(Qr),
    /// Print a diagnostic bundle: versions, settings, calls and the log, without secrets
    Bundle(Bundle),
    /// Look for what keeps the phone from working, and name one cause
    Doctor(Doctor),
}

/// `sign-in`
#[derive(Debug, Args)]
pub struct SignIn {
    /// PBX server
    #[arg(long, value_name = "HOST[:PORT]")]
    pub server: String,
    /// SIP domain of the tenant
    #[arg(long)]
    pub domain: String,
    /// User name (not the extension number)
    #[arg(long, value_name = "NAME")]
    pub username: String,
    /// Read the password from standard input
    #[arg(long, required = true)]
    pub password_stdin: bool,
    /// Also trust the certificates in this PEM file
    #[arg(long, value_name = "FILE", value_parser = certificates)]
    pub ca: Option<Certificates>,
    /// Read an e-mailed code from standard input, after the password
    #[arg(long)]
    pub otp_stdin: bool,
}

/// `hear-back`
#[derive(Debug, Args)]
pub struct HearBack {
    /// Sound.
    #[command(flatten)]
    pub audio: Audio,
}

/// `history`
#[derive(Debug, Args)]
pub struct History {
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: u32,
}

/// `qr`
#[derive(Debug, Args)]
pub struct Qr {
    /// Picture: PNG, JPEG, GIF, WebP or BMP
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// `bundle`
#[derive(Debug, Args)]
pub struct Bundle {
    /// Leave of each telephone number its last two digits
    #[arg(long)]
    pub shorten_numbers: bool,
}

/// `doctor`
#[derive(Debug, Args)]
pub struct Doctor {
    /// PBX server
    #[arg(long, value_name = "HOST[:PORT]", requires = "domain")]
    pub server: Option<String>,
    /// SIP domain of the tenant
    #[arg(long, requires = "server")]
    pub domain: Option<String>,
    /// User name to sign in with, once
    #[arg(long, value_name = "NAME", requires = "server", requires = "password_stdin")]
    pub username: Option<String>,
    /// Read its password from standard input
    #[arg(long, requires = "username")]
    pub password_stdin: bool,
    /// Number of the echo line
    #[arg(long, value_name = "NUMBER", default_value = "9196")]
    pub echo: String,
    /// Do not call it
    #[arg(long)]
    pub no_call: bool,
    /// Who.
    #[command(flatten)]
    pub account: Account,
}

/// Which account that was signed in to before.
#[derive(Debug, Args)]
pub struct Which {
    /// Account, as `accounts` lists it; the only one where it is left out
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// Also trust the certificates in this PEM file
    #[arg(long, value_name = "FILE", value_parser = certificates)]
    pub ca: Option<Certificates>,
}

/// An account signed in to before, or a plain SIP account.
#[derive(Debug, Args)]
pub struct Account {
    /// Account signed in to before
    #[arg(long, value_name = "NAME", conflicts_with_all = ["sip_user", "sip_domain", "proxy"])]
    pub account: Option<String>,
    /// SIP user; its password comes from CARILLON_SIP_PASSWORD
    #[arg(long, value_name = "U", requires = "sip_domain", requires = "proxy")]
    pub sip_user: Option<String>,
    /// SIP domain
    #[arg(long, value_name = "D", requires = "sip_user")]
    pub sip_domain: Option<String>,
    /// Outbound proxy
    #[arg(long, value_name = "HOST[:PORT]", requires = "sip_user")]
    pub proxy: Option<String>,
    /// Transport to the proxy
    #[arg(long, value_enum, default_value_t = Transport::Udp)]
    pub transport: Transport,
    /// User name for digest, where it differs
    #[arg(long, value_name = "A", requires = "sip_user")]
    pub auth_user: Option<String>,
    /// Name shown to others
    #[arg(long, value_name = "N", requires = "sip_user")]
    pub display_name: Option<String>,
    /// Media encryption; as the account has it where it is left out, and where the peer can for a new one
    #[arg(long, value_enum)]
    pub srtp: Option<Srtp>,
    /// Interactive Connectivity Establishment; `auto` answers it, and offers it where a server is named
    #[arg(long, value_enum)]
    pub ice: Option<Ice>,
    /// STUN server
    #[arg(long, value_name = "HOST[:PORT]")]
    pub stun: Option<String>,
    /// TURN server; its password comes from CARILLON_TURN_PASSWORD
    #[arg(long, value_name = "udp|tcp|tls:HOST[:PORT]", requires = "turn_user")]
    pub turn: Option<String>,
    /// User name at the TURN server
    #[arg(long, value_name = "U", requires = "turn")]
    pub turn_user: Option<String>,
    /// Also trust the certificates in this PEM file
    #[arg(long, value_name = "FILE", value_parser = certificates)]
    pub ca: Option<Certificates>,
}

/// When Interactive Connectivity Establishment is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Ice {
    /// Never
    Off,
    /// Answered, and offered where a server is named
    Auto,
    /// Always
    On,
}

/// Transport of SIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Transport {
    /// UDP
    Udp,
    /// TCP
    Tcp,
    /// TLS
    Tls,
    /// Secure WebSocket
    Wss,
    /// The first that works
    Auto,
}

/// Media encryption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Srtp {
    /// None
    Off,
    /// Where the peer can
    Prefer,
    /// Always
    Require,
}

/// Where sound comes from and goes to.
#[derive(Debug, Args)]
pub struct Audio {
    /// Microphone by id; the system's default where it is left out
    #[arg(long, value_name = "ID", conflicts_with = "play")]
    pub microphone: Option<String>,
    /// Speaker by id; the system's default where it is left out
    #[arg(long, value_name = "ID", conflicts_with = "record")]
    pub speaker: Option<String>,
    /// Speak this file instead of a microphone
    #[arg(long, value_name = "IN.wav")]
    pub play: Option<PathBuf>,
    /// Listen into this file instead of a speaker
    #[arg(long, value_name = "OUT.wav")]
    pub record: Option<PathBuf>,
    /// Echo, noise and gain control; without it as is usual: a sound card's voice yes, a file's no
    #[arg(long, value_enum)]
    pub processing: Option<Processing>,
}

/// Voice processing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Processing {
    /// None
    Off,
    /// Echo, noise and gain control
    On,
}

/// Codec to offer or accept alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Codec {
    /// Opus, 48 kHz
    #[value(name = "opus")]
    Opus,
    /// G.722, 16 kHz
    #[value(name = "G722", alias = "g722")]
    G722,
    /// G.711 µ-law
    #[value(name = "PCMU", alias = "pcmu")]
    Pcmu,
    /// G.711 A-law
    #[value(name = "PCMA", alias = "pcma")]
    Pcma,
}

/// `register`
#[derive(Debug, Args)]
pub struct Register {
    /// Who.
    #[command(flatten)]
    pub account: Account,
    /// Stay registered this long, then un-register; without it until interrupted
    #[arg(long = "for", value_name = "SECONDS", value_parser = seconds)]
    pub seconds: Option<Duration>,
}

/// `call`
#[derive(Debug, Args)]
pub struct Call {
    /// Number, extension or address
    pub target: String,
    /// Who.
    #[command(flatten)]
    pub account: Account,
    /// Sound.
    #[command(flatten)]
    pub audio: Audio,
    /// Hang up this long after the answer
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub duration: Option<Duration>,
    /// Offer this codec only
    #[arg(long, value_enum, value_name = "NAME", ignore_case = true)]
    pub codec: Option<Codec>,
    /// Send these digits once answered; a comma pauses for two seconds
    #[arg(long, value_name = "DIGITS", value_parser = digits)]
    pub dtmf: Option<String>,
    /// How digits are sent
    #[arg(long, value_enum, default_value_t = DtmfMode::Auto)]
    pub dtmf_mode: DtmfMode,
    /// Hold the call this long after the answer
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub hold_after: Option<Duration>,
    /// Resume it this long after the answer
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub resume_after: Option<Duration>,
    /// Hand the call on to somebody else
    #[arg(long, value_name = "TARGET")]
    pub transfer: Option<String>,
    /// Hand it on this long after the answer
    #[arg(long, value_name = "S", value_parser = seconds, default_value = "1", requires = "transfer")]
    pub transfer_after: Duration,
}

/// How digits are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DtmfMode {
    /// As was agreed on
    Auto,
    /// Telephone-event (RFC 4733)
    Event,
    /// SIP INFO
    Info,
    /// Tones in the voice
    InBand,
}

/// `answer`
#[derive(Debug, Args)]
pub struct Answer {
    /// Who.
    #[command(flatten)]
    pub account: Account,
    /// Sound.
    #[command(flatten)]
    pub audio: Audio,
    /// Hang up this long after the answer
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub duration: Option<Duration>,
    /// Accept this codec only
    #[arg(long, value_enum, value_name = "NAME", ignore_case = true)]
    pub codec: Option<Codec>,
    /// Stop after this many calls
    #[arg(long, value_name = "N")]
    pub max_calls: Option<u32>,
}

/// `console`
#[derive(Debug, Args)]
pub struct Console {
    /// Who.
    #[command(flatten)]
    pub account: Account,
    /// Sound.
    #[command(flatten)]
    pub audio: Audio,
    /// Offer and accept this codec only
    #[arg(long, value_enum, value_name = "NAME", ignore_case = true)]
    pub codec: Option<Codec>,
}

/// Certificates in PEM form, at least one of which can be read.
#[derive(Debug, Clone)]
pub struct Certificates(pub Vec<u8>);

fn certificates(file: &str) -> Result<Certificates, String> {
    let pem = std::fs::read(file).map_err(|error| error.to_string())?;
    let trusted = phone::Config::new(PathBuf::new()).trust(&pem);
    trusted.map_err(|problem| problem.detail.unwrap_or_default())?;
    Ok(Certificates(pem))
}

/// Longest time that can be asked for, seconds: a year.
const LONGEST: f64 = 365.0 * 24.0 * 3600.0;

fn seconds(typed: &str) -> Result<Duration, String> {
    let seconds = typed.parse::<f64>().map_err(|error| error.to_string())?;
    if !(0.0..=LONGEST).contains(&seconds) {
        return Err(format!("not between 0 and {LONGEST}"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

fn digits(typed: &str) -> Result<String, String> {
    let fits = |c: char| matches!(c.to_ascii_uppercase(), '0'..='9' | '*' | '#' | 'A'..='D' | ',');
    match typed.chars().find(|c| !fits(*c)) {
        Some(bad) => Err(format!("{bad:?} is not a DTMF digit")),
        None => Ok(typed.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_contract_parses() {
        Cli::command().debug_assert();
        let line = "carillon-cli call 9196 --sip-user 101 --sip-domain test.io --proxy 127.0.0.1:5060 --transport tcp \
                    --play a.wav --record b.wav --duration 5 --codec PCMU --dtmf 12# --dtmf-mode info --hold-after 1 \
                    --resume-after 2.5 --transfer 102 --transfer-after 4 --json";
        let cli = Cli::try_parse_from(line.split_whitespace()).unwrap();
        assert!(cli.json);
        let Verb::Call(call) = cli.verb else { panic!("not a call") };
        assert_eq!((call.target.as_str(), call.codec), ("9196", Some(Codec::Pcmu)));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let refused = |option: &str| {
            let line = format!("carillon-cli call 1 --account a@b {option}");
            Cli::try_parse_from(line.split_whitespace()).is_err()
        };
        assert!(!refused("--duration 0.5 --dtmf 1,2*#aD"));
        for option in ["--duration=-1", "--duration nan", "--duration 1e30", "--dtmf 12x", "--ca /nowhere"] {
            assert!(refused(option), "{option}");
        }
    }

    #[test]
    fn half_an_account_is_refused() {
        for line in
            ["register --sip-user 101", "register --account a@b --sip-user 101 --sip-domain d --proxy p"]
        {
            assert!(
                Cli::try_parse_from(["carillon-cli"].into_iter().chain(line.split(' '))).is_err(),
                "{line}"
            );
        }
    }
}
