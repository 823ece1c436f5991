//! What others tell of themselves: the mailbox, busy lamps, presence, text messages; and what we tell of us.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use sip::{MessageKey, News, Package, SubscriptionKey, SubscriptionState};

use crate::accounts::{Agent, AgentId};
use crate::calls::now;
use crate::contacts::Directory;
use crate::outlet::Outlet;
use crate::target::Target;
use crate::{
    AccountId, Activity, Code, Event, Lamp, MailboxView, MessageId, MessageState, MessageView, PeerView,
    PresenceView, Problem, WatchedView,
};

/// Subscriptions, text messages and publications of all accounts.
pub(crate) struct Watching {
    watched: BTreeMap<(AccountId, String), Watched>,
    subscriptions: HashMap<(AgentId, SubscriptionKey), Subject>,
    /// What each user agent publishes now.
    published: HashMap<AgentId, Option<sip::Presence>>,
    /// User agents that have subscribed to their mailbox.
    begun: Vec<AgentId>,
    messages: HashMap<(AgentId, MessageKey), MessageView>,
    last_message: u32,
    /// Who is known by which number.
    directory: Arc<Directory>,
    outlet: Outlet,
}

struct Watched {
    view: WatchedView,
    /// Their calls, as they were told last.
    calls: Vec<sip::OtherCall>,
    /// Packages that were refused.
    refused: Vec<Package>,
}

/// What a subscription is about.
#[derive(Clone)]
enum Subject {
    Mailbox,
    Extension(AccountId, String, Package),
}

impl Watching {
    /// Nobody is watched.
    pub(crate) fn new(outlet: Outlet) -> Self {
        Self {
            watched: BTreeMap::new(),
            subscriptions: HashMap::new(),
            published: HashMap::new(),
            begun: Vec::new(),
            messages: HashMap::new(),
            last_message: 0,
            directory: Arc::default(),
            outlet,
        }
    }

    /// What the shells show of those who are watched.
    pub(crate) fn views(&self) -> Vec<WatchedView> {
        self.watched.values().map(|watched| watched.view.clone()).collect()
    }

    /// A user agent is registered: it subscribes, once, to all that its account is to know.
    pub(crate) fn registered(&mut self, account: &AccountId, agent: &Agent) {
        if self.begun.contains(&agent.id) {
            return;
        }
        self.begun.push(agent.id);
        let mailbox = agent.handle.subscribe(Package::MessageSummary, None);
        self.subscriptions.insert((agent.id, mailbox), Subject::Mailbox);
        let numbers: Vec<String> =
            self.watched.keys().filter(|(of, _)| of == account).map(|(_, number)| number.clone()).collect();
        numbers.iter().for_each(|number| self.subscribe(account, agent, number));
    }

    /// A user agent is gone, and all that it had.
    pub(crate) fn gone(&mut self, agent: AgentId) {
        self.begun.retain(|begun| *begun != agent);
        self.subscriptions.retain(|(of, _), _| *of != agent);
        self.published.remove(&agent);
        let lost: Vec<_> = self.messages.keys().filter(|(of, _)| *of == agent).copied().collect();
        lost.into_iter().for_each(|key| self.message_sent(key.0, key.1, None));
    }

    /// The contacts are others now.
    pub(crate) fn know(&mut self, directory: Arc<Directory>) {
        for watched in self.watched.values_mut() {
            let view = &mut watched.view;
            let name = directory.name_of(&view.account, &view.number).map(str::to_owned);
            if view.name != name {
                view.name = name;
                self.outlet.tell(Event::Watched { view: view.clone() });
            }
        }
        self.directory = directory;
    }

    /// Watches an extension, and goes on with it when its account registers anew.
    ///
    /// # Errors
    /// The number is no target.
    pub(crate) fn watch(
        &mut self,
        account: AccountId,
        agent: Option<&Agent>,
        number: &str,
    ) -> Result<(), Problem> {
        let number = kept(number)?;
        let key = (account.clone(), number.clone());
        if self.watched.contains_key(&key) {
            return Ok(());
        }
        let view = WatchedView {
            account: account.clone(),
            name: self.directory.name_of(&account, &number).map(str::to_owned),
            number: number.clone(),
            lamp: None,
            presence: None,
            refused: false,
        };
        self.outlet.tell(Event::Watched { view: view.clone() });
        self.watched.insert(key, Watched { view, calls: Vec::new(), refused: Vec::new() });
        if let Some(agent) = agent.filter(|agent| self.begun.contains(&agent.id)) {
            self.subscribe(&account, agent, &number);
        }
        Ok(())
    }

