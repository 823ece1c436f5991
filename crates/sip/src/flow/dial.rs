//! Reaching the proxy at the first of its targets that answers: the preferred get a head start, the rest does not
//! wait for them for ever.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt};
use pbx_api::ProxyProblem;
use tokio::time::sleep_until;

use super::{Failure, Flow, Net};
use crate::resolve::Target;
use crate::{Cause, Transport};

/// Head start of each target over the next.
const STAGGER: Duration = Duration::from_millis(300);
/// All have started by then, however many there are.
const ALL_STARTED: Duration = Duration::from_secs(2);
/// A target that is reached waits this long, from the beginning of the round, for one that is preferred to it.
const GRACE: Duration = Duration::from_secs(2);

/// Tries targets, which are in order of preference, until `limit`. `known` worked before: where its certificate is
/// not trusted any more, none less secure is taken in its stead.
///
/// # Errors
/// The failure that says most of all those met.
pub(super) async fn dial(
    net: &Net,
    targets: Vec<Target>,
    limit: Instant,
    known: Option<Transport>,
) -> Result<Flow, Failure> {
    let began = Instant::now();
    let stagger =
        ALL_STARTED.checked_div(u32::try_from(targets.len()).unwrap_or(u32::MAX)).unwrap_or(STAGGER);
    let stagger = stagger.min(STAGGER);
    // A datagram that is sent has not arrived: where there is a choice, UDP has to prove itself.
    let prove = targets.len() > 1;
    let mut waiting = VecDeque::from(targets);
    // The transport that is left, once a certificate has gone bad.
    let mut only: Option<Transport> = None;
    let mut under_way: Vec<Target> = Vec::new();
    let mut attempts = FuturesUnordered::new();
    let mut next = began;
    let mut best: Option<(Target, Tentative)> = None;
    let mut failures: Vec<Failure> = Vec::new();
    loop {
        let preferred = |other: &&Target| best.as_ref().is_some_and(|(target, _)| other.rank < target.rank);
        // What worked before is waited for longer than another: to delay it must not be a way to less security.
        let is_other = best.as_ref().is_some_and(|(target, _)| known != Some(target.transport));
        let patience = match is_other && under_way.iter().any(|other| known == Some(other.transport)) {
            true => limit,
            false => limit.min(began + GRACE),
        };
        if best.is_some() && (!under_way.iter().any(|other| preferred(&other)) || Instant::now() >= patience)
        {
            // Whoever had the head start and did not make it has failed.
            under_way.iter().filter(preferred).for_each(|other| net.failed(other));
            return best.map(|(_, flow)| flow.keep()).ok_or(Cause::ConnectionLost.into());
        }
        let nothing_left = waiting.is_empty() && attempts.is_empty();
        if nothing_left || Instant::now() >= limit {
            break;
        }
        let until = if best.is_some() { patience } else { limit };
        tokio::select! {
            Some((target, outcome)) = attempts.next(), if !attempts.is_empty() => {
                let target: Target = target;
                under_way.retain(|other| *other != target);
                match outcome {
                    // What is not wanted is closed when it is dropped.
                    Ok(_) if only.is_some_and(|only| only != target.transport) => {}
                    Ok(_) if best.as_ref().is_some_and(|(better, _)| better.rank <= target.rank) => {}
                    Ok(flow) => best = Some((target, flow)),
                    Err(failure) => {
                        let failure: Failure = failure;
                        tracing::debug!(?target, cause = ?failure.cause, "not reached");
                        // Without a network it is not the target's fault.
                        if failure.cause != Cause::NetworkUnreachable {
                            net.failed(&target);
                        }
                        if failure.distrust.is_some() && known == Some(target.transport) {
                            only = known;
                            waiting.retain(|other| known == Some(other.transport));
                            best = best.filter(|(of, _)| known == Some(of.transport));
                        }
                        net.tell(&failure);
                        failures.push(failure);
                        next = Instant::now();
                    }
                }
            }
            () = sleep_until(next.into()), if !waiting.is_empty() && best.is_none() => {
                if let Some(target) = waiting.pop_front() {
                    under_way.push(target);
                    attempts.push(async move { (target, net.reach(target, prove).await.map(Tentative::new)) });
                }
                next = Instant::now() + stagger;
            }
            () = sleep_until(until.into()) => {}
        }
    }
    for target in &under_way {
        net.failed(target);
        let through = target.beyond.map(|_| Cause::Proxy(ProxyProblem::Unreachable));
        failures.push(through.unwrap_or(Cause::Silence).into());
    }
    Err(failures
        .into_iter()
        .max_by_key(|failure| weight(failure.cause))
        .unwrap_or(Cause::NameNotFound.into()))
}

/// A flow that is closed unless it is kept, and until then of no concern to anybody.
pub(super) struct Tentative {
    flow: Flow,
    kept: bool,
}

impl Tentative {
    pub(super) fn new(flow: Flow) -> Self {
        flow.set_aside(true);
        Self { flow, kept: false }
    }

    /// The flow, which stays open.
    pub(super) fn keep(mut self) -> Flow {
        self.kept = true;
        self.flow.set_aside(false);
        self.flow.clone()
    }
}

impl Drop for Tentative {
    fn drop(&mut self) {
        if !self.kept {
            self.flow.discard();
        }
    }
}

/// How much a cause says, among those of several targets.
fn weight(cause: Cause) -> u8 {
    match cause {
        Cause::CertificateNotTrusted => 8,
        Cause::TlsFailed => 7,
        Cause::ServerFailed => 6,
        Cause::NotUnderstood => 5,
        Cause::ConnectionLost => 4,
        Cause::ConnectionRefused => 3,
        Cause::Silence | Cause::Proxy(_) => 2,
        Cause::NetworkUnreachable => 1,
        _ => 0,
    }
}
