//! The one task that owns everything: commands, requests from outside and outcomes come in, calls and
//! registration go on from there.

mod transfers;

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rsipstack::EndpointBuilder;
use rsipstack::sip::{Header, Method, Uri};
use rsipstack::transaction::TransactionReceiver;
use rsipstack::transaction::endpoint::EndpointOption;
use rsipstack::transaction::transaction::Transaction;
use rsipstack::transport::TransportLayer;
use rsipstack::transport::udp::UdpConnection;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::{Command, Shown};
use crate::answer::{outside_of_calls, respond, respond_with, set_to_tag, takes_sdp};
use crate::call::{Call, Input, Report, incoming};
use crate::dialog::{Identity, Standing, sequence_of};
use crate::digest::Authenticator;
use crate::extensions::{abilities, has_ice, knows, least, terms_of, unsupported};
use crate::flow::{AckMender, Hops, Locator, Net, Outlets, Port, is_path};
use crate::message::{Body, Draft, SDP, call_id_of, from_of, sdp_of, to_of, token};
use crate::network::{Stir, Watch, source_toward};
use crate::outside::{is_message_summary, message_summary, source_of, text_message};
use crate::publish::Publication;
use crate::referral::Referrals;
use crate::register::Registrar;
use crate::registration::{Action, Input as Fact, Machine, Told};
use crate::replaces::Replaces;
use crate::session_timer::SessionTimer;
use crate::subscription::Subscriptions;
use crate::target::{host_part, parse, request_uri, user_part};
use crate::text::{self, Seen};
use crate::{
    Account, CallKey, Cause, EndCause, Error, Event, MessageKey, Package, Registration, SubscriptionKey,
    SubscriptionState, Transport, party,
};

/// Longest that taking leave of calls and registrar may take when stopping.
const LEAVE: Duration = Duration::from_secs(2);
/// Longest that ringing may take before an INVITE is given up locally. The stack's own limit is meant for proxies
/// and shorter than some hunt groups.
const RINGING: Duration = Duration::from_secs(3600);

/// Calls there may be at once before another one from outside is refused: more ring nobody can answer.
const MOST_CALLS: usize = 20;

/// Calls from strangers that may ring at once: they are not to keep out those that come by way of the proxy.
const MOST_STRANGERS: usize = 2;

/// Names a dialog by what is known from its first message on: Call-ID and our own tag.
type DialogName = (String, String);

struct Line {
    name: DialogName,
    /// From tag and CSeq number of the INVITE, for a call from outside.
    invite: Option<(Option<String>, u32)>,
    /// Its dialog, once there is one.
    dialog: Option<Standing>,
    /// Whom we called, for a call of ours.
    target: Option<Uri>,
    /// The call that this one takes the place of.
    replaces: Option<CallKey>,
    /// The user knows that it is over; leave is still taken of the other end.
    ended: bool,
    /// It came from somewhere else than the proxy.
    from_stranger: bool,
    inbox: mpsc::UnboundedSender<Input>,
}

pub(super) struct Agent {
    net: Arc<Net>,
    registrar: Arc<Registrar>,
    machine: Machine,
    /// The next try to register finds the way to the proxy anew.
    afresh: bool,
    /// The try to register under way.
    attempt: Option<AbortHandle>,
    /// Its number; how many there were.
    attempts: u64,
    calls: HashMap<CallKey, Line>,
    names: HashMap<DialogName, CallKey>,
    events: mpsc::UnboundedSender<Event>,
    last_call: Arc<AtomicU64>,
    auth: Authenticator,
    subscriptions: Subscriptions,
    publication: Publication,
    referrals: Referrals,
    /// REFER requests out of dialogs, from where they may come.
    admitted: (mpsc::UnboundedSender<Transaction>, mpsc::UnboundedReceiver<Transaction>),
    /// Dialogs that ended last.
    gone: VecDeque<Identity>,
    /// Text messages that came last.
    seen: Seen,
    incoming: TransactionReceiver,
    /// What happens to the registration, in the order it happened.
    facts: (mpsc::UnboundedSender<Told>, mpsc::UnboundedReceiver<Told>),
    reports: (mpsc::UnboundedSender<Report>, mpsc::UnboundedReceiver<Report>),
    /// Changes of the network, and the last one that was heeded.
    stirs: watch::Receiver<Stir>,
    stir: Stir,
    network: Arc<Watch>,
    /// There was no way to the proxy when the network last changed.
    is_cut: bool,
    stack: JoinHandle<()>,
    /// Follows the local address that reaches the proxy.
    local_ip: watch::Receiver<IpAddr>,
    /// Cancelled once the UDP port, where there was one, is closed.
    port_closed: CancellationToken,
}

