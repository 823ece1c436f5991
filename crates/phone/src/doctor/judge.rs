//! Which of all that was found is the cause. Pure.

use sip::survey::Knock;
use sip::{Transport, TransportChoice};

use super::{Check, Diagnosis, Finding, Outcome};

/// The one cause: the first thing, from the network to this machine, that keeps the phone from its work; where there
/// is none, the first that is worth knowing. None where all is well.
pub(crate) fn cause(findings: &[Finding]) -> Option<Diagnosis> {
    let named = |wanted: Outcome| {
        let of_kind = findings.iter().filter(|finding| finding.outcome == wanted);
        let told = of_kind.filter_map(|finding| Some((finding.check, finding.diagnosis?)));
        told.filter(|(_, diagnosis)| !diagnosis.explains_only()).min_by_key(|(check, _)| *check)
    };
    let (check, found) = named(Outcome::Bad).or_else(|| named(Outcome::Note))?;
    let rivals = findings.iter().filter(|f| f.check == check && f.outcome == Outcome::Bad);
    let rivals: Vec<Diagnosis> = rivals.filter_map(|finding| finding.diagnosis).collect();
    let found = most_telling(&rivals).filter(|_| check == Check::Transport).unwrap_or(found);
    let saw = |diagnosis| findings.iter().any(|finding| finding.diagnosis == Some(diagnosis));
    Some(match found {
        // A clock that is wrong makes good certificates look out of date.
        Diagnosis::CertificateExpired | Diagnosis::CertificateNotYetValid if saw(Diagnosis::ClockWrong) => {
            Diagnosis::ClockWrong
        }
        // One port that is silent is a filter's doing; a server none of whose ports says anything is gone.
        Diagnosis::PortSilent | Diagnosis::TransportBlocked if is_silent(findings) => Diagnosis::ServerSilent,
        found => found,
    })
}

/// Nothing has come back from the server, wherever it was tried.
fn is_silent(findings: &[Finding]) -> bool {
    let mut far = findings
        .iter()
        .filter(|finding| matches!(finding.check, Check::Port | Check::Transport))
        .filter(|finding| finding.outcome != Outcome::Skipped)
        .peekable();
    let quiet = |finding: &Finding| finding.seen == SILENT;
    far.peek().is_some() && far.all(quiet) && findings.iter().any(|finding| finding.check == Check::Transport)
}

/// What is said of a place from which nothing came back.
pub(crate) const SILENT: &str = "–";

/// What the answers over all transports mean for an account that wants to use `wanted`.
pub(crate) fn transports(
    wanted: TransportChoice,
    knocks: &[(Transport, Knock)],
) -> Vec<(Outcome, Option<Diagnosis>)> {
    let speaks = |knock: &Knock| matches!(knock, Knock::Answered { .. });
    let any = knocks.iter().any(|(_, knock)| speaks(knock));
    let mute = knocks.iter().any(|(_, knock)| *knock == Knock::Mute);
    let judged = |(transport, knock): &(Transport, Knock)| {
        let needed = match wanted {
            TransportChoice::Fixed(fixed) => {
                // Several places may be known for one transport; one that answers is enough.
                fixed == *transport && !knocks.iter().any(|(of, knock)| of == transport && speaks(knock))
            }
            TransportChoice::Automatic { .. } => !any,
        };
        let udp = *transport == Transport::Udp;
        let diagnosis = match knock {
            Knock::Answered { status, .. } if (500..600).contains(status) && status != &501 => {
                return (Outcome::Note, Some(Diagnosis::RegistrarFailing));
            }
            Knock::Answered { .. } => return (Outcome::Good, None),
            Knock::Silent if udp && mute => Diagnosis::RegistrarSilent,
            Knock::Silent if udp && any => return (of(needed), Some(Diagnosis::UdpBlocked)),
            Knock::Silent | Knock::NoRoute => Diagnosis::TransportBlocked,
            Knock::Refused => Diagnosis::TransportClosed,
            Knock::Mute => Diagnosis::RegistrarSilent,
            Knock::Certificate { problem, certificate } => super::of_certificate(*problem, certificate),
            Knock::NoTls => Diagnosis::NoTls,
            Knock::NotSip => Diagnosis::NotSip,
            Knock::Proxy(problem) => (*problem).into(),
        };
        (of(needed), needed.then_some(diagnosis))
    };
    knocks.iter().map(judged).collect()
}

fn of(needed: bool) -> Outcome {
    if needed { Outcome::Bad } else { Outcome::Note }
}

