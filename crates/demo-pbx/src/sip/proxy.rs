//! The proxy: requests from one phone to another, and the responses back (RFC 3261 section 16).

use std::time::Instant;

use super::call::Call;
use super::message::{Message, Start};
use super::privacy::{caller_of, is_private};
use super::route::Flow;
use super::switch::Switch;
use super::uri::{Uri, tag};
use crate::config::Transport;

impl Switch {
    /// Forwards a request outside any call to every binding of an extension at once.
    pub(super) fn fork(&mut self, key: &str, extension: &str, now: Instant) {
        let targets = self.registrar.locate(extension);
        if targets.is_empty() {
            return self.answer(key, 480, now);
        }
        self.trying(key, now);
        for (uri, flow) in targets {
            self.forward(key, Some(&uri), flow, now);
        }
    }

    /// Forwards an INVITE to a queue to every phone of its agents that take calls.
    pub(super) fn ring_agents(&mut self, key: &str, agents: &[String], now: Instant) {
        let targets: Vec<_> = agents.iter().flat_map(|agent| self.registrar.locate(agent)).collect();
        if targets.is_empty() {
            return self.answer(key, 480, now);
        }
        self.trying(key, now);
        for (uri, flow) in targets {
            self.forward(key, Some(&uri), flow, now);
        }
    }

    /// Forwards a request of a call to the other side, or an ACK that belongs to no transaction.
    pub(super) fn forward_in_call(&mut self, key: &str, now: Instant) {
        let Some((request, source)) = self.servers.get(key).map(|s| (s.request.clone(), s.source)) else {
            return;
        };
        match self.follow_call(&request, source) {
            Some(flow) => {
                self.trying(key, now);
                self.forward(key, None, flow, now);
            }
            None => self.answer(key, 481, now),
        }
    }

    /// Stops the retransmissions of an INVITE that is on its way.
    pub(super) fn trying(&mut self, key: &str, now: Instant) {
        if self.servers.get(key).is_some_and(|server| server.request.method() == "INVITE") {
            self.answer(key, 100, now);
        }
    }

    /// Passes the ACK to a 2xx on; it has no transaction, and no answer.
    pub(super) fn forward_ack(&mut self, ack: Message, source: Flow) {
        if let Some(flow) = self.follow_call(&ack, source) {
            let mut ack = self.prepare(&ack, None);
            let branch = format!("z9hG4bK{}", crate::tenant::opaque(16));
            ack.push_top("Via", self.own.via(flow.transport(), &branch));
            self.send_bytes(flow, ack.to_bytes());
        }
    }

    pub(super) fn forward(&mut self, key: &str, uri: Option<&str>, flow: Flow, now: Instant) {
        let Some(server) = self.servers.get(key) else {
            return;
        };
        let source = server.source;
        let opens_dialog = server.request.method() == "INVITE" && tag(server.request.header("To")).is_empty();
        let mut request = self.prepare(&server.request, uri);
        if opens_dialog {
            self.record_route(&mut request, source.transport(), flow.transport());
            self.assert_identity(&mut request);
        }
        let branch = self.request(request, flow, Some(key), now);
        if let Some(server) = self.servers.get_mut(key) {
            server.branches.push(branch);
        }
    }

    /// The request as it leaves: own routes and credentials gone, one hop less to go.
    fn prepare(&self, request: &Message, uri: Option<&str>) -> Message {
        let mut request = request.clone();
        if let (Some(target), Start::Request { uri, .. }) = (uri, &mut request.start) {
            *uri = target.into();
        }
        let hops = request.header("Max-Forwards").and_then(|text| text.trim().parse::<u8>().ok());
        request.set("Max-Forwards", hops.map_or(70, |left| left.saturating_sub(1)).to_string());
        while request.header("Route").is_some_and(|route| self.own.is_own_route(route)) {
            request.pop_top("Route");
        }
        request.remove_if("Proxy-Authorization", |value| self.gate.is_own(value));
        self.keep_to_itself(&mut request);
        request
    }

