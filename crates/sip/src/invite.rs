//! INVITE transactions of ours.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rsipstack::sip::{Header, Request, Response, SipMessage, StatusCodeKind};
use rsipstack::transaction::transaction::Transaction;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::Cause;
use crate::digest::{Authenticator, Rounds, Verdict};
use crate::exchange::{Reply, Way, is_direct, start, start_on};
use crate::flow::{Flow, Net};
use crate::message::{Draft, cancel, challenges};

/// Longest that an INVITE within a dialog may go without a final answer. A person may be asked there, but nobody
/// waits for ever while no other offer can be made.
const DELIBERATION: Duration = Duration::from_secs(90);
/// How long the other end gets to end what was cancelled: the life of a transaction, 64 times T1.
const FAREWELL: Duration = Duration::from_secs(32);

/// An INVITE under way. A task of its own sees to retransmissions and acknowledges final answers, for as long as this
/// value lives: waiting for an answer can be given up at any time and nothing gets lost.
pub(crate) struct Inviting {
    /// The request as it was sent.
    pub request: Request,
    answers: mpsc::UnboundedReceiver<Response>,
    /// It went straight to the proxy.
    direct: bool,
}

impl Inviting {
    /// Sends an INVITE.
    ///
    /// # Errors
    /// The stack will not have the request.
    pub(crate) async fn start(net: &Net, flow: &Flow, request: Request) -> Result<Self, Cause> {
        Ok(Self::of(net, flow, start(net, flow, request).await?))
    }

    fn of(net: &Net, flow: &Flow, transaction: Transaction) -> Self {
        let request = transaction.original.clone();
        let direct = is_direct(&transaction, flow);
        let (sender, answers) = mpsc::unbounded_channel();
        net.behind(drive(transaction, sender));
        Self { request, answers, direct }
    }

    /// The next answer. Every repetition of a 2xx is among them. `None` when the transaction is over.
    pub(crate) async fn next(&mut self) -> Option<Response> {
        self.answers.recv().await
    }

    /// Stays until no more repetitions of the final answer can come.
    pub(crate) fn linger(mut self, net: &Net) {
        net.behind(async move { while self.next().await.is_some() {} });
    }

    /// Asks the other end to give up (RFC 3261, section 9.1). Not before a first answer: there would be nothing to
    /// cancel. A final answer still comes.
    pub(crate) fn cancel(&self, net: &Arc<Net>, flow: &Flow, reason: Option<Header>) {
        let mut request = cancel(&self.request);
        request.headers.extend(reason.into_iter().collect::<Vec<_>>());
        let (net, flow) = (net.clone(), flow.clone());
        net.clone().behind(async move {
            let anew = if flow.is_lost() { net.flow().await.ok() } else { None };
            if let Ok(mut cancelling) = start(&net, &anew.unwrap_or(flow), request).await {
                let _ = timeout(FAREWELL, cancelling.receive()).await;
            }
        });
    }
}

async fn drive(mut transaction: Transaction, answers: mpsc::UnboundedSender<Response>) {
    loop {
        let message = tokio::select! {
            message = transaction.receive() => message,
            () = answers.closed() => return,
        };
        match message {
            Some(SipMessage::Response(response)) => {
                if response.status_code.kind() == StatusCodeKind::Provisional {
                    // The stack swallows what looks like a repetition of the last answer, be it from another fork.
                    transaction.last_response = None;
                }
                if answers.send(response).is_err() {
                    return;
                }
            }
            Some(SipMessage::Request(_)) => {}
            None => return,
        }
    }
}

/// Sends an INVITE within a dialog and waits for the final answer, going through challenges on the way.
///
/// # Errors
/// No answer came, and why.
pub(crate) async fn reinvite(
    net: &Arc<Net>,
    flow: &Flow,
    draft: &Draft,
    auth: &mut Authenticator,
) -> Result<Reply, Cause> {
    let mut rounds = Rounds::default();
    loop {
        let way = Way::of(net, flow, draft).await;
        let request = draft.request(flow, &net.account.user_agent, way.to_proxy.then_some(&mut *auth));
        let sent = Instant::now();
        let mut inviting = Inviting::of(net, flow, start_on(net, flow, way, request).await?);
        let response = tokio::select! {
            response = final_answer(net, flow, &mut inviting) => response.ok_or(Cause::Silence)?,
            cause = flow.lost() => return Err(cause),
        };
        let moved = inviting.direct && flow.observe(&response);
        if way.to_proxy {
            auth.answered(&response);
        }
        let mut credentials_refused = false;
        match response.status_code.code() {
            200..=299 => inviting.linger(net),
            401 | 407 if way.to_proxy => match auth.learn(challenges(&response), &mut rounds) {
                Verdict::Retry => continue,
                Verdict::Refused => credentials_refused = true,
                Verdict::NotUnderstood => return Err(Cause::NotUnderstood),
            },
            _ => {}
        }
        return Ok(Reply {
            response,
            rtt: sent.elapsed(),
            credentials_refused,
            credentials_sent: way.to_proxy,
            moved,
        });
    }
}

async fn final_answer(net: &Arc<Net>, flow: &Flow, inviting: &mut Inviting) -> Option<Response> {
    if let Ok(answer) = timeout(DELIBERATION, next_final(inviting)).await {
        return answer;
    }
    inviting.cancel(net, flow, None);
    timeout(FAREWELL, next_final(inviting)).await.ok().flatten()
}

async fn next_final(inviting: &mut Inviting) -> Option<Response> {
    loop {
        let response = inviting.next().await?;
        if response.status_code.code() >= 200 {
            return Some(response);
        }
    }
}
