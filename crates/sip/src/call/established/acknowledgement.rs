//! Our answer to their INVITE until it is acknowledged (RFC 3261, section 13.3.1.4). It is sent again until then.

use std::time::Instant;

use rsipstack::sip::{Method, SipMessage};
use rsipstack::transaction::transaction::Transaction;

use super::Session;
use crate::call::offering::Outcome;
use crate::message::sdp_of;
use crate::{EndCause, Event};

pub(super) struct Unacknowledged {
    pub transaction: Transaction,
    began: Instant,
}

impl Unacknowledged {
    pub(super) fn new(transaction: Transaction) -> Self {
        Self { transaction, began: Instant::now() }
    }

    /// Waits for the ACK or until there is no more hope of one.
    pub(super) async fn until_acknowledged(mut self) {
        while let Some(message) = self.transaction.receive().await {
            if matches!(message, SipMessage::Request(request) if request.method == Method::Ack) {
                return;
            }
        }
    }
}

impl Session {
    /// Something came for the INVITE that was answered. True when the call is over.
    pub(super) async fn invite_message(&mut self, message: Option<SipMessage>) -> bool {
        let Some(message) = message else {
            self.unacknowledged = None;
            self.leave(EndCause::ConnectionLost, None).await;
            return true;
        };
        let SipMessage::Request(ack) = message else { return false };
        if ack.method != Method::Ack {
            return false;
        }
        let Some(answered) = self.unacknowledged.take() else { return false };
        if self.remote.is_none() {
            // Our offer must be answered in the ACK (RFC 3261, section 13.2.1).
            let Some(sdp) = sdp_of(&ack, &ack.body) else {
                self.leave(EndCause::NotAcceptable, None).await;
                return true;
            };
            self.offering.ended(Outcome::Final, Instant::now(), 0.0);
            self.remote = Some(sdp.clone());
            self.call.tell(Event::Answer { call: self.call.key, sdp });
        }
        self.call.tell(Event::Confirmed { call: self.call.key, setup: answered.began.elapsed() });
        if let Some((to, instead)) = self.later.take() {
            self.transfer(to, instead);
        }
        false
    }
}
