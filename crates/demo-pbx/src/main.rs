//! `demo-pbx`: runs a demo PBX in the foreground until SIGINT or SIGTERM.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use demo_pbx::{
    Announcement, Config, DemoPbx, Enforced, Generation, HTTPS_PORT, Manner, MicrosoftAnswer, Passwords,
    SIP_TCP_PORT, SIP_UDP_PORT, Transport, VerifyAnswer,
};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use secrecy::SecretString;

/// A PortSIP-like PBX on loopback, for trials and tests.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Address to listen on.
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    bind: IpAddr,
    /// Port of the REST API; 0 takes a free one.
    #[arg(long, value_name = "N", default_value_t = HTTPS_PORT)]
    https_port: u16,
    /// UDP port of SIP; 0 takes a free one.
    #[arg(long, value_name = "N", default_value_t = SIP_UDP_PORT)]
    sip_udp_port: u16,
    /// TCP port of SIP; 0 takes a free one.
    #[arg(long, value_name = "N", default_value_t = SIP_TCP_PORT)]
    sip_tcp_port: u16,
    /// Folder that keeps certificate and key, so that the fingerprint stays.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Print one JSON line instead of the friendly block.
    #[arg(long)]
    json: bool,
    /// Put the extension password into the profile file.
    #[arg(long)]
    hand_over_password: bool,
    /// The transport the users are told to prefer.
    #[arg(long, value_enum, default_value_t = Transport::Udp)]
    preferred_transport: Transport,
    /// Lifetime of access tokens, seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 1800)]
    token_lifetime: u64,
    /// User password for everyone, instead of fresh ones.
    #[arg(long, env = "DEMO_PBX_USER_PASSWORD", hide_env_values = true, value_parser = secret)]
    user_password: Option<SecretString>,
    /// Extension password for everyone, instead of fresh ones.
    #[arg(long, env = "DEMO_PBX_EXTENSION_PASSWORD", hide_env_values = true, value_parser = secret)]
    extension_password: Option<SecretString>,
    /// Version of the REST API.
    #[arg(long, value_enum, default_value = "22.2")]
    generation: Generation,
    /// Users may not sign in with Microsoft 365.
    #[arg(long)]
    no_microsoft: bool,
    /// What Microsoft sign-in brings back to the phone.
    #[arg(long, value_enum, default_value = "query")]
    microsoft_answer: MicrosoftAnswer,
    /// What a right code is answered with.
    #[arg(long, value_enum, default_value = "tokens")]
    verify_otp: VerifyAnswer,
    /// Refuse callback addresses on loopback.
    #[arg(long)]
    refuse_loopback: bool,
    /// Codecs the profile file allows, best first.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    enforce_codecs: Vec<String>,
    /// Views the profile file hides.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    enforce_hidden: Vec<String>,
    /// Theme the profile file settles.
    #[arg(long, value_name = "NAME", value_parser = ["light", "dark"])]
    enforce_theme: Option<String>,
    /// Language the profile file settles.
    #[arg(long, value_name = "TAG")]
    enforce_language: Option<String>,
    /// Contacts of the company beside the few it begins with.
    #[arg(long, value_name = "N", default_value_t = 0)]
    made_up_contacts: u32,
    /// Write the sign-in QR code to this PNG file: that of `--qr`'s user, or alice's.
    #[arg(long, value_name = "FILE")]
    qr_picture: Option<PathBuf>,
    /// Kind of QR code for `--qr` and `--qr-picture`.
    #[arg(long, value_enum, default_value = "user")]
    qr_kind: QrKind,
    /// Also print the sign-in QR code of this user.
    #[arg(long, value_name = "USER", num_args = 0..=1, default_missing_value = "alice")]
    qr: Option<String>,
}

/// Which QR code.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum QrKind {
    /// As a v22 PBX makes it.
    User,
    /// As PBXs before made it: the extension with its password.
    Legacy,
}

fn secret(text: &str) -> Result<SecretString, std::convert::Infallible> {
    Ok(text.into())
}

impl Arguments {
    fn config(&self) -> Config {
        Config {
            bind: self.bind,
            https_port: self.https_port,
            sip_udp_port: self.sip_udp_port,
            sip_tcp_port: self.sip_tcp_port,
            state: self.state.clone(),
            passwords: Passwords {
                user: self.user_password.clone(),
                extension: self.extension_password.clone(),
            },
            hand_over_password: self.hand_over_password,
            preferred_transport: self.preferred_transport,
            token_lifetime: Duration::from_secs(self.token_lifetime),
            manner: Manner {
                generation: self.generation,
                microsoft: !self.no_microsoft,
                microsoft_answer: self.microsoft_answer,
                verify_otp: self.verify_otp,
                refuse_loopback: self.refuse_loopback,
            },
            enforced: Enforced {
                codecs: self.enforce_codecs.clone(),
                hidden: self.enforce_hidden.clone(),
                theme: self.enforce_theme.clone(),
                language: self.enforce_language.clone(),
            },
            made_up_contacts: self.made_up_contacts,
            ..Config::default()
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo-pbx: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    // Listening for signals starts before the announcement: whoever reads it may stop us at once.
    let stopped = stop_signal()?;
    let pbx = DemoPbx::start(arguments.config()).await?;
    announce(&pbx.announcement(), arguments)?;
    stopped.await;
    pbx.stop().await;
    Ok(())
}

fn announce(announcement: &Announcement, arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let code = |name: &str| -> Result<String, String> {
        let user = announcement.users.iter().find(|user| user.username == name);
        let user = user.ok_or_else(|| format!("there is no user {name}"))?;
        Ok(if arguments.qr_kind == QrKind::Legacy { user.legacy_qr.clone() } else { user.qr.clone() })
    };
    // Before the announcement: whoever reads it may look for the file at once.
    if let Some(file) = &arguments.qr_picture {
        let text = code(arguments.qr.as_deref().unwrap_or("alice"))?;
        let picture = DemoPbx::qr_picture(&text).ok_or("the QR code would be too large")?;
        std::fs::write(file, picture).map_err(|e| format!("{}: {e}", file.display()))?;
    }
    let mut out = std::io::stdout().lock();
    if arguments.json {
        serde_json::to_writer(&mut out, announcement)?;
        writeln!(out)?;
        return Ok(out.flush()?);
    }
    write!(out, "{announcement}")?;
    if let Some(name) = &arguments.qr {
        let code = QrCode::new(code(name)?)?;
        // Light modules are drawn, so that the code reads right on a dark terminal.
        let picture =
            code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
        writeln!(out, "\n  Sign-in QR code of {name}:\n{picture}")?;
    }
    writeln!(out, "\nCtrl+C ends it.")?;
    Ok(out.flush()?)
}

#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a handler there is nothing to wait for but the end of the process.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