impl Agent {
    /// Binds and starts the stack. The second value follows the local address that reaches the proxy.
    pub(super) async fn new(
        account: Account,
        events: mpsc::UnboundedSender<Event>,
        last_call: Arc<AtomicU64>,
    ) -> Result<(Self, watch::Receiver<IpAddr>), Error> {
        let registrar_uri = checked(&account)?;
        let network = Watch::shared()?;
        let stirs = network.stirs();
        let stir = stirs.borrow().clone();
        let closing = CancellationToken::new();
        let layer = TransportLayer::new(closing.clone());
        layer.set_stream_idle_timeout(Duration::ZERO);
        let literal = account.proxy.host.parse::<IpAddr>().ok();
        let mut port = None;
        let port_closed = CancellationToken::new();
        if account.transport.allows(Transport::Udp) {
            let bound = Arc::new(bind(account.local_port, &port_closed)?);
            let connection = UdpConnection::from_socket(bound.clone(), None, Some(closing.child_token()))
                .await
                .map_err(|e| Error::Stack(e.to_string()))?;
            layer.add_transport(connection.clone().into());
            port = Some((connection, bound));
        } else {
            port_closed.cancel();
        }
        let hops = Arc::new(Hops::new(&account));
        let endpoint = EndpointBuilder::new()
            .with_transport_layer(layer)
            .with_cancel_token(closing.clone())
            .with_user_agent(&account.user_agent)
            .with_inspector(Box::new(AckMender(hops.clone())))
            .with_target_locator(Box::new(Locator(hops.clone())))
            .with_option(EndpointOption { timerc: RINGING, ..EndpointOption::default() })
            .build();
        let incoming = endpoint.incoming_transactions().map_err(|e| Error::Stack(e.to_string()))?;
        let stack = tokio::spawn({
            let endpoint = endpoint.inner.clone();
            async move {
                if let Err(e) = endpoint.serve().await {
                    tracing::warn!(error = %e, "the transaction layer stopped");
                }
            }
        });
        let (local_ip, local_ip_seen) = watch::channel(likely_local_ip(literal));
        let facts = mpsc::unbounded_channel();
        let auth_user = account.auth_user.as_deref().unwrap_or(&account.user);
        let auth = Authenticator::new(auth_user, account.password.clone());
        let registrar = Arc::new(Registrar::new(&account, registrar_uri, auth.apart()));
        let machine = Machine::new(account.expires, rand::random());
        let outlets = Outlets { local_ip, losses: facts.0.clone(), events: events.clone() };
        let net = Net::new(account, endpoint.inner, hops, port, outlets, closing);
        let net = Arc::new(net);
        let agent = Self {
            subscriptions: Subscriptions::new(net.clone(), auth.clone(), events.clone()),
            publication: Publication::new(net.clone(), auth.clone(), events.clone()),
            referrals: Referrals::new(net.clone(), auth.clone(), events.clone()),
            admitted: mpsc::unbounded_channel(),
            gone: VecDeque::new(),
            seen: Seen::default(),
            net,
            registrar,
            machine,
            afresh: false,
            attempt: None,
            attempts: 0,
            calls: HashMap::new(),
            names: HashMap::new(),
            events,
            last_call,
            auth,
            incoming,
            facts,
            reports: mpsc::unbounded_channel(),
            stir,
            stirs,
            network,
            is_cut: false,
            stack,
            local_ip: local_ip_seen.clone(),
            port_closed,
        };
        Ok((agent, local_ip_seen))
    }

