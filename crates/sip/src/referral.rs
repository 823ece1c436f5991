//! Requests of others that we call (REFER, RFC 3515), from their arrival until who asked knows how it went.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rsipstack::sip::{Header, Method};
use rsipstack::transaction::transaction::Transaction;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::answer::{dialog_headers, respond, respond_with};
use crate::dialog::{Dialog, sequence_of};
use crate::digest::Authenticator;
use crate::exchange::exchange;
use crate::flow::Net;
use crate::message::Body;
use crate::refer::{ReferTo, SIPFRAG, fragment, refer_to_of, referred_by_of, without_news};
use crate::{CallKey, Event, Party, ReferralKey};

/// How long the REFER itself waits for a decision; after that it is taken, and the decision is told as news.
const AT_ONCE: Duration = Duration::from_secs(3);
/// How long the user gets to decide, seconds.
const DECISION: u64 = 120;
/// Longest that a call may ring; also what is told as the life of the news, seconds.
const NEWS: u64 = 600;
/// A NOTIFY without any answer for this long went nowhere.
const PATIENCE: Duration = Duration::from_secs(8);
/// Requests that may wait for a decision at once.
const MOST: usize = 8;

/// All requests of others that we call.
pub(crate) struct Referrals {
    net: Arc<Net>,
    auth: Authenticator,
    events: mpsc::UnboundedSender<Event>,
    undecided: HashMap<ReferralKey, Undecided>,
}

struct Undecided {
    to: ReferTo,
    by: Option<String>,
    decision: mpsc::UnboundedSender<Decision>,
}

enum Decision {
    /// We call; how it goes comes as SIP status.
    Follow(mpsc::UnboundedReceiver<u16>),
    Refuse(u16),
}

/// A call to make as somebody asked.
pub(crate) struct Followed {
    pub to: ReferTo,
    /// Value of `Referred-By`.
    pub by: Option<String>,
    /// Takes how it goes, as SIP status.
    pub progress: mpsc::UnboundedSender<u16>,
}

impl Referrals {
    pub(crate) fn new(net: Arc<Net>, auth: Authenticator, events: mpsc::UnboundedSender<Event>) -> Self {
        Self { net, auth, events, undecided: HashMap::new() }
    }

    /// Takes a REFER: within the dialog of `call`, where `before` others came, or one that makes a dialog of its own.
    pub(crate) fn take(
        &mut self,
        key: ReferralKey,
        call: Option<CallKey>,
        mut refer: Transaction,
        dialog: Dialog,
        before: u32,
    ) {
        self.undecided.retain(|_, undecided| !undecided.decision.is_closed());
        let unfit = if self.undecided.len() >= MOST { Some(503) } else { None };
        let to = match (unfit, refer_to_of(&refer.original)) {
            (None, Some(to)) => to,
            (unfit, _) => {
                let status = unfit.unwrap_or(400);
                return self.net.behind(async move { respond(&mut refer, status).await });
            }
        };
        let by = referred_by_of(&refer.original);
        let asks = by.as_deref().map(Party::parse).filter(|party| !party.number.is_empty());
        let event = Event::Referred {
            referral: key,
            call,
            target: Party::parse(&format!("<{}>", to.uri)),
            by: asks.unwrap_or_else(|| dialog.party()),
        };
        let (decision, decided) = mpsc::unbounded_channel();
        self.undecided.insert(key, Undecided { to, by, decision });
        let id = if before == 0 { String::new() } else { format!(";id={}", sequence_of(&refer.original)) };
        let referral = Referral {
            net: self.net.clone(),
            auth: self.auth.clone(),
            dialog,
            event: format!("refer{id}"),
            mute: without_news(&refer.original),
            told: None,
        };
        self.net.behind(referral.run(refer, decided));
        let _ = self.events.send(event);
    }

    /// The user wants the call made; `None` where it is too late.
    pub(crate) fn follow(&mut self, key: ReferralKey) -> Option<Followed> {
        let Undecided { to, by, decision } = self.undecided.remove(&key)?;
        let (progress, news) = mpsc::unbounded_channel();
        decision.send(Decision::Follow(news)).ok()?;
        Some(Followed { to, by, progress })
    }

    /// The user does not want the call made.
    pub(crate) fn refuse(&mut self, key: ReferralKey, status: u16) {
        if let Some(undecided) = self.undecided.remove(&key) {
            let status = if (400..700).contains(&status) { status } else { 603 };
            let _ = undecided.decision.send(Decision::Refuse(status));
        }
    }
}

/// One of them.
struct Referral {
    net: Arc<Net>,
    auth: Authenticator,
    dialog: Dialog,
    /// Value of the `Event` header of the news.
    event: String,
    /// Who asked wants no news.
    mute: bool,
    told: Option<u16>,
}

impl Referral {
    async fn run(mut self, mut refer: Transaction, mut decided: mpsc::UnboundedReceiver<Decision>) {
        let mut decision = match timeout(AT_ONCE, decided.recv()).await {
            Ok(Some(Decision::Refuse(status))) => return respond(&mut refer, status).await,
            Ok(None) => return respond(&mut refer, 603).await,
            Ok(decision) => decision,
            Err(_) => None,
        };
        let mut headers = match self.net.flow().await {
            Ok(flow) => dialog_headers(&flow, self.dialog.local()),
            Err(_) => Vec::new(),
        };
        if self.mute {
            headers.push(Header::Other("Refer-Sub".into(), "false".into()));
        }
        respond_with(&mut refer, 202, headers, None).await;
        drop(refer);
        self.tell(100).await;
        if decision.is_none() {
            decision = timeout(Duration::from_secs(DECISION), decided.recv()).await.ok().flatten();
        }
        drop(decided);
        match decision {
            Some(Decision::Follow(mut news)) => {
                while let Some(status) = news.recv().await {
                    if !self.tell(status).await || status >= 200 {
                        return;
                    }
                }
                self.tell(487).await;
            }
            Some(Decision::Refuse(status)) => {
                self.tell(status).await;
            }
            None => {
                self.tell(408).await;
            }
        }
    }

    /// Tells how it goes; false when nobody wants to know any more.
    async fn tell(&mut self, status: u16) -> bool {
        if self.mute || self.told == Some(status) {
            return true;
        }
        self.told = Some(status);
        let mut notify = self.dialog.draft(Method::Notify);
        let state = match status {
            200.. => "terminated;reason=noresource".to_owned(),
            _ => format!("active;expires={NEWS}"),
        };
        notify.headers =
            vec![Header::Event(self.event.clone().into()), Header::SubscriptionState(state.into())];
        notify.body = Some(Body { kind: SIPFRAG.into(), text: fragment(status) });
        let Ok(flow) = self.net.flow().await else { return true };
        match exchange(&self.net, &flow, &notify, &mut self.auth, PATIENCE).await {
            Ok(reply) => reply.status() < 300,
            // The next one may get through.
            Err(_) => true,
        }
    }
}
