//! The PBX's REST interface.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use pbx_api::{
    ApiError, CertificateFacts, CertificateProblem, Client, Dialect, Glance, Limits, Pin, ServerAddress,
    SignInAnswer,
};
use sign_in::{Answer, Question, ask};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::judge::SILENT;
use super::{Check, Diagnosis, Finding, Notes, Patient, REST, of_certificate, shown, unix_now};

/// Longest to connect.
const PATIENCE: Duration = Duration::from_secs(3);
/// Clocks that differ by less are no matter.
const CLOCKS: Duration = Duration::from_secs(120);
/// A certificate that ends sooner is told of, seconds.
const SOON: i64 = 14 * 24 * 3600;
/// What is meaningless once TLS has failed.
const AFTER_TLS: &[Check] = &[Check::Clock, Check::Info, Check::SignIn];
/// In which order sign-ins were invented, the latest first.
const DIALECTS: [Dialect; 3] = [Dialect::Auth, Dialect::OAuth, Dialect::Cookie];

/// Looks at the interface, from its port to the sign-in.
pub(super) async fn examine(patient: &Patient, server: &ServerAddress, addresses: &[IpAddr], notes: &Notes) {
    if let Err(because) = port(server.port(), addresses, notes).await {
        return notes.skip(&REST, Some(because));
    }
    let interface = Interface { patient, server, notes };
    if let Err((because, left)) = interface.examine().await {
        notes.skip(left, Some(because));
    }
}

/// The same behind a web proxy, which alone can tell of the server's name and port.
pub(super) async fn examine_through(patient: &Patient, server: &ServerAddress, notes: &Notes) {
    let interface = Interface { patient, server, notes };
    if let Err((because, left)) = interface.examine().await {
        notes.skip(left, Some(because));
    }
}

/// Whether anybody listens at the port.
async fn port(port: u16, addresses: &[IpAddr], notes: &Notes) -> Result<(), Diagnosis> {
    let mut tries = JoinSet::new();
    for (place, ip) in addresses.iter().enumerate() {
        let address = SocketAddr::new(*ip, port);
        tries.spawn(async move {
            let began = Instant::now();
            let connected = timeout(PATIENCE, TcpStream::connect(address)).await;
            let result = connected
                .map_err(|_| io::ErrorKind::TimedOut)
                .and_then(|connected| connected.map(|_| began.elapsed()).map_err(|error| error.kind()));
            (place, address, result)
        });
    }
    let mut tried = tries.join_all().await;
    tried.sort_by_key(|(place, ..)| *place);
    let any = tried.iter().any(|(.., result)| result.is_ok());
    let refused = tried.iter().any(|(.., result)| *result == Err(io::ErrorKind::ConnectionRefused));
    let because = if refused { Diagnosis::PortClosed } else { Diagnosis::PortSilent };
    for (_, address, result) in tried {
        let what = format!("TCP {address}");
        notes.put(match result {
            Ok(took) => Finding::good(Check::Port, what, format!("{} ms", took.as_millis())),
            Err(kind) if any => Finding::note(Check::Port, Diagnosis::AddressDead, what, said(kind)),
            Err(kind) => Finding::bad(Check::Port, because, what, said(kind)),
        });
    }
    if any { Ok(()) } else { Err(because) }
}

fn said(kind: io::ErrorKind) -> String {
    match kind {
        io::ErrorKind::TimedOut => SILENT.to_owned(),
        kind => kind.to_string(),
    }
}

/// What cannot be looked at any more, and why.
type Stopped = (Diagnosis, &'static [Check]);

struct Interface<'a> {
    patient: &'a Patient,
    server: &'a ServerAddress,
    notes: &'a Notes,
}

