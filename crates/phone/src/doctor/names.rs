//! What the name service says.

use std::net::IpAddr;

use sip::survey::{Records, addresses};

use super::judge::SILENT;
use super::{Check, Diagnosis, Finding, Notes, listed};

/// Addresses of a host.
///
/// # Errors
/// There are none.
pub(super) async fn of(line: &sip::Account, host: &str, notes: &Notes) -> Result<Vec<IpAddr>, Diagnosis> {
    let tried = format!("A, AAAA {host}");
    let found = addresses(line, host).await;
    if found.is_empty() {
        notes.put(Finding::bad(Check::Names, Diagnosis::NameNotFound, tried, SILENT));
        return Err(Diagnosis::NameNotFound);
    }
    notes.put(Finding::good(Check::Names, tried, listed(&found)));
    Ok(found)
}

/// What the SIP proxy's own records say.
pub(super) fn of_services(line: &sip::Account, records: &Records) -> Vec<Finding> {
    let host = &line.proxy.host;
    let tried = format!("NAPTR {host}, SRV _sip(s)._tcp|_udp.{host}");
    let mut findings = Vec::new();
    if !records.naptr.is_empty() {
        findings.push(Finding::good(Check::Services, format!("NAPTR {host}"), records.naptr.join("; ")));
    }
    let some_lead = records.services.iter().any(|service| !service.addresses.is_empty());
    for service in &records.services {
        let tried = format!("SRV {}", service.name);
        let leads = format!("{}:{}", service.target, service.port);
        findings.push(match (service.addresses.is_empty(), some_lead) {
            (false, _) => {
                Finding::good(Check::Services, tried, format!("{leads} ({})", listed(&service.addresses)))
            }
            (true, true) => Finding::note(
                Check::Services,
                Diagnosis::ServiceLeadsNowhere,
                tried,
                format!("{leads} ({SILENT})"),
            ),
            (true, false) => Finding::bad(
                Check::Services,
                Diagnosis::ServiceLeadsNowhere,
                tried,
                format!("{leads} ({SILENT})"),
            ),
        });
    }
    if findings.is_empty() {
        // Most domains have none, and none are needed.
        findings.push(Finding::good(Check::Services, tried, SILENT));
    }
    findings
}
