mod shown;
mod task;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pbx_api::Trust;
use tokio::sync::{mpsc, oneshot, watch};

use crate::replaces::Replaces;
use crate::{Account, CallKey, Error, Event, MessageKey, Package, Presence, ReferralKey, SubscriptionKey};
pub use shown::Shown;
use task::Agent;

/// A running user agent for one account. Cloning gives another handle to the same one.
///
/// When the last handle is dropped the user agent stops as with [`stop`](Self::stop).
#[derive(Clone, Debug)]
pub struct UserAgent {
    commands: mpsc::UnboundedSender<Command>,
    local_ip: watch::Receiver<IpAddr>,
    last_call: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Command {
    Reconnect,
    Trust(Trust),
    Invite { call: CallKey, target: String, offer: String, taking: Option<Replaces>, shown: Shown },
    Ring(CallKey),
    Answer(CallKey, String),
    Decline(CallKey, u16),
    HangUp(CallKey),
    AnswerOffer(CallKey, Option<String>),
    Reoffer(CallKey, String),
    Info { call: CallKey, content_type: String, body: String },
    Redirect(CallKey, String),
    Transfer(CallKey, String),
    TransferTo(CallKey, CallKey),
    Follow { referral: ReferralKey, call: CallKey, shown: Shown, offer: String },
    RefuseReferral(ReferralKey, u16),
    Subscribe { subscription: SubscriptionKey, package: Package, target: Option<String> },
    Unsubscribe(SubscriptionKey),
    Publish(Option<Presence>),
    Message { message: MessageKey, target: String, text: String },
    Stop(oneshot::Sender<()>),
}

impl UserAgent {
    /// Binds the sockets and begins to register; does not wait for the registrar. From then on the account is
    /// kept registered until [`stop`](Self::stop), unless its credentials are refused.
    ///
    /// # Errors
    /// The account cannot be used as it is, or no socket can be had.
    pub async fn start(account: Account, events: mpsc::UnboundedSender<Event>) -> Result<Self, Error> {
        let (commands, inbox) = mpsc::unbounded_channel();
        let last_call = Arc::new(AtomicU64::new(0));
        let (agent, local_ip) = Agent::new(account, events, last_call.clone()).await?;
        tokio::spawn(agent.run(inbox));
        Ok(Self { commands, local_ip, last_call })
    }

    /// The local address that reaches the proxy, for session descriptions. Follows the network: ask for every
    /// call anew. Before the proxy is reached for the first time it is a guess.
    pub fn local_ip(&self) -> IpAddr {
        *self.local_ip.borrow()
    }

    /// Registers now: after a change of the network, after sleep, or after credentials were refused.
    pub fn reconnect(&self) {
        self.send(Command::Reconnect);
    }

    /// Replaces what is trusted besides the operating system's own roots. A connection that was let through by a pin
    /// that is gone now is given up; a refused one is tried again by itself in time, or at once by
    /// [`reconnect`](Self::reconnect).
    pub fn trust(&self, trust: Trust) {
        self.send(Command::Trust(trust));
    }

    /// Ends all calls, un-registers and closes the sockets, within about two seconds. Nothing is left running.
    pub async fn stop(self) {
        let (done, stopped) = oneshot::channel();
        self.send(Command::Stop(done));
        let _ = stopped.await;
    }

    /// Calls `target`: a user part, which gets the account's domain, or a whole `sip:` URI.
    /// `offer` is the session description to send.
    pub fn invite(&self, target: &str, offer: String) -> CallKey {
        self.invite_shown(target, Shown::AsUsual, offer)
    }

    /// Calls `target` as [`invite`](Self::invite) does, and shows who calls as wanted.
    pub fn invite_shown(&self, target: &str, shown: Shown, offer: String) -> CallKey {
        let call = CallKey(self.next());
        self.send(Command::Invite { call, target: target.to_owned(), offer, taking: None, shown });
        call
    }

    /// Calls `target` as [`invite`](Self::invite) does, to take over the dialog (Call-ID, local tag, remote tag) of
    /// [`OtherCall`](crate::OtherCall): a pick-up (Replaces, RFC 3891).
    /// `target` is who is at the other end of it, [`OtherCall::party`](crate::OtherCall::party). `early_only` takes it
    /// only while it rings: a call that was answered in the meantime is let be.
    pub fn take_over(
        &self,
        target: &str,
        dialog: (String, String, String),
        early_only: bool,
        offer: String,
    ) -> CallKey {
        let call = CallKey(self.next());
        let (call_id, from_tag, to_tag) = dialog;
        let taking = Some(Replaces { call_id, to_tag, from_tag, early_only });
        self.send(Command::Invite { call, target: target.to_owned(), offer, taking, shown: Shown::AsUsual });
        call
    }

