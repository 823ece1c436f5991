//! SIP: who answers over which transport, whether the line registers there, and what is between.

use std::net::SocketAddr;
use std::time::Duration;

use pbx_api::Host;
use secrecy::ExposeSecret;
use sip::survey::{Knock, addresses, knock, mapping, places, records};
use sip::{Registration, Transport, TransportChoice, UserAgent};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::judge::{self, SILENT};
use super::{CALLS, Check, Diagnosis, Finding, Notes, Outcome, Patient, echo, names, shown};

/// Transports, the more secure first.
const ALL: [Transport; 4] = [Transport::Tls, Transport::Tcp, Transport::Udp, Transport::Wss];
/// Places of one transport that are knocked at.
const MOST_PLACES: usize = 3;
/// Longest that one registration may take.
const PATIENCE: Duration = Duration::from_secs(12);

/// Looks at the line, from the names of its servers to a call.
pub(super) async fn examine(patient: &Patient, line: &sip::Account, notes: &Notes) {
    let services = records(line).await;
    notes.put_all(names::of_services(line, &services));
    let own_server =
        patient.server.as_ref().is_none_or(|server| server.host().to_string() != line.proxy.host);
    let by_proxy = line.trust.web_proxy.toward(&line.proxy.host).is_some();
    if own_server
        && !by_proxy
        && services.services.is_empty()
        && let Err(because) = names::of(line, &line.proxy.host, notes).await
    {
        notes.skip(&[Check::Transport], Some(because));
        return notes.skip(&CALLS, Some(because));
    }
    let found = knocks(line).await;
    if found.is_empty() {
        let because = match services.services.is_empty() {
            true => Diagnosis::NameNotFound,
            false => Diagnosis::ServiceLeadsNowhere,
        };
        notes.skip(&[Check::Transport], Some(because));
        return notes.skip(&CALLS, Some(because));
    }
    let plain: Vec<(Transport, Knock)> = found.iter().map(|(of, _, knock)| (*of, knock.clone())).collect();
    let judged = judge::transports(line.transport, &plain);
    let mut because = None;
    for ((transport, address, knock), (outcome, diagnosis)) in found.iter().zip(judged) {
        let tried = format!("{} {address}", name(*transport));
        notes.put(finding(outcome, diagnosis, tried, said(knock)));
        because = because.or(diagnosis.filter(|_| outcome == Outcome::Bad));
    }
    let answering = answering(&found);
    nat(patient, line, &answering, notes).await;
    if let Some(because) = because {
        return notes.skip(&[Check::Registration, Check::Echo, Check::Sound], Some(because));
    }
    if line.password.expose_secret().is_empty() {
        return notes.skip(&[Check::Registration, Check::Echo, Check::Sound], None);
    }
    match registrations(line, &answering, notes).await {
        Ok(()) => echo::call(patient, line, notes).await,
        Err(because) => notes.skip(&[Check::Echo, Check::Sound], Some(because)),
    }
}

fn finding(outcome: Outcome, diagnosis: Option<Diagnosis>, tried: String, seen: String) -> Finding {
    Finding { check: Check::Transport, tried, seen, outcome, diagnosis }
}

/// Knocks at the places of all transports at once.
async fn knocks(line: &sip::Account) -> Vec<(Transport, SocketAddr, Knock)> {
    let mut tries = JoinSet::new();
    for (rank, transport) in ALL.into_iter().enumerate() {
        let line = towards(line, transport);
        let found = places(&line, transport).await.unwrap_or_default();
        for (place, address) in found.into_iter().take(MOST_PLACES).enumerate() {
            let line = line.clone();
            tries.spawn(
                async move { (rank, place, transport, address, knock(&line, transport, address).await) },
            );
        }
    }
    let mut found = tries.join_all().await;
    found.sort_by_key(|(rank, place, ..)| (*rank, *place));
    found.into_iter().map(|(_, _, transport, address, knock)| (transport, address, knock)).collect()
}

/// The line over this transport: a port that is given belongs to the transport that is chosen.
fn towards(line: &sip::Account, transport: Transport) -> sip::Account {
    let mut line = line.clone();
    if let TransportChoice::Fixed(chosen) = line.transport
        && chosen != transport
    {
        line.proxy.port = None;
    }
    line.transport = TransportChoice::Fixed(transport);
    line
}

/// The transports that answer, each with its first place, the one chosen first.
fn answering(found: &[(Transport, SocketAddr, Knock)]) -> Vec<(Transport, SocketAddr)> {
    let mut answering: Vec<(Transport, SocketAddr)> = Vec::new();
    for (transport, address, knock) in found {
        let is_new = answering.iter().all(|(known, _)| known != transport);
        if is_new && matches!(knock, Knock::Answered { .. }) {
            answering.push((*transport, *address));
        }
    }
    answering
}

/// Registers over every transport that answers, until the password is refused.
async fn registrations(
    line: &sip::Account,
    answering: &[(Transport, SocketAddr)],
    notes: &Notes,
) -> Result<(), Diagnosis> {
    let mut because = None;
    let mut registered = false;
    for (transport, address) in answering {
        let tried = format!("{} {address}, {}@{}", name(*transport), line.user, line.domain);
        let chosen = match line.transport {
            TransportChoice::Fixed(chosen) => chosen == *transport,
            TransportChoice::Automatic { .. } => true,
        };
        match register(&towards(line, *transport)).await {
            Ok(rtt) => {
                registered |= chosen;
                notes.put(Finding::good(Check::Registration, tried, format!("{} ms", rtt.as_millis())));
            }
            Err((diagnosis, seen)) => {
                because = because.or(chosen.then_some(diagnosis));
                notes.put(match chosen || diagnosis == Diagnosis::SipPasswordWrong {
                    true => Finding::bad(Check::Registration, diagnosis, tried, seen),
                    false => Finding::note(Check::Registration, None::<Diagnosis>, tried, seen),
                });
                if diagnosis == Diagnosis::SipPasswordWrong {
                    return Err(diagnosis);
                }
            }
        }
    }
    match because {
        Some(because) if !registered => Err(because),
        _ => Ok(()),
    }
}

