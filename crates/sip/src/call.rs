//! One call, from its INVITE to its end. Each call is a task; the agent hands it commands and requests.

mod early;
mod established;
mod incoming;
mod offering;
mod outgoing;
mod reason;
mod reliable;
mod requests;

use std::sync::Arc;
use std::time::Duration;

use rsipstack::sip::{HasHeaders, Method};
use rsipstack::transaction::transaction::Transaction;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::answer::{outside_of_calls, respond};
use crate::caller::identity_of;
use crate::dialog::{Dialog, Standing};
use crate::digest::Authenticator;
use crate::exchange::exchange;
use crate::flow::Net;
use crate::message::Draft;
use crate::refer::ReferTo;
use crate::{CallKey, Cause, EndCause, Event, Party, TransferProgress};

pub(crate) use incoming::incoming;
pub(crate) use outgoing::{Invite, outgoing};

/// How long the other end gets to answer a request: the life of a transaction, 64 times T1.
const FAREWELL: Duration = Duration::from_secs(32);
/// Pauses before each BYE, further ones where those before got lost with their flows.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(500), Duration::from_secs(2)];

/// What the agent hands to a call.
pub(crate) enum Input {
    Ring,
    Answer(String),
    Decline(u16),
    HangUp,
    AnswerOffer(Option<String>),
    Reoffer(String),
    Info {
        content_type: String,
        body: String,
    },
    Redirect(String),
    /// Hand the call on; then end the other one, which still rings there.
    Transfer(Box<ReferTo>, Option<CallKey>),
    /// Another call has taken the place of this one.
    Replaced,
    /// A request within the call's dialog.
    Request(Box<Transaction>),
    /// The way to the proxy is gone: find out whether the other end still is there.
    FlowLost,
    /// The local address is another one now.
    Moved,
}

/// What a call tells the agent.
pub(crate) enum Report {
    /// It has, or may come to have, this dialog: of those that ring the first, then the one that was answered.
    Dialog(CallKey, Standing),
    /// A REFER within its dialog, and how many came before.
    Referred { call: CallKey, refer: Box<Transaction>, dialog: Dialog, before: u32 },
    /// It was handed on to where this other one rings.
    HandedOn(CallKey),
    /// The user has been told of its end.
    Ended(CallKey),
    /// Nothing is left of it.
    Over(CallKey),
}

/// What every call has.
pub(crate) struct Call {
    pub key: CallKey,
    pub net: Arc<Net>,
    pub auth: Authenticator,
    pub inbox: mpsc::UnboundedReceiver<Input>,
    events: mpsc::UnboundedSender<Event>,
    reports: mpsc::UnboundedSender<Report>,
    ended: bool,
    /// It came from somewhere else than the proxy: nobody vouches for who is at the other end.
    pub with_stranger: bool,
    /// Who is at the other end, as far as told.
    party: Option<Party>,
}

impl Call {
    pub(crate) fn new(
        key: CallKey,
        net: Arc<Net>,
        auth: Authenticator,
        inbox: mpsc::UnboundedReceiver<Input>,
        events: mpsc::UnboundedSender<Event>,
        reports: mpsc::UnboundedSender<Report>,
    ) -> Self {
        Self { key, net, auth, inbox, events, reports, ended: false, with_stranger: false, party: None }
    }

    /// Lets the agent know which dialog is ours.
    fn is_in(&self, dialog: &Dialog, confirmed: bool) {
        let _ = self.reports.send(Report::Dialog(self.key, dialog.standing(confirmed)));
    }

    /// Tells where a message says that somebody else is at the other end now.
    fn identify(&mut self, message: &impl HasHeaders) {
        let Some(mut party) = identity_of(message).filter(|_| !self.with_stranger) else { return };
        if let Some(known) = self.party.take_if(|known| known.number == party.number) {
            party.display_name = party.display_name.or_else(|| known.display_name.clone());
            if known.display_name == party.display_name {
                self.party = Some(known);
                return;
            }
        }
        self.party = Some(party.clone());
        self.tell(Event::PartyChanged { call: self.key, party });
    }

    fn tell(&self, event: Event) {
        if !self.ended {
            // Without a listener there is nobody to tell; the agent stops by itself.
            let _ = self.events.send(event);
        }
    }

    /// Ends the call for the user. What is still to be said to the other end goes on behind the scenes.
    fn end(&mut self, cause: EndCause, status: Option<u16>) {
        self.tell(Event::Ended { call: self.key, cause, status });
        self.ended = true;
        let _ = self.reports.send(Report::Ended(self.key));
    }

    /// Only an established call can be handed on.
    fn not_handed_on(&self) {
        self.tell(Event::Transfer { call: self.key, progress: TransferProgress::Failed(None) });
    }

    /// The next input; a closed inbox is a wish to hang up.
    async fn input(&mut self) -> Input {
        self.inbox.recv().await.unwrap_or(Input::HangUp)
    }

    /// Says BYE and waits for the answer, requests that cross it answered meanwhile.
    async fn bye(&mut self, dialog: &Dialog) {
        let (net, auth) = (self.net.clone(), self.auth.clone());
        self.meanwhile(farewell(&net, auth, dialog.draft(Method::Bye))).await;
    }

    /// Runs a farewell to its end while requests that still come in are answered.
    async fn meanwhile<T>(&mut self, farewell: impl Future<Output = T>) -> T {
        tokio::pin!(farewell);
        loop {
            tokio::select! {
                outcome = &mut farewell => return outcome,
                Some(input) = self.inbox.recv() => {
                    if let Input::Request(mut transaction) = input {
                        afterwards(&mut transaction).await;
                    }
                }
            }
        }
    }
}

impl Drop for Call {
    /// Whatever happened to the task, the user learns that the call is over.
    fn drop(&mut self) {
        if !self.ended {
            self.end(EndCause::ConnectionLost, None);
        }
    }
}

/// Says BYE, and again over another flow where the first is lost before an answer comes: else the other end would be
/// left in a call of its own.
async fn farewell(net: &Net, mut auth: Authenticator, bye: Draft) {
    let said = async {
        for pause in PAUSES {
            sleep(pause).await;
            if let Ok(flow) = net.flow().await
                && !matches!(
                    exchange(net, &flow, &bye, &mut auth, FAREWELL).await,
                    Err(cause) if cause != Cause::NotUnderstood
                )
            {
                return;
            }
        }
    };
    let _ = timeout(FAREWELL, said).await;
}

/// Answers a request within a dialog that is over for us.
async fn afterwards(transaction: &mut Transaction) {
    match transaction.original.method {
        Method::Bye => respond(transaction, 200).await,
        _ => outside_of_calls(transaction).await,
    }
}
