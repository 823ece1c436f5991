//! One try to register (RFC 3261, section 10.2; RFC 5626, section 4.2).

use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rsipstack::sip::{Header, Method, Response, Uri};
use tokio::sync::mpsc;

use crate::binding::{Binding, Targets, lifetime, replaces_by_instance};
use crate::digest::{Authenticator, Rounds};
use crate::exchange::{Reply, exchange_within};
use crate::flow::{Flow, Net};
use crate::message::{ALLOW, Draft, seconds, token};
use crate::registration::{Fact, Input};
use crate::resolve::MOST_TURNS;
use crate::target::user_part;
use crate::{Account, Cause, Instance, Proxy, Transport};

/// A REGISTER without any answer for this long went nowhere.
const PATIENCE: Duration = Duration::from_secs(3);
/// Over UDP a PBX that restarted and forgot us is noticed within this time.
const LOOK: Duration = Duration::from_secs(90);
/// Credentials that were good are wrong after so many refusals in a row, some eleven minutes: before that, the PBX is
/// more likely to have lost sight of its users than the user to have got another password. Far fewer than lock out
/// an address.
const MOST_REFUSALS: u8 = 6;
/// Times a Contact may turn out to be another one while it is registered.
const MOST_CHANGES: u8 = 2;

/// What stays the same over all registrations of a user agent: Call-ID, tag, CSeq counter, nonces.
pub(crate) struct Registrar {
    draft: Draft,
    auth: Authenticator,
    instance: Option<Instance>,
    state: Mutex<State>,
}

/// What was learnt from earlier registrations.
#[derive(Default)]
struct State {
    /// The flow of the last try.
    flow: Option<Flow>,
    bound: Option<Bound>,
    /// The registrar that another one sent us to.
    registrar: Option<Uri>,
    /// The registrar wants no flow to be named (439, RFC 5626, section 6).
    without_flow: bool,
    /// The credentials were good once.
    was_registered: bool,
    /// Times in a row that they have been refused.
    refusals: u8,
}

/// What came of one try at one server.
enum Outcome {
    Known(Input),
    /// Another server is to be asked.
    Redirected(Response),
}

/// The binding the registrar holds.
#[derive(Clone)]
struct Bound {
    contact: String,
    /// It is listed as it was sent: nobody on the way gives it another address.
    as_sent: bool,
    /// A new binding takes its place by itself.
    by_instance: bool,
}

impl Registrar {
    pub(crate) fn new(account: &Account, uri: Uri, auth: Authenticator) -> Self {
        let user = user_part(&account.user).unwrap_or_default();
        let address = format!("<sip:{user}@{}>", account.domain);
        let draft = Draft {
            method: Method::Register,
            uri,
            from: format!("{address};tag={}", token()),
            to: address,
            call_id: token(),
            sequence: Arc::new(AtomicU32::new(0)),
            routes: Vec::new(),
            headers: Vec::new(),
            body: None,
        };
        Self { draft, auth, instance: account.instance.clone(), state: Mutex::default() }
    }

