//! Server and client transactions (RFC 3261 section 17, RFC 6026), as far as a proxy with lines of its
//! own needs them. Pure.

use std::time::{Duration, Instant};

use super::message::Message;
use super::route::{Flow, reply_flow};
use super::switch::Switch;
use super::uri::{Via, tag};
use crate::forwarding::Leads;
use crate::tenant::opaque;

/// Estimate of the round-trip time.
pub(crate) const T1: Duration = Duration::from_millis(500);
/// Longest gap between retransmissions.
pub(crate) const T2: Duration = Duration::from_secs(4);
/// How long a message may stay in the network.
const T4: Duration = Duration::from_secs(5);
/// When a transaction gives up: 64 times T1.
pub(crate) const GIVE_UP: Duration = Duration::from_secs(32);

/// A retransmission due.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resend {
    pub at: Instant,
    gap: Duration,
}

impl Resend {
    /// The first retransmission, T1 from now.
    pub fn start(now: Instant) -> Self {
        Self { at: now + T1, gap: T1 }
    }

    /// The one after it: twice the gap, up to `cap`.
    pub fn next(self, now: Instant, cap: Duration) -> Self {
        let gap = (self.gap * 2).min(cap);
        Self { at: now + gap, gap }
    }
}

/// Stage of a server transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// No final response yet.
    Open,
    /// A final response is out: for INVITE 300 and above, unacknowledged.
    Completed,
    /// A 2xx to INVITE is out; its retransmissions pass.
    Accepted,
    /// The ACK to a refusal is in.
    Confirmed,
}

/// A request received and its answer.
pub(crate) struct ServerTransaction {
    /// The request, its Via amended.
    pub request: Message,
    /// When it came.
    pub came: Instant,
    /// Where it came from.
    pub source: Flow,
    /// How long it may ring, where a rule says so.
    pub patience: Option<Duration>,
    /// Whose rule is followed then, and where it leads.
    pub unanswered: Option<(String, Leads)>,
    /// Client transactions it was forwarded in, with none for one answered here.
    pub branches: Vec<String>,
    /// Best refusal from the branches so far.
    pub best: Option<Message>,
    reply: Flow,
    last: Option<Vec<u8>>,
    stage: Stage,
    resend: Option<Resend>,
    ends: Option<Instant>,
}

impl ServerTransaction {
    /// No final response has gone out yet.
    pub fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }

    fn is_invite(&self) -> bool {
        self.request.method() == "INVITE"
    }
}

/// A request sent and what it waits for.
pub(crate) struct ClientTransaction {
    /// The request as sent.
    pub request: Message,
    /// The server transaction it was forwarded for; none for a request of the PBX's own.
    pub server: Option<String>,
    /// Over which flow it went out.
    pub flow: Flow,
    /// A provisional response is in.
    pub proceeding: bool,
    /// It is to be cancelled as soon as, or was because, it is proceeding.
    pub cancelled: bool,
    /// The status to report instead of the 487 that a cancellation of ours brings.
    pub verdict: Option<u16>,
    done: bool,
    resend: Option<Resend>,
    /// When waiting for a final response ends; after it, when the transaction is forgotten.
    ends: Instant,
}

impl ClientTransaction {
    /// No final response is in yet.
    pub fn waits(&self) -> bool {
        !self.done
    }
}

/// Key of a server transaction (RFC 3261 section 17.2.3): an ACK belongs to its INVITE.
pub(crate) fn server_key(request: &Message, method: &str) -> Option<String> {
    let via = request.header("Via")?;
    let parsed = Via::parse(via)?;
    let method = if method == "ACK" { "INVITE" } else { method };
    match parsed.param("branch").filter(|branch| branch.starts_with("z9hG4bK")) {
        Some(branch) => Some(format!("{branch}|{}:{:?}|{method}", parsed.host, parsed.port)),
        // Elements before RFC 3261 promise nothing about the branch.
        None => {
            let (number, _) = request.cseq()?;
            Some(format!("{via}|{}|{number}|{}|{method}", request.call_id(), tag(request.header("From"))))
        }
    }
}

impl Switch {
    /// Opens the server transaction of a new request.
    pub(super) fn open_server(&mut self, key: &str, request: Message, source: Flow, now: Instant) {
        let reply = request.header("Via").and_then(Via::parse).map_or(source, |via| reply_flow(&via, source));
        let transaction = ServerTransaction {
            request,
            came: now,
            source,
            patience: None,
            unanswered: None,
            branches: Vec::new(),
            best: None,
            reply,
            last: None,
            stage: Stage::Open,
            resend: None,
            ends: None,
        };
        self.servers.insert(key.into(), transaction);
    }

