use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rsipstack::sip::{Header, Method, Request, Uri};
use rsipstack::transaction::transaction::Transaction;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep_until;

use super::{Action, Ending, Input, Machine, Standing};
use crate::answer::{respond, respond_with};
use crate::dialog::Dialog;
use crate::digest::Authenticator;
use crate::exchange::{Asking, Reply};
use crate::flow::Net;
use crate::header::parameters;
use crate::message::{
    Draft, call_id_of, event_of, expires_of, kind_of, min_expires_of, retry_after_of, to_of, value,
};
use crate::packages::{Reader, Unreadable};
use crate::party::tag;
use crate::{Cause, Event, Package, SubscriptionKey};

/// A SUBSCRIBE without any answer for this long went nowhere.
const PATIENCE: Duration = Duration::from_secs(8);

/// All subscriptions of a user agent. Each is a task; notifications find theirs by its Call-ID.
pub(crate) struct Subscriptions {
    net: Arc<Net>,
    auth: Authenticator,
    events: mpsc::UnboundedSender<Event>,
    online: bool,
    lines: HashMap<SubscriptionKey, Line>,
}

struct Line {
    call_id: String,
    inbox: mpsc::UnboundedSender<Command>,
    task: JoinHandle<()>,
}

enum Command {
    Online(bool),
    Unsubscribe,
    Notify(Box<Transaction>),
}

impl Subscriptions {
    pub(crate) fn new(net: Arc<Net>, auth: Authenticator, events: mpsc::UnboundedSender<Event>) -> Self {
        Self { net, auth, events, online: false, lines: HashMap::new() }
    }

    /// The account is registered, or is not any more.
    pub(crate) fn online(&mut self, online: bool) {
        self.online = online;
        for line in self.lines.values() {
            let _ = line.inbox.send(Command::Online(online));
        }
    }

    pub(crate) fn is_online(&self) -> bool {
        self.online
    }

    /// Subscribes to news of `target`.
    pub(crate) fn subscribe(&mut self, key: SubscriptionKey, package: Package, target: Uri) {
        self.lines.retain(|_, line| !line.inbox.is_closed());
        let (sender, inbox) = mpsc::unbounded_channel();
        let _ = sender.send(Command::Online(self.online));
        let draft = draft(&self.net, package, target);
        let call_id = draft.call_id.clone();
        let subscription = Subscription {
            key,
            package,
            net: self.net.clone(),
            auth: self.auth.clone(),
            events: self.events.clone(),
            machine: Machine::new(rand::random()),
            reader: Reader::new(package),
            draft,
            dialog: None,
            notified: false,
            asking: None,
        };
        let closing = self.net.closing.clone();
        let task = self.net.tasks.spawn(async move {
            tokio::select! {
                () = subscription.run(inbox) => {}
                () = closing.cancelled() => {}
            }
        });
        self.lines.insert(key, Line { call_id, inbox: sender, task });
    }

    /// Ends all of them.
    pub(crate) fn close(&mut self) -> impl Future<Output = ()> + use<> {
        let tasks: Vec<_> = self.lines.drain().map(|(_, line)| line.task).collect();
        async move {
            for task in tasks {
                let _ = task.await;
            }
        }
    }

    /// Ends a subscription.
    pub(crate) fn unsubscribe(&mut self, key: SubscriptionKey) {
        if let Some(line) = self.lines.get(&key) {
            let _ = line.inbox.send(Command::Unsubscribe);
        }
    }

    /// Hands a notification to its subscription, or back where it has none.
    pub(crate) fn notified(&mut self, transaction: Transaction) -> Option<Transaction> {
        let call_id = call_id_of(&transaction.original);
        let Some(line) = self.lines.values().find(|line| line.call_id == call_id) else {
            return Some(transaction);
        };
        match line.inbox.send(Command::Notify(Box::new(transaction))) {
            Err(mpsc::error::SendError(Command::Notify(transaction))) => Some(*transaction),
            _ => None,
        }
    }
}

fn draft(net: &Net, package: Package, target: Uri) -> Draft {
    let mut draft = Draft::outside(&net.account, Method::Subscribe, target);
    draft.headers = vec![Header::Event(package.event().into()), Header::Accept(package.kind().into())];
    draft
}

struct Subscription {
    key: SubscriptionKey,
    package: Package,
    net: Arc<Net>,
    auth: Authenticator,
    events: mpsc::UnboundedSender<Event>,
    machine: Machine,
    reader: Reader,
    /// The request that opens the current dialog. Its Call-ID stays the same for ever, its tag does not.
    draft: Draft,
    dialog: Option<Dialog>,
    /// The dialog is the one that notifications come in.
    notified: bool,
    asking: Option<Asking>,
}

