//! Requests of the other end within a dialog.

use rsipstack::sip::{Header, Method};
use rsipstack::transaction::transaction::Transaction;

use super::Call;
use super::reliable::Reliable;
use crate::Event;
use crate::answer::{outside_of_calls, respond, respond_with};
use crate::dialog::Dialog;
use crate::extensions::{is_of_unknown_package, packages, unsupported};
use crate::flow::Flow;
use crate::message::{ALLOW, SDP, value};

/// What is to become of a request.
pub(super) enum Taken {
    /// It is to be answered.
    Fit(Box<Transaction>),
    /// It knows the dialog, yet comes from where nobody of it has been heard before. It has been refused; whom the
    /// dialog is with may be asked what is true of it.
    Strange,
    /// It has been answered.
    Refused,
}

/// Looks at a request that bears the tag and Call-ID of a dialog before it is taken (RFC 3261, section 12.2.2).
pub(super) async fn take(dialog: &mut Dialog, flow: &Flow, mut transaction: Transaction) -> Taken {
    let request = &transaction.original;
    if request.method == Method::Ack {
        return Taken::Refused;
    }
    if !dialog.is_with(request) {
        outside_of_calls(&mut transaction).await;
        return Taken::Refused;
    }
    if !dialog.is_familiar(&transaction, flow) {
        respond(&mut transaction, 403).await;
        return Taken::Strange;
    }
    if !dialog.accepts(request) {
        respond(&mut transaction, 500).await;
        return Taken::Refused;
    }
    if let Some(extensions) = unsupported(request) {
        respond_with(&mut transaction, 420, vec![Header::Unsupported(extensions.into())], None).await;
        return Taken::Refused;
    }
    Taken::Fit(Box::new(transaction))
}

/// Answers a PRACK (RFC 3262, section 3); it may come after the answer to the call.
pub(super) async fn acknowledged(reliable: Option<&mut Reliable>, mut prack: Transaction) {
    let rack = value(&prack.original, |header| match header {
        Header::RAck(rack) => Some(rack.value()),
        _ => None,
    });
    let known = reliable.zip(rack).is_some_and(|(reliable, rack)| reliable.acknowledged(&rack));
    respond(&mut prack, if known { 200 } else { 481 }).await;
}

impl Call {
    /// Answers a request that needs nobody's decision.
    pub(super) async fn answer_by_routine(&self, mut transaction: Transaction) {
        match transaction.original.method {
            Method::Info => self.informed(transaction).await,
            Method::Options => {
                let headers = vec![Header::Allow(ALLOW.into()), Header::Accept(SDP.into())];
                respond_with(&mut transaction, 200, headers, None).await;
            }
            // No subscription and no provisional answer of ours that these could belong to
            // (RFC 6665, section 4.1.3; RFC 3262, section 3).
            Method::Notify | Method::PRack => respond(&mut transaction, 481).await,
            _ => respond_with(&mut transaction, 405, vec![Header::Allow(ALLOW.into())], None).await,
        }
    }

    async fn informed(&self, mut transaction: Transaction) {
        if is_of_unknown_package(&transaction.original) {
            return respond_with(&mut transaction, 469, vec![packages()], None).await;
        }
        respond(&mut transaction, 200).await;
        let info = &transaction.original;
        let content_type = value(info, |header| match header {
            Header::ContentType(kind) => Some(kind.value()),
            _ => None,
        });
        if let Some(content_type) = content_type.filter(|_| !info.body.is_empty()) {
            let body = String::from_utf8_lossy(&info.body).into_owned();
            self.tell(Event::Info { call: self.key, content_type, body });
        }
    }
}
