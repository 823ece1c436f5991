//! A call of theirs.

use std::time::{Duration, Instant};

use rsipstack::sip::{Header, Method, SipMessage};
use rsipstack::transaction::transaction::Transaction;
use tokio::time::sleep_until;

use super::established::{Agreed, established};
use super::reliable::{Due, Reliable};
use super::requests::{Taken, acknowledged, take};
use super::{Call, Input, reason};
use crate::answer::{dialog_headers, drain, respond, respond_with};
use crate::caller::{invitation_of, invitation_of_stranger};
use crate::dialog::{Dialog, sequence_of};
use crate::extensions::{agreeing, allows, knows, requires, terms_of};
use crate::flow::Flow;
use crate::message::{expires_of, sdp_of};
use crate::session_timer::SessionTimer;
use crate::target::request_uri;
use crate::{CallKey, EndCause, Event, Invitation};

/// Longest that it rings where the INVITE does not say (RFC 3261, section 13.3.1): a caller who vanished without a
/// CANCEL is not heard of again. Proxies give up after the same time (timer C).
const RINGING: Duration = Duration::from_secs(180);
/// Between signs to the proxies on the way that it still rings (section 13.3.1.1).
const AGAIN: Duration = Duration::from_secs(60);

/// An incoming call. Its INVITE has been tagged and is fit to be answered.
pub(crate) async fn incoming(mut call: Call, mut transaction: Transaction, replaces: Option<CallKey>) {
    let invite = &transaction.original;
    let Some(dialog) = Dialog::of_invite(invite) else {
        respond(&mut transaction, 400).await;
        // Nobody has heard of this call yet, so nobody needs to hear of its end.
        call.ended = true;
        return call.net.behind(drain(transaction));
    };
    let said = if call.with_stranger { invitation_of_stranger(invite) } else { invitation_of(invite) };
    let offer = sdp_of(invite, &invite.body);
    let expires = expires_of(invite);
    // Without their offer a reliable answer would have to bring ours (RFC 3262, section 5).
    let reliable = requires(invite, "100rel").then(|| Reliable::new(rand::random(), sequence_of(invite)));
    let mute = reliable.is_some() && offer.is_none();
    respond(&mut transaction, 100).await;
    let flow = match call.net.flow().await {
        Ok(flow) => flow,
        Err(_) => {
            call.ended = true;
            respond(&mut transaction, 480).await;
            return call.net.behind(drain(transaction));
        }
    };
    call.party = Some(said.from.clone());
    let invitation = Invitation { offer, replaces, ..said };
    call.tell(Event::Incoming { call: call.key, invitation: Box::new(invitation) });
    let now = Instant::now();
    let alerting = Alerting {
        transaction,
        dialog,
        flow,
        reliable: reliable.filter(|_| !mute),
        mute,
        // An hour is as good as any longer time.
        end: now + expires.map_or(RINGING, |expires| expires.min(Duration::from_secs(3600))),
        expires: expires.is_some(),
        again: None,
        waiting: None,
    };
    alerting.run(call).await;
}

/// An incoming call until it is answered.
struct Alerting {
    transaction: Transaction,
    dialog: Dialog,
    flow: Flow,
    reliable: Option<Reliable>,
    /// It cannot be told that it rings.
    mute: bool,
    /// When it rings no more, and whether the caller wants it so.
    end: Instant,
    expires: bool,
    /// When it is said again that it rings; not before the first time.
    again: Option<Instant>,
    /// An offer that goes out as soon as the call is established.
    waiting: Option<String>,
}

impl Alerting {
    async fn run(mut self, mut call: Call) {
        loop {
            let deadline = self.deadline();
            tokio::select! {
                message = self.transaction.receive() => match message {
                    Some(SipMessage::Request(request)) if request.method == Method::Cancel => {
                        respond(&mut self.transaction, 487).await;
                        call.end(reason::of_cancel(&request), None);
                        return call.net.behind(drain(self.transaction));
                    }
                    Some(_) => {}
                    None => return call.end(EndCause::ConnectionLost, None),
                },
                input = call.input() => match input {
                    Input::Ring => self.ring().await,
                    Input::Answer(sdp) => return self.answer(call, sdp).await,
                    Input::Decline(status) => {
                        let status = if (400..700).contains(&status) { status } else { 603 };
                        return self.refuse(call, status, EndCause::DeclinedHere).await;
                    }
                    Input::HangUp => return self.refuse(call, 603, EndCause::DeclinedHere).await,
                    Input::Redirect(target) => return self.redirect(call, &target).await,
                    Input::Reoffer(sdp) => self.waiting = Some(sdp),
                    Input::Moved => call.tell(Event::Moved { call: call.key }),
                    Input::Request(request) => {
                        if let Taken::Fit(request) = take(&mut self.dialog, &self.flow, *request).await
                            && self.request(&call, *request).await
                        {
                            respond(&mut self.transaction, 487).await;
                            call.end(EndCause::CancelledThere, None);
                            return call.net.behind(drain(self.transaction));
                        }
                    }
                    Input::Transfer(..) => call.not_handed_on(),
                    Input::AnswerOffer(_) | Input::Info { .. } | Input::Replaced | Input::FlowLost => {}
                },
                () = sleep_until(deadline.into()) => {
                    let now = Instant::now();
                    if self.end <= now {
                        let (status, cause) =
                            if self.expires { (487, EndCause::CancelledThere) } else { (480, EndCause::NoAnswer) };
                        return self.refuse(call, status, cause).await;
                    }
                    match self.reliable.as_mut().and_then(|reliable| reliable.due(now)) {
                        Some(Due::Again(number)) => self.say_ringing(Some(number)).await,
                        Some(Due::GiveUp) => return self.refuse(call, 504, EndCause::ConnectionLost).await,
                        None if self.again.is_some_and(|again| again <= now) => self.ring().await,
                        None => {}
                    }
                }
                _ = self.flow.lost(), if self.flow.transport != crate::Transport::Udp => {
                    return call.end(EndCause::ConnectionLost, None);
                }
            }
        }
    }