    /// Runs until told to stop, until the last handle is gone, or until nobody listens any more.
    pub(super) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        self.fact(Fact::Begin);
        let events = self.events.clone();
        let done = loop {
            let deadline = self.machine.deadline();
            tokio::select! {
                command = commands.recv() => match command {
                    Some(Command::Stop(done)) => break Some(done),
                    Some(command) => {
                        // A command may rest on what a call has told the user, and the agent a moment before.
                        while let Ok(report) = self.reports.1.try_recv() {
                            self.report(report);
                        }
                        self.command(command);
                    }
                    None => break None,
                },
                Some(transaction) = self.incoming.recv() => self.request(transaction),
                Some(refer) = self.admitted.1.recv() => self.admitted(refer),
                Some(told) = self.facts.1.recv() => {
                    // A try that was given up may have come to its end before it heard of that.
                    if told.attempt.is_some_and(|attempt| attempt != self.attempts) {
                        continue;
                    }
                    let fact = told.input;
                    match fact {
                        Fact::FlowLost(_) => {
                            self.online(false);
                            self.ask_all();
                        }
                        Fact::ContactChanged => {
                            self.moved();
                            self.ask_all();
                        }
                        _ => self.attempt = None,
                    }
                    self.fact(fact);
                }
                Ok(()) = self.stirs.changed() => self.stirred(),
                Ok(()) = self.local_ip.changed() => {
                    for line in self.calls.values() {
                        let _ = line.inbox.send(Input::Moved);
                    }
                    self.moved();
                }
                Some(report) = self.reports.1.recv() => self.report(report),
                () = due(deadline) => self.fact(Fact::Due),
                () = events.closed() => break None,
            }
        };
        self.close(done).await;
    }

    fn report(&mut self, report: Report) {
        match report {
            Report::Dialog(key, dialog) => {
                let Some(line) = self.calls.get_mut(&key) else { return };
                let replaced = line.replaces.take_if(|_| dialog.confirmed);
                line.dialog = Some(dialog);
                if let Some(replaced) = replaced.and_then(|key| self.calls.get(&key)) {
                    let _ = replaced.inbox.send(Input::Replaced);
                }
            }
            Report::Referred { call, refer, dialog, before } => self.referred(call, *refer, dialog, before),
            Report::HandedOn(key) => {
                if let Some(line) = self.calls.get(&key) {
                    let _ = line.inbox.send(Input::HangUp);
                }
            }
            Report::Ended(key) => {
                if let Some(line) = self.calls.get_mut(&key) {
                    line.ended = true;
                }
            }
            Report::Over(key) => {
                if let Some(line) = self.calls.remove(&key) {
                    self.names.remove(&line.name);
                    if let Some(dialog) = line.dialog {
                        self.remember(dialog.identity);
                    }
                }
            }
        }
    }

    fn fact(&mut self, fact: Fact) {
        for action in self.machine.handle(fact, Instant::now()) {
            match action {
                Action::Report(registration) => {
                    tracing::debug!(?registration, "registration");
                    self.online(matches!(registration, Registration::Registered { .. }));
                    let _ = self.events.send(Event::Registration(registration));
                }
                Action::Register { expires } => {
                    if let Some(given_up) = self.attempt.take() {
                        given_up.abort();
                    }
                    let (net, registrar, facts) =
                        (self.net.clone(), self.registrar.clone(), self.facts.0.clone());
                    let afresh = std::mem::take(&mut self.afresh);
                    self.attempts += 1;
                    let number = self.attempts;
                    let attempt = self.net.tasks.spawn(async move {
                        if afresh {
                            registrar.afresh(&net).await;
                        }
                        registrar.register(&net, expires, number, &facts).await;
                    });
                    self.attempt = Some(attempt.abort_handle());
                }
            }
        }
    }

    /// What goes on beside calls waits for the registration.
    fn online(&mut self, online: bool) {
        self.subscriptions.online(online);
        self.publication.online(online);
    }

    /// Those who tell us news have to hear where we are now.
    fn moved(&mut self) {
        if self.subscriptions.is_online() {
            self.online(false);
            self.online(true);
        }
    }

    /// The network changed or the machine woke: is the way to the proxy still the one we registered over?
    fn stirred(&mut self) {
        let stir = self.stirs.borrow_and_update().clone();
        let before = std::mem::replace(&mut self.stir, stir.clone());
        let woke = stir.wakes != before.wakes;
        if woke {
            self.fact(Fact::Woke { slept: stir.slept.saturating_sub(before.slept) });
            self.ask_all();
        }
        let flow = self.registrar.flow();
        let source = flow.as_ref().and_then(|flow| source_toward(flow.peer));
        let Some(flow) = flow else { return self.fact(Fact::Moved { urgent: false }) };
        let Some(source) = source.filter(|source| !stir.picture.is_dead(*source)) else {
            self.is_cut = true;
            return self.fact(Fact::Cut);
        };
        let was_cut = std::mem::take(&mut self.is_cut);
        if !(woke || was_cut) && source == flow.local.ip() {
            if stir.touched(&before, source) {
                self.fact(Fact::Stirred);
            }
            return;
        }
        tracing::debug!(%source, before = %flow.local, woke, was_cut, "another way to the proxy");
        // A connection from an address that is gone, or older than a sleep, would only be found dead much later.
        if flow.transport != Transport::Udp {
            flow.lose(Cause::NetworkUnreachable);
        }
        self.afresh = true;
        self.fact(Fact::Moved { urgent: !self.calls.is_empty() });
    }

    /// Makes the calls find out whether their other ends still are there.
    fn ask_all(&self) {
        for line in self.calls.values() {
            let _ = line.inbox.send(Input::FlowLost);
        }
    }

    fn command(&mut self, command: Command) {
        let (call, input) = match command {
            Command::Reconnect => {
                self.afresh = true;
                return self.fact(Fact::Begin);
            }
            Command::Trust(trust) => {
                let net = self.net.clone();
                self.net.tasks.spawn(async move { net.trust(trust).await });
                return;
            }
            Command::Invite { call, target, offer, taking, shown } => {
                return self.invite(call, &target, offer, taking, shown);
            }
            Command::Ring(call) => (call, Input::Ring),
            Command::Answer(call, sdp) => (call, Input::Answer(sdp)),
            Command::Decline(call, status) => (call, Input::Decline(status)),
            Command::HangUp(call) => (call, Input::HangUp),
            Command::AnswerOffer(call, sdp) => (call, Input::AnswerOffer(sdp)),
            Command::Reoffer(call, sdp) => (call, Input::Reoffer(sdp)),
            Command::Info { call, content_type, body } => (call, Input::Info { content_type, body }),
            Command::Redirect(call, target) => (call, Input::Redirect(target)),
            Command::Transfer(call, target) => return self.transfer(call, &target),
            Command::TransferTo(call, other) => return self.transfer_to(call, other),
            Command::Follow { referral, call, shown, offer } => {
                return self.follow(referral, call, &shown, offer);
            }
            Command::RefuseReferral(referral, status) => return self.referrals.refuse(referral, status),
            Command::Subscribe { subscription, package, target } => {
                return self.subscribe(subscription, package, target);
            }
            Command::Unsubscribe(subscription) => return self.subscriptions.unsubscribe(subscription),
            Command::Publish(presence) => return self.publication.publish(presence),
            Command::Message { message, target, text } => return self.text(message, &target, text),
            Command::Stop(_) => return,
        };
        // A call that has just ended has nothing more to be told.
        if let Some(line) = self.calls.get(&call) {
            let _ = line.inbox.send(input);
        }
    }

    fn invite(&mut self, key: CallKey, target: &str, offer: String, taking: Option<Replaces>, shown: Shown) {
        let sound = taking.as_ref().is_none_or(Replaces::is_sound);
        let Some(uri) = request_uri(target, &self.net.account.domain).filter(|_| sound) else {
            let cause = EndCause::TargetInvalid;
            let _ = self.events.send(Event::Ended { call: key, cause, status: None });
            return;
        };
        let mut draft = self.invitation(uri.clone(), offer);
        draft.headers.extend(taking.map(|replaces| Header::Replaces(replaces.to_string().into())));
        shown.on(&mut draft, &self.net.account);
        self.dial(key, draft, self.events.clone(), Some(uri));
    }

    /// An INVITE of ours.
    fn invitation(&self, uri: Uri, offer: String) -> Draft {
        let mut draft = Draft::outside(&self.net.account, Method::Invite, uri);
        draft.headers = vec![Header::Accept(SDP.into())];
        draft.headers.extend(abilities(has_ice(&offer)));
        draft.body = Some(Body::sdp(offer));
        draft
    }

    fn subscribe(&mut self, key: SubscriptionKey, package: Package, target: Option<String>) {
        let target = target.unwrap_or_else(|| self.net.account.address());
        match request_uri(&target, &self.net.account.domain) {
            Some(uri) => self.subscriptions.subscribe(key, package, uri),
            None => {
                let state = SubscriptionState::Ended(None);
                let _ = self.events.send(Event::Subscription { subscription: key, state });
            }
        }
    }

    fn text(&self, message: MessageKey, target: &str, text: String) {
        let Some(uri) = request_uri(target, &self.net.account.domain) else {
            let _ = self.events.send(Event::MessageSent { message, status: None });
            return;
        };
        let (net, auth, events) = (self.net.clone(), self.auth.clone(), self.events.clone());
        self.net.behind(text::send(net, auth, events, message, uri, text));
    }

    fn request(&mut self, mut transaction: Transaction) {
        let tag = party::tag(&to_of(&transaction.original));
        if let Some(tag) = tag {
            let name = (call_id_of(&transaction.original), tag);
            if let Some(line) = self.names.get(&name).and_then(|key| self.calls.get(key)) {
                let _ = line.inbox.send(Input::Request(Box::new(transaction)));
                return;
            }
        } else if transaction.original.method == Method::Invite {
            return self.invited(transaction);
        }
        let within_dialog = party::tag(&to_of(&transaction.original)).is_some();
        let (net, events) = (self.net.clone(), self.events.clone());
        match transaction.original.method {
            Method::Notify if within_dialog => {
                if let Some(mut transaction) = self.subscriptions.notified(transaction) {
                    self.net.behind(async move { outside_of_calls(&mut transaction).await });
                }
            }
            Method::Notify if is_message_summary(&transaction.original) => {
                self.net.behind(async move { message_summary(&net, &mut transaction, &events).await });
            }
            Method::Refer if !within_dialog => self.referred_outside(transaction),
            Method::Message if !within_dialog => {
                let is_new = self.seen.is_new(&transaction.original);
                self.net.behind(async move { text_message(&net, &mut transaction, &events, is_new).await });
            }
            _ => self.net.behind(async move { outside_of_calls(&mut transaction).await }),
        }
    }

    fn invited(&mut self, mut transaction: Transaction) {
        let name = (call_id_of(&transaction.original), token());
        set_to_tag(&mut transaction, &name.1);
        let invite = (party::tag(&from_of(&transaction.original)), sequence_of(&transaction.original));
        let is_merged =
            self.calls.values().any(|line| line.name.0 == name.0 && line.invite.as_ref() == Some(&invite));
        // Anybody may call, but what a call is to do here is for the phone system to say.
        let from_stranger = source_of(&transaction.original).is_none_or(|ip| !self.net.hops.is_proxy(ip));
        let replaces = if from_stranger { Ok(None) } else { self.replaced_by(&transaction.original) };
        let unfit = if let Some(extensions) = unsupported(&transaction.original) {
            Some((420, vec![Header::Unsupported(extensions.into())]))
        } else if !transaction.original.body.is_empty()
            && sdp_of(&transaction.original, &transaction.original.body).is_none()
        {
            Some((415, vec![Header::Accept(SDP.into())]))
        } else if SessionTimer::new()
            .judge(terms_of(&transaction.original), knows(&transaction.original, "timer"))
            .is_err()
        {
            Some((422, vec![least()]))
        } else if !takes_sdp(&transaction) {
            Some((406, Vec::new()))
        } else if is_merged {
            // The same call, come by another way (RFC 3261, section 8.2.2.2).
            Some((482, Vec::new()))
        } else if self.calls.values().filter(|line| !line.ended).count() >= MOST_CALLS
            || from_stranger && self.strangers() >= MOST_STRANGERS
        {
            Some((486, Vec::new()))
        } else {
            replaces.err().map(|status| (status, Vec::new()))
        };
        if let Some((status, headers)) = unfit {
            // Not seen through to its ACK, lest a flood leave a task each: the INVITE, sent again, gets the same answer.
            self.net.behind(async move { respond_with(&mut transaction, status, headers, None).await });
            return;
        }
        let replaces = replaces.unwrap_or_default();
        let key = CallKey(self.next());
        let mut call = self.new_call(key, name, Some(invite), self.events.clone());
        call.with_stranger = from_stranger;
        if let Some(line) = self.calls.get_mut(&key) {
            line.from_stranger = from_stranger;
            line.replaces = replaces;
        }
        self.spawn(key, incoming(call, transaction, replaces));
    }

    /// Calls from strangers that ring.
    fn strangers(&self) -> usize {
        let rings = |line: &&Line| !line.ended && line.dialog.as_ref().is_none_or(|dialog| !dialog.confirmed);
        self.calls.values().filter(|line| line.from_stranger).filter(rings).count()
    }

    /// A number no call, subscription or message of this user agent has had.
    fn next(&self) -> u64 {
        self.last_call.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn new_call(
        &mut self,
        key: CallKey,
        name: DialogName,
        invite: Option<(Option<String>, u32)>,
        events: mpsc::UnboundedSender<Event>,
    ) -> Call {
        let (sender, inbox) = mpsc::unbounded_channel();
        self.names.insert(name.clone(), key);
        self.calls.insert(
            key,
            Line {
                name,
                invite,
                dialog: None,
                target: None,
                replaces: None,
                ended: false,
                from_stranger: false,
                inbox: sender,
            },
        );
        Call::new(key, self.net.clone(), self.auth.clone(), inbox, events, self.reports.0.clone())
    }

    fn spawn(&self, key: CallKey, call: impl Future<Output = ()> + Send + 'static) {
        let (closing, reports) = (self.net.closing.clone(), self.reports.0.clone());
        self.net.tasks.spawn(async move {
            tokio::select! {
                () = call => {}
                () = closing.cancelled() => {}
            }
            let _ = reports.send(Report::Over(key));
        });
    }

    /// Takes leave of everybody, then closes what is open.
    async fn close(mut self, done: Option<oneshot::Sender<()>>) {
        if let Some(attempt) = self.attempt.take() {
            attempt.abort();
        }
        for line in self.calls.values() {
            let _ = line.inbox.send(Input::HangUp);
        }
        let net = self.net.clone();
        let registrar = self.registrar.clone();
        let bound = self.machine.may_be_bound(Instant::now());
        let subscriptions = self.subscriptions.close();
        let leave = async {
            let calls = async {
                while !self.calls.is_empty() {
                    tokio::select! {
                        Some(report) = self.reports.1.recv() => {
                            if let Report::Over(key) = report {
                                self.calls.remove(&key);
                            }
                        }
                        // Those we hang up on still talk to us: their requests find their calls.
                        Some(mut transaction) = self.incoming.recv() => {
                            let tag = party::tag(&to_of(&transaction.original)).unwrap_or_default();
                            let name = (call_id_of(&transaction.original), tag);
                            match self.names.get(&name).and_then(|key| self.calls.get(key)) {
                                Some(line) => {
                                    let _ = line.inbox.send(Input::Request(Box::new(transaction)));
                                }
                                None => respond(&mut transaction, 480).await,
                            }
                        }
                    }
                }
            };
            let unregister = async {
                if bound {
                    registrar.unregister(&net).await;
                }
            };
            tokio::join!(calls, unregister, subscriptions, self.publication.close());
        };
        if timeout(LEAVE, leave).await.is_err() {
            tracing::debug!("left without all answers");
        }
        net.closing.cancel();
        net.tasks.close();
        net.tasks.wait().await;
        let _ = self.stack.await;
        let events = self.events;
        let port_closed = self.port_closed;
        // Transactions not yet taken hold the endpoint.
        drop((self.incoming, self.net, net, self.registrar, registrar, self.calls, self.subscriptions));
        drop((self.referrals, self.admitted));
        drop((self.stirs, self.network));
        // The stack's own reader lets go of the socket when it is next polled.
        if timeout(LEAVE, port_closed.cancelled()).await.is_err() {
            tracing::warn!("the UDP socket is still open");
        }
        let _ = events.send(Event::Registration(Registration::Unregistered));
        if let Some(done) = done {
            let _ = done.send(());
        }
    }
}

