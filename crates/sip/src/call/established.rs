//! A call that both ends have agreed on.

mod liveness;
mod offers;
mod transferring;

use rsipstack::sip::{Header, Method, SipMessage};
use rsipstack::transaction::transaction::Transaction;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::offering::{Offering, Wish};
use super::{Call, FAREWELL, Input};
use crate::answer::{outside_of_calls, required, respond, respond_with};
use crate::dialog::Dialog;
use crate::exchange::{Reply, exchange};
use crate::flow::Flow;
use crate::message::{ALLOW, Body, Draft, SDP, value};
use crate::{Cause, EndCause, Event, transfer};
use liveness::Pulse;
use offers::Asked;
use transferring::Transferring;

/// What an established call starts from.
pub(super) struct Agreed {
    pub dialog: Dialog,
    pub flow: Flow,
    /// Our session description.
    pub local: String,
    /// An offer that waited for this.
    pub waiting: Option<String>,
}

/// An established call. `first` is a request that came ahead of everything else.
pub(super) async fn established(call: Call, agreed: Agreed, first: Option<Transaction>) {
    let (acknowledged, acknowledgements) = mpsc::unbounded_channel();
    let mut offering = Offering::new(agreed.dialog.began_here());
    if let Some(sdp) = agreed.waiting {
        offering.want(Wish::Offer(sdp), std::time::Instant::now());
    }
    let session = Session {
        offering,
        call,
        dialog: agreed.dialog,
        flow: agreed.flow,
        local: agreed.local,
        proposed: String::new(),
        theirs: None,
        ours: None,
        acknowledged,
        acknowledgements,
        orderly: None,
        transfer: None,
        referrals: 0,
        pulse: Pulse::new(),
    };
    session.run(first).await;
}

struct Session {
    call: Call,
    dialog: Dialog,
    flow: Flow,
    offering: Offering,
    /// Our session description as last agreed, and the one that is proposed.
    local: String,
    proposed: String,
    /// Their re-INVITE or UPDATE while our answer is awaited.
    theirs: Option<Transaction>,
    ours: Option<Asked>,
    acknowledged: mpsc::UnboundedSender<String>,
    acknowledgements: mpsc::UnboundedReceiver<String>,
    /// Requests that go out one after the other.
    orderly: Option<mpsc::UnboundedSender<Draft>>,
    /// A transfer of ours under way.
    transfer: Option<Transferring>,
    /// Requests of theirs that we call.
    referrals: u32,
    pulse: Pulse,
}

enum Next {
    Input(Input),
    OfferMessage(Option<SipMessage>),
    Acknowledged(String),
    Offer,
    OfferEnded(Result<Reply, Cause>),
    Ask,
    Asked(Result<u16, Cause>),
    Transfer(transfer::Input),
}

impl Session {
    async fn run(mut self, first: Option<Transaction>) {
        if let Some(first) = first
            && self.request(first).await
        {
            return;
        }
        loop {
            let over = match self.next().await {
                Next::Input(input) => self.input(input).await,
                Next::OfferMessage(message) => {
                    self.offer_message(message).await;
                    false
                }
                Next::Acknowledged(sdp) => {
                    self.call.tell(Event::Answer { call: self.call.key, sdp });
                    false
                }
                Next::Offer => {
                    self.offer();
                    false
                }
                Next::OfferEnded(outcome) => self.offer_ended(outcome).await,
                Next::Ask => {
                    self.ask();
                    false
                }
                Next::Asked(outcome) => self.asked(outcome).await,
                Next::Transfer(input) => {
                    self.transfer_goes(input);
                    false
                }
            };
            if over {
                return;
            }
        }
    }