    /// Watches an extension no longer.
    ///
    /// # Errors
    /// The number is no target, or is not watched.
    pub(crate) fn unwatch(
        &mut self,
        account: &AccountId,
        agent: Option<&Agent>,
        number: &str,
    ) -> Result<(), Problem> {
        let known = self.watched.remove(&(account.clone(), kept(number)?));
        let watched = known.ok_or(Code::NotNow)?;
        let about = |subject: &Subject| match subject {
            Subject::Mailbox => false,
            Subject::Extension(of, other, _) => of == account && *other == watched.view.number,
        };
        let over: Vec<_> =
            self.subscriptions.iter().filter(|(_, subject)| about(subject)).map(|(key, _)| *key).collect();
        for key in over {
            self.subscriptions.remove(&key);
            if let Some(agent) = agent.filter(|agent| agent.id == key.0) {
                agent.handle.unsubscribe(key.1);
            }
        }
        self.outlet.tell(Event::WatchedGone { account: account.clone(), number: watched.view.number });
        Ok(())
    }

    /// Forgets all that was watched through an account.
    pub(crate) fn forget(&mut self, account: &AccountId) {
        let theirs = |(of, _): &(AccountId, String), _: &mut Watched| of == account;
        for ((account, number), _) in self.watched.extract_if(.., theirs) {
            self.outlet.tell(Event::WatchedGone { account, number });
        }
    }

    /// The call that rings at an extension, where the PBX tells enough of it to take it over: who calls, and the
    /// dialog.
    pub(crate) fn ringing(
        &self,
        account: &AccountId,
        number: &str,
    ) -> Option<(sip::Party, (String, String, String))> {
        let watched = self.watched.get(&(account.clone(), kept(number).ok()?))?;
        watched
            .calls
            .iter()
            .filter(|call| call.incoming && call.state == sip::OtherCallState::Early)
            .find_map(|call| Some((call.party.clone()?, call.dialog.clone()?)))
    }

    /// A subscription changed.
    pub(crate) fn subscription(
        &mut self,
        agent: AgentId,
        subscription: SubscriptionKey,
        state: SubscriptionState,
    ) {
        let SubscriptionState::Ended(status) = state else { return };
        let Some(subject) = self.subscriptions.remove(&(agent, subscription)) else { return };
        let Subject::Extension(account, number, package) = subject else { return };
        tracing::info!(%account, number, ?package, ?status, "nothing more is told of an extension");
        self.change(&account, &number, |watched| {
            watched.refused.push(package);
            watched.view.refused =
                [Package::Dialog, Package::Presence].iter().all(|package| watched.refused.contains(package));
            match package {
                Package::Dialog => (watched.view.lamp, watched.calls) = (None, Vec::new()),
                Package::Presence => watched.view.presence = None,
                Package::MessageSummary => {}
            }
        });
    }

    /// A subscription brought news. Those of the mailbox are handed back.
    pub(crate) fn notified(
        &mut self,
        agent: AgentId,
        subscription: Option<SubscriptionKey>,
        news: News,
    ) -> Option<MailboxView> {
        let subject = match subscription {
            Some(subscription) => self.subscriptions.get(&(agent, subscription)).cloned()?,
            None => Subject::Mailbox,
        };
        match (subject, news) {
            (Subject::Mailbox, News::Messages(messages)) => {
                let sip::MessageSummary { waiting, new, old, .. } = messages;
                return Some(MailboxView { waiting, new, old });
            }
            (Subject::Extension(account, number, _), News::Dialogs(calls)) => {
                let mut lamp = lamp(&calls);
                if let Lamp::Ringing { by: Some(by) } = &mut lamp {
                    self.directory.name(&account, by);
                }
                self.change(&account, &number, |watched| {
                    watched.view.lamp = Some(lamp);
                    watched.calls = calls;
                });
            }
            (Subject::Extension(account, number, _), News::Presence(presence)) => {
                self.change(&account, &number, |watched| watched.view.presence = Some(presence.into()));
            }
            _ => {}
        }
        None
    }

    /// Whether anything is published now.
    pub(crate) fn is_publishing(&self) -> bool {
        self.published.values().any(Option::is_some)
    }

    /// Tells others what we do, where that is another thing than before.
    pub(crate) fn publish(&mut self, agent: &Agent, presence: Option<sip::Presence>) {
        let before = self.published.get(&agent.id).cloned().flatten();
        if before != presence {
            agent.handle.publish(presence.clone());
            self.published.insert(agent.id, presence);
        }
    }