async fn due(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

/// The Request-URI of the registrar, if the account can be part of SIP URIs at all.
fn checked(account: &Account) -> Result<Uri, Error> {
    user_part(&account.user).ok_or(Error::AccountInvalid("user"))?;
    host_part(&account.domain)
        .filter(|domain| !domain.contains([';', '=']))
        .ok_or(Error::AccountInvalid("domain"))?;
    if account.proxy.host.trim().is_empty() {
        return Err(Error::AccountInvalid("proxy"));
    }
    if account.transport.allows(Transport::Wss) && !is_path(&account.websocket_path) {
        return Err(Error::AccountInvalid("WebSocket path"));
    }
    parse(&format!("sip:{}", account.domain)).ok_or(Error::AccountInvalid("domain"))
}

fn bind(port: Option<u16>, closed: &CancellationToken) -> Result<Port, Error> {
    Port::bind(port, closed).map_err(|source| match (source.kind(), port) {
        (std::io::ErrorKind::AddrInUse, Some(port)) => Error::PortInUse { port, source },
        _ => Error::Socket(source),
    })
}

/// The local address that reaches the proxy, or a far place while the proxy's address is unknown. Nothing is sent.
fn likely_local_ip(proxy: Option<IpAddr>) -> IpAddr {
    let far = proxy.unwrap_or(Ipv4Addr::new(192, 0, 2, 1).into());
    let any: IpAddr = if far.is_ipv6() { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    let found = std::net::UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((far, 9))?;
        socket.local_addr()
    });
    found.map_or(Ipv4Addr::LOCALHOST.into(), |address| address.ip())
}