    /// A request came again: so does the answer.
    pub(super) fn absorb(&mut self, key: &str) -> bool {
        let Some(server) = self.servers.get(key) else {
            return false;
        };
        // A 2xx to INVITE is repeated by whoever made it, not here.
        if let Some(last) = server.last.clone().filter(|_| server.stage != Stage::Accepted) {
            let reply = server.reply;
            self.send_bytes(reply, last);
        }
        true
    }

    /// An ACK came. True when it closes a transaction here; one to a 2xx does not.
    pub(super) fn acknowledge(&mut self, key: &str, now: Instant) -> bool {
        let Some(server) = self.servers.get_mut(key) else {
            return false;
        };
        if server.stage == Stage::Completed {
            server.stage = Stage::Confirmed;
            server.resend = None;
            server.ends = Some(now + T4);
        }
        server.stage != Stage::Accepted
    }

    /// Answers with a status of the PBX's own.
    pub(super) fn answer(&mut self, key: &str, code: u16, now: Instant) {
        self.answer_with(key, code, &[], now);
    }

    /// Answers with a status of the PBX's own and further headers.
    pub(super) fn answer_with(&mut self, key: &str, code: u16, headers: &[(&str, String)], now: Instant) {
        let Some(server) = self.servers.get(key) else {
            return;
        };
        let mut response = Message::response_to(&server.request, code);
        if code > 100 && tag(response.header("To")).is_empty() {
            let to = response.header("To").unwrap_or_default().to_string();
            response.set("To", format!("{to};tag={}", opaque(10)));
        }
        for (name, value) in headers {
            response.push(name, value.as_str());
        }
        self.respond(key, &response, now);
    }

    /// Sends a response through its server transaction.
    pub(super) fn respond(&mut self, key: &str, response: &Message, now: Instant) {
        let Some(server) = self.servers.get_mut(key) else {
            return;
        };
        let (code, bytes) = (response.code(), response.to_bytes());
        let passes = match server.stage {
            Stage::Open => true,
            Stage::Accepted => (200..300).contains(&code),
            Stage::Completed | Stage::Confirmed => false,
        };
        if !passes {
            return;
        }
        let reply = server.reply;
        let opened = (code >= 200 && server.is_open() && server.is_invite())
            .then(|| (server.request.clone(), server.came));
        if code >= 200 {
            let accepts = server.is_invite() && code < 300;
            server.stage = if accepts { Stage::Accepted } else { Stage::Completed };
            server.ends = Some(now + GIVE_UP);
            if server.is_invite() && !accepts && !reply.is_reliable() {
                server.resend = Some(Resend::start(now));
            }
        }
        server.last = Some(bytes.clone());
        if let Some((invite, came)) = opened {
            self.note_answer(&invite, came, code, now);
        }
        self.send_bytes(reply, bytes);
    }

    /// Sends a request in a client transaction of its own. Puts the Via on top.
    pub(super) fn request(
        &mut self,
        mut request: Message,
        flow: Flow,
        server: Option<&str>,
        now: Instant,
    ) -> String {
        let branch = format!("z9hG4bK{}", opaque(16));
        request.push_top("Via", self.own.via(flow.transport(), &branch));
        let key = format!("{branch}|{}", request.method());
        self.start_client(key.clone(), request, flow, server, now);
        key
    }

    fn start_client(
        &mut self,
        key: String,
        request: Message,
        flow: Flow,
        server: Option<&str>,
        now: Instant,
    ) {
        self.send_bytes(flow, request.to_bytes());
        let transaction = ClientTransaction {
            request,
            server: server.map(Into::into),
            flow,
            proceeding: false,
            cancelled: false,
            verdict: None,
            done: false,
            resend: (!flow.is_reliable()).then(|| Resend::start(now)),
            ends: now + GIVE_UP,
        };
        self.clients.insert(key, transaction);
    }

    /// A response came: finds its client transaction, acknowledges refusals of INVITE, and hands it on
    /// to the proxy unless it is a repetition.
    pub(super) fn receive_response(&mut self, response: Message, now: Instant) {
        let branch = response.header("Via").and_then(Via::parse).and_then(|via| via.param("branch"));
        let Some(key) = branch.map(|branch| format!("{branch}|{}", response.method())) else {
            return;
        };
        let Some(client) = self.clients.get_mut(&key) else {
            return;
        };
        let patience = client.server.as_ref().and_then(|server| self.servers.get(server)?.patience);
        let no_answer = patience.unwrap_or(self.settings.no_answer);
        let (code, invite) = (response.code(), client.request.method() == "INVITE");
        if code < 200 {
            if client.done {
                return;
            }
            if invite {
                client.resend = None;
                if !client.proceeding {
                    client.ends = now + no_answer;
                }
            }
            client.proceeding = true;
            if client.cancelled {
                self.send_cancel(&key, now);
            }
            self.branch_response(&key, response, now);
            return;
        }
        let repeated = std::mem::replace(&mut client.done, true);
        client.resend = None;
        if !repeated {
            client.ends = now + GIVE_UP;
        }
        if invite && code >= 300 {
            let (ack, flow) = (ack_for(&client.request, &response), client.flow);
            self.send_bytes(flow, ack.to_bytes());
        }
        // Every 2xx to INVITE is passed on, also the repeated ones: only the caller's ACK ends them.
        if !repeated || (invite && code < 300) {
            self.branch_response(&key, response, now);
        }
    }

