use std::pin::Pin;
use std::time::Duration;

use rsipstack::sip::{Header, Method, SipMessage};
use rsipstack::transaction::transaction::Transaction;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::{Call, Input, until_closing};
use crate::answer::{dialog_headers, drain, outside_of_calls, required, respond, respond_with};
use crate::dialog::Dialog;
use crate::exchange::exchange;
use crate::flow::Flow;
use crate::message::{ALLOW, SDP, sdp_of};
use crate::{Cause, EndCause, Event};

/// Between questions whether the other end is still there.
const PULSE: Duration = Duration::from_secs(20);
/// How long it gets to answer one.
const PATIENCE: Duration = Duration::from_secs(4);
/// Pause after a question without answer.
const AGAIN: Duration = Duration::from_secs(2);
/// Pause after credentials were refused: sent again and again they would lock the account.
const REFUSED: Duration = Duration::from_secs(3600);
/// Questions without answer after which it is taken for gone.
const MISSES: u32 = 3;

/// An established call. `first` is a request that came ahead of everything else.
pub(super) async fn established(call: Call, dialog: Dialog, flow: Flow, first: Option<Transaction>) {
    let (acknowledged, acknowledgements) = mpsc::unbounded_channel();
    let session = Session {
        call,
        dialog,
        flow,
        offer: None,
        acknowledged,
        acknowledgements,
        pulse: Pulse { due: Instant::now() + PULSE, question: None, misses: 0 },
    };
    session.run(first).await;
}

struct Session {
    call: Call,
    dialog: Dialog,
    flow: Flow,
    /// Their re-INVITE or UPDATE while our answer is awaited.
    offer: Option<Transaction>,
    acknowledged: mpsc::UnboundedSender<String>,
    acknowledgements: mpsc::UnboundedReceiver<String>,
    pulse: Pulse,
}

/// A question under way; its outcome is the status of the answer.
type Question = dyn Future<Output = Result<u16, Cause>> + Send;

/// Asking whether the other end is still there: nothing else tells when it vanishes without a BYE.
struct Pulse {
    due: Instant,
    question: Option<Pin<Box<Question>>>,
    misses: u32,
}

impl Pulse {
    /// Status of the answer to a question, once there is one.
    async fn answer(&mut self) -> Result<u16, Cause> {
        match &mut self.question {
            Some(question) => question.await,
            None => std::future::pending().await,
        }
    }
}