    /// Tries to register for `expires`; tells the state machine what came of this try, whose number is `attempt`.
    pub(crate) async fn register(
        &self,
        net: &Net,
        expires: Duration,
        attempt: u64,
        facts: &mpsc::UnboundedSender<Fact>,
    ) {
        let tell = |input| {
            let _ = facts.send(Fact { input, attempt: Some(attempt) });
        };
        let mut targets = Targets::new(self.draft.uri.clone());
        let mut turns = 0;
        let (flow, outcome) = loop {
            let flow = match net.flow().await {
                Ok(flow) => flow,
                Err(cause) => {
                    self.go_home(net).await;
                    tell(Input::Failed { cause, status: None, retry_after: None });
                    return;
                }
            };
            self.state().flow = Some(flow.clone());
            match self.bind(net, &flow, expires).await {
                Ok(Outcome::Redirected(answer)) => {
                    if let Some(other) = targets.follow(&answer) {
                        tracing::debug!(registrar = %other, "sent to another registrar");
                        net.turn_to(Some(server(&other))).await;
                        self.state().registrar = Some(other);
                        continue;
                    }
                    let status = Some(answer.status_code.code());
                    let failed = Input::Failed { cause: Cause::Refused, status, retry_after: None };
                    break (flow, Ok(failed));
                }
                // A server that is overloaded is not waited for while there is another (RFC 3263, section 4.3).
                Ok(Outcome::Known(Input::Failed { status: Some(503), retry_after, .. }))
                    if turns < MOST_TURNS && net.give_way(&flow, retry_after) =>
                {
                    turns += 1;
                }
                Ok(Outcome::Known(outcome)) => break (flow, Ok(outcome)),
                Err(cause) => break (flow, Err(cause)),
            }
        };
        if !matches!(outcome, Ok(Input::Granted { .. } | Input::TooBrief { .. })) {
            self.go_home(net).await;
        }
        match outcome {
            Ok(outcome) => {
                tell(outcome);
                // A loss reported ahead of the outcome came while the machine was still trying, which has no use for it.
                if flow.is_lost() {
                    tell(Input::FlowLost(flow.lost().await));
                }
            }
            Err(cause) => {
                if cause == Cause::Silence {
                    flow.lose(cause);
                }
                tell(Input::Failed { cause, status: None, retry_after: None });
            }
        }
    }

    /// Forgets what was learnt of the ways to registrars: the network is another one, or the user wants it so.
    pub(crate) async fn afresh(&self, net: &Net) {
        self.state().registrar = None;
        net.refresh().await;
    }

    /// Takes the registration back.
    pub(crate) async fn unregister(&self, net: &Net) {
        if let Ok(flow) = net.flow().await {
            let bound = self.state().bound.take().map(|bound| bound.contact);
            let contact = bound.unwrap_or_else(|| flow.contact());
            let (mut auth, mut rounds) = (self.auth.clone(), Rounds::default());
            let named = self.named(&contact);
            let _ = self.send(net, &flow, Duration::ZERO, named, &mut auth, &mut rounds).await;
        }
    }

    /// The flow that the last try was made over.
    pub(crate) fn flow(&self) -> Option<Flow> {
        self.state().flow.clone()
    }

    /// Leaves the server that another one sent us to, for it is of no use.
    async fn go_home(&self, net: &Net) {
        if self.state().registrar.take().is_some() {
            net.turn_to(None).await;
        }
    }

    async fn bind(&self, net: &Net, flow: &Flow, expires: Duration) -> Result<Outcome, Cause> {
        let (mut auth, mut rounds) = (self.auth.clone(), Rounds::default());
        let mut changes = 0;
        loop {
            let contact = flow.contact();
            let outdated = self.removable(&contact);
            let mut named = self.named(&contact);
            if let Some(outdated) = &outdated {
                named.push_str(&format!(", {outdated};expires=0"));
            }
            let reply = self.send(net, flow, expires, named, &mut auth, &mut rounds).await?;
            match reply.status() {
                200..=299 => {
                    let is_listed = self.remember(&reply, &contact);
                    // A proxy that gives both Contacts one address makes of this the removal of what we have.
                    let removed_both = outdated.is_some() && !is_listed;
                    let moved = flow.contact() != contact;
                    if removed_both || (moved && changes < MOST_CHANGES) {
                        changes += 1;
                        rounds = Rounds::default();
                        continue;
                    }
                    net.service_route.learn(&reply.response);
                }
                // Challenged, and by the way told where we are.
                401 | 407 if reply.moved && !reply.credentials_refused && changes < MOST_CHANGES => {
                    changes += 1;
                    continue;
                }
                300..=399 => return Ok(Outcome::Redirected(reply.response)),
                439 if !std::mem::replace(&mut self.state().without_flow, true) => continue,
                _ => {}
            }
            return Ok(Outcome::Known(self.outcome(&reply, &contact, expires, flow.transport)));
        }
    }

