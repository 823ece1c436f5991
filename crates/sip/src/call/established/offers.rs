//! Offers within an established call, theirs and ours.

use std::pin::Pin;
use std::time::{Duration, Instant};

use rsipstack::sip::{Header, Method, Response, SipMessage};
use rsipstack::transaction::transaction::Transaction;

use super::Session;
use crate::answer::{dialog_headers, drain, respond, respond_with};
use crate::call::FAREWELL;
use crate::call::offering::{Clash, Outcome, Wish};
use crate::exchange::{Reply, exchange};
use crate::extensions::{abilities, agreeing, allows, asking, has_ice, knows, least, terms_of};
use crate::invite::reinvite;
use crate::message::{Body, SDP, retry_after_of, sdp_of, seconds};
use crate::session_timer::Terms;
use crate::{Cause, EndCause, Event};

/// An offer of ours under way.
pub(super) struct Asked {
    wish: Wish,
    method: Method,
    /// The session description it carries.
    sdp: Option<String>,
    pub outcome: Pin<Box<dyn Future<Output = Result<Reply, Cause>> + Send>>,
}

impl Session {
    /// Takes a re-INVITE or UPDATE of theirs.
    pub(super) async fn offered(&mut self, mut transaction: Transaction) {
        let request = &transaction.original;
        let sdp = sdp_of(request, &request.body);
        let is_invite = request.method == Method::Invite;
        let terms = self.timer.judge(terms_of(request), knows(request, "timer"));
        self.update = allows(request, Method::Update).unwrap_or(self.update);
        if terms.is_err() {
            respond_with(&mut transaction, 422, vec![least()], None).await;
        } else if !is_invite && sdp.is_none() {
            return self.accept(&mut transaction, None).await;
        } else {
            match self.offering.theirs() {
                Ok(()) => {
                    if is_invite {
                        respond(&mut transaction, 100).await;
                    }
                    self.theirs = Some(transaction);
                    return self.call.tell(Event::Offer { call: self.call.key, sdp });
                }
                Err(Clash::WithOurs) => respond(&mut transaction, 491).await,
                Err(Clash::WithTheirs) => {
                    // RFC 3261, section 14.2: at a time of its own, so that they do not meet again.
                    let later = (rand::random::<u8>() % 10).to_string();
                    respond_with(&mut transaction, 500, vec![Header::RetryAfter(later.into())], None).await;
                }
            }
        }
        if is_invite {
            self.call.net.behind(drain(transaction));
        }
    }

    /// Answers their offer, or makes ours where they asked for one.
    pub(super) async fn answer_offer(&mut self, sdp: Option<String>) {
        let Some(sdp) = sdp else { return self.refuse_offer(488).await };
        let Some(mut transaction) = self.theirs.take() else { return };
        self.local.clone_from(&sdp);
        let offer = sdp_of(&transaction.original, &transaction.original.body);
        let asked_for_ours = offer.is_none();
        self.remote = offer.or(self.remote.take());
        self.accept(&mut transaction, Some(sdp)).await;
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

    /// Answers a request that refreshes the session with 200.
    async fn accept(&mut self, transaction: &mut Transaction, sdp: Option<String>) {
        let request = &transaction.original;
        let terms: Option<Terms> =
            self.timer.judge(terms_of(request), knows(request, "timer")).unwrap_or_default();
        let flow = self.current_flow().await;
        self.contact = flow.contact();
        let mut headers = dialog_headers(&flow, self.dialog.local());
        headers.extend(agreeing(request, terms));
        respond_with(transaction, 200, headers, sdp).await;
        self.timer.accept(terms, Instant::now());
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

    /// Sends what waits, if it may go now. A refresh is an UPDATE where they take it, otherwise an INVITE with the
    /// session as it is (RFC 4028, section 7.4).
    pub(super) fn offer(&mut self) {
        let Some(wish) = self.offering.next(Instant::now()) else { return };
        let (method, sdp) = match &wish {
            Wish::Offer(sdp) => (Method::Invite, Some(sdp.clone())),
            Wish::Refresh if self.update => (Method::Update, None),
            Wish::Refresh => (Method::Invite, Some(self.local.clone())),
        };
        let mut draft = self.dialog.draft(method);
        draft.headers = vec![Header::Accept(SDP.into())];
        draft.headers.extend(abilities(sdp.as_deref().is_some_and(has_ice)));
        draft.headers.extend(asking(&self.timer));
        draft.body = sdp.clone().map(Body::sdp);
        let net = self.call.net.clone();
        let mut auth = self.call.auth.clone();
        let outcome = Box::pin(async move {
            let flow = net.flow().await?;
            match method {
                Method::Invite => reinvite(&net, &flow, &draft, &mut auth).await,
                _ => exchange(&net, &flow, &draft, &mut auth, FAREWELL).await,
            }
        });
        self.ours = Some(Asked { wish, method, sdp, outcome });
    }

    /// What became of an offer of ours. True when the call is over.
    pub(super) async fn offer_ended(&mut self, outcome: Result<Reply, Cause>) -> bool {
        let Some(asked) = self.ours.take() else { return false };
        let now = Instant::now();
        let status = outcome.as_ref().ok().map(Reply::status);
        let end = match &outcome {
            Ok(reply) => match reply.status() {
                200..=299 => {
                    self.offering.ended(Outcome::Final, now, 0.0);
                    self.taken(asked, &reply.response).await;
                    return false;
                }
                // The other end knows nothing of the call any more, or is gone (RFC 3261, section 12.2.1.2).
                408 | 481 => {
                    self.leave(EndCause::ConnectionLost, status).await;
                    return true;
                }
                422 if self.is_longer(&reply.response) => Outcome::Later(Duration::ZERO),
                405 | 501 if asked.method == Method::Update => {
                    self.update = false;
                    Outcome::Later(Duration::ZERO)
                }
                491 => Outcome::Glare,
                500 | 503 => retry_after_of(&reply.response).map_or(Outcome::Final, Outcome::Later),
                _ => Outcome::Final,
            },
            Err(Cause::NotUnderstood | Cause::Silence) => Outcome::Final,
            Err(_) => Outcome::Lost,
        };
        let given_up = self.offering.ended(end, now, rand::random());
        if end == Outcome::Final || given_up {
            self.timer.failed(now);
            if asked.wish != Wish::Refresh {
                self.call.tell(Event::OfferRefused { call: self.call.key, status });
            }
        }
        false
    }

    fn is_longer(&mut self, response: &Response) -> bool {
        let minimum = seconds(response, |header| match header {
            Header::MinSE(value) => Some(value.value()),
            _ => None,
        });
        minimum.is_some_and(|minimum| self.timer.too_brief(minimum))
    }

    async fn taken(&mut self, asked: Asked, response: &Response) {
        // It carried our Contact.
        self.contact = self.current_flow().await.contact();
        self.dialog.follow(response);
        self.timer.accepted(terms_of(response), Instant::now());
        self.update = allows(response, Method::Update).unwrap_or(self.update);
        let call = self.call.key;
        let answer = sdp_of(response, &response.body);
        match (answer, asked.sdp) {
            (Some(sdp), Some(local)) => {
                self.local = local;
                let is_news = asked.wish != Wish::Refresh || self.remote.as_ref() != Some(&sdp);
                self.remote = Some(sdp.clone());
                if is_news {
                    self.call.tell(Event::Answer { call, sdp });
                }
            }
            (None, Some(_)) if asked.wish != Wish::Refresh => {
                let status = Some(response.status_code.code());
                self.call.tell(Event::OfferRefused { call, status });
            }
            _ => {}
        }
    }
}
