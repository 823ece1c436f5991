//! What keeps a phone from its work: looks at everything between the server and the sound card, one thing after the
//! other, and names one cause.
//!
//! Nothing that was refused is tried again, and a check that an earlier one has made meaningless is left out.

mod echo;
mod finding;
mod judge;
mod line;
mod machine;
mod names;
mod network;
mod pbx;
mod signed_in;

use std::net::IpAddr;

use devices::{Sink, Source};
use pbx_api::{CertificateFacts, CertificateProblem, ServerAddress, SipDomain, Trust};
use secrecy::SecretString;
use serde::Serialize;
use specta::Type;

use crate::words::of_api_error;
use crate::{Config, Nat, Problem, SipAccount, SrtpPolicy, UnixMs};

pub use finding::{Check, Diagnosis, Finding, Outcome};

/// Whom and what to look at.
#[derive(Debug, Clone)]
pub struct Patient {
    /// The PBX's REST interface; none of a plain SIP server.
    pub server: Option<ServerAddress>,
    /// SIP domain of the tenant.
    pub domain: Option<SipDomain>,
    /// User name and password to try. They are tried once.
    pub credentials: Option<(String, SecretString)>,
    /// The line to register; with an empty password only whether SIP is answered is looked at.
    pub line: Option<sip::Account>,
    /// STUN server.
    pub stun: Option<ServerAddress>,
    /// Number of the echo line; without it no call is made.
    pub echo: Option<String>,
    /// What is trusted beside the system's roots.
    pub trust: Trust,
    /// Whether the call is encrypted.
    pub srtp: Option<SrtpPolicy>,
    /// How it finds its way through NATs.
    pub nat: Option<Nat>,
    /// `User-Agent`.
    pub user_agent: String,
    /// Service of the keychain's entries.
    pub keychain: String,
    /// Microphone to listen to; none where a call has it.
    pub microphone: Option<Source>,
    /// Speaker to open, likewise.
    pub speaker: Option<Sink>,
}

/// All that was found, and the one cause.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// In the order in which it was found.
    pub findings: Vec<Finding>,
    /// What is to be mended first; none where all is well.
    pub cause: Option<Diagnosis>,
}

impl Patient {
    /// A phone run as `config` says, with nobody signed in.
    pub fn new(config: &Config) -> Self {
        Self {
            server: None,
            domain: None,
            credentials: None,
            line: None,
            stun: None,
            echo: None,
            trust: config.extra_roots.clone(),
            srtp: config.srtp,
            nat: config.nat.clone(),
            user_agent: config.user_agent.clone(),
            keychain: brand::BRAND.keychain.to_owned(),
            microphone: Some(config.audio.microphone.clone()),
            speaker: Some(config.audio.speaker.clone()),
        }
    }

    /// Looks at this PBX and this domain, as they are typed.
    ///
    /// # Errors
    /// One of them cannot be meant.
    pub fn at(&mut self, server: &str, domain: &str) -> Result<(), Problem> {
        self.server = Some(server.parse().map_err(|error| of_api_error(&error))?);
        self.domain = Some(domain.parse().map_err(|error| of_api_error(&error))?);
        Ok(())
    }

    /// Looks at this plain account.
    ///
    /// # Errors
    /// Its proxy cannot be meant.
    pub fn with_line(&mut self, account: &SipAccount) -> Result<(), Problem> {
        let (host, port) = crate::signing_in::proxy(&account.proxy)?;
        let transport = match account.transport.fixed() {
            Some(transport) => sip::TransportChoice::Fixed(transport.into()),
            None => sip::TransportChoice::Automatic { first: None },
        };
        self.line = Some(sip::Account {
            user: account.user.trim().to_owned(),
            auth_user: account.auth_user.clone(),
            display_name: None,
            password: account.password.clone(),
            ..self.anybody(account.domain.trim(), sip::Proxy { host, port }, transport)
        });
        Ok(())
    }

    /// The line to look at: the one given, or nobody's at the server.
    fn line(&self) -> Option<sip::Account> {
        if let Some(line) = &self.line {
            return Some(line.clone());
        }
        let (server, domain) = (self.server.as_ref()?, self.domain.as_ref()?);
        let proxy = sip::Proxy { host: server.host().to_string(), port: None };
        Some(self.anybody(&domain.for_sip(), proxy, sip::TransportChoice::Automatic { first: None }))
    }

    fn anybody(&self, domain: &str, proxy: sip::Proxy, transport: sip::TransportChoice) -> sip::Account {
        sip::Account {
            user: "anonymous".to_owned(),
            auth_user: None,
            domain: domain.to_owned(),
            display_name: None,
            proxy,
            transport,
            trust: self.trust.clone(),
            websocket_path: sip::Account::WEBSOCKET_PATH.to_owned(),
            name_servers: None,
            password: SecretString::default(),
            expires: sip::Account::EXPIRES,
            user_agent: self.user_agent.clone(),
            instance: None,
            local_port: None,
        }
    }
}