impl Subscription {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Command>) {
        loop {
            let deadline = self.machine.deadline();
            let asking = self.asking.as_mut();
            let input = tokio::select! {
                command = inbox.recv() => match command {
                    Some(Command::Online(online)) => Input::Online(online),
                    Some(Command::Unsubscribe) | None => Input::Unsubscribe,
                    Some(Command::Notify(transaction)) => {
                        if self.notify(*transaction).await {
                            return;
                        }
                        continue;
                    }
                },
                (auth, outcome) = Asking::end(asking) => {
                    self.asking = None;
                    self.auth = auth;
                    self.outcome(outcome)
                }
                () = due(deadline) => Input::Due,
            };
            if self.handle(input) {
                return;
            }
        }
    }

    /// True when the subscription is over.
    fn handle(&mut self, input: Input) -> bool {
        let mut over = false;
        for action in self.machine.handle(input, Instant::now()) {
            match action {
                Action::Report(state) => {
                    let _ = self.events.send(Event::Subscription { subscription: self.key, state });
                }
                Action::Subscribe { expires, afresh } => self.subscribe(expires, afresh),
                Action::Over => over = true,
            }
        }
        over
    }

    fn subscribe(&mut self, expires: Duration, afresh: bool) {
        if afresh {
            let mut draft = draft(&self.net, self.package, self.draft.uri.clone());
            draft.call_id.clone_from(&self.draft.call_id);
            self.draft = draft;
            self.dialog = None;
            self.notified = false;
            self.reader.reset();
        }
        let mut draft = match &self.dialog {
            Some(dialog) => Draft { headers: self.draft.headers.clone(), ..dialog.draft(Method::Subscribe) },
            None => self.draft.clone(),
        };
        draft.headers.push(Header::Expires(expires.as_secs().to_string().into()));
        let asking = Asking::begin(self.net.clone(), draft, self.auth.clone(), PATIENCE);
        self.asking = Some(asking);
    }

    fn outcome(&mut self, outcome: Result<Reply, Cause>) -> Input {
        let Ok(reply) = outcome else { return Input::Failed };
        let (status, response) = (reply.status(), &reply.response);
        if (200..300).contains(&status) && self.dialog.is_none() {
            self.dialog = Dialog::of_answer(&self.draft, response);
        }
        Input::Answered {
            status,
            expires: expires_of(response),
            minimum: min_expires_of(response),
            retry_after: retry_after_of(response),
        }
    }

    /// Takes a notification; true when it was the last.
    async fn notify(&mut self, mut transaction: Transaction) -> bool {
        let request = &transaction.original;
        if let Err(status) = self.admit(request) {
            respond(&mut transaction, status).await;
            return false;
        }
        let kind = kind_of(request).filter(|_| !request.body.is_empty());
        let reading = match kind.map(|kind| self.reader.read(&kind, &request.body)) {
            Some(Err(unreadable)) => {
                let accept = vec![Header::Accept(self.package.kind().into())];
                let status = if unreadable == Unreadable::Kind { 415 } else { 400 };
                respond_with(&mut transaction, status, accept, None).await;
                return false;
            }
            Some(Ok(reading)) => Some(reading),
            None => None,
        };
        let standing = standing_of(request);
        respond(&mut transaction, 200).await;
        let last = matches!(standing, Standing::Terminated(..));
        // What is new comes before the end of the subscription, and after its begin.
        let mut over = !last && self.handle(Input::Notified(standing));
        if let Some(reading) = reading {
            if let Some(news) = reading.news {
                let _ = self.events.send(Event::Notified { subscription: Some(self.key), news });
            }
            if reading.gap {
                over |= self.handle(Input::Gap);
            }
        }
        over || last && self.handle(Input::Notified(standing))
    }

    /// Whether a notification belongs to this subscription and comes in order; the status to refuse it with.
    fn admit(&mut self, request: &Request) -> Result<(), u16> {
        if tag(&to_of(request)).is_none() || tag(&to_of(request)) != tag(&self.draft.from) {
            return Err(481);
        }
        let event = event_of(request).unwrap_or_default();
        let name = event.split(';').next().unwrap_or_default().trim();
        if !name.eq_ignore_ascii_case(self.package.event()) {
            return Err(489);
        }
        match &mut self.dialog {
            Some(dialog) if dialog.is_with(request) => {
                if !dialog.accepts(request) {
                    return Err(500);
                }
            }
            // Another branch of a fork: one is enough.
            Some(_) if self.notified => return Err(481),
            None if self.asking.is_none() => return Err(481),
            _ => self.dialog = Some(Dialog::of_notify(&self.draft, request).ok_or(400_u16)?),
        }
        self.notified = true;
        Ok(())
    }
}

/// What `Subscription-State` says; phone systems that leave it out mean an active subscription.
pub(crate) fn standing_of(notify: &Request) -> Standing {
    let state = value(notify, |header| match header {
        Header::SubscriptionState(state) => Some(state.value()),
        _ => None,
    });
    standing(state.as_deref().unwrap_or_default())
}

fn standing(state: &str) -> Standing {
    let list = parameters(state, ';');
    let get = |name: &str| list.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let seconds = |name: &str| get(name)?.trim().parse::<u32>().ok().map(|n| Duration::from_secs(n.into()));
    match list.first().map(|(name, _)| name.as_str()) {
        Some("terminated") => {
            let ending = match get("reason").unwrap_or_default().to_ascii_lowercase().as_str() {
                "deactivated" | "timeout" => Ending::Afresh,
                "rejected" | "noresource" | "invariant" => Ending::Never,
                _ => Ending::Later,
            };
            Standing::Terminated(ending, seconds("retry-after"))
        }
        Some("pending") => Standing::Pending(seconds("expires")),
        _ => Standing::Active(seconds("expires")),
    }
}

async fn due(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn states_as_they_are_written() {
        let seconds = |n| Some(Duration::from_secs(n));
        for (text, want) in [
            ("active;expires=60", Standing::Active(seconds(60))),
            ("Active ; Expires = 60", Standing::Active(seconds(60))),
            ("pending", Standing::Pending(None)),
            ("terminated;reason=deactivated", Standing::Terminated(Ending::Afresh, None)),
            ("terminated;reason=Rejected", Standing::Terminated(Ending::Never, None)),
            ("terminated;reason=probation;retry-after=9", Standing::Terminated(Ending::Later, seconds(9))),
            ("terminated", Standing::Terminated(Ending::Later, None)),
            ("", Standing::Active(None)),
        ] {
            assert_eq!(standing(text), want, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "\\PC{0,60}|[a-z;=0-9\" ]{0,40}") {
            let _ = standing(&text);
        }
    }
}