impl Interface<'_> {
    async fn examine(&self) -> Result<(), Stopped> {
        let client = self.client(&[])?;
        let glance = match client.glance().await {
            Ok(glance) => glance,
            Err(ApiError::Certificate { problem, certificate }) => {
                return Err(self.distrusted(problem, &certificate).await);
            }
            Err(error) => return Err(self.unheard(&error)),
        };
        if let Some(proxy) = client.proxy() {
            self.notes.put(Finding::good(Check::Port, format!("{proxy} -> {}", self.server.authority()), ""));
        }
        self.certificate(glance.certificate.as_ref());
        self.clock(&glance);
        self.info(&client).await?;
        self.sign_in(&client).await;
        Ok(())
    }

    fn client(&self, pins: &[Pin]) -> Result<Client, Stopped> {
        let mut trust = self.patient.trust.clone();
        trust.pins.extend_from_slice(pins);
        Client::with_limits(self.server.clone(), &trust, &self.patient.user_agent, Limits::default()).map_err(
            |error| {
                let tried = self.server.authority();
                self.notes.put(Finding::bad(Check::Certificate, Diagnosis::NoTls, tried, error.to_string()));
                (Diagnosis::NoTls, AFTER_TLS)
            },
        )
    }

    fn certificate(&self, certificate: Option<&CertificateFacts>) {
        let tried = self.server.authority();
        self.notes.put(match certificate {
            Some(facts) if facts.not_after - unix_now() < SOON => {
                Finding::note(Check::Certificate, Diagnosis::CertificateEndsSoon, tried, shown(facts))
            }
            Some(facts) => Finding::good(Check::Certificate, tried, shown(facts)),
            None => Finding::good(Check::Certificate, tried, ""),
        });
    }

    /// A certificate that is not trusted. Where it is out of date, the server's clock is asked for over a connection
    /// that accepts this very certificate: nothing secret goes over it, and what it says mends nothing by itself.
    async fn distrusted(&self, problem: CertificateProblem, certificate: &CertificateFacts) -> Stopped {
        let because = of_certificate(problem, certificate);
        let tried = self.server.authority();
        self.notes.put(Finding::bad(Check::Certificate, because, tried, shown(certificate)));
        let pin = Pin { server: self.server.clone(), fingerprint: certificate.fingerprint };
        let glance = match (problem, self.client(&[pin])) {
            (CertificateProblem::Expired, Ok(client)) => client.glance().await.ok(),
            _ => None,
        };
        match glance {
            Some(glance) => {
                self.clock(&glance);
                (because, &[Check::Info, Check::SignIn])
            }
            None => (because, AFTER_TLS),
        }
    }

    /// No answer came over a connection that stands.
    fn unheard(&self, error: &ApiError) -> Stopped {
        let tried = format!("https://{}/api/info", self.server.authority());
        if let ApiError::Proxy { proxy, problem, .. } = error {
            let (because, tried) =
                (Diagnosis::from(*problem), format!("{proxy} -> {}", self.server.authority()));
            self.notes.put(Finding::bad(Check::Port, because, tried, problem.to_string()));
            return (because, &REST);
        }
        let (check, because) = match error {
            ApiError::Tls { .. } => (Check::Certificate, Diagnosis::NoTls),
            ApiError::NotUnderstood { .. } | ApiError::TooLarge { .. } => (Check::Info, Diagnosis::NotAPbx),
            _ => (Check::Info, Diagnosis::PbxFailing),
        };
        self.notes.put(Finding::bad(check, because, tried, error.to_string()));
        match check {
            Check::Certificate => (because, AFTER_TLS),
            _ => (because, &[Check::Certificate, Check::Clock, Check::SignIn]),
        }
    }

    fn clock(&self, glance: &Glance) {
        let tried = format!("Date, {}", self.server.authority());
        let Some(theirs) = glance.clock else {
            return self.notes.put(Finding::note(Check::Clock, None::<Diagnosis>, tried, SILENT));
        };
        let ours = SystemTime::now();
        let (sign, apart) = match ours.duration_since(theirs) {
            Ok(ahead) => ('+', ahead),
            Err(behind) => ('-', behind.duration()),
        };
        let seen = format!("{sign}{} s", apart.as_secs());
        self.notes.put(match apart < CLOCKS {
            true => Finding::good(Check::Clock, tried, seen),
            false => Finding::note(Check::Clock, Diagnosis::ClockWrong, tried, seen),
        });
    }

    async fn info(&self, client: &Client) -> Result<(), Stopped> {
        let domain = self.patient.domain.as_ref();
        let tried = format!("GET /info, {}", domain.map(ToString::to_string).unwrap_or_default());
        let (because, seen) = match client.info(domain).await {
            Ok(info) => match info.tenant {
                Some(tenant) => {
                    self.notes.put(Finding::good(Check::Info, tried, tenant.name));
                    return Ok(());
                }
                None => (Diagnosis::DomainUnknown, SILENT.to_owned()),
            },
            Err(error) => (of_refusal(&error), error.to_string()),
        };
        self.notes.put(Finding::bad(Check::Info, because, tried, seen));
        Err((because, &[Check::SignIn]))
    }

    async fn sign_in(&self, client: &Client) {
        let (Some((username, password)), Some(domain)) = (&self.patient.credentials, &self.patient.domain)
        else {
            return self.notes.skip(&[Check::SignIn], None);
        };
        let tried = format!("{username}@{domain}");
        for dialect in DIALECTS {
            let question = Question::SignIn {
                dialect,
                domain: domain.clone(),
                username: username.clone(),
                password: password.clone(),
            };
            let Answer::SignIn(answer) = ask(client, question).await else { continue };
            let finding = match answer {
                Ok(SignInAnswer::Tokens(tokens)) => {
                    let ended = client.sign_out(dialect, &tokens.access, tokens.refresh.as_ref()).await;
                    let seen = ended.err().map(|error| error.to_string()).unwrap_or_default();
                    Finding::good(Check::SignIn, tried, seen)
                }
                Ok(SignInAnswer::SecondFactor { .. }) => Finding::good(Check::SignIn, tried, "2FA"),
                // An older PBX does not know the way; nothing was refused.
                Err(ApiError::NotFound { .. }) => continue,
                Err(ApiError::WrongCredentials) => {
                    Finding::bad(Check::SignIn, Diagnosis::WrongPassword, tried, "")
                }
                Err(error) => Finding::bad(Check::SignIn, of_refusal(&error), tried, error.to_string()),
            };
            return self.notes.put(finding);
        }
        self.notes.put(Finding::bad(Check::SignIn, Diagnosis::SignInUnsupported, tried, "404"));
    }
}

/// What an answer that is no success means.
fn of_refusal(error: &ApiError) -> Diagnosis {
    match error {
        ApiError::Redirect { .. } => Diagnosis::Redirected,
        ApiError::Blocked { .. } | ApiError::Throttled { .. } => Diagnosis::Blocked,
        ApiError::NotUnderstood { .. } | ApiError::TooLarge { .. } => Diagnosis::NotAPbx,
        // What has not the PBX's shape does not come from one.
        ApiError::NotFound { code: None, .. } | ApiError::Refused { code: None, .. } => Diagnosis::NotAPbx,
        ApiError::NotFound { .. } | ApiError::Refused { .. } | ApiError::Unauthorized => {
            Diagnosis::DomainUnknown
        }
        ApiError::WrongCredentials => Diagnosis::WrongPassword,
        _ => Diagnosis::PbxFailing,
    }
}
