//! A call that both ends have agreed on.

mod acknowledgement;
mod liveness;
mod offers;
mod transferring;

use rsipstack::sip::{Method, SipMessage};
use rsipstack::transaction::transaction::Transaction;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::offering::{Offering, Wish};
use super::reliable::Reliable;
use super::requests::{Taken, acknowledged, take};
use super::{Call, FAREWELL, Input};
use crate::answer::respond;
use crate::dialog::Dialog;
use crate::exchange::{Reply, exchange};
use crate::flow::Flow;
use crate::message::{Body, Draft};
use crate::refer::ReferTo;
use crate::session_timer::{Due, SessionTimer};
use crate::{CallKey, Cause, EndCause, Event, transfer};
use acknowledgement::Unacknowledged;
use liveness::Pulse;
use offers::Asked;
use transferring::Transferring;

/// What an established call starts from.
pub(super) struct Agreed {
    pub dialog: Dialog,
    pub flow: Flow,
    /// The session descriptions, ours and theirs. Theirs is still to come in the ACK where ours was an offer.
    pub local: String,
    pub remote: Option<String>,
    /// An offer that waited for this.
    pub waiting: Option<String>,
    /// An offer of theirs that is considered.
    pub theirs: Option<Transaction>,
    /// Our provisional answers, whose PRACK may still come.
    pub reliable: Option<Reliable>,
    pub timer: SessionTimer,
    /// The other end takes UPDATE.
    pub update: bool,
}

/// An established call. `unacknowledged` is the INVITE of theirs that was just answered.
pub(super) async fn established(call: Call, agreed: Agreed, unacknowledged: Option<Transaction>) {
    call.is_in(&agreed.dialog, true);
    let (acknowledged, acknowledgements) = mpsc::unbounded_channel();
    let mut offering = Offering::new(agreed.dialog.began_here());
    if let Some(sdp) = agreed.waiting {
        offering.want(Wish::Offer(sdp), std::time::Instant::now());
    }
    let unacknowledged = unacknowledged.map(Unacknowledged::new);
    if unacknowledged.is_some() && agreed.remote.is_none() {
        offering.asked(Wish::Offer(agreed.local.clone()));
    }
    if agreed.theirs.is_some() {
        let _ = offering.theirs();
    }
    let session = Session {
        offering,
        call,
        dialog: agreed.dialog,
        contact: agreed.flow.contact(),
        flow: agreed.flow,
        local: agreed.local,
        remote: agreed.remote,
        timer: agreed.timer,
        update: agreed.update,
        reliable: agreed.reliable,
        unacknowledged,
        theirs: agreed.theirs,
        ours: None,
        acknowledged,
        acknowledgements,
        orderly: None,
        transfer: None,
        later: None,
        referrals: 0,
        pulse: Pulse::new(),
    };
    session.run().await;
}

struct Session {
    call: Call,
    dialog: Dialog,
    flow: Flow,
    /// Where the other end was last told to reach us.
    contact: String,
    offering: Offering,
    timer: SessionTimer,
    update: bool,
    /// The session descriptions as last agreed.
    local: String,
    remote: Option<String>,
    unacknowledged: Option<Unacknowledged>,
    reliable: Option<Reliable>,
    /// Their re-INVITE or UPDATE while our answer is awaited.
    theirs: Option<Transaction>,
    ours: Option<Asked>,
    acknowledged: mpsc::UnboundedSender<String>,
    acknowledgements: mpsc::UnboundedReceiver<String>,
    /// Requests that go out one after the other.
    orderly: Option<mpsc::UnboundedSender<Draft>>,
    /// A transfer of ours under way.
    transfer: Option<Transferring>,
    /// One that waits for the ACK of our answer.
    later: Option<(ReferTo, Option<CallKey>)>,
    /// Requests of theirs that we call.
    referrals: u32,
    pulse: Pulse,
}

enum Next {
    Input(Input),
    InviteMessage(Option<SipMessage>),
    OfferMessage(Option<SipMessage>),
    Acknowledged(String),
    Offer,
    OfferEnded(Result<Reply, Cause>),
    Timer,
    Ask,
    Asked(Result<u16, Cause>),
    Transfer(transfer::Input),
}

