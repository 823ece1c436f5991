//! A PortSIP-like PBX on loopback, for trials and tests: the REST contract over HTTPS, a SIP registrar
//! and proxy over UDP and TCP, and lines that answer by themselves.
//!
//! ```no_run
//! # async fn example() -> Result<(), demo_pbx::StartError> {
//! let pbx = demo_pbx::DemoPbx::start(demo_pbx::Config::default()).await?;
//! println!("sign in at {} with domain {}", pbx.server(), pbx.domain());
//! pbx.faults().sip(demo_pbx::SipFault::Silent);
//! # Ok(())
//! # }
//! ```

mod accounts;
mod announcement;
mod blobs;
mod callback;
mod config;
mod contacts;
mod faults;
mod forwarding;
mod greetings;
mod https;
mod issued;
mod mail;
mod manner;
mod media;
mod microsoft;
mod pbx;
mod picture;
mod policy;
mod portraits;
mod queues;
mod records;
mod requests;
mod rest;
mod second_factor;
mod session;
mod sip;
mod tenant;
mod tickets;
mod timestamp;
mod tls;
mod voicemail;

use std::io;
use std::net::SocketAddr;

pub use announcement::{AnnouncedUser, Announcement, Lines};
pub use config::{Config, Enforced, HTTPS_PORT, SIP_TCP_PORT, SIP_UDP_PORT, Transport};
pub use faults::{FaultOrder, Faults, RestFault, RestRule, SipFault, Standing};
pub use mail::Mail;
pub use manner::{Generation, Manner, MicrosoftAnswer, VerifyAnswer};
pub use pbx::{DemoPbx, Snapshot};
pub use policy::PasswordPolicy;
pub use sip::{BUSY, DECLINE, ECHO, INTERCOM, NO_ANSWER, Registration};
pub use tenant::{Passwords, Tenant, User};
pub use tls::CertificateFault;

/// Why a demo PBX does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port could not be listened on.
    #[error("cannot listen for {name} on {address}: {source}")]
    Bind {
        /// What for.
        name: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The address to listen on is advertised too, so it must be a concrete one.
    #[error("the address to listen on must be a concrete one")]
    Unspecified,
    /// The state folder could not be read or written.
    #[error("cannot use the state folder: {0}")]
    State(io::Error),
    /// The certificate could not be made or read.
    #[error("cannot use the certificate: {0}")]
    Certificate(String),
}
