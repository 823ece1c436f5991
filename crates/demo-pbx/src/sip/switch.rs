//! The switch: takes every message in, decides who deals with it, and holds all SIP state. Pure:
//! [`Switch::handle`] takes an input and the time, and gives what is to be sent and done.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::call::Call;
use super::digest::{Gate, Verdict};
use super::forward::Wishes;
use super::ledger::{Talk, Told};
use super::line::LineCall;
use super::message::Message;
use super::privacy::caller_of;
use super::registrar::{MIN_EXPIRES, Refused, Registrar, Registration};
use super::route::{Flow, Own, amend_via};
use super::subscription::Subscription;
use super::transaction::{ClientTransaction, ServerTransaction, server_key};
use super::uri::{Address, Uri, tag};
use crate::config::Config;
use crate::media::Media;
use crate::tenant::Tenant;

/// Methods this PBX knows.
pub(super) const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, SUBSCRIBE, NOTIFY, MESSAGE, REGISTER";

/// Numbers that the first user may show outside, and what for.
pub(crate) const CALLER_IDS: [(&str, &str); 2] =
    [("+442079460100", "Main line"), ("+442079460114", "Direct line")];

/// What comes in.
#[derive(Debug)]
pub(crate) enum Input {
    /// A message, and the way it came.
    Message(Flow, Box<Message>),
    /// A connection is gone.
    Closed(u64),
    /// The sockets for a line are open here; or could not be opened.
    MediaOpened { line: String, rtp: Option<SocketAddr> },
    /// A line has heard no RTP for too long.
    MediaQuiet { line: String },
    /// An order from outside.
    Order(Order),
    /// A deadline has come.
    Tick,
}

/// What tests may order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Order {
    /// End every call.
    KillCalls,
    /// So many messages wait for an extension, not heard yet and heard.
    Mailbox { extension: String, new: usize, old: usize },
    /// The agents that take the calls of a queue.
    Queue { number: String, agents: Vec<String> },
    /// What the user of an extension wants done with calls.
    Wishes { extension: String, wishes: Wishes },
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Output {
    /// Send these bytes.
    Send(Flow, Vec<u8>),
    /// Open sockets for a line and report them.
    OpenMedia { line: String, media: Media },
    /// A line's media changes.
    ChangeMedia { line: String, media: Media },
    /// A line is done.
    CloseMedia { line: String },
    /// A call is over.
    Told(Told),
}

/// Times the switch goes by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub no_answer: Duration,
    pub echo_limit: Duration,
}

/// All SIP state of the PBX.
pub(crate) struct Switch {
    pub(super) settings: Settings,
    pub(super) tenant: Arc<Tenant>,
    pub(super) own: Own,
    pub(super) gate: Gate,
    pub(super) registrar: Registrar,
    pub(super) servers: HashMap<String, ServerTransaction>,
    pub(super) clients: HashMap<String, ClientTransaction>,
    pub(super) calls: Vec<Call>,
    pub(super) lines: HashMap<String, LineCall>,
    pub(super) subscriptions: Vec<Subscription>,
    /// Messages of each extension that were not heard yet, and that were.
    pub(super) mailboxes: HashMap<String, (usize, usize)>,
    /// What users want done with calls, by their extensions.
    pub(super) wishes: HashMap<String, Wishes>,
    /// Who takes the calls of the queues, by their numbers.
    pub(super) queues: HashMap<String, Vec<String>>,
    /// Calls that last, for the call records.
    pub(super) talks: Vec<Talk>,
    pub(super) out: Vec<Output>,
    /// Answer everything with 503.
    pub unavailable: bool,
    /// Ask for digest inside dialogs too.
    pub challenge_in_dialog: bool,
}

impl Switch {
    /// A switch that knows no binding and no call.
    pub fn new(config: &Config, tenant: Arc<Tenant>, own: Own) -> Self {
        Self {
            settings: Settings { no_answer: config.no_answer, echo_limit: config.echo_limit },
            gate: Gate::new(&tenant.domain, config.nonce_lifetime),
            tenant,
            own,
            registrar: Registrar::default(),
            servers: HashMap::new(),
            clients: HashMap::new(),
            calls: Vec::new(),
            lines: HashMap::new(),
            subscriptions: Vec::new(),
            mailboxes: HashMap::new(),
            wishes: HashMap::new(),
            queues: HashMap::new(),
            talks: Vec::new(),
            out: Vec::new(),
            unavailable: false,
            challenge_in_dialog: false,
        }
    }

