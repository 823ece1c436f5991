//! Calls between two phones: what a proxy must remember to pass requests inside them to the right flow,
//! and to end them itself.

use std::time::Instant;

use super::message::Message;
use super::privacy::is_private;
use super::route::Flow;
use super::subscription::Seen;
use super::switch::Switch;
use super::uri::{Address, tag};

/// One side of a call.
#[derive(Debug, Clone)]
pub(crate) struct Leg {
    /// Extension number.
    pub extension: String,
    /// From or To value with the tag.
    address: String,
    /// Contact URI: where requests to it are addressed to.
    contact: String,
    /// Where it is reached; none since its connection closed.
    flow: Option<Flow>,
    /// Number of its latest request.
    cseq: u32,
}

impl Leg {
    fn tag(&self) -> &str {
        tag(Some(&self.address))
    }
}

/// A call two phones have agreed on.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    call_id: String,
    caller: Leg,
    callee: Leg,
    /// Whoever is called is not to know who calls.
    private: bool,
}

impl Call {
    /// The call a 2xx to a forwarded INVITE opens.
    pub fn new(
        (invite, caller_flow): (&Message, Flow),
        (ok, callee_flow): (&Message, Flow),
        (caller, callee): (&str, &str),
    ) -> Self {
        let leg = |extension: &str, address: Option<&str>, message: &Message, flow: Flow, cseq: u32| Leg {
            extension: extension.into(),
            address: address.unwrap_or_default().into(),
            contact: contact_uri(message),
            flow: Some(flow),
            cseq,
        };
        let cseq = invite.cseq().map_or(0, |(number, _)| number);
        Self {
            call_id: invite.call_id().into(),
            caller: leg(caller, invite.header("From"), invite, caller_flow, cseq),
            callee: leg(callee, ok.header("To"), ok, callee_flow, 0),
            private: is_private(invite),
        }
    }

    /// The call as a busy lamp sees it.
    pub fn seen(&self) -> Seen {
        let (caller, callee) = (self.caller.extension.clone(), self.callee.extension.clone());
        Seen { caller, callee, confirmed: true }
    }

    /// Is one of its ends this extension?
    pub fn has_end(&self, extension: &str) -> bool {
        [&self.caller, &self.callee].iter().any(|leg| leg.extension == extension)
    }

    /// Is this message of this call, in either direction?
    fn has(&self, message: &Message) -> bool {
        let (from, to) = (tag(message.header("From")), tag(message.header("To")));
        let tags = (self.caller.tag(), self.callee.tag());
        self.call_id == message.call_id() && (tags == (from, to) || tags == (to, from))
    }

    /// Is this a request of a caller who is not to be known?
    pub fn hides_sender(&self, request: &Message) -> bool {
        self.private && self.has(request) && tag(request.header("From")) == self.caller.tag()
    }

    /// Sender and receiver of a request of this call.
    fn direction(&mut self, request: &Message) -> (&mut Leg, &mut Leg) {
        if tag(request.header("From")) == self.caller.tag() {
            (&mut self.caller, &mut self.callee)
        } else {
            (&mut self.callee, &mut self.caller)
        }
    }

    /// A BYE of the PBX's own to `to`, as if from the other side.
    fn bye(&self, to: &Leg, from: &Leg) -> Message {
        let mut bye = Message::request("BYE", &to.contact);
        bye.push("From", from.address.as_str());
        bye.push("To", to.address.as_str());
        bye.push("Call-ID", self.call_id.as_str());
        bye.push("CSeq", format!("{} BYE", from.cseq.saturating_add(1)));
        bye.push("Max-Forwards", "70");
        bye.push("Reason", "SIP;cause=503;text=\"Ended by the PBX\"");
        bye
    }
}

/// URI of a message's Contact; empty when there is none.
pub(crate) fn contact_uri(message: &Message) -> String {
    message.header("Contact").and_then(Address::parse).map_or(String::new(), |a| a.uri.into())
}

impl Switch {
    /// Remembers a call, once.
    pub(super) fn open_call(&mut self, call: Call, ok: &Message) {
        if !self.calls.iter().any(|known| known.has(ok)) {
            self.calls.push(call);
        }
    }

    /// Sender's extension of a request inside a known call.
    pub(super) fn sender_in_call(&mut self, request: &Message) -> Option<String> {
        let call = self.calls.iter_mut().find(|call| call.has(request))?;
        Some(call.direction(request).0.extension.clone())
    }

    /// The flow a request inside a known call goes to. Learns the sender's flow, contact and number.
    pub(super) fn follow_call(&mut self, request: &Message, source: Flow) -> Option<Flow> {
        let call = self.calls.iter_mut().find(|call| call.has(request))?;
        let (sender, receiver) = call.direction(request);
        sender.flow = Some(source);
        if let Some((number, _)) = request.cseq() {
            sender.cseq = sender.cseq.max(number);
        }
        let contact = contact_uri(request);
        if !contact.is_empty() && matches!(request.method(), "INVITE" | "UPDATE") {
            sender.contact = contact;
        }
        let found = receiver.flow.or_else(|| {
            // Its connection is gone; where it registered since, it is reached again.
            self.registrar.locate(&receiver.extension).first().map(|(_, flow)| *flow)
        });
        receiver.flow = found;
        found
    }

    /// A target refresh may move the answering side too.
    pub(super) fn refresh_call(&mut self, response: &Message) {
        let contact = contact_uri(response);
        if let Some(call) = self.calls.iter_mut().find(|call| call.has(response))
            && !contact.is_empty()
        {
            // In a response, From is the side that asked.
            call.direction(response).1.contact = contact;
        }
    }

    /// A BYE was answered: the call is over.
    pub(super) fn close_call(&mut self, message: &Message) {
        self.calls.retain(|call| !call.has(message));
    }

    /// Ends every call with a BYE to both sides.
    pub(super) fn kill_established(&mut self, now: Instant) {
        for call in std::mem::take(&mut self.calls) {
            self.note_end(&call.call_id, "", now);
            for (to, from) in [(&call.caller, &call.callee), (&call.callee, &call.caller)] {
                if let Some(flow) = to.flow {
                    self.request(call.bye(to, from), flow, None, now);
                }
            }
        }
    }

    /// A connection is gone: calls over it wait for the phone to come back.
    pub(super) fn calls_lose(&mut self, connection: u64) {
        for leg in self.calls.iter_mut().flat_map(|call| [&mut call.caller, &mut call.callee]) {
            leg.flow = leg.flow.filter(|flow| !flow.is_over(connection));
        }
    }
}