    /// Sends a text message.
    ///
    /// # Errors
    /// The target is none.
    pub(crate) fn send(
        &mut self,
        account: AccountId,
        agent: &Agent,
        target: &str,
        text: String,
    ) -> Result<(), Problem> {
        let target = Target::parse(target).map_err(|_| Problem::from(Code::TargetInvalid))?;
        let key = agent.handle.message(&target.to_string(), &text);
        let peer = PeerView { number: target.shown(), name: None, picture: None };
        let view = self.message(account, peer, text, MessageState::Sending);
        self.messages.insert((agent.id, key), view);
        Ok(())
    }

    /// A text message came.
    pub(crate) fn received(&mut self, account: AccountId, from: sip::Party, text: String) {
        self.message(account, from.into(), text, MessageState::Received);
    }

    /// What became of a text message of ours.
    pub(crate) fn message_sent(&mut self, agent: AgentId, message: MessageKey, status: Option<u16>) {
        let Some(mut view) = self.messages.remove(&(agent, message)) else { return };
        view.state = match status {
            Some(200..=299) => MessageState::Sent,
            status => MessageState::Failed { status },
        };
        self.outlet.tell(Event::Message { view });
    }

    fn message(
        &mut self,
        account: AccountId,
        peer: PeerView,
        text: String,
        state: MessageState,
    ) -> MessageView {
        self.last_message += 1;
        let view = MessageView { id: MessageId(self.last_message), account, peer, text, at: now(), state };
        self.outlet.tell(Event::Message { view: view.clone() });
        view
    }

    fn subscribe(&mut self, account: &AccountId, agent: &Agent, number: &str) {
        if let Some(watched) = self.watched.get_mut(&(account.clone(), number.to_owned())) {
            watched.refused.clear();
        }
        for package in [Package::Dialog, Package::Presence] {
            let key = agent.handle.subscribe(package, Some(number));
            let subject = Subject::Extension(account.clone(), number.to_owned(), package);
            self.subscriptions.insert((agent.id, key), subject);
        }
    }

    fn change(&mut self, account: &AccountId, number: &str, change: impl FnOnce(&mut Watched)) {
        let Some(watched) = self.watched.get_mut(&(account.clone(), number.to_owned())) else { return };
        let before = watched.view.clone();
        change(watched);
        if watched.view != before {
            self.outlet.tell(Event::Watched { view: watched.view.clone() });
        }
    }
}

/// A number as it is kept here, however it was typed.
fn kept(number: &str) -> Result<String, Problem> {
    Target::parse(number).map(|target| target.to_string()).map_err(|_| Code::TargetInvalid.into())
}

/// The lamp that shines for these calls: a ringing phone can be helped, so it outshines a talk.
fn lamp(calls: &[sip::OtherCall]) -> Lamp {
    use sip::OtherCallState::{Confirmed, Early};
    let early = |incoming: bool| calls.iter().find(|call| call.state == Early && call.incoming == incoming);
    if let Some(call) = early(true) {
        return Lamp::Ringing { by: call.party.clone().map(PeerView::from) };
    }
    match calls.iter().any(|call| call.state == Confirmed) {
        true => Lamp::Talking,
        false if early(false).is_some() => Lamp::Calling,
        false => Lamp::Idle,
    }
}

impl From<sip::Presence> for PresenceView {
    fn from(presence: sip::Presence) -> Self {
        let activity = match presence.activity {
            sip::Activity::Unknown => Activity::Unknown,
            sip::Activity::Away => Activity::Away,
            sip::Activity::Busy => Activity::Busy,
            sip::Activity::OnThePhone => Activity::OnThePhone,
            sip::Activity::DoNotDisturb => Activity::DoNotDisturb,
        };
        Self { open: presence.open, activity, note: presence.note }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ringing_phone_outshines_a_talk() {
        use sip::OtherCallState::{Confirmed, Early, Terminated};
        let call =
            |state, incoming| sip::OtherCall { id: "1".into(), state, incoming, party: None, dialog: None };
        assert_eq!(lamp(&[]), Lamp::Idle);
        assert_eq!(lamp(&[call(Terminated, true)]), Lamp::Idle);
        assert_eq!(lamp(&[call(Early, false)]), Lamp::Calling);
        assert_eq!(lamp(&[call(Early, false), call(Confirmed, false)]), Lamp::Talking);
        assert_eq!(lamp(&[call(Confirmed, true), call(Early, true)]), Lamp::Ringing { by: None });
    }
}
