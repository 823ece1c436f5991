use std::sync::Arc;
use std::time::{Duration, Instant};

use rsipstack::sip::{Header, Method};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep_until;

use super::{Action, Input, Machine};
use crate::digest::Authenticator;
use crate::exchange::{Asking, Reply};
use crate::flow::Net;
use crate::message::{Body, Draft, expires_of, min_expires_of, other, retry_after_of, token};
use crate::packages::{PIDF, write_presence};
use crate::target::parse;
use crate::{Cause, Event, Package, Presence};

/// A PUBLISH without any answer for this long went nowhere.
const PATIENCE: Duration = Duration::from_secs(8);

/// What a user agent publishes of its user. A task from the first wish on.
pub(crate) struct Publication {
    net: Arc<Net>,
    auth: Authenticator,
    events: mpsc::UnboundedSender<Event>,
    online: bool,
    running: Option<(mpsc::UnboundedSender<Input>, JoinHandle<()>)>,
}

impl Publication {
    pub(crate) fn new(net: Arc<Net>, auth: Authenticator, events: mpsc::UnboundedSender<Event>) -> Self {
        Self { net, auth, events, online: false, running: None }
    }

    /// The account is registered, or is not any more.
    pub(crate) fn online(&mut self, online: bool) {
        self.online = online;
        if let Some((inbox, _)) = &self.running {
            let _ = inbox.send(Input::Online(online));
        }
    }

    /// Publishes `presence` and keeps it published; `None` withdraws it.
    pub(crate) fn publish(&mut self, presence: Option<Presence>) {
        if self.running.is_none() && presence.is_some() {
            self.running = self.begin();
        }
        if let Some((inbox, _)) = &self.running {
            let _ = inbox.send(Input::Wish(presence));
        }
    }

    /// Withdraws what is published.
    pub(crate) async fn close(self) {
        if let Some((inbox, task)) = self.running {
            let _ = inbox.send(Input::Wish(None));
            drop(inbox);
            let _ = task.await;
        }
    }

    fn begin(&self) -> Option<(mpsc::UnboundedSender<Input>, JoinHandle<()>)> {
        let address = self.net.account.address();
        let (sender, inbox) = mpsc::unbounded_channel();
        let _ = sender.send(Input::Online(self.online));
        let publisher = Publisher {
            uri: address.clone(),
            draft: Draft::outside(&self.net.account, Method::Publish, parse(&address)?),
            device: token(),
            net: self.net.clone(),
            auth: self.auth.clone(),
            events: self.events.clone(),
            machine: Machine::new(rand::random()),
            asking: None,
        };
        let closing = self.net.closing.clone();
        let task = self.net.tasks.spawn(async move {
            tokio::select! {
                () = publisher.run(inbox) => {}
                () = closing.cancelled() => {}
            }
        });
        Some((sender, task))
    }
}

struct Publisher {
    /// Whose presence it is.
    uri: String,
    draft: Draft,
    /// Names this phone among those of the user.
    device: String,
    net: Arc<Net>,
    auth: Authenticator,
    events: mpsc::UnboundedSender<Event>,
    machine: Machine,
    asking: Option<Asking>,
}

impl Publisher {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Input>) {
        let mut open = true;
        while open || !self.machine.is_idle() {
            let deadline = self.machine.deadline();
            let asking = self.asking.as_mut();
            let input = tokio::select! {
                input = inbox.recv(), if open => match input {
                    Some(input) => input,
                    None => {
                        open = false;
                        continue;
                    }
                },
                (auth, outcome) = Asking::end(asking) => {
                    self.asking = None;
                    self.auth = auth;
                    read(outcome)
                }
                () = due(deadline) => Input::Due,
            };
            for action in self.machine.handle(input, Instant::now()) {
                match action {
                    Action::Report(status) => {
                        let _ = self.events.send(Event::Published { status });
                    }
                    Action::Publish { presence, replaces, expires } => {
                        self.publish(presence.as_ref(), replaces, expires);
                    }
                }
            }
        }
    }

    fn publish(&mut self, presence: Option<&Presence>, replaces: Option<String>, expires: Duration) {
        let mut draft = self.draft.clone();
        draft.headers.push(Header::Event(Package::Presence.event().into()));
        draft.headers.push(Header::Expires(expires.as_secs().to_string().into()));
        if let Some(tag) = replaces {
            draft.headers.push(Header::Other("SIP-If-Match".into(), tag));
        }
        draft.body = presence.map(|presence| Body {
            kind: PIDF.into(),
            text: write_presence(presence, &self.uri, &self.device),
        });
        let asking = Asking::begin(self.net.clone(), draft, self.auth.clone(), PATIENCE);
        self.asking = Some(asking);
    }
}

fn read(outcome: Result<Reply, Cause>) -> Input {
    let Ok(reply) = outcome else { return Input::Failed };
    let response = &reply.response;
    Input::Answered {
        status: reply.status(),
        tag: other(response, "SIP-ETag").map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()),
        expires: expires_of(response),
        minimum: min_expires_of(response),
        retry_after: retry_after_of(response),
    }
}

async fn due(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
