//! The phone without a window, for scripts and for tests.

mod args;
mod calls;
mod console;
mod doctor;
mod exit;
mod interrupt;
mod output;
mod sessions;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use phone::{
    AccountId, AudioConfig, CallPreferences, Code, Command, Config, Event, HearBackView, Nat, Phone, Problem,
    SipAccount, SrtpPolicy, Start, Turn, TurnLogin, VoicePreferences,
};
use secrecy::SecretString;
use tracing_subscriber::EnvFilter;

use crate::args::{Cli, Processing, Srtp, Verb};
use crate::calls::Script;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::output::Output;

/// What is logged unless `CARILLON_LOG` says otherwise.
const LOG: &str = "warn";
/// The transaction layer below logs whole messages, credentials included, at `info`: never, whatever
/// `CARILLON_LOG` says.
const NO_SECRETS: &str = "rsipstack=error";

/// Does what the words of a command line ask for, the first of them being the program's name, and says how it went.
///
/// What is not understood, or asks for help, ends the process.
#[tokio::main]
pub async fn command_line(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = Cli::parse_from(words);
    let filter = EnvFilter::try_from_env("CARILLON_LOG").unwrap_or_else(|_| EnvFilter::new(LOG));
    tracing_subscriber::fmt()
        .with_env_filter(NO_SECRETS.parse().into_iter().fold(filter, EnvFilter::add_directive))
        .with_writer(std::io::stderr)
        .init();
    let output = Output::new(cli.json);
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        tracing::debug!("a TLS provider was installed before");
    }
    run(cli, output).await.into()
}

async fn run(cli: Cli, output: Output) -> Exit {
    let data_dir = match data_dir(cli.data_dir) {
        Some(dir) => dir,
        None => return calls::fail(&output, &Problem::new(Code::SettingsFailed, "no home directory")),
    };
    let calls = Some(CallPreferences::default());
    let mut config = Config {
        start: Start::None,
        tones: false,
        calls,
        beside_others: true,
        contacts: false,
        ..Config::new(data_dir)
    };
    config.obey_machine();
    match cli.verb {
        Verb::SignIn(args) => sessions::sign_in(config, &output, &args).await,
        Verb::SignOut(args) => sessions::sign_out(config, &output, &args).await,
        Verb::Whoami(args) => sessions::whoami(config, &output, &args).await,
        Verb::Accounts => sessions::accounts(&config, &output),
        Verb::Devices => devices(&output),
        Verb::HearBack(args) => hear_back(config, &output, &args).await,
        Verb::History(args) => history(&config, &output, &args),
        Verb::Qr(args) => qr(&output, &args),
        Verb::Bundle(args) => bundle(config, &output, &args).await,
        Verb::Doctor(args) => doctor::doctor(config, &output, &args).await,
        Verb::Register(args) => match script(config, output, &args.account, None, None) {
            Ok(mut script) => {
                let exit = script.register(args.seconds).await;
                script.phone.stop().await;
                exit
            }
            Err(exit) => exit,
        },
        Verb::Call(args) => match script(config, output, &args.account, Some(&args.audio), args.codec) {
            Ok(mut script) => {
                let exit = script.call(&args).await;
                script.phone.stop().await;
                exit
            }
            Err(exit) => exit,
        },
        Verb::Console(args) => match script(config, output, &args.account, Some(&args.audio), args.codec) {
            Ok(mut script) => {
                let exit = script.console().await;
                script.phone.stop().await;
                exit
            }
            Err(exit) => exit,
        },
        Verb::Answer(args) => match script(config, output, &args.account, Some(&args.audio), args.codec) {
            Ok(mut script) => {
                let exit = script.answer(&args).await;
                script.phone.stop().await;
                exit
            }
            Err(exit) => exit,
        },
    }
}

