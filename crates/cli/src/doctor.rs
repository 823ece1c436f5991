//! `doctor`: what keeps the phone from its work, and what to do about it.

mod words;

use std::io::BufRead;

use phone::doctor::{Diagnosis, Finding, Outcome, Patient, examine};
use phone::{Code, Config, Problem};
use secrecy::SecretString;

use crate::args;
use crate::calls::fail;
use crate::exit::Exit;
use crate::output::Output;

/// Looks at everything, tells it, and names one cause.
pub async fn doctor(mut config: Config, output: &Output, args: &args::Doctor) -> Exit {
    let patient = match patient(&mut config, args).await {
        Ok(patient) => patient,
        Err(problem) => return fail(output, &problem),
    };
    let report = examine(patient, |finding| tell(output, finding)).await;
    let said = report.cause.map(words::of);
    output.diagnosis(report.cause, said);
    let bad = report.findings.iter().any(|finding| finding.outcome == Outcome::Bad);
    match report.cause {
        Some(cause) if bad => exit(cause),
        _ => Exit::Done,
    }
}

async fn patient(config: &mut Config, args: &args::Doctor) -> Result<Patient, Problem> {
    crate::sessions::trust(config, args.account.ca.as_ref())?;
    config.nat = crate::nat(&args.account)?;
    config.srtp = crate::srtp(&args.account);
    let plain = crate::plain(&args.account)?;
    let signed_in = args.account.account.is_some() || (args.server.is_none() && plain.is_none());
    let mut patient = match signed_in {
        true => {
            let id = crate::sessions::known(config, args.account.account.as_deref())?;
            Patient::signed_in(config, &id).await?
        }
        false => Patient::new(config),
    };
    if let (Some(server), Some(domain)) = (&args.server, &args.domain) {
        patient.at(server, domain)?;
    }
    if let Some(account) = &plain {
        patient.with_line(account)?;
    }
    if let Some(stun) = config.nat.as_ref().and_then(|nat| nat.stun.clone()) {
        patient.stun = Some(stun);
    }
    if let Some(username) = &args.username {
        patient.credentials = Some((username.clone(), password()?));
    }
    patient.echo = (!args.no_call).then(|| args.echo.clone());
    Ok(patient)
}

fn password() -> Result<SecretString, Problem> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| Problem::new(Code::WrongCredentials, format!("standard input: {error}")))?;
    Ok(SecretString::from(line.trim_end_matches(['\r', '\n']).to_owned()))
}

fn tell(output: &Output, finding: &Finding) {
    let said = finding.diagnosis.map(words::of);
    output.finding(finding, words::name(finding.check), said);
}

/// Exit status of a cause that keeps the phone from its work.
fn exit(cause: Diagnosis) -> Exit {
    use Diagnosis::{
        Blocked, DomainUnknown, EchoNotAnswered, RegistrationRefused, SipPasswordWrong, WrongPassword,
    };
    match cause {
        WrongPassword | Blocked | DomainUnknown | SipPasswordWrong | RegistrationRefused => Exit::Refused,
        EchoNotAnswered => Exit::NotAnswered,
        _ => Exit::Unreachable,
    }
}