    /// Cancels an INVITE sent: now if it is proceeding, else when it is. `verdict` is what the caller is
    /// to hear instead of 487.
    pub(super) fn cancel(&mut self, key: &str, verdict: Option<u16>, now: Instant) {
        let Some(client) = self.clients.get_mut(key) else {
            return;
        };
        // Only an INVITE is cancelled (RFC 3261 section 9.1).
        let can = !client.done && client.request.method() == "INVITE";
        if !can || std::mem::replace(&mut client.cancelled, true) {
            return;
        }
        client.verdict = verdict;
        if client.proceeding {
            self.send_cancel(key, now);
        }
    }

    fn send_cancel(&mut self, key: &str, now: Instant) {
        let Some(client) = self.clients.get_mut(key) else {
            return;
        };
        let cancel_key = key.replace("|INVITE", "|CANCEL");
        let (cancel, flow) = (same_hop(&client.request, "CANCEL"), client.flow);
        // The callee has until then to say 487.
        client.ends = now + GIVE_UP;
        if !self.clients.contains_key(&cancel_key) {
            self.start_client(cancel_key, cancel, flow, None, now);
        }
    }

    /// Retransmits and gives up what is due.
    pub(super) fn run_transactions(&mut self, now: Instant) {
        let mut sends = Vec::new();
        for server in self.servers.values_mut() {
            if let Some(resend) = server.resend.filter(|r| r.at <= now) {
                sends.extend(server.last.clone().map(|bytes| (server.reply, bytes)));
                server.resend = Some(resend.next(now, T2));
            }
        }
        for client in self.clients.values_mut().filter(|client| !client.done) {
            if let Some(resend) = client.resend.filter(|r| r.at <= now) {
                sends.push((client.flow, client.request.to_bytes()));
                let cap = if client.request.method() == "INVITE" { GIVE_UP } else { T2 };
                client.resend = Some(resend.next(now, cap));
            }
        }
        for (flow, bytes) in sends {
            self.send_bytes(flow, bytes);
        }
        self.servers.retain(|_, server| server.ends.is_none_or(|ends| ends > now));
        self.clients.retain(|_, client| !client.done || client.ends > now);
        let due = |client: &ClientTransaction| client.ends <= now;
        let late: Vec<String> =
            self.clients.iter().filter(|(_, client)| due(client)).map(|(key, _)| key.clone()).collect();
        for key in late {
            self.client_timeout(&key, now);
        }
    }

    fn client_timeout(&mut self, key: &str, now: Instant) {
        let Some(client) = self.clients.get_mut(key) else {
            return;
        };
        if client.request.method() == "INVITE" && client.proceeding && !client.cancelled {
            self.cancel(key, Some(408), now);
            return;
        }
        client.done = true;
        client.resend = None;
        client.ends = now + GIVE_UP;
        let mut response = Message::response_to(&client.request, 408);
        if tag(response.header("To")).is_empty() {
            let to = response.header("To").unwrap_or_default().to_string();
            response.set("To", format!("{to};tag={}", opaque(10)));
        }
        self.branch_response(key, response, now);
    }

    /// When [`Self::run_transactions`] is next due.
    pub(super) fn transactions_deadline(&self) -> Option<Instant> {
        let servers = self.servers.values().flat_map(|s| [s.ends, s.resend.map(|r| r.at)]);
        let clients = self.clients.values().flat_map(|c| [Some(c.ends), c.resend.map(|r| r.at)]);
        servers.chain(clients).flatten().min()
    }
}

/// A CANCEL or ACK that follows an INVITE over the same hop (RFC 3261 sections 9.1 and 17.1.1.3).
fn same_hop(invite: &Message, method: &str) -> Message {
    let mut request = Message::request(method, invite.uri());
    for name in ["Via", "From", "To", "Call-ID"] {
        if let Some(value) = invite.header(name) {
            request.push(name, value);
        }
    }
    let number = invite.cseq().map_or(0, |(number, _)| number);
    request.push("CSeq", format!("{number} {method}"));
    request.push("Max-Forwards", "70");
    for route in invite.all("Route") {
        request.push("Route", route);
    }
    request
}

fn ack_for(invite: &Message, response: &Message) -> Message {
    let mut ack = same_hop(invite, "ACK");
    if let Some(to) = response.header("To") {
        ack.set("To", to);
    }
    ack
}
