use std::pin::pin;
use std::time::{Duration, Instant};

use rsipstack::sip::{Method, Response, SipMessage};
use rsipstack::transaction::transaction::Transaction;
use tokio::time::{sleep, timeout};

use super::established::established;
use super::{Call, FAREWELL, Input, afterwards, until_closing};
use crate::dialog::Dialog;
use crate::digest::{Rounds, Verdict};
use crate::exchange::{exchange, start};
use crate::flow::Flow;
use crate::message::{Draft, cancel, challenges, sdp_of, to_of};
use crate::party::tag;
use crate::{Cause, EndCause, Event};

/// An INVITE without any answer for this long goes nowhere: four retransmissions over UDP.
const PATIENCE: Duration = Duration::from_secs(8);

/// An INVITE to be sent.
pub(crate) struct Invite(pub Draft);

/// An outgoing call.
pub(crate) async fn outgoing(mut call: Call, invitation: Invite) {
    let draft = invitation.0;
    let net = call.net.clone();
    let mut way = pin!(net.flow());
    let flow = loop {
        tokio::select! {
            flow = &mut way => break flow,
            input = call.input() => if matches!(input, Input::HangUp) {
                return call.end(EndCause::CancelledHere, None);
            }
        }
    };
    match flow {
        Ok(flow) => invite(call, draft, flow).await,
        Err(cause) => call.end(EndCause::Unreachable(cause), None),
    }
}

async fn invite(mut call: Call, draft: Draft, flow: Flow) {
    let began = Instant::now();
    let mut rounds = Rounds::default();
    let mut early_media = None;
    loop {
        let request = draft.request(&flow, &call.net.account.user_agent, &mut call.auth);
        let mut transaction = match start(&call.net, &flow, request).await {
            Ok(transaction) => transaction,
            Err(cause) => return call.end(EndCause::Unreachable(cause), None),
        };
        let mut silence = pin!(sleep(PATIENCE));
        let mut heard = false;
        let response = loop {
            tokio::select! {
                message = transaction.receive() => match message {
                    Some(SipMessage::Response(response)) => {
                        heard = true;
                        if response.status_code.code() >= 200 {
                            break response;
                        }
                        progress(&call, &response, &mut early_media);
                    }
                    Some(SipMessage::Request(_)) => {}
                    None => return call.end(EndCause::NoAnswer, None),
                },
                input = call.input() => match input {
                    Input::HangUp => {
                        call.end(EndCause::CancelledHere, None);
                        return abandon(call, draft, flow, transaction, heard).await;
                    }
                    Input::Request(mut request) => afterwards(&mut request).await,
                    _ => {}
                },
                // It may ring there all the same: what still comes of it is taken back.
                cause = flow.lost() => {
                    call.end(EndCause::Unreachable(cause), None);
                    return abandon(call, draft, flow, transaction, heard).await;
                }
                () = &mut silence, if !heard => {
                    call.end(EndCause::Unreachable(Cause::Silence), None);
                    return abandon(call, draft, flow, transaction, heard).await;
                }
            }
        };
        call.auth.answered(&response);
        let status = response.status_code.code();
        match status {
            200..=299 => {
                return answered(call, &draft, flow, transaction, &response, early_media, began).await;
            }
            401 | 407 if call.auth.learn(challenges(&response), &mut rounds) == Verdict::Retry => {}
            _ => return call.end(EndCause::of_status(status), Some(status)),
        }
    }
}

fn progress(call: &Call, response: &Response, early_media: &mut Option<String>) {
    let status = response.status_code.code();
    if status > 100 {
        let sdp = sdp_of(response, &response.body);
        if sdp.is_some() {
            early_media.clone_from(&sdp);
        }
        call.tell(Event::Ringing { call: call.key, fork: 0, status, sdp });
    }
}

async fn answered(
    mut call: Call,
    draft: &Draft,
    flow: Flow,
    transaction: Transaction,
    response: &Response,
    early_media: Option<String>,
    began: Instant,
) {
    let Some(dialog) = Dialog::of_answer(draft, response) else {
        return call.end(EndCause::Refused, Some(response.status_code.code()));
    };
    let setup = began.elapsed();
    acknowledge(&call, draft.clone(), transaction, to_of(response));
    match sdp_of(response, &response.body).or(early_media) {
        Some(sdp) => {
            call.tell(Event::Answered { call: call.key, sdp, setup });
            established(call, dialog, flow, None).await;
        }
        None => {
            call.end(EndCause::NotAcceptable, Some(response.status_code.code()));
            call.bye(&dialog).await;
        }
    }
}

/// Keeps the INVITE transaction for 64 times T1, in which it acknowledges every further 2xx. A 2xx from another
/// branch of a fork establishes a dialog nobody wants: it ends with a BYE (RFC 3261, section 13.2.2.4).
fn acknowledge(call: &Call, draft: Draft, mut transaction: Transaction, accepted: String) {
    let net = call.net.clone();
    let auth = call.auth.clone();
    let tasks = net.tasks.clone();
    let closing = net.closing.clone();
    tasks.spawn(until_closing(closing, async move {
        let mut known = vec![tag(&accepted)];
        while let Some(message) = transaction.receive().await {
            let SipMessage::Response(response) = message else { continue };
            let branch = tag(&to_of(&response));
            if response.status_code.code() >= 300 || known.contains(&branch) {
                continue;
            }
            known.push(branch);
            let Some(dialog) = Dialog::of_answer(&draft, &response) else { continue };
            if let Ok(flow) = net.flow().await {
                let bye = dialog.draft(Method::Bye);
                let _ = exchange(&net, &flow, &bye, &mut auth.clone(), FAREWELL).await;
            }
        }
    }));
}

/// Cancels an INVITE that was given up: not before a first answer, for there would be nothing to cancel
/// (RFC 3261, section 9.1). A 2xx that crosses the CANCEL has been acknowledged already and is followed by a BYE.
async fn abandon(mut call: Call, draft: Draft, flow: Flow, mut transaction: Transaction, heard: bool) {
    let net = call.net.clone();
    let farewell = async {
        let mut response = None;
        if !heard {
            response = next_response(&mut transaction).await;
            response.as_ref()?;
        }
        if response.as_ref().is_none_or(|response| response.status_code.code() < 200) {
            let request = cancel(&transaction.original);
            let cancelling = async {
                let anew = if flow.is_lost() { net.flow().await.ok() } else { None };
                let flow = anew.unwrap_or(flow);
                if let Ok(mut cancelling) = start(&net, &flow, request).await {
                    let _ = timeout(FAREWELL, cancelling.receive()).await;
                }
            };
            // Boxed: the CANCEL goes on while the INVITE is listened to.
            let mut cancelling = Box::pin(cancelling);
            let mut cancelled = false;
            response = loop {
                tokio::select! {
                    () = &mut cancelling, if !cancelled => cancelled = true,
                    next = next_response(&mut transaction) => match next {
                        Some(provisional) if provisional.status_code.code() < 200 => {}
                        outcome => break outcome,
                    }
                }
            };
        }
        response.filter(|response| response.status_code.code() < 300)
    };
    let crossed = call.meanwhile(timeout(FAREWELL, farewell)).await.ok().flatten();
    if let Some(dialog) = crossed.and_then(|answer| Dialog::of_answer(&draft, &answer)) {
        call.bye(&dialog).await;
    }
}

async fn next_response(transaction: &mut Transaction) -> Option<Response> {
    loop {
        match transaction.receive().await? {
            SipMessage::Response(response) => return Some(response),
            SipMessage::Request(_) => {}
        }
    }
}
