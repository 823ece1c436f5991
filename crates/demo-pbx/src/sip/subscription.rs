//! Subscriptions (RFC 6665): waiting messages (RFC 3842) and the calls of an extension (RFC 4235).

use std::fmt::Write;
use std::time::{Duration, Instant};

use super::call::contact_uri;
use super::message::Message;
use super::privacy::caller_of;
use super::route::Flow;
use super::switch::Switch;
use super::uri::{Uri, tag};
use crate::tenant::opaque;

/// Longest lifetime granted, and the one where none is asked for.
const LIFETIME: u64 = 3600;

/// What can be subscribed to here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Package {
    MessageSummary,
    Dialog,
}

impl Package {
    fn named(event: &str) -> Option<Self> {
        match event.split(';').next()?.trim() {
            "message-summary" => Some(Self::MessageSummary),
            "dialog" => Some(Self::Dialog),
            _ => None,
        }
    }

    fn event(self) -> &'static str {
        match self {
            Self::MessageSummary => "message-summary",
            Self::Dialog => "dialog",
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::MessageSummary => "application/simple-message-summary",
            Self::Dialog => "application/dialog-info+xml",
        }
    }
}

/// Somebody who is told of something.
pub(crate) struct Subscription {
    package: Package,
    /// Extension it is about.
    about: String,
    call_id: String,
    /// From and To of what is sent to it, with their tags.
    ours: String,
    theirs: String,
    contact: String,
    flow: Flow,
    cseq: u32,
    version: u32,
    until: Instant,
    /// What was told last.
    told: Option<String>,
}

/// A call as a busy lamp sees it.
pub(super) struct Seen {
    pub caller: String,
    pub callee: String,
    pub confirmed: bool,
}

impl Switch {
    /// A SUBSCRIBE outside of any dialog, its sender known.
    pub(super) fn subscribe(&mut self, key: &str, request: &Message, about: &str, now: Instant) {
        let Some(package) = request.header("Event").and_then(Package::named) else {
            return self.answer_with(key, 489, &[("Allow-Events", "message-summary, dialog".into())], now);
        };
        if self.tenant.by_extension(about).is_none() {
            return self.answer(key, 404, now);
        }
        let Some(flow) = self.servers.get(key).map(|server| server.source) else { return };
        let ours = format!("{};tag={}", request.header("To").unwrap_or_default(), opaque(10));
        self.subscriptions.push(Subscription {
            package,
            about: about.into(),
            call_id: request.call_id().into(),
            ours,
            theirs: request.header("From").unwrap_or_default().into(),
            contact: contact_uri(request),
            flow,
            cseq: 0,
            version: 0,
            until: now,
            told: None,
        });
        self.grant(key, request, self.subscriptions.len() - 1, now);
    }

    /// The subscription that a request inside a dialog belongs to.
    pub(super) fn subscription_of(&self, request: &Message) -> Option<usize> {
        let (from, to) = (tag(request.header("From")), tag(request.header("To")));
        self.subscriptions.iter().position(|subscription| {
            subscription.call_id == request.call_id()
                && tag(Some(&subscription.theirs)) == from
                && tag(Some(&subscription.ours)) == to
        })
    }

    /// A SUBSCRIBE is granted, whether it is the first or not; what it is about is told at once.
    pub(super) fn grant(&mut self, key: &str, request: &Message, place: usize, now: Instant) {
        let asked = request.header("Expires").and_then(|text| text.trim().parse::<u64>().ok());
        let seconds = asked.unwrap_or(LIFETIME).min(LIFETIME);
        let source = self.servers.get(key).map(|server| server.source);
        let Some(subscription) = self.subscriptions.get_mut(place) else { return };
        subscription.until = now + Duration::from_secs(seconds);
        subscription.told = None;
        subscription.flow = source.unwrap_or(subscription.flow);
        let (ours, flow) = (subscription.ours.clone(), subscription.flow);
        let contact = format!("<{}>", self.own.uri(&subscription.about, flow.transport()));
        if let Some(server) = self.servers.get(key) {
            let mut ok = Message::response_to(&server.request, 200);
            ok.set("To", ours);
            ok.push("Expires", seconds.to_string());
            ok.push("Contact", contact);
            self.respond(key, &ok, now);
        }
        self.tell_subscribers(now);
    }

