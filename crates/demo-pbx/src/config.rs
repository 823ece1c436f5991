//! What a demo PBX is to be like.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use crate::manner::Manner;
use crate::policy::PasswordPolicy;
use crate::tenant::Passwords;
use crate::tls::CertificateFault;

/// Everything that can be chosen before the start. The default suits tests: loopback, free ports,
/// fresh certificate, fresh passwords, the extension password not handed over.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address to listen on and to advertise; must be a concrete one.
    pub bind: IpAddr,
    /// Port of the REST API; 0 takes a free one.
    pub https_port: u16,
    /// UDP port of SIP; 0 takes a free one.
    pub sip_udp_port: u16,
    /// TCP port of SIP; 0 takes a free one.
    pub sip_tcp_port: u16,
    /// Folder that keeps certificate and key over restarts of the process.
    pub state: Option<PathBuf>,
    /// Passwords to use instead of fresh ones.
    pub passwords: Passwords,
    /// Put the extension's SIP password into the profile file.
    pub hand_over_password: bool,
    /// The transport `/user` names as preferred.
    pub preferred_transport: Transport,
    /// What is wrong with the certificate, beside being self-made.
    pub certificate_fault: CertificateFault,
    /// Lifetime of access tokens.
    pub token_lifetime: Duration,
    /// Age from which on a digest nonce is stale.
    pub nonce_lifetime: Duration,
    /// How long a number may ring before the PBX gives up with 408.
    pub no_answer: Duration,
    /// The echo line hangs up after this long without RTP.
    pub echo_silence: Duration,
    /// The echo line hangs up after this long in any case.
    pub echo_limit: Duration,
    /// How it goes about sign-in, until told otherwise.
    pub manner: Manner,
    /// Rules for new passwords.
    pub policy: PasswordPolicy,
    /// What the profile file settles for its users.
    pub enforced: Enforced,
    /// Contacts of the company beside the few it begins with.
    pub made_up_contacts: u32,
}

/// Settings a profile file puts on its users. Nobody publishes their elements: these are the plausible ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Enforced {
    /// Names of the codecs allowed, best first; all when empty.
    pub codecs: Vec<String>,
    /// Names of the views not shown.
    pub hidden: Vec<String>,
    /// `light` or `dark`.
    pub theme: Option<String>,
    /// A BCP 47 tag.
    pub language: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            https_port: 0,
            sip_udp_port: 0,
            sip_tcp_port: 0,
            state: None,
            passwords: Passwords::default(),
            hand_over_password: false,
            preferred_transport: Transport::Udp,
            certificate_fault: CertificateFault::None,
            token_lifetime: Duration::from_secs(1800),
            nonce_lifetime: Duration::from_secs(300),
            no_answer: Duration::from_secs(60),
            echo_silence: Duration::from_secs(60),
            echo_limit: Duration::from_secs(3600),
            manner: Manner::default(),
            policy: PasswordPolicy::default(),
            enforced: Enforced::default(),
            made_up_contacts: 0,
        }
    }
}

/// Port of the REST API on a real PortSIP PBX.
pub const HTTPS_PORT: u16 = 8887;
/// UDP port of SIP on a real PortSIP PBX.
pub const SIP_UDP_PORT: u16 = 5060;
/// TCP port of SIP on a real PortSIP PBX (not 5060).
pub const SIP_TCP_PORT: u16 = 5063;

/// A SIP transport the demo PBX listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
}

impl Transport {
    /// Its name in Via headers and in the REST API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        }
    }
}