/// One registration, taken back at once.
async fn register(line: &sip::Account) -> Result<Duration, (Diagnosis, String)> {
    let line = sip::Account { instance: Some(sip::Instance::random()), ..line.clone() };
    let (events, mut heard) = mpsc::unbounded_channel();
    let agent = UserAgent::start(line, events)
        .await
        .map_err(|error| (Diagnosis::RegistrationRefused, error.to_string()))?;
    let outcome = timeout(PATIENCE, async {
        while let Some(event) = heard.recv().await {
            match event {
                sip::Event::Registration(Registration::Registered { rtt, .. }) => return Some(Ok(rtt)),
                sip::Event::Registration(
                    Registration::Retrying { cause, status, .. } | Registration::Refused { cause, status },
                ) => return Some(Err((of_cause(cause), seen(cause, status)))),
                _ => {}
            }
        }
        None
    })
    .await;
    agent.stop().await;
    outcome.ok().flatten().unwrap_or_else(|| Err((Diagnosis::RegistrarSilent, SILENT.to_owned())))
}

fn of_cause(cause: sip::Cause) -> Diagnosis {
    use sip::Cause;
    match cause {
        Cause::WrongPassword => Diagnosis::SipPasswordWrong,
        Cause::ServerFailed => Diagnosis::RegistrarFailing,
        Cause::Silence | Cause::ConnectionLost => Diagnosis::RegistrarSilent,
        Cause::NameNotFound => Diagnosis::NameNotFound,
        Cause::NetworkUnreachable => Diagnosis::NoNetwork,
        Cause::ConnectionRefused => Diagnosis::TransportClosed,
        Cause::CertificateNotTrusted => Diagnosis::CertificateUntrusted,
        Cause::TlsFailed => Diagnosis::NoTls,
        Cause::NotUnderstood => Diagnosis::NotSip,
        Cause::Refused => Diagnosis::RegistrationRefused,
        Cause::Proxy(problem) => problem.into(),
    }
}

fn seen(cause: sip::Cause, status: Option<u16>) -> String {
    match status {
        Some(status) => format!("SIP {status}"),
        None if cause == sip::Cause::Silence => SILENT.to_owned(),
        None => format!("{cause:?}"),
    }
}

/// How addresses are translated on the way to the STUN server and to the SIP server.
async fn nat(patient: &Patient, line: &sip::Account, answering: &[(Transport, SocketAddr)], notes: &Notes) {
    let over_udp = answering.iter().find(|(transport, _)| *transport == Transport::Udp);
    let sip = over_udp.map(|(_, address)| *address);
    let stun = match &patient.stun {
        Some(server) => {
            let found = match server.host() {
                Host::Ip(ip) => vec![*ip],
                Host::Name(name) => addresses(line, name).await,
            };
            let alike = found.iter().find(|ip| sip.is_none_or(|sip| sip.is_ipv6() == ip.is_ipv6()));
            alike.or(found.first()).map(|ip| SocketAddr::new(*ip, server.port()))
        }
        None => None,
    };
    let silent = || {
        let tried = patient.stun.as_ref().map(|server| format!("STUN {}", server.authority()));
        notes.put(Finding::note(Check::Nat, Diagnosis::StunSilent, tried.unwrap_or_default(), SILENT));
    };
    if stun.is_none() && patient.stun.is_some() {
        return silent();
    }
    if stun.or(sip).is_none() {
        return notes.skip(&[Check::Nat], None);
    }
    let mapped = mapping(line, stun, sip).await;
    if stun.is_some() && mapped.by_stun.is_none() {
        silent();
    }
    let address = |address: Option<SocketAddr>| address.map_or(SILENT.to_owned(), |known| known.to_string());
    let seen =
        format!("{} -> {}, {}", address(mapped.local), address(mapped.by_stun), address(mapped.by_sip));
    let tried: Vec<String> = stun
        .map(|server| format!("STUN {server}"))
        .into_iter()
        .chain(sip.map(|server| format!("SIP {server}")))
        .collect();
    notes.put(match (mapped.by_stun, mapped.by_sip) {
        (Some(stun), Some(sip)) if stun != sip => {
            Finding::note(Check::Nat, Diagnosis::SymmetricNat, tried.join(", "), seen)
        }
        (None, None) => Finding::note(Check::Nat, None::<Diagnosis>, tried.join(", "), seen),
        _ => Finding::good(Check::Nat, tried.join(", "), seen),
    });
}

fn said(knock: &Knock) -> String {
    match knock {
        Knock::Answered { status, rtt, .. } => format!("SIP {status}, {} ms", rtt.as_millis()),
        Knock::Refused => "connection refused".to_owned(),
        Knock::Silent => SILENT.to_owned(),
        Knock::Mute => "connected, then nothing".to_owned(),
        Knock::NoRoute => "no route".to_owned(),
        Knock::Certificate { problem, certificate } => format!("{problem}: {}", shown(certificate)),
        Knock::NoTls => "no TLS".to_owned(),
        Knock::NotSip => "not SIP".to_owned(),
        Knock::Proxy(problem) => format!("web proxy: {problem}"),
    }
}

fn name(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "UDP",
        Transport::Tcp => "TCP",
        Transport::Tls => "TLS",
        Transport::Wss => "WSS",
    }
}