/// Looks at everything; `tell` hears of each thing as it is found.
pub async fn examine(patient: Patient, mut tell: impl FnMut(&Finding) + Send) -> Report {
    let (found, mut arriving) = tokio::sync::mpsc::unbounded_channel();
    let near = found.clone();
    let devices = (patient.microphone.clone(), patient.speaker.clone(), patient.keychain.clone());
    let near = async move {
        let (microphone, speaker, keychain) = devices;
        let finders: [Box<dyn FnOnce() -> Finding + Send>; 4] = [
            Box::new(move || machine::keychain(keychain)),
            Box::new(move || machine::microphone(microphone)),
            Box::new(move || machine::speaker(speaker)),
            Box::new(machine::camera),
        ];
        for finder in finders {
            if let Ok(finding) = tokio::task::spawn_blocking(finder).await {
                let _ = near.send(finding);
            }
        }
    };
    let far = far(&patient, Notes(found));
    let mut report = Report::default();
    let mut take = |finding: Finding| {
        tell(&finding);
        report.findings.push(finding);
    };
    let looking = async { tokio::join!(near, far) };
    tokio::pin!(looking);
    loop {
        tokio::select! {
            biased;
            Some(finding) = arriving.recv() => take(finding),
            _ = &mut looking => break,
        }
    }
    while let Ok(finding) = arriving.try_recv() {
        take(finding);
    }
    let firewall = network::firewall(&report.findings);
    tell(&firewall);
    report.findings.push(firewall);
    report.cause = judge::cause(&report.findings);
    report
}

/// Where findings go.
#[derive(Clone)]
struct Notes(tokio::sync::mpsc::UnboundedSender<Finding>);

impl Notes {
    fn put(&self, finding: Finding) {
        // Who asked may have gone.
        let _ = self.0.send(finding);
    }

    fn put_all(&self, findings: Vec<Finding>) {
        findings.into_iter().for_each(|finding| self.put(finding));
    }

    fn skip(&self, checks: &[Check], because: Option<Diagnosis>) {
        checks.iter().for_each(|check| self.put(Finding::skipped(*check, because)));
    }
}

/// What of the REST interface is meaningless once the interface itself is out of reach.
const REST: [Check; 4] = [Check::Certificate, Check::Clock, Check::Info, Check::SignIn];
/// What of SIP is meaningless once nothing answers.
const CALLS: [Check; 4] = [Check::Registration, Check::Nat, Check::Echo, Check::Sound];

/// Everything beyond this machine.
async fn far(patient: &Patient, notes: Notes) {
    if let Err(because) = network::here(patient, &notes) {
        notes.skip(&[Check::Names, Check::Services, Check::Port], Some(because));
        notes.skip(&REST, Some(because));
        notes.skip(&[Check::Transport], Some(because));
        return notes.skip(&CALLS, Some(because));
    }
    let Some(line) = patient.line() else {
        return notes.skip(&[Check::Names], None);
    };
    let rest = async {
        match &patient.server {
            Some(server) if patient.trust.web_proxy.toward(&server.host().to_string()).is_some() => {
                pbx::examine_through(patient, server, &notes).await;
            }
            Some(server) => match names::of(&line, &server.host().to_string(), &notes).await {
                Ok(addresses) => pbx::examine(patient, server, &addresses, &notes).await,
                Err(because) => {
                    notes.skip(&[Check::Port], Some(because));
                    notes.skip(&REST, Some(because));
                }
            },
            None => {
                notes.skip(&[Check::Port], None);
                notes.skip(&REST, None);
            }
        }
    };
    let sip = line::examine(patient, &line, &notes);
    tokio::join!(rest, sip);
}

/// What is wrong with a certificate.
fn of_certificate(problem: CertificateProblem, certificate: &CertificateFacts) -> Diagnosis {
    match problem {
        CertificateProblem::Untrusted if certificate.self_signed => Diagnosis::CertificateSelfSigned,
        CertificateProblem::Untrusted => Diagnosis::CertificateUntrusted,
        CertificateProblem::Name => Diagnosis::CertificateName,
        CertificateProblem::Expired if certificate.not_before > unix_now() => {
            Diagnosis::CertificateNotYetValid
        }
        CertificateProblem::Expired => Diagnosis::CertificateExpired,
        CertificateProblem::Changed => Diagnosis::CertificateChanged,
    }
}

fn unix_now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// What a person sees of a certificate.
fn shown(certificate: &CertificateFacts) -> String {
    let until = UnixMs(u64::try_from(certificate.not_after).unwrap_or_default().saturating_mul(1000));
    format!("{} <- {}, {until}, SHA-256 {}", certificate.subject, certificate.issuer, certificate.fingerprint)
}

fn listed(addresses: &[IpAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
