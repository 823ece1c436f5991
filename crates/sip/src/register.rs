//! One try to register (RFC 3261, section 10.2).

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use rsipstack::sip::{Header, Method, Uri};
use tokio::sync::mpsc;

use crate::digest::Authenticator;
use crate::exchange::{Reply, exchange};
use crate::flow::{Flow, Net};
use crate::message::{ALLOW, Draft, granted, seconds, token};
use crate::registration::Input;
use crate::target::user_part;
use crate::{Account, Cause};

/// A REGISTER without any answer for this long went nowhere.
const PATIENCE: Duration = Duration::from_secs(3);

/// What stays the same over all registrations of a user agent: Call-ID, tag, CSeq counter, nonces.
pub(crate) struct Registrar {
    draft: Draft,
    auth: Authenticator,
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
        Self { draft, auth }
    }

    /// Tries to register for `expires`; tells the state machine what came of it.
    pub(crate) async fn register(&self, net: &Net, expires: Duration, facts: &mpsc::UnboundedSender<Input>) {
        let flow = match net.flow().await {
            Ok(flow) => flow,
            Err(cause) => {
                let _ = facts.send(Input::Failed { cause, status: None, retry_after: None });
                return;
            }
        };
        match self.send(net, &flow, expires).await {
            Ok(reply) => {
                let _ = facts.send(outcome(&reply, &flow, expires));
                if reply.moved {
                    let _ = facts.send(Input::Moved);
                }
                // A loss reported ahead of the outcome came while the machine was still trying, which has no use for it.
                if flow.is_lost() {
                    let _ = facts.send(Input::FlowLost(flow.lost().await));
                }
            }
            Err(cause) => {
                if cause == Cause::Silence {
                    flow.lose(cause);
                }
                let _ = facts.send(Input::Failed { cause, status: None, retry_after: None });
            }
        }
    }

    /// Takes the registration back.
    pub(crate) async fn unregister(&self, net: &Net) {
        if let Ok(flow) = net.flow().await {
            let _ = self.send(net, &flow, Duration::ZERO).await;
        }
    }

    async fn send(&self, net: &Net, flow: &Flow, expires: Duration) -> Result<Reply, Cause> {
        let mut draft = self.draft.clone();
        draft.headers.push(Header::Expires(expires.as_secs().to_string().into()));
        draft.headers.push(Header::Allow(ALLOW.into()));
        exchange(net, flow, &draft, &mut self.auth.clone(), PATIENCE).await
    }
}

fn outcome(reply: &Reply, flow: &Flow, asked: Duration) -> Input {
    let status = reply.status();
    let response = &reply.response;
    let cause = match status {
        200..=299 => {
            let expires = granted(response, &flow.contact(), asked);
            if !expires.is_zero() {
                return Input::Granted { expires, rtt: reply.rtt };
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
        _ if reply.credentials_refused => Cause::WrongPassword,
        // A registrar that forbids after it has seen the digest means the credentials.
        403 if reply.credentials_sent => Cause::WrongPassword,
        408 | 429 | 480 | 491 | 500..=599 => Cause::ServerFailed,
        _ => Cause::Refused,
    };
    let retry_after = seconds(response, |header| match header {
        Header::RetryAfter(value) => Some(value.value()),
        _ => None,
    });
    Input::Failed { cause, status: Some(status), retry_after }
}