    /// Stays in the path of the call; where the transport changes, once for each side (RFC 5658).
    fn record_route(&self, request: &mut Message, from: Transport, to: Transport) {
        request.push_top("Record-Route", self.own.record_route(from));
        if from != to {
            request.push_top("Record-Route", self.own.record_route(to));
        }
    }

    /// Says who is calling, on the PBX's word (RFC 3325).
    fn assert_identity(&self, request: &mut Message) {
        let user = super::switch::user_of(request.header("From"));
        request.remove_if("P-Asserted-Identity", |_| true);
        if is_private(request) {
            return;
        }
        if let Some(user) = self.tenant.by_extension(&user) {
            let identity =
                format!("\"{}\" <sip:{}@{}>", user.display_name, user.extension, self.tenant.domain);
            request.push("P-Asserted-Identity", identity);
        }
    }

    /// A response came on a branch: passes it back, or keeps it until all branches have answered
    /// (RFC 3261 section 16.7).
    pub(super) fn branch_response(&mut self, branch: &str, mut response: Message, now: Instant) {
        let Some(client) = self.clients.get(branch) else {
            return;
        };
        let (method, flow, verdict) = (client.request.method().to_string(), client.flow, client.verdict);
        let Some(key) = client.server.clone() else {
            return;
        };
        let code = response.code();
        if code == 100 {
            return;
        }
        if method == "BYE" && code >= 200 && code != 401 && code != 407 {
            self.close_call(&response);
        }
        // The Via below is the sender's; a locally made 408 carries it too.
        response.pop_top("Via");
        // Who sent the request knows it as it was before anything was kept from others.
        if let Some(from) = self.servers.get(&key).and_then(|server| server.request.header("From")) {
            response.set("From", from);
        }
        if method != "INVITE" || code < 200 {
            return self.respond(&key, &response, now);
        }
        if code < 300 {
            self.accepted(&key, &response, flow);
            self.respond(&key, &response, now);
            self.cancel_branches(&key, None, now);
            return;
        }
        if let Some(verdict) = verdict.filter(|_| code == 487)
            && let Some(server) = self.servers.get(&key)
        {
            let to = response.header("To").unwrap_or_default().to_string();
            response = Message::response_to(&server.request, verdict);
            response.set("To", to);
        }
        self.refused(&key, response, now);
    }

    fn accepted(&mut self, key: &str, ok: &Message, flow: Flow) {
        let Some(server) = self.servers.get(key) else {
            return;
        };
        if !tag(server.request.header("To")).is_empty() {
            return self.refresh_call(ok);
        }
        let caller = caller_of(&server.request);
        let callee = Uri::parse(server.request.uri()).map_or("", |uri| uri.user);
        let call = Call::new((&server.request, server.source), (ok, flow), (&caller, callee));
        self.open_call(call, ok);
    }

    fn refused(&mut self, key: &str, response: Message, now: Instant) {
        if response.code() >= 600 {
            self.cancel_branches(key, None, now);
        }
        let Some(server) = self.servers.get_mut(key) else {
            return;
        };
        // The lowest class wins, except that 6xx beats all.
        let rank = |m: &Message| if m.code() >= 600 { 0 } else { m.code() / 100 };
        if server.best.as_ref().is_none_or(|best| rank(&response) < rank(best)) {
            server.best = Some(response);
        }
        let branches = server.branches.clone();
        if branches.iter().any(|branch| self.clients.get(branch).is_some_and(|client| client.waits())) {
            return;
        }
        if let Some(best) = self.servers.get_mut(key).and_then(|server| server.best.take()) {
            if best.code() == 408 && self.follow_unanswered(key, now) {
                return;
            }
            self.respond(key, &best, now);
        }
    }

    /// Cancels all branches of an INVITE that are still waiting.
    pub(super) fn cancel_branches(&mut self, key: &str, verdict: Option<u16>, now: Instant) {
        let branches = self.servers.get(key).map(|server| server.branches.clone()).unwrap_or_default();
        for branch in branches {
            self.cancel(&branch, verdict, now);
        }
    }
}