impl Session {
    async fn run(mut self) {
        loop {
            let over = match self.next().await {
                Next::Input(input) => self.input(input).await,
                Next::InviteMessage(message) => self.invite_message(message).await,
                Next::OfferMessage(message) => {
                    self.offer_message(message).await;
                    false
                }
                Next::Acknowledged(sdp) => {
                    self.remote = Some(sdp.clone());
                    self.call.tell(Event::Answer { call: self.call.key, sdp });
                    false
                }
                Next::Offer => {
                    self.offer();
                    false
                }
                Next::OfferEnded(outcome) => self.offer_ended(outcome).await,
                Next::Timer => self.time_is_up().await,
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
        let Self {
            call,
            theirs,
            ours,
            unacknowledged,
            acknowledgements,
            offering,
            timer,
            transfer,
            pulse,
            ..
        } = self;
        let due = pulse.due;
        let asking = pulse.is_asking();
        let turn = offering.deadline();
        let time = timer.deadline();
        let invite_message = async {
            match unacknowledged {
                Some(invite) => invite.transaction.receive().await,
                None => std::future::pending().await,
            }
        };
        let offer_message = async {
            match theirs {
                Some(transaction) => transaction.receive().await,
                None => std::future::pending().await,
            }
        };
        let offer_ended = async {
            match ours {
                Some(asked) => asked.outcome.as_mut().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            input = call.input() => Next::Input(input),
            message = invite_message => Next::InviteMessage(message),
            message = offer_message => Next::OfferMessage(message),
            outcome = offer_ended => Next::OfferEnded(outcome),
            Some(sdp) = acknowledgements.recv() => Next::Acknowledged(sdp),
            () = until(turn) => Next::Offer,
            () = until(time) => Next::Timer,
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
            Input::Moved => {
                self.call.tell(Event::Moved { call: self.call.key });
                self.pulse.soon();
            }
            Input::FlowLost => self.pulse.lost(),
            Input::Transfer(to, instead) => self.transfer(*to, instead),
            Input::Replaced => {
                self.leave(EndCause::Replaced, None).await;
                return true;
            }
            Input::Ring | Input::Answer(_) | Input::Decline(_) | Input::Redirect(_) => {}
        }
        false
    }

    /// Handles one request of theirs; true when the call is over.
    async fn request(&mut self, transaction: Transaction) -> bool {
        let mut transaction = match take(&mut self.dialog, &self.flow, transaction).await {
            Taken::Fit(transaction) => *transaction,
            Taken::Strange => {
                // It may be true all the same: who has hung up does not know the call any more.
                self.pulse.due = Instant::now();
                return false;
            }
            Taken::Refused => return false,
        };
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
            Method::Refer => self.referred(transaction),
            Method::Notify => self.notified(transaction).await,
            Method::PRack => acknowledged(self.reliable.as_mut(), transaction).await,
            _ => self.call.answer_by_routine(transaction).await,
        }
        false
    }

    /// True when the session was not refreshed in time.
    async fn time_is_up(&mut self) -> bool {
        let now = std::time::Instant::now();
        match self.timer.due(now) {
            Some(Due::Refresh) => self.offering.want(Wish::Refresh, now),
            Some(Due::Over) => {
                self.leave(EndCause::ConnectionLost, None).await;
                return true;
            }
            None => {}
        }
        false
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

    /// Ends the call, and lets the other end know: not before our answer is acknowledged or given up (RFC 3261,
    /// section 15).
    async fn leave(&mut self, cause: EndCause, status: Option<u16>) {
        self.over(cause, status).await;
        if let Some(invite) = self.unacknowledged.take() {
            self.call.meanwhile(invite.until_acknowledged()).await;
        }
        self.call.bye(&self.dialog).await;
    }

    /// Ends the call, of whose end the other end knows.
    async fn over(&mut self, cause: EndCause, status: Option<u16>) {
        self.call.end(cause, status);
        self.refuse_offer(487).await;
        if let Some(ours) = self.ours.take() {
            // Its answer is to be acknowledged all the same.
            self.call.net.behind(async move {
                let _ = timeout(FAREWELL, ours.outcome).await;
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
