//! Offers within an established call, theirs and ours.

use std::pin::Pin;
use std::time::{Duration, Instant};

use rsipstack::sip::{Header, Method, SipMessage};
use rsipstack::transaction::transaction::Transaction;

use super::Session;
use crate::answer::{dialog_headers, drain, respond, respond_with};
use crate::call::offering::{Clash, Outcome, Wish};
use crate::exchange::Reply;
use crate::invite::reinvite;
use crate::message::{ALLOW, Body, SDP, sdp_of, seconds};
use crate::{Cause, EndCause, Event};

/// An offer of ours under way.
pub(super) type Asked = Pin<Box<dyn Future<Output = Result<Reply, Cause>> + Send>>;

impl Session {
    /// Takes a re-INVITE or UPDATE of theirs.
    pub(super) async fn offered(&mut self, mut transaction: Transaction) {
        let sdp = sdp_of(&transaction.original, &transaction.original.body);
        let is_invite = transaction.original.method == Method::Invite;
        if !is_invite && sdp.is_none() {
            let headers = dialog_headers(&self.current_flow().await);
            return respond_with(&mut transaction, 200, headers, None).await;
        }
        if let Err(clash) = self.offering.theirs() {
            match clash {
                Clash::WithOurs => respond(&mut transaction, 491).await,
                Clash::WithTheirs => {
                    // RFC 3261, section 14.2: at a time of its own, so that they do not meet again.
                    let later = (rand::random::<u8>() % 10).to_string();
                    respond_with(&mut transaction, 500, vec![Header::RetryAfter(later.into())], None).await;
                }
            }
            if is_invite {
                self.call.net.behind(drain(transaction));
            }
            return;
        }
        if is_invite {
            respond(&mut transaction, 100).await;
        }
        self.theirs = Some(transaction);
        self.call.tell(Event::Offer { call: self.call.key, sdp });
    }

    /// Answers their offer, or makes ours where they asked for one.
    pub(super) async fn answer_offer(&mut self, sdp: Option<String>) {
        let Some(sdp) = sdp else { return self.refuse_offer(488).await };
        let headers = dialog_headers(&self.current_flow().await);
        let Some(mut transaction) = self.theirs.take() else { return };
        self.local.clone_from(&sdp);
        let asked_for_ours = sdp_of(&transaction.original, &transaction.original.body).is_none();
        respond_with(&mut transaction, 200, headers, Some(sdp)).await;
        self.offering.theirs_ended();
        if transaction.original.method == Method::Invite {
            let acknowledged = self.acknowledged.clone();
            self.call.net.behind(async move {
                while let Some(message) = transaction.receive().await {
                    if let SipMessage::Request(ack) = message
                        && ack.method == Method::Ack
                        && let Some(answer) = sdp_of(&ack, &ack.body).filter(|_| asked_for_ours)
                    {
                        let _ = acknowledged.send(answer);
                    }
                }
            });
        }
    }

    pub(super) async fn refuse_offer(&mut self, status: u16) {
        if let Some(mut transaction) = self.theirs.take() {
            respond(&mut transaction, status).await;
            self.offering.theirs_ended();
            if transaction.original.method == Method::Invite {
                self.call.net.behind(drain(transaction));
            }
        }
    }

    /// Something came for the offer that is considered.
    pub(super) async fn offer_message(&mut self, message: Option<SipMessage>) {
        match message {
            Some(SipMessage::Request(request)) if request.method == Method::Cancel => {
                self.refuse_offer(487).await;
            }
            Some(_) => {}
            None => {
                self.theirs = None;
                self.offering.theirs_ended();
            }
        }
    }

    /// Sends what waits, if it may go now.
    pub(super) fn offer(&mut self) {
        let Some(wish) = self.offering.next(Instant::now()) else { return };
        let sdp = match wish {
            Wish::Offer(sdp) => sdp,
            Wish::Refresh => self.local.clone(),
        };
        let mut draft = self.dialog.draft(Method::Invite);
        draft.headers = vec![Header::Allow(ALLOW.into()), Header::Accept(SDP.into())];
        draft.body = Some(Body::sdp(sdp.clone()));
        self.proposed = sdp;
        let net = self.call.net.clone();
        let mut auth = self.call.auth.clone();
        self.ours = Some(Box::pin(async move {
            let flow = net.flow().await?;
            reinvite(&net, &flow, &draft, &mut auth).await
        }));
    }

    /// What became of an offer of ours. True when the call is over.
    pub(super) async fn offer_ended(&mut self, outcome: Result<Reply, Cause>) -> bool {
        self.ours = None;
        let status = outcome.as_ref().ok().map(Reply::status);
        let end = match &outcome {
            Ok(reply) => match reply.status() {
                200..=299 => {
                    self.dialog.follow(&reply.response);
                    self.taken(sdp_of(&reply.response, &reply.response.body), status);
                    return false;
                }
                // The other end knows nothing of the call any more, or is gone (RFC 3261, section 12.2.1.2).
                408 | 481 => {
                    self.leave(EndCause::ConnectionLost, status).await;
                    return true;
                }
                491 => Outcome::Glare,
                500 | 503 => later(reply).map_or(Outcome::Final, Outcome::Later),
                _ => Outcome::Final,
            },
            Err(Cause::NotUnderstood | Cause::Silence) => Outcome::Final,
            Err(_) => Outcome::Lost,
        };
        let given_up = self.offering.ended(end, Instant::now(), rand::random());
        if end == Outcome::Final || given_up {
            self.call.tell(Event::OfferRefused { call: self.call.key, status });
        }
        false
    }

    fn taken(&mut self, answer: Option<String>, status: Option<u16>) {
        self.offering.ended(Outcome::Final, Instant::now(), 0.0);
        let call = self.call.key;
        match answer {
            Some(sdp) => {
                self.local = std::mem::take(&mut self.proposed);
                self.call.tell(Event::Answer { call, sdp });
            }
            None => self.call.tell(Event::OfferRefused { call, status }),
        }
    }
}

fn later(reply: &Reply) -> Option<Duration> {
    seconds(&reply.response, |header| match header {
        Header::RetryAfter(value) => Some(value.value()),
        _ => None,
    })
}