    async fn send(
        &self,
        net: &Net,
        flow: &Flow,
        expires: Duration,
        contacts: String,
        auth: &mut Authenticator,
        rounds: &mut Rounds,
    ) -> Result<Reply, Cause> {
        let names_flow = self.instance.is_some() && !self.state().without_flow;
        let supported = if names_flow { "path, outbound" } else { "path" };
        let mut draft = self.draft.clone();
        if let Some(registrar) = self.state().registrar.clone() {
            draft.uri = registrar;
        }
        draft.headers.extend([
            Header::Contact(contacts.into()),
            Header::Expires(expires.as_secs().to_string().into()),
            Header::Allow(ALLOW.into()),
            Header::Supported(supported.into()),
        ]);
        exchange_within(net, flow, &draft, auth, rounds, PATIENCE).await
    }

    /// A Contact with what names this phone and its flow. A registrar that knows nothing of either ignores both.
    fn named(&self, contact: &str) -> String {
        let Some(instance) = &self.instance else { return contact.to_owned() };
        let flow = if self.state().without_flow { "" } else { ";reg-id=1" };
        format!("{contact};+sip.instance=\"<{}>\"{flow}", instance.as_str())
    }

    /// The binding that a new one under `contact` leaves behind and that can be removed along with it. Where
    /// Contacts get other addresses on the way, the name of the old binding is unknown, and what we take for it might
    /// become that of the new one.
    fn removable(&self, contact: &str) -> Option<String> {
        let bound = self.state().bound.clone()?;
        (bound.contact != contact && bound.as_sent && !bound.by_instance).then_some(bound.contact)
    }

    /// Takes note of what a 2xx says of the binding; whether it is listed as it was sent.
    fn remember(&self, reply: &Reply, contact: &str) -> bool {
        let as_sent = Binding::all(&reply.response).iter().any(|binding| binding.holds(contact));
        let by_instance = replaces_by_instance(&reply.response);
        let mut state = self.state();
        state.bound = Some(Bound { contact: contact.to_owned(), as_sent, by_instance });
        state.was_registered = true;
        state.refusals = 0;
        as_sent
    }

    /// Takes note that the credentials were refused; whether they are to be taken for wrong.
    fn are_wrong(&self) -> bool {
        let mut state = self.state();
        state.refusals = state.refusals.saturating_add(1);
        !state.was_registered || state.refusals >= MOST_REFUSALS
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outcome(&self, reply: &Reply, contact: &str, asked: Duration, transport: Transport) -> Input {
        let status = reply.status();
        let response = &reply.response;
        let cause = match status {
            200..=299 => {
                let look = if transport == Transport::Udp { LOOK } else { Duration::MAX };
                let instance = self.instance.as_ref().map(Instance::as_str);
                let expires = lifetime(response, contact, instance, asked);
                if !expires.is_zero() {
                    return Input::Granted { expires, rtt: reply.rtt, look };
                }
                // Taken and dropped at once: no call can come.
                Cause::ServerFailed
            }
            423 => {
                let minimum = seconds(response, |header| match header {
                    Header::MinExpires(value) => Some(value.value()),
                    _ => None,
                });
                match minimum {
                    Some(minimum) => return Input::TooBrief { minimum },
                    None => Cause::Refused,
                }
            }
            _ if reply.credentials_refused && self.are_wrong() => Cause::WrongPassword,
            // A registrar that forbids after it has seen the digest means the credentials, unless they were good
            // before.
            403 if reply.credentials_sent && !self.state().was_registered => Cause::WrongPassword,
            408 | 429 | 480 | 491 | 500..=599 => Cause::ServerFailed,
            _ => Cause::Refused,
        };
        let retry_after = seconds(response, |header| match header {
            Header::RetryAfter(value) => Some(value.value()),
            _ => None,
        });
        Input::Failed { cause, status: Some(status), retry_after }
    }
}

/// The server a Request-URI names.
fn server(uri: &Uri) -> Proxy {
    let host = uri.host_with_port.host.to_string();
    let host = host.trim_matches(['[', ']']).to_owned();
    Proxy { host, port: uri.host_with_port.port.map(|port| port.0) }
}