/// Starts a phone with the one account and the sound a command names.
fn script(
    mut config: Config,
    output: Output,
    account: &args::Account,
    audio: Option<&args::Audio>,
    codec: Option<args::Codec>,
) -> Result<Script, Exit> {
    let failed = |problem: Problem| calls::fail(&output, &problem);
    config.srtp = srtp(account);
    if let Some(audio) = audio {
        config.audio = sound(audio);
        // Whoever lets a file speak does not wear a headset.
        config.headsets = config.headsets.filter(|_| audio.play.is_none());
        config.voice = Some(match audio.processing {
            Some(Processing::On) => VoicePreferences::ALL,
            Some(Processing::Off) | None => VoicePreferences::default(),
        });
    }
    if let Some(codec) = codec {
        config.codecs = Some(vec![match codec {
            args::Codec::Opus => phone::Codec::Opus,
            args::Codec::G722 => phone::Codec::G722,
            args::Codec::Pcmu => phone::Codec::Pcmu,
            args::Codec::Pcma => phone::Codec::Pcma,
        }]);
    }
    config.nat = nat(account).map_err(&failed)?;
    sessions::trust(&mut config, account.ca.as_ref()).map_err(&failed)?;
    let plain = plain(account).map_err(&failed)?;
    let id = match &plain {
        Some(plain) => AccountId(format!("{}@{}", plain.user, plain.domain)),
        None => {
            let id = sessions::known(&config, account.account.as_deref()).map_err(&failed)?;
            config.start = Start::One(id.clone());
            id
        }
    };
    let interrupt = Interrupt::listen();
    let phone = Phone::start(config).map_err(&failed)?;
    let events = phone.subscribe();
    if let Some(account) = plain {
        phone.send(Command::UseSipAccount { account });
    }
    Ok(Script { phone, events, output, account: id, interrupt })
}

fn srtp(account: &args::Account) -> Option<SrtpPolicy> {
    account.srtp.map(|srtp| match srtp {
        Srtp::Off => SrtpPolicy::Off,
        Srtp::Prefer => SrtpPolicy::Prefer,
        Srtp::Require => SrtpPolicy::Require,
    })
}

fn sound(audio: &args::Audio) -> AudioConfig {
    AudioConfig {
        microphone: match &audio.play {
            Some(file) => devices::Source::Wav(file.clone()),
            None => devices::Source::Card(audio.microphone.clone()),
        },
        speaker: match &audio.record {
            Some(file) => devices::Sink::Wav(file.clone()),
            None => devices::Sink::Card(audio.speaker.clone()),
        },
        processing: match audio.processing {
            Some(Processing::On) => phone::Processing::On,
            Some(Processing::Off) => phone::Processing::Off,
            None => phone::Processing::ForCards,
        },
    }
}

fn plain(account: &args::Account) -> Result<Option<SipAccount>, Problem> {
    let (Some(user), Some(domain), Some(proxy)) = (&account.sip_user, &account.sip_domain, &account.proxy)
    else {
        return Ok(None);
    };
    let password = sip_password()
        .ok_or_else(|| Problem::new(Code::SipPasswordNeeded, "CARILLON_SIP_PASSWORD is not set"))?;
    Ok(Some(SipAccount {
        keep: false,
        user: user.clone(),
        domain: domain.clone(),
        proxy: proxy.clone(),
        transport: match account.transport {
            args::Transport::Udp => phone::TransportChoice::Udp,
            args::Transport::Tcp => phone::TransportChoice::Tcp,
            args::Transport::Tls => phone::TransportChoice::Tls,
            args::Transport::Wss => phone::TransportChoice::Wss,
            args::Transport::Auto => phone::TransportChoice::Automatic,
        },
        auth_user: account.auth_user.clone(),
        display_name: account.display_name.clone(),
        password,
    }))
}