enum Next {
    Input(Input),
    OfferMessage(Option<SipMessage>),
    Acknowledged(String),
    Ask,
    Answered(Result<u16, Cause>),
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
                Next::Input(Input::HangUp) => {
                    self.call.end(EndCause::HungUpHere, None);
                    self.refuse_offer(487).await;
                    self.call.bye(&self.dialog).await;
                    true
                }
                Next::Input(Input::Request(transaction)) => self.request(*transaction).await,
                Next::Input(Input::AnswerOffer(sdp)) => {
                    self.answer_offer(sdp).await;
                    false
                }
                Next::Input(Input::FlowLost) => {
                    self.pulse.due = Instant::now();
                    false
                }
                Next::Input(_) => false,
                Next::OfferMessage(message) => {
                    self.offer_message(message).await;
                    false
                }
                Next::Acknowledged(sdp) => {
                    self.call.tell(Event::Answer { call: self.call.key, sdp });
                    false
                }
                Next::Ask => {
                    self.ask();
                    false
                }
                Next::Answered(outcome) => self.answered(outcome).await,
            };
            if over {
                return;
            }
        }
    }

    async fn next(&mut self) -> Next {
        let Self { call, offer, acknowledgements, pulse, .. } = self;
        let due = pulse.due;
        let asking = pulse.question.is_some();
        let offer_message = async {
            match offer {
                Some(transaction) => transaction.receive().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            input = call.input() => Next::Input(input),
            message = offer_message => Next::OfferMessage(message),
            Some(sdp) = acknowledgements.recv() => Next::Acknowledged(sdp),
            () = sleep_until(due), if !asking => Next::Ask,
            outcome = pulse.answer() => Next::Answered(outcome),
        }
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
                self.refuse_offer(487).await;
                self.call.end(EndCause::HungUpThere, None);
                return true;
            }
            Method::Invite | Method::Update => self.offered(transaction).await,
            Method::Info => respond(&mut transaction, 200).await,
            Method::Options => {
                let headers = vec![Header::Allow(ALLOW.into()), Header::Accept(SDP.into())];
                respond_with(&mut transaction, 200, headers, None).await;
            }
            // No subscription and no reliable provisional response of ours that these could belong to
            // (RFC 6665, section 4.1.3; RFC 3262, section 3).
            Method::Notify | Method::PRack => respond(&mut transaction, 481).await,
            _ => respond_with(&mut transaction, 405, vec![Header::Allow(ALLOW.into())], None).await,
        }
        false
    }

    async fn offered(&mut self, mut transaction: Transaction) {
        let sdp = sdp_of(&transaction.original, &transaction.original.body);
        if transaction.original.method == Method::Update && sdp.is_none() {
            let headers = dialog_headers(&self.current_flow().await);
            return respond_with(&mut transaction, 200, headers, None).await;
        }
        if self.offer.is_some() {
            // RFC 3261, section 14.2: one at a time.
            let later = vec![Header::RetryAfter("2".into())];
            return respond_with(&mut transaction, 500, later, None).await;
        }
        if transaction.original.method == Method::Invite {
            respond(&mut transaction, 100).await;
        }
        self.offer = Some(transaction);
        self.call.tell(Event::Offer { call: self.call.key, sdp });
    }

    async fn answer_offer(&mut self, sdp: Option<String>) {
        let Some(sdp) = sdp else { return self.refuse_offer(488).await };
        let headers = dialog_headers(&self.current_flow().await);
        let Some(mut transaction) = self.offer.take() else { return };
        let asked_for_ours = sdp_of(&transaction.original, &transaction.original.body).is_none();
        respond_with(&mut transaction, 200, headers, Some(sdp)).await;
        if transaction.original.method == Method::Invite {
            let acknowledged = self.acknowledged.clone();
            self.behind(async move {
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

    async fn refuse_offer(&mut self, status: u16) {
        if let Some(mut transaction) = self.offer.take() {
            respond(&mut transaction, status).await;
            if transaction.original.method == Method::Invite {
                self.behind(drain(transaction));
            }
        }
    }

    async fn offer_message(&mut self, message: Option<SipMessage>) {
        match message {
            Some(SipMessage::Request(request)) if request.method == Method::Cancel => {
                self.refuse_offer(487).await;
            }
            Some(_) => {}
            None => self.offer = None,
        }
    }

    fn ask(&mut self) {
        let net = self.call.net.clone();
        let mut auth = self.call.auth.clone();
        let draft = self.dialog.draft(Method::Options);
        self.pulse.question = Some(Box::pin(async move {
            let flow = net.flow().await?;
            Ok(exchange(&net, &flow, &draft, &mut auth, PATIENCE).await?.status())
        }));
    }

    /// True when the other end is gone.
    async fn answered(&mut self, outcome: Result<u16, Cause>) -> bool {
        self.pulse.question = None;
        let status = outcome.ok();
        match status {
            Some(481) => {
                self.call.end(EndCause::ConnectionLost, status);
                return true;
            }
            Some(status) if status != 408 => {
                self.pulse.misses = 0;
                let pause = if matches!(status, 401 | 407) { REFUSED } else { PULSE };
                self.pulse.due = Instant::now() + pause;
            }
            _ => {
                self.pulse.misses += 1;
                self.pulse.due = Instant::now() + AGAIN;
                if self.pulse.misses >= MISSES {
                    self.call.end(EndCause::ConnectionLost, status);
                    self.call.bye(&self.dialog).await;
                    return true;
                }
            }
        }
        false
    }

    async fn current_flow(&mut self) -> Flow {
        if let Ok(flow) = self.call.net.flow().await {
            self.flow = flow;
        }
        self.flow.clone()
    }

    fn behind(&self, task: impl Future<Output = ()> + Send + 'static) {
        let net = &self.call.net;
        net.tasks.spawn(until_closing(net.closing.clone(), task));
    }
}
