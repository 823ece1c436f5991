//! Offers and requests within the early dialogs of an outgoing call (RFC 3311).

use std::pin::Pin;

use rsipstack::sip::{Header, Method};
use rsipstack::transaction::transaction::Transaction;

use super::Ringing;
use crate::answer::{dialog_headers, outside_of_calls, respond, respond_with};
use crate::call::requests::{Taken, take};
use crate::call::{Call, FAREWELL};
use crate::exchange::{Reply, exchange};
use crate::message::{Body, from_of, sdp_of};
use crate::party::tag;
use crate::{Cause, Event};

/// An UPDATE of ours under way.
pub(super) struct Update {
    pub sdp: String,
    pub outcome: Pin<Box<dyn Future<Output = Result<Reply, Cause>> + Send>>,
}

impl Ringing {
    /// A request of a phone that rings.
    pub(super) async fn request(&mut self, call: &Call, mut transaction: Transaction) {
        let whose = tag(&from_of(&transaction.original));
        let Some(fork) = self.early.with(whose.as_deref()) else {
            return outside_of_calls(&mut transaction).await;
        };
        let Some(dialog) = fork.dialog.as_mut() else {
            return outside_of_calls(&mut transaction).await;
        };
        let Taken::Fit(transaction) = take(dialog, &self.flow, transaction).await else { return };
        let mut transaction = *transaction;
        let request = &transaction.original;
        let sdp = sdp_of(request, &request.body);
        match request.method {
            Method::Bye => respond(&mut transaction, 200).await,
            Method::Update if sdp.is_none() => {
                respond_with(&mut transaction, 200, dialog_headers(&self.flow, &self.draft.from), None).await;
            }
            Method::Update if self.ours.is_some() => respond(&mut transaction, 491).await,
            Method::Update if self.theirs.is_some() || !fork.agreed => {
                respond_with(&mut transaction, 500, vec![Header::RetryAfter("2".into())], None).await;
            }
            Method::Update => {
                fork.answer.clone_from(&sdp);
                self.theirs = Some(transaction);
                call.tell(Event::Offer { call: call.key, sdp });
            }
            _ => call.answer_by_routine(transaction).await,
        }
    }

    pub(super) async fn answer_offer(&mut self, sdp: Option<String>) {
        let Some(mut transaction) = self.theirs.take() else { return };
        match sdp {
            Some(sdp) => {
                self.local.clone_from(&sdp);
                respond_with(&mut transaction, 200, dialog_headers(&self.flow, &self.draft.from), Some(sdp))
                    .await;
            }
            None => respond(&mut transaction, 488).await,
        }
    }

    /// Offers anew while it rings, if there is one phone to offer to; otherwise after it has answered.
    pub(super) fn offer(&mut self, call: &Call, sdp: String) {
        let free = self.ours.is_none() && self.theirs.is_none();
        let dialog = self.early.agreed().filter(|_| free).and_then(|fork| fork.dialog.as_ref());
        let Some(dialog) = dialog else {
            self.waiting = Some(sdp);
            return;
        };
        let mut draft = dialog.draft(Method::Update);
        draft.body = Some(Body::sdp(sdp.clone()));
        let net = call.net.clone();
        let mut auth = call.auth.clone();
        let outcome = Box::pin(async move {
            let flow = net.flow().await?;
            exchange(&net, &flow, &draft, &mut auth, FAREWELL).await
        });
        self.ours = Some(Update { sdp, outcome });
    }

    pub(super) fn offer_ended(&mut self, call: &Call, outcome: Result<Reply, Cause>) {
        let Some(update) = self.ours.take() else { return };
        let status = outcome.as_ref().ok().map(Reply::status);
        let response = outcome.ok().map(|reply| reply.response);
        let answer = response.as_ref().and_then(|response| sdp_of(response, &response.body));
        match (status, answer) {
            (Some(200..=299), Some(sdp)) => {
                self.local = update.sdp;
                if let Some(fork) = self.early.agreed() {
                    fork.answer = Some(sdp.clone());
                }
                call.tell(Event::Answer { call: call.key, sdp });
            }
            // It may be told again when the call stands.
            (None | Some(491 | 500), _) => {
                self.waiting.get_or_insert(update.sdp);
            }
            _ => call.tell(Event::OfferRefused { call: call.key, status }),
        }
    }
}