/// What the command line says of NATs; none where it says nothing, and the account's own holds.
fn nat(account: &args::Account) -> Result<Option<Nat>, Problem> {
    if account.ice.is_none() && account.stun.is_none() && account.turn.is_none() {
        return Ok(None);
    }
    let turn = account.turn.as_deref().zip(account.turn_user.clone()).map(|(server, user)| {
        let password = std::env::var("CARILLON_TURN_PASSWORD").unwrap_or_default().into();
        Turn::new(server, TurnLogin { user, password })
    });
    Ok(Some(Nat {
        ice: match account.ice {
            Some(args::Ice::Off) => phone::Ice::Off,
            Some(args::Ice::Auto) | None => phone::Ice::Auto,
            Some(args::Ice::On) => phone::Ice::On,
        },
        stun: account.stun.as_deref().map(Nat::stun_server).transpose()?,
        turn: turn.transpose()?,
    }))
}

/// The extension's SIP password, where the caller gave one.
fn sip_password() -> Option<SecretString> {
    std::env::var("CARILLON_SIP_PASSWORD").ok().filter(|p| !p.is_empty()).map(SecretString::from)
}

async fn hear_back(mut config: Config, output: &Output, args: &args::HearBack) -> Exit {
    config.audio = sound(&args.audio);
    let phone = match Phone::start(config) {
        Ok(phone) => phone,
        Err(problem) => return calls::fail(output, &problem),
    };
    let mut events = phone.subscribe();
    phone.send(Command::HearBack);
    let exit = loop {
        match calls::next(&mut events).await {
            Some(Event::HearBack { view }) => {
                output.hear_back(&view);
                match view {
                    HearBackView::Done { .. } => break Exit::Done,
                    HearBackView::Failed { problem } => break calls::fail(output, &problem),
                    _ => {}
                }
            }
            Some(_) => {}
            None => break Exit::Unreachable,
        }
    };
    phone.stop().await;
    exit
}

async fn bundle(config: Config, output: &Output, args: &args::Bundle) -> Exit {
    let phone = match Phone::start(config) {
        Ok(phone) => phone,
        Err(problem) => return calls::fail(output, &problem),
    };
    let mut events = phone.subscribe();
    phone.send(Command::MakeBundle { shorten_numbers: args.shorten_numbers });
    let exit = loop {
        match calls::next(&mut events).await {
            Some(Event::Bundle { view }) => {
                output.bundle(&view.text);
                break Exit::Done;
            }
            Some(_) => {}
            None => break Exit::Unreachable,
        }
    };
    phone.stop().await;
    exit
}

fn history(config: &Config, output: &Output, args: &args::History) -> Exit {
    match phone::past_calls(&config.data_dir, args.limit) {
        Ok(calls) => {
            calls.iter().for_each(|call| output.past_call(call));
            Exit::Done
        }
        Err(problem) => calls::fail(output, &problem),
    }
}

fn qr(output: &Output, args: &args::Qr) -> Exit {
    let unreadable = |error: std::io::Error| {
        Problem::new(Code::PictureUnreadable, format!("{}: {error}", args.file.display()))
    };
    match std::fs::read(&args.file).map_err(unreadable).and_then(|file| phone::code_in(&file)) {
        Ok(code) => {
            output.code(&code);
            Exit::Done
        }
        Err(problem) => calls::fail(output, &problem),
    }
}

fn devices(output: &Output) -> Exit {
    let found = devices::microphones().and_then(|m| Ok((m, devices::speakers()?)));
    match found {
        Ok((microphones, speakers)) => {
            let kinds = [("microphone", microphones), ("speaker", speakers)];
            for (kind, list) in kinds {
                for device in list {
                    output.device(kind, &device.id, &device.name, device.default);
                }
            }
            Exit::Done
        }
        Err(error) => calls::fail(output, &Problem::new(Code::NoMicrophone, error.to_string())),
    }
}

/// Where settings are kept: the place given, or the user's own for such.
fn data_dir(given: Option<PathBuf>) -> Option<PathBuf> {
    given.or_else(phone::default_data_dir)
}