/// Which of the diagnoses of transports says most of an account that is to find out the transport by itself: where
/// all fail, the one that something answered to.
fn most_telling(diagnoses: &[Diagnosis]) -> Option<Diagnosis> {
    let rank = |diagnosis: &Diagnosis| match diagnosis {
        Diagnosis::CertificateUntrusted
        | Diagnosis::CertificateSelfSigned
        | Diagnosis::CertificateName
        | Diagnosis::CertificateExpired
        | Diagnosis::CertificateNotYetValid
        | Diagnosis::CertificateChanged => 0,
        Diagnosis::RegistrarSilent => 1,
        Diagnosis::NotSip | Diagnosis::NoTls => 2,
        Diagnosis::TransportBlocked => 3,
        _ => 4,
    };
    diagnoses.iter().copied().min_by_key(rank)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn answered() -> Knock {
        Knock::Answered { status: 401, rtt: Duration::ZERO, mapped: None }
    }

    #[test]
    fn the_farthest_fault_is_the_cause() {
        let findings = [
            Finding::bad(Check::Microphone, Diagnosis::NoMicrophone, "", ""),
            Finding::bad(Check::Port, Diagnosis::PortClosed, "", ""),
            Finding::note(Check::Vpn, Diagnosis::Vpn, "", "tun0"),
        ];
        assert_eq!(cause(&findings), Some(Diagnosis::PortClosed));
        assert_eq!(cause(&findings[..1]), Some(Diagnosis::NoMicrophone));
        assert_eq!(cause(&findings[2..]), None);
    }

    #[test]
    fn a_note_is_named_where_nothing_is_bad() {
        let findings = [
            Finding::note(Check::Keychain, Diagnosis::KeychainAbsent, "", ""),
            Finding::note(Check::Nat, Diagnosis::StunSilent, "", ""),
            Finding::note(Check::Camera, Diagnosis::NoCamera, "", ""),
        ];
        assert_eq!(cause(&findings), Some(Diagnosis::StunSilent));
        assert_eq!(cause(&findings[2..]), None);
    }

    #[test]
    fn a_wrong_clock_explains_certificates_out_of_date() {
        let expired = Finding::bad(Check::Certificate, Diagnosis::CertificateExpired, "", "");
        let clock = Finding::note(Check::Clock, Diagnosis::ClockWrong, "", "");
        assert_eq!(cause(&[expired.clone(), clock]), Some(Diagnosis::ClockWrong));
        assert_eq!(cause(&[expired]), Some(Diagnosis::CertificateExpired));
    }

    #[test]
    fn a_server_that_says_nothing_anywhere_is_silent() {
        let port = Finding::bad(Check::Port, Diagnosis::PortSilent, "", SILENT);
        let sip = Finding::bad(Check::Transport, Diagnosis::TransportBlocked, "", SILENT);
        assert_eq!(cause(&[port.clone(), sip]), Some(Diagnosis::ServerSilent));
        let answers = Finding::good(Check::Transport, "", "401");
        assert_eq!(cause(&[port, answers]), Some(Diagnosis::PortSilent));
    }

    #[test]
    fn only_the_transport_that_is_wanted_has_to_work() {
        let knocks = [(Transport::Udp, Knock::Silent), (Transport::Tcp, answered())];
        let [udp, tcp] = transports(TransportChoice::Fixed(Transport::Udp), &knocks)[..] else { panic!() };
        assert_eq!((udp, tcp), ((Outcome::Bad, Some(Diagnosis::UdpBlocked)), (Outcome::Good, None)));
        let automatic = TransportChoice::Automatic { first: None };
        let [udp, _] = transports(automatic, &knocks)[..] else { panic!() };
        assert_eq!(udp, (Outcome::Note, Some(Diagnosis::UdpBlocked)));
        let refused = [(Transport::Tls, Knock::Refused), (Transport::Udp, answered())];
        let [tls, _] = transports(automatic, &refused)[..] else { panic!() };
        assert_eq!(tls, (Outcome::Note, None));
    }

    #[test]
    fn a_registrar_that_takes_all_and_says_nothing_is_told_from_a_filter() {
        let knocks = [(Transport::Udp, Knock::Silent), (Transport::Tcp, Knock::Mute)];
        let judged = transports(TransportChoice::Fixed(Transport::Udp), &knocks);
        assert_eq!(judged.first(), Some(&(Outcome::Bad, Some(Diagnosis::RegistrarSilent))));
    }

    #[test]
    fn of_many_failures_the_one_with_an_answer_says_most() {
        use Diagnosis::{CertificateName, RegistrarSilent, TransportBlocked, TransportClosed};
        assert_eq!(
            most_telling(&[TransportClosed, TransportBlocked, CertificateName]),
            Some(CertificateName)
        );
        assert_eq!(most_telling(&[TransportClosed, RegistrarSilent]), Some(RegistrarSilent));
        assert_eq!(most_telling(&[]), None);
    }
}
