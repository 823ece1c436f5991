mod task;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{mpsc, oneshot, watch};

use crate::{Account, CallKey, Error, Event};
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
    Invite { call: CallKey, target: String, offer: String },
    Ring(CallKey),
    Answer(CallKey, String),
    Decline(CallKey, u16),
    HangUp(CallKey),
    AnswerOffer(CallKey, Option<String>),
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

    /// Ends all calls, un-registers and closes the sockets, within about two seconds. Nothing is left running.
    pub async fn stop(self) {
        let (done, stopped) = oneshot::channel();
        self.send(Command::Stop(done));
        let _ = stopped.await;
    }

    /// Calls `target`: a user part, which gets the account's domain, or a whole `sip:` URI.
    /// `offer` is the session description to send.
    pub fn invite(&self, target: &str, offer: String) -> CallKey {
        let call = CallKey(self.last_call.fetch_add(1, Ordering::Relaxed) + 1);
        self.send(Command::Invite { call, target: target.to_owned(), offer });
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

    fn send(&self, command: Command) {
        // A stopped user agent has nothing left to command.
        let _ = self.commands.send(command);
    }
}