    /// Takes one input and gives everything that follows from it.
    pub fn handle(&mut self, input: Input, now: Instant) -> Vec<Output> {
        self.registrar.expire(now);
        self.run_transactions(now);
        self.run_lines(now);
        match input {
            Input::Message(flow, message) if message.uri().is_empty() => {
                tracing::debug!(code = message.code(), method = message.method(), ?flow, "response");
                self.receive_response(*message, now);
            }
            Input::Message(flow, message) => {
                tracing::debug!(method = message.method(), uri = message.uri(), ?flow, "request");
                self.receive_request(*message, flow, now);
            }
            Input::Closed(connection) => {
                self.registrar.closed(connection);
                self.calls_lose(connection);
            }
            Input::MediaOpened { line, rtp } => self.media_opened(&line, rtp, now),
            Input::MediaQuiet { line } => self.hang_up_line(&line, now),
            Input::Order(Order::KillCalls) => self.kill_calls(now),
            Input::Order(Order::Mailbox { extension, new, old }) => {
                self.mailboxes.insert(extension, (new, old));
            }
            Input::Order(Order::Wishes { extension, wishes }) => {
                self.wishes.insert(extension, wishes);
            }
            Input::Order(Order::Queue { number, agents }) => {
                self.queues.insert(number, agents);
            }
            Input::Tick => {}
        }
        self.tell_subscribers(now);
        std::mem::take(&mut self.out)
    }

