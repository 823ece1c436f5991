//! `demo-pbx`: runs a demo PBX in the foreground until SIGINT or SIGTERM.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use demo_pbx::{Announcement, Config, DemoPbx, HTTPS_PORT, Passwords, SIP_TCP_PORT, SIP_UDP_PORT, Transport};
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
    /// Also print the sign-in QR code of this user.
    #[arg(long, value_name = "USER", num_args = 0..=1, default_missing_value = "alice")]
    qr: Option<String>,
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
    let mut out = std::io::stdout().lock();
    if arguments.json {
        serde_json::to_writer(&mut out, announcement)?;
        writeln!(out)?;
        return Ok(out.flush()?);
    }
    write!(out, "{announcement}")?;
    if let Some(name) = &arguments.qr {
        let user = announcement.users.iter().find(|user| user.username == *name);
        let user = user.ok_or_else(|| format!("there is no user {name}"))?;
        let code = QrCode::new(&user.qr)?;
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
