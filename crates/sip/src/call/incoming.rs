use std::time::Instant;

use rsipstack::sip::{Header, Method, Request, SipMessage};
use rsipstack::transaction::transaction::Transaction;

use super::established::{Agreed, established};
use super::{Call, Input, afterwards};
use crate::answer::{dialog_headers, drain, outside_of_calls, respond, respond_with};
use crate::caller::invitation_of;
use crate::dialog::Dialog;
use crate::message::{sdp_of, value};
use crate::{CallKey, EndCause, Event, Invitation};

/// An incoming call. Its INVITE has been tagged and is fit to be answered.
pub(crate) async fn incoming(mut call: Call, mut transaction: Transaction, replaces: Option<CallKey>) {
    let invite = &transaction.original;
    let Some(dialog) = Dialog::of_invite(invite) else {
        respond(&mut transaction, 400).await;
        // Nobody has heard of this call yet, so nobody needs to hear of its end.
        call.ended = true;
        return drain(transaction).await;
    };
    let said = invitation_of(invite);
    let offer = sdp_of(invite, &invite.body);
    let offerless = offer.is_none();
    respond(&mut transaction, 100).await;
    let flow = match call.net.flow().await {
        Ok(flow) => flow,
        Err(_) => {
            call.ended = true;
            respond(&mut transaction, 480).await;
            return drain(transaction).await;
        }
    };
    call.party = Some(said.from.clone());
    let invitation = Invitation { offer, replaces, ..said };
    let mut waiting = None;
    call.tell(Event::Incoming { call: call.key, invitation: Box::new(invitation) });
    loop {
        tokio::select! {
            message = transaction.receive() => match message {
                Some(SipMessage::Request(request)) if request.method == Method::Cancel => {
                    respond(&mut transaction, 487).await;
                    call.end(reason_of(&request), None);
                    return drain(transaction).await;
                }
                Some(_) => {}
                None => return call.end(EndCause::ConnectionLost, None),
            },
            input = call.input() => match input {
                Input::Ring => respond_with(&mut transaction, 180, dialog_headers(&flow), None).await,
                Input::Answer(sdp) => {
                    respond_with(&mut transaction, 200, dialog_headers(&flow), Some(sdp.clone())).await;
                    let agreed = Agreed { dialog, flow, local: sdp, waiting };
                    return answered(call, transaction, agreed, offerless).await;
                }
                Input::Decline(status) => {
                    let status = if (400..700).contains(&status) { status } else { 603 };
                    return decline(call, transaction, status).await;
                }
                Input::HangUp => return decline(call, transaction, 603).await,
                Input::Request(mut request) if !dialog.is_with(&request.original) => {
                    outside_of_calls(&mut request).await;
                }
                Input::Request(mut request) => {
                    let is_bye = request.original.method == Method::Bye;
                    afterwards(&mut request).await;
                    if is_bye {
                        respond(&mut transaction, 487).await;
                        call.end(EndCause::CancelledThere, None);
                        return drain(transaction).await;
                    }
                }
                Input::Reoffer(sdp) => waiting = Some(sdp),
                Input::Moved => call.tell(Event::Moved { call: call.key }),
                _ => {}
            },
            _ = flow.lost(), if flow.transport != crate::Transport::Udp => {
                return call.end(EndCause::ConnectionLost, None);
            }
        }
    }
}

async fn decline(mut call: Call, mut transaction: Transaction, status: u16) {
    respond(&mut transaction, status).await;
    call.end(EndCause::DeclinedHere, Some(status));
    drain(transaction).await;
}

/// Why they cancel (RFC 3326): a phone beside us may have answered.
fn reason_of(cancel: &Request) -> EndCause {
    let reason = value(cancel, |header| match header {
        Header::Reason(reason) => Some(reason.value()),
        _ => None,
    });
    let elsewhere = reason.is_some_and(|reason| {
        let parameters = crate::header::parameters(&reason, ';');
        parameters.iter().any(|(name, value)| name == "cause" && value == "200")
    });
    if elsewhere { EndCause::AnsweredElsewhere } else { EndCause::CancelledThere }
}

/// Answered, not yet acknowledged. No BYE may be sent before the ACK has come or is given up
/// (RFC 3261, section 15).
async fn answered(mut call: Call, mut transaction: Transaction, mut agreed: Agreed, offerless: bool) {
    let began = Instant::now();
    let flow = agreed.flow.clone();
    loop {
        tokio::select! {
            message = transaction.receive() => match message {
                Some(SipMessage::Request(ack)) if ack.method == Method::Ack => {
                    if call.ended {
                        return call.bye(&agreed.dialog).await;
                    }
                    match sdp_of(&ack, &ack.body) {
                        Some(sdp) if offerless => call.tell(Event::Answer { call: call.key, sdp }),
                        // Our offer must be answered in the ACK (RFC 3261, section 13.2.1).
                        None if offerless => {
                            call.end(EndCause::NotAcceptable, None);
                            return call.bye(&agreed.dialog).await;
                        }
                        _ => {}
                    }
                    call.is_in(&agreed.dialog, true);
                    call.tell(Event::Confirmed { call: call.key, setup: began.elapsed() });
                    return established(call, agreed, None).await;
                }
                Some(_) => {}
                None => {
                    call.end(EndCause::ConnectionLost, None);
                    return call.bye(&agreed.dialog).await;
                }
            },
            input = call.input(), if !call.inbox.is_closed() || !call.ended => match input {
                Input::HangUp => call.end(EndCause::HungUpHere, None),
                Input::Reoffer(sdp) => agreed.waiting = Some(sdp),
                Input::Moved => call.tell(Event::Moved { call: call.key }),
                Input::Request(mut request) if !agreed.dialog.is_with(&request.original) => {
                    outside_of_calls(&mut request).await;
                }
                Input::Request(mut request) => match request.original.method {
                    Method::Bye => {
                        respond(&mut request, 200).await;
                        call.end(EndCause::HungUpThere, None);
                        return;
                    }
                    // The ACK may have been overtaken; a request in the dialog proves that our answer arrived.
                    _ => {
                        call.is_in(&agreed.dialog, true);
                        call.tell(Event::Confirmed { call: call.key, setup: began.elapsed() });
                        call.net.behind(drain(transaction));
                        return established(call, agreed, Some(*request)).await;
                    }
                },
                _ => {}
            },
            _ = flow.lost(), if flow.transport != crate::Transport::Udp => {
                call.end(EndCause::ConnectionLost, None);
                return call.bye(&agreed.dialog).await;
            }
        }
    }
}