    /// Tells everybody what is news to him; who has run out is told so, and forgotten.
    pub(super) fn tell_subscribers(&mut self, now: Instant) {
        if self.subscriptions.is_empty() {
            return;
        }
        let seen = self.seen_calls();
        let mut notices = Vec::new();
        for subscription in &mut self.subscriptions {
            let over = subscription.until <= now;
            let body = match subscription.package {
                Package::MessageSummary => {
                    let counts = self.mailboxes.get(&subscription.about).copied().unwrap_or_default();
                    summary(counts, &self.tenant.domain)
                }
                Package::Dialog => dialogs(&subscription.about, &self.tenant.domain, &seen),
            };
            if subscription.told.as_ref() == Some(&body) && !over {
                continue;
            }
            let contact = self.own.uri(&subscription.about, subscription.flow.transport());
            notices.push((subscription.notify(&body, &contact, now), subscription.flow));
            subscription.told = Some(body);
        }
        self.subscriptions.retain(|subscription| subscription.until > now);
        for (notify, flow) in notices {
            self.request(notify, flow, None, now);
        }
    }

    /// When a subscription runs out.
    pub(super) fn subscriptions_deadline(&self) -> Option<Instant> {
        self.subscriptions.iter().map(|subscription| subscription.until).min()
    }

    fn seen_calls(&self) -> Vec<Seen> {
        let mut seen: Vec<Seen> = self.calls.iter().map(super::call::Call::seen).collect();
        let ringing = self.servers.values().filter(|server| server.is_open() && !server.branches.is_empty());
        for request in ringing.map(|server| &server.request) {
            if request.method() == "INVITE" && tag(request.header("To")).is_empty() {
                let callee = Uri::parse(request.uri()).map_or(String::new(), |uri| uri.user.into());
                seen.push(Seen { caller: caller_of(request), callee, confirmed: false });
            }
        }
        seen.extend(self.lines.values().map(super::line::LineCall::seen));
        seen.sort_by(|a, b| (&a.caller, &a.callee).cmp(&(&b.caller, &b.callee)));
        seen
    }
}

impl Subscription {
    fn notify(&mut self, body: &str, contact: &str, now: Instant) -> Message {
        self.cseq = self.cseq.saturating_add(1);
        let left = self.until.saturating_duration_since(now).as_secs();
        let state = match left {
            0 => "terminated;reason=timeout".to_owned(),
            left => format!("active;expires={left}"),
        };
        let mut notify = Message::request("NOTIFY", &self.contact);
        notify.push("From", self.ours.as_str());
        notify.push("To", self.theirs.as_str());
        notify.push("Call-ID", self.call_id.as_str());
        notify.push("CSeq", format!("{} NOTIFY", self.cseq));
        notify.push("Max-Forwards", "70");
        notify.push("Contact", format!("<{contact}>"));
        notify.push("Event", self.package.event());
        notify.push("Subscription-State", state);
        notify.push("Content-Type", self.package.content_type());
        let body = body.replace("VERSION", &self.version.to_string());
        self.version = self.version.saturating_add(1);
        notify.body = body.into_bytes();
        notify
    }
}

/// Messages that were not heard yet, and that were (RFC 3842, section 3.5).
fn summary((new, old): (usize, usize), domain: &str) -> String {
    let waiting = if new > 0 { "yes" } else { "no" };
    format!(
        "Messages-Waiting: {waiting}\r\nMessage-Account: sip:{}@{domain}\r\nVoice-Message: {new}/{old} (0/0)\r\n",
        super::VOICEMAIL
    )
}

fn dialogs(extension: &str, domain: &str, seen: &[Seen]) -> String {
    let mut xml = format!(
        "<?xml version=\"1.0\"?>\r\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"VERSION\" state=\"full\" entity=\"sip:{extension}@{domain}\">\r\n"
    );
    let mine = seen.iter().filter(|call| call.caller == extension || call.callee == extension);
    for (n, call) in mine.enumerate() {
        let (direction, other) = match call.caller == extension {
            true => ("initiator", &call.callee),
            false => ("recipient", &call.caller),
        };
        let state = if call.confirmed { "confirmed" } else { "early" };
        // What is dialled may hold characters that XML keeps for itself.
        let other: String =
            other.chars().filter(|c| c.is_ascii_alphanumeric() || "*#+-._".contains(*c)).collect();
        // Writing into a String cannot fail.
        let _ = write!(
            xml,
            "<dialog id=\"{n}\" direction=\"{direction}\"><state>{state}</state><remote><identity>sip:{other}@{domain}</identity></remote></dialog>\r\n"
        );
    }
    xml.push_str("</dialog-info>\r\n");
    xml
}