    /// Lets the caller of an incoming call know that it rings here (180).
    pub fn ring(&self, call: CallKey) {
        self.send(Command::Ring(call));
    }

    /// Answers an incoming call with a session description: the answer to its offer, or, where it brought none,
    /// an offer of ours.
    pub fn answer(&self, call: CallKey, sdp: String) {
        self.send(Command::Answer(call, sdp));
    }

    /// Refuses an incoming call with a SIP status from 400 to 699 (486 busy, 603 declined).
    pub fn decline(&self, call: CallKey, status: u16) {
        self.send(Command::Decline(call, status));
    }

    /// Ends a call in whatever state it is: CANCEL before the answer, BYE after it, 603 for an incoming one.
    /// [`Event::Ended`] comes at once, whether or not the other end still answers.
    pub fn hang_up(&self, call: CallKey) {
        self.send(Command::HangUp(call));
    }

    /// Replies to an [`Event::Offer`]; `None` refuses it (488) and leaves the session as it is.
    pub fn answer_offer(&self, call: CallKey, sdp: Option<String>) {
        self.send(Command::AnswerOffer(call, sdp));
    }

    /// Offers a new session within a call (re-INVITE): to hold it or to resume it, for other codecs, from another
    /// address. [`Event::Answer`] or [`Event::OfferRefused`] follows. Offers that cross one of theirs are sent again
    /// (RFC 3261, section 14.1); a newer offer takes the place of one that still waits.
    pub fn reoffer(&self, call: CallKey, sdp: String) {
        self.send(Command::Reoffer(call, sdp));
    }

    /// Sends an INFO within an established call, such as a digit as `application/dtmf-relay`.
    pub fn info(&self, call: CallKey, content_type: &str, body: String) {
        self.send(Command::Info { call, content_type: content_type.to_owned(), body });
    }

    /// Sends the caller of an incoming call elsewhere (302): `target` as [`invite`](Self::invite) takes it.
    pub fn redirect(&self, call: CallKey, target: &str) {
        self.send(Command::Redirect(call, target.to_owned()));
    }

    /// Hands an established call on to `target` (blind transfer, RFC 5589, section 6). [`Event::Transfer`] follows.
    pub fn transfer(&self, call: CallKey, target: &str) {
        self.send(Command::Transfer(call, target.to_owned()));
    }

    /// Joins the other ends of two calls, of which `to` is one of ours that is established (attended transfer,
    /// Replaces; RFC 5589, section 7) or still rings there. [`Event::Transfer`] follows for `call`.
    pub fn transfer_to(&self, call: CallKey, to: CallKey) {
        self.send(Command::TransferTo(call, to));
    }

    /// Calls as somebody asked ([`Event::Referred`]); who asked hears how it goes.
    pub fn follow(&self, referral: ReferralKey, offer: String) -> CallKey {
        self.follow_shown(referral, Shown::AsUsual, offer)
    }

    /// Calls as somebody asked, as [`follow`](Self::follow) does, and shows who calls as wanted.
    pub fn follow_shown(&self, referral: ReferralKey, shown: Shown, offer: String) -> CallKey {
        let call = CallKey(self.next());
        self.send(Command::Follow { referral, call, shown, offer });
        call
    }

    /// Refuses to call as somebody asked, with a SIP status from 400 to 699.
    pub fn refuse_referral(&self, referral: ReferralKey, status: u16) {
        self.send(Command::RefuseReferral(referral, status));
    }

    /// Subscribes to news of `target`, or without one of the account itself, and keeps the subscription until
    /// [`unsubscribe`](Self::unsubscribe) or a refusal.
    pub fn subscribe(&self, package: Package, target: Option<&str>) -> SubscriptionKey {
        let subscription = SubscriptionKey(self.next());
        self.send(Command::Subscribe { subscription, package, target: target.map(str::to_owned) });
        subscription
    }

    /// Ends a subscription.
    pub fn unsubscribe(&self, subscription: SubscriptionKey) {
        self.send(Command::Unsubscribe(subscription));
    }

    /// Publishes our presence (RFC 3903) and keeps it published; `None` withdraws it.
    pub fn publish(&self, presence: Option<Presence>) {
        self.send(Command::Publish(presence));
    }

    /// Sends a text message (MESSAGE, RFC 3428). [`Event::MessageSent`] follows.
    pub fn message(&self, target: &str, text: &str) -> MessageKey {
        let message = MessageKey(self.next());
        self.send(Command::Message { message, target: target.to_owned(), text: text.to_owned() });
        message
    }

    /// A number no call, subscription or message of this user agent has had.
    fn next(&self) -> u64 {
        self.last_call.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn send(&self, command: Command) {
        // A stopped user agent has nothing left to command.
        let _ = self.commands.send(command);
    }
}