    async fn next(&mut self) -> Next {
        let Self { call, theirs, ours, acknowledgements, offering, pulse, transfer, .. } = self;
        let due = pulse.due;
        let asking = pulse.is_asking();
        let turn = offering.deadline();
        let offer_message = async {
            match theirs {
                Some(transaction) => transaction.receive().await,
                None => std::future::pending().await,
            }
        };
        let offer_ended = async {
            match ours {
                Some(asked) => asked.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            input = call.input() => Next::Input(input),
            message = offer_message => Next::OfferMessage(message),
            outcome = offer_ended => Next::OfferEnded(outcome),
            Some(sdp) = acknowledgements.recv() => Next::Acknowledged(sdp),
            () = until(turn) => Next::Offer,
            () = sleep_until(due), if !asking => Next::Ask,
            outcome = pulse.answer() => Next::Asked(outcome),
            input = Transferring::next(transfer.as_mut()) => Next::Transfer(input),
        }
    }

    /// Does as told; true when the call is over.
    async fn input(&mut self, input: Input) -> bool {
        match input {
            Input::HangUp => {
                self.leave(EndCause::HungUpHere, None).await;
                return true;
            }
            Input::Request(transaction) => return self.request(*transaction).await,
            Input::AnswerOffer(sdp) => self.answer_offer(sdp).await,
            Input::Reoffer(sdp) => self.offering.want(Wish::Offer(sdp), std::time::Instant::now()),
            Input::Info { content_type, body } => {
                let mut draft = self.dialog.draft(Method::Info);
                draft.body = Some(Body { kind: content_type, text: body });
                self.send_in_order(draft);
            }
            Input::Moved => self.call.tell(Event::Moved { call: self.call.key }),
            Input::FlowLost => self.pulse.due = Instant::now(),
            Input::Transfer(to, instead) => self.transfer(&to, instead),
            Input::Replaced => {
                self.leave(EndCause::Replaced, None).await;
                return true;
            }
            Input::Ring | Input::Answer(_) | Input::Decline(_) | Input::Redirect(_) => {}
        }
        false
    }

    /// Handles one request of theirs; true when the call is over.
    async fn request(&mut self, mut transaction: Transaction) -> bool {
        if transaction.original.method == Method::Ack {
            return false;
        }
        if !self.dialog.is_with(&transaction.original) {
            outside_of_calls(&mut transaction).await;
            return false;
        }
        if !self.dialog.accepts(&transaction.original) {
            respond(&mut transaction, 500).await;
            return false;
        }
        if let Some(extensions) = required(&transaction) {
            let unsupported = vec![Header::Unsupported(extensions.into())];
            respond_with(&mut transaction, 420, unsupported, None).await;
            return false;
        }
        match transaction.original.method {
            Method::Bye => {
                respond(&mut transaction, 200).await;
                self.over(EndCause::HungUpThere, None).await;
                return true;
            }
            Method::Invite | Method::Update => {
                self.call.identify(&transaction.original);
                self.offered(transaction).await;
            }
            Method::Info => self.informed(transaction).await,
            Method::Options => {
                let headers = vec![Header::Allow(ALLOW.into()), Header::Accept(SDP.into())];
                respond_with(&mut transaction, 200, headers, None).await;
            }
            Method::Refer => self.referred(transaction),
            Method::Notify => self.notified(transaction).await,
            // No reliable provisional response of ours that it could belong to (RFC 3262, section 3).
            Method::PRack => respond(&mut transaction, 481).await,
            _ => respond_with(&mut transaction, 405, vec![Header::Allow(ALLOW.into())], None).await,
        }
        false
    }

    async fn informed(&mut self, mut transaction: Transaction) {
        respond(&mut transaction, 200).await;
        let info = &transaction.original;
        let content_type = value(info, |header| match header {
            Header::ContentType(kind) => Some(kind.value()),
            _ => None,
        });
        if let Some(content_type) = content_type.filter(|_| !info.body.is_empty()) {
            let body = String::from_utf8_lossy(&info.body).into_owned();
            self.call.tell(Event::Info { call: self.call.key, content_type, body });
        }
    }

    /// Sends a request within the dialog after those before it have been answered: sent at once they could overtake
    /// each other. What becomes of it is not told.
    fn send_in_order(&mut self, draft: Draft) {
        let orderly = self.orderly.get_or_insert_with(|| {
            let (sender, mut drafts) = mpsc::unbounded_channel::<Draft>();
            let net = self.call.net.clone();
            let mut auth = self.call.auth.clone();
            self.call.net.behind(async move {
                while let Some(draft) = drafts.recv().await {
                    if let Ok(flow) = net.flow().await {
                        let _ = exchange(&net, &flow, &draft, &mut auth, FAREWELL).await;
                    }
                }
            });
            sender
        });
        let _ = orderly.send(draft);
    }

    /// Ends the call, and lets the other end know.
    async fn leave(&mut self, cause: EndCause, status: Option<u16>) {
        self.over(cause, status).await;
        self.call.bye(&self.dialog).await;
    }

    /// Ends the call, of whose end the other end knows.
    async fn over(&mut self, cause: EndCause, status: Option<u16>) {
        self.call.end(cause, status);
        self.refuse_offer(487).await;
        if let Some(ours) = self.ours.take() {
            // Its answer is to be acknowledged all the same.
            self.call.net.behind(async move {
                let _ = timeout(FAREWELL, ours).await;
            });
        }
    }

    async fn current_flow(&mut self) -> Flow {
        if let Ok(flow) = self.call.net.flow().await {
            self.flow = flow;
        }
        self.flow.clone()
    }
}

async fn until(deadline: Option<std::time::Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