    fn deadline(&self) -> Instant {
        let reliable = self.reliable.as_ref().and_then(Reliable::deadline);
        [reliable, self.again].into_iter().flatten().fold(self.end, Instant::min)
    }

    /// Says that it rings, and again before long.
    async fn ring(&mut self) {
        let now = Instant::now();
        self.again = Some(now + AGAIN);
        let number = self.reliable.as_mut().map(|reliable| reliable.send(now));
        match number {
            // The one before is not acknowledged yet and still repeated.
            Some(None) => {}
            number => self.say_ringing(number.flatten()).await,
        }
    }

    async fn say_ringing(&mut self, number: Option<u32>) {
        if self.mute {
            return;
        }
        let mut headers = dialog_headers(&self.flow, self.dialog.local());
        if let Some(number) = number {
            headers.push(Header::Require("100rel".into()));
            headers.push(Header::RSeq(number.to_string().into()));
        }
        respond_with(&mut self.transaction, 180, headers, None).await;
    }

    /// Handles a request within the early dialog; true where it ends the call.
    async fn request(&mut self, call: &Call, mut request: Transaction) -> bool {
        let original = &request.original;
        match original.method {
            Method::Bye => {
                respond(&mut request, 200).await;
                return true;
            }
            Method::PRack => acknowledged(self.reliable.as_mut(), request).await,
            // Their first offer is not answered yet (RFC 3311, section 5.2).
            Method::Update if sdp_of(original, &original.body).is_some() => {
                respond_with(&mut request, 500, vec![Header::RetryAfter("2".into())], None).await;
            }
            Method::Update => {
                let headers = dialog_headers(&self.flow, self.dialog.local());
                respond_with(&mut request, 200, headers, None).await;
            }
            _ => call.answer_by_routine(request).await,
        }
        false
    }

    async fn answer(mut self, call: Call, sdp: String) {
        let invite = &self.transaction.original;
        let mut timer = SessionTimer::new();
        let terms = timer.judge(terms_of(invite), knows(invite, "timer")).unwrap_or_default();
        let mut headers = dialog_headers(&self.flow, self.dialog.local());
        headers.extend(agreeing(invite, terms));
        let remote = sdp_of(invite, &invite.body);
        let update = allows(invite, Method::Update).unwrap_or_default();
        respond_with(&mut self.transaction, 200, headers, Some(sdp.clone())).await;
        timer.accept(terms, Instant::now());
        let Self { transaction, dialog, flow, waiting, reliable, .. } = self;
        let agreed =
            Agreed { dialog, flow, local: sdp, remote, waiting, theirs: None, reliable, timer, update };
        established(call, agreed, Some(transaction)).await;
    }

    async fn refuse(mut self, mut call: Call, status: u16, cause: EndCause) {
        let headers = reason::of_refusal(status).into_iter().collect();
        respond_with(&mut self.transaction, status, headers, None).await;
        call.end(cause, Some(status));
        call.net.behind(drain(self.transaction));
    }

    /// Sends the caller elsewhere (RFC 3261, section 13.3.1.2).
    async fn redirect(mut self, mut call: Call, target: &str) {
        let Some(uri) = request_uri(target, &call.net.account.domain) else {
            return self.refuse(call, 480, EndCause::TargetInvalid).await;
        };
        let headers = vec![Header::Contact(format!("<{uri}>").into())];
        respond_with(&mut self.transaction, 302, headers, None).await;
        call.end(EndCause::DeclinedHere, Some(302));
        call.net.behind(drain(self.transaction));
    }
}