    /// When [`Input::Tick`] is next due.
    pub fn next_deadline(&self) -> Option<Instant> {
        let deadlines = [
            self.registrar.next_deadline(),
            self.transactions_deadline(),
            self.lines_deadline(),
            self.subscriptions_deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// All bindings in force.
    pub fn registrations(&self) -> Vec<Registration> {
        self.registrar.all()
    }

    /// Calls answered and not yet ended.
    pub fn calls(&self) -> usize {
        self.calls.len() + self.lines.values().filter(|line| line.is_answered()).count()
    }

    pub(super) fn send_bytes(&mut self, flow: Flow, bytes: Vec<u8>) {
        self.out.push(Output::Send(flow, bytes));
    }

    fn receive_request(&mut self, mut request: Message, flow: Flow, now: Instant) {
        let amended = request.header("Via").and_then(|via| amend_via(via, flow.peer()));
        let (Some(via), Some(key)) = (amended, server_key(&request, request.method())) else {
            return;
        };
        request.set("Via", via);
        if request.method() == "ACK" {
            if !self.acknowledge(&key, now) && !self.line_ack(&request) {
                self.forward_ack(request, flow);
            }
            return;
        }
        if self.absorb(&key) {
            return;
        }
        self.open_server(&key, request, flow, now);
        if let Some(code) = self.unfit(&key) {
            return self.answer(&key, code, now);
        }
        self.dispatch(&key, now);
    }

    /// The status for a request that cannot be dealt with at all (RFC 3261 section 16.3).
    fn unfit(&self, key: &str) -> Option<u16> {
        let request = &self.servers.get(key)?.request;
        let addressed = ["From", "To"].iter().all(|n| request.header(n).and_then(Address::parse).is_some());
        let cseq = request.cseq().is_some_and(|(_, method)| method == request.method());
        if self.unavailable {
            Some(503)
        } else if !addressed
            || !cseq
            || request.call_id().is_empty()
            || tag(request.header("From")).is_empty()
        {
            Some(400)
        } else if request.header("Max-Forwards").is_some_and(|hops| hops.trim() == "0") {
            Some(483)
        } else {
            None
        }
    }

    fn dispatch(&mut self, key: &str, now: Instant) {
        let Some(request) = self.servers.get(key).map(|server| server.request.clone()) else {
            return;
        };
        let extensions: Vec<&str> = request.all("Proxy-Require").collect();
        if !extensions.is_empty() {
            return self.answer_with(key, 420, &[("Unsupported", extensions.join(", "))], now);
        }
        match request.method() {
            "CANCEL" => self.cancelled_by_caller(key, &request, now),
            "REGISTER" => self.register(key, &request, now),
            _ if !tag(request.header("To")).is_empty() => self.inside_dialog(key, &request, now),
            _ => self.outside_dialog(key, &request, now),
        }
    }

    fn cancelled_by_caller(&mut self, key: &str, cancel: &Message, now: Instant) {
        let invite = server_key(cancel, "INVITE").filter(|invite| self.servers.contains_key(invite));
        let Some(invite) = invite else {
            return self.answer(key, 481, now);
        };
        self.answer(key, 200, now);
        if self.servers.get(&invite).is_some_and(|server| server.is_open()) {
            self.cancel_branches(&invite, None, now);
            self.cancel_line(&invite, now);
        }
    }

    fn register(&mut self, key: &str, request: &Message, now: Instant) {
        let Some(user) = self.challenge_unless_known(key, request, "Authorization", now) else {
            return;
        };
        if user_of(request.header("To")) != user {
            return self.answer(key, 403, now);
        }
        let Some(source) = self.servers.get(key).map(|server| server.source) else {
            return;
        };
        match self.registrar.register(&user, request, source, now) {
            Ok(()) => {
                let contacts = self.registrar.contacts(&user, now);
                let headers: Vec<_> = contacts.into_iter().map(|contact| ("Contact", contact)).collect();
                self.answer_with(key, 200, &headers, now);
            }
            Err(Refused::TooBrief) => {
                self.answer_with(key, 423, &[("Min-Expires", MIN_EXPIRES.to_string())], now);
            }
            Err(Refused::Malformed) => self.answer(key, 400, now),
            Err(Refused::OutOfOrder) => self.answer(key, 500, now),
        }
    }

    fn inside_dialog(&mut self, key: &str, request: &Message, now: Instant) {
        if let Some(place) = self.subscription_of(request).filter(|_| request.method() == "SUBSCRIBE") {
            return self.grant(key, request, place, now);
        }
        let line = self.line_of(request);
        let known = line.is_some() || self.sender_in_call(request).is_some();
        if !known {
            return self.answer(key, 481, now);
        }
        if self.challenge_in_dialog
            && self.challenge_unless_known(key, request, "Proxy-Authorization", now).is_none()
        {
            return;
        }
        if request.method() == "BYE" {
            self.note_end(request.call_id(), &user_of(request.header("From")), now);
        }
        match line {
            Some(line) => self.line_request(&line, key, request, now),
            None => self.forward_in_call(key, now),
        }
    }

    fn outside_dialog(&mut self, key: &str, request: &Message, now: Instant) {
        let Some(uri) = Uri::parse(request.uri()) else {
            return self.answer(key, 400, now);
        };
        let (method, number) = (request.method(), uri.user);
        if !self.tenant.is_domain(uri.host) && !self.own.is_own_host(&uri) {
            return self.answer(key, 404, now);
        }
        match method {
            "OPTIONS" if number.is_empty() => {
                return self.answer_with(key, 200, &[("Allow", ALLOW.into())], now);
            }
            "BYE" | "UPDATE" | "INFO" | "PRACK" | "NOTIFY" => return self.answer(key, 481, now),
            "PUBLISH" => return self.answer(key, 501, now),
            _ => {}
        }
        let Some(user) = self.challenge_unless_known(key, request, "Proxy-Authorization", now) else {
            return;
        };
        if caller_of(request) != user {
            return self.answer(key, 403, now);
        }
        // A number to be shown must be one of the caller's own.
        if let Some(shown) = request.header("X-Outbound-Cli") {
            let first = self.tenant.users.first().is_some_and(|first| first.extension == user);
            let asked = shown.split(';').filter_map(|part| part.trim().strip_prefix("rewrite-from=")).next();
            if !first || !CALLER_IDS.iter().any(|(number, _)| Some(*number) == asked) {
                return self.answer(key, 403, now);
            }
        }
        if method == "SUBSCRIBE" {
            return self.subscribe(key, request, number, now);
        }
        let number = if method == "INVITE" { self.hide(key, number) } else { number };
        if self.answer_on_line(key, request, number, now)
            || (method == "INVITE" && self.retrieve(key, number, now))
        {
            return;
        }
        let number = if method == "INVITE" { self.intercom(key, number) } else { number };
        if let Some(agents) = self.queues.get(number).filter(|_| method == "INVITE").cloned() {
            return self.ring_agents(key, &agents, now);
        }
        if self.tenant.by_extension(number).is_none() {
            return self.answer(key, 404, now);
        }
        match method {
            "INVITE" => self.deliver(key, number, now),
            _ => self.fork(key, number, now),
        }
    }

    /// The extension whose credentials a request carries in `header`. Without good ones it is challenged.
    fn challenge_unless_known(
        &mut self,
        key: &str,
        request: &Message,
        header: &str,
        now: Instant,
    ) -> Option<String> {
        let credentials = request.all(header).find(|value| self.gate.is_own(value));
        let tenant = self.tenant.clone();
        let password = |user: &str| tenant.by_extension(user).map(|u| &u.extension_password);
        let verdict =
            credentials.map_or(Verdict::Bad, |c| self.gate.check(c, request.method(), password, now));
        if let Verdict::Good(user) = verdict {
            return Some(user);
        }
        let challenge = self.gate.challenge(verdict == Verdict::Stale, now);
        let (code, name) = match header {
            "Authorization" => (401, "WWW-Authenticate"),
            _ => (407, "Proxy-Authenticate"),
        };
        self.answer_with(key, code, &[(name, challenge)], now);
        None
    }

    fn kill_calls(&mut self, now: Instant) {
        self.kill_established(now);
        self.kill_lines(now);
        let ringing: Vec<String> = self
            .servers
            .iter()
            .filter(|(_, server)| server.is_open() && !server.branches.is_empty())
            .map(|(key, _)| key.clone())
            .collect();
        for key in ringing {
            self.cancel_branches(&key, Some(480), now);
        }
    }
}

/// The user part of a From or To value; empty when there is none.
pub(super) fn user_of(value: Option<&str>) -> String {
    let uri = value.and_then(Address::parse).and_then(|address| Uri::parse(address.uri));
    uri.map_or(String::new(), |uri| uri.user.into())
}
