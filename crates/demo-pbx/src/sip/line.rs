//! The service lines: numbers the PBX answers itself. Here is their SIP; their sound is in `media`.

use std::net::SocketAddr;
use std::time::Instant;

use super::call::contact_uri;
use super::message::Message;
use super::park::{PARK, VOICEMAIL};
use super::privacy::caller_of;
use super::route::Flow;
use super::subscription::Seen;
use super::switch::{ALLOW, Output, Switch};
use super::transaction::{GIVE_UP, Resend, T2};
use super::uri::tag;
use crate::media::{Media, Offer};
use crate::tenant::opaque;

/// Number of the echo line: everything said comes back.
pub const ECHO: &str = "9196";
/// Number of the line that is always busy: 486.
pub const BUSY: &str = "9197";
/// Number of the line that rings and never answers: 180, in due course 408.
pub const NO_ANSWER: &str = "9198";
/// Number of the line that always declines: 603.
pub const DECLINE: &str = "9199";

/// How far a call to a line has come.
enum Stage {
    /// Sockets are being opened.
    Opening,
    /// It rings until then.
    Ringing { until: Instant },
    /// The 2xx is out, not yet acknowledged.
    Answered { ok: Vec<u8>, resend: Resend, give_up: Instant },
    /// The call stands.
    Up,
}

/// A parked phone, and what an INVITE that takes the place of its call must name.
pub(super) struct Parked {
    pub contact: String,
    pub flow: Flow,
    pub replaces: String,
}

/// A call to a service line.
pub(crate) struct LineCall {
    /// What was dialled.
    number: String,
    /// Server transaction of the INVITE that waits for its answer, or of a re-INVITE.
    server: String,
    invite: Message,
    tag: String,
    flow: Flow,
    contact: String,
    media: Option<Media>,
    rtp: Option<SocketAddr>,
    version: u32,
    stage: Stage,
    until: Instant,
}

impl LineCall {
    /// It was answered, so it must be ended.
    pub fn is_answered(&self) -> bool {
        matches!(self.stage, Stage::Answered { .. } | Stage::Up)
    }

    /// The call as a busy lamp sees it.
    pub fn seen(&self) -> Seen {
        let caller = caller_of(&self.invite);
        Seen { caller, callee: self.number.clone(), confirmed: self.is_answered() }
    }

    /// How to reach the phone that is parked here, where it is this place, or none is named.
    pub fn parked(&self, place: &str) -> Option<Parked> {
        let here = self.number.strip_prefix(PARK)?;
        if !place.is_empty() && place != here {
            return None;
        }
        // To that phone, its own tag is the local one.
        let local = tag(self.invite.header("From"));
        let replaces = format!("{};to-tag={local};from-tag={}", self.invite.call_id(), self.tag);
        Some(Parked { contact: self.contact.clone(), flow: self.flow, replaces })
    }

    /// The description of this end: an answer to the offer, or an offer where there was none.
    fn description(&self) -> Option<Vec<u8>> {
        Some(self.media.as_ref()?.describe(self.rtp?, self.version).into_bytes())
    }

    fn bye(&self) -> Message {
        let mut bye = Message::request("BYE", &self.contact);
        let to = self.invite.header("To").unwrap_or_default();
        bye.push("From", format!("{to};tag={}", self.tag));
        bye.push("To", self.invite.header("From").unwrap_or_default());
        bye.push("Call-ID", self.invite.call_id());
        bye.push("CSeq", "1 BYE");
        bye.push("Max-Forwards", "70");
        for route in self.invite.all("Record-Route") {
            bye.push("Route", route);
        }
        bye
    }
}

impl Switch {
    /// Deals with a request to a service line outside any dialog. False when the number is none.
    pub(super) fn answer_on_line(
        &mut self,
        key: &str,
        request: &Message,
        number: &str,
        now: Instant,
    ) -> bool {
        let speaks = speaks(number);
        if !speaks && ![BUSY, NO_ANSWER, DECLINE].contains(&number) {
            return false;
        }
        let required: Vec<&str> = request.all("Require").collect();
        match (request.method(), number) {
            ("OPTIONS", _) => self.answer_with(key, 200, &[("Allow", ALLOW.into())], now),
            ("INVITE", _) if !required.is_empty() => {
                self.answer_with(key, 420, &[("Unsupported", required.join(", "))], now);
            }
            ("INVITE", BUSY) => self.answer(key, 486, now),
            ("INVITE", DECLINE) => self.answer(key, 603, now),
            ("INVITE", _) => self.open_line(key, request, number, now),
            _ => self.answer_with(key, 405, &[("Allow", ALLOW.into())], now),
        }
        true
    }

    fn open_line(&mut self, key: &str, invite: &Message, number: &str, now: Instant) {
        let Some(source) = self.servers.get(key).map(|server| server.source) else {
            return;
        };
        let media = if speaks(number) { Media::for_offer(&invite.body) } else { None };
        if speaks(number) && media.is_none() {
            return self.answer(key, 488, now);
        }
        let line = line_key(invite, tag(invite.header("From")));
        let stage = match media {
            Some(_) => Stage::Opening,
            None => Stage::Ringing { until: now + self.settings.no_answer },
        };
        let call = LineCall {
            number: number.into(),
            server: key.into(),
            invite: invite.clone(),
            tag: opaque(10),
            flow: source,
            contact: contact_uri(invite),
            media: media.clone(),
            rtp: None,
            version: 1,
            stage,
            until: now + self.settings.echo_limit,
        };
        self.answer(key, 100, now);
        let ringing = self.line_response(&call, key, 180);
        self.lines.insert(line.clone(), call);
        if let Some(ringing) = ringing {
            self.respond(key, &ringing, now);
        }
        if let Some(media) = media {
            self.out.push(Output::OpenMedia { line, media });
        }
    }

    /// The sockets of a line are open: it answers.
    pub(super) fn media_opened(&mut self, line: &str, rtp: Option<SocketAddr>, now: Instant) {
        let Some(call) = self.lines.get_mut(line).filter(|call| matches!(call.stage, Stage::Opening)) else {
            self.out.push(Output::CloseMedia { line: line.into() });
            return;
        };
        let key = call.server.clone();
        call.rtp = rtp;
        if rtp.is_none() {
            self.lines.remove(line);
            return self.answer(&key, 500, now);
        }
        self.send_ok(line, &key, now);
    }

    /// Sends a 2xx to INVITE, and goes on sending it until the ACK (RFC 3261 section 13.3.1.4).
    fn send_ok(&mut self, line: &str, key: &str, now: Instant) {
        let Some(ok) = self.lines.get(line).and_then(|call| {
            let mut ok = self.line_response(call, key, 200)?;
            ok.push("Content-Type", "application/sdp");
            ok.body = call.description()?;
            Some(ok)
        }) else {
            return;
        };
        if let Some(call) = self.lines.get_mut(line) {
            let give_up = now + GIVE_UP;
            call.stage = Stage::Answered { ok: ok.to_bytes(), resend: Resend::start(now), give_up };
        }
        self.respond(key, &ok, now);
    }

    /// A response of a line, with its tag and Contact.
    fn line_response(&self, call: &LineCall, key: &str, code: u16) -> Option<Message> {
        let server = self.servers.get(key)?;
        let mut response = Message::response_to(&server.request, code);
        if tag(response.header("To")).is_empty() {
            let to = response.header("To")?.to_string();
            response.set("To", format!("{to};tag={}", call.tag));
        }
        for route in server.request.all("Record-Route") {
            response.push("Record-Route", route);
        }
        let number = super::switch::user_of(call.invite.header("To"));
        response.push("Contact", format!("<{}>", self.own.uri(&number, call.flow.transport())));
        response.push("Allow", ALLOW);
        Some(response)
    }

    /// The line a request inside a dialog belongs to.
    pub(super) fn line_of(&self, request: &Message) -> Option<String> {
        let key = line_key(request, tag(request.header("From")));
        let call = self.lines.get(&key)?;
        (tag(request.header("To")) == call.tag).then_some(key)
    }

    /// An ACK came. True when it was for a line.
    pub(super) fn line_ack(&mut self, ack: &Message) -> bool {
        let Some(call) = self.line_of(ack).and_then(|line| self.lines.get_mut(&line)) else {
            return false;
        };
        if matches!(call.stage, Stage::Answered { .. }) {
            call.stage = Stage::Up;
        }
        true
    }

    /// A request inside a line's dialog.
    pub(super) fn line_request(&mut self, line: &str, key: &str, request: &Message, now: Instant) {
        let source = self.servers.get(key).map(|server| server.source);
        if let (Some(call), Some(source)) = (self.lines.get_mut(line), source) {
            call.flow = source;
        }
        match request.method() {
            "BYE" => {
                self.drop_line(line);
                self.answer(key, 200, now);
            }
            "INVITE" | "UPDATE" => self.change_line(line, key, request, now),
            "OPTIONS" | "INFO" => self.answer_with(key, 200, &[("Allow", ALLOW.into())], now),
            _ => self.answer_with(key, 405, &[("Allow", ALLOW.into())], now),
        }
    }

    /// A new offer inside the dialog, as hold and resume make one; or a target refresh without one.
    fn change_line(&mut self, line: &str, key: &str, request: &Message, now: Instant) {
        let Some(call) = self.lines.get_mut(line) else {
            return;
        };
        let invite = request.method() == "INVITE";
        if !request.body.is_empty() {
            let Some(offer) = Offer::parse(&request.body) else {
                return self.answer(key, 488, now);
            };
            let Some(media) = Media::answering(&offer) else {
                return self.answer(key, 488, now);
            };
            call.version = call.version.saturating_add(1);
            call.media = Some(media.clone());
            self.out.push(Output::ChangeMedia { line: line.into(), media });
        }
        let contact = contact_uri(request);
        if !contact.is_empty() {
            call.contact = contact;
        }
        if invite {
            return self.send_ok(line, key, now);
        }
        let response = self.lines.get(line).and_then(|call| {
            let mut ok = self.line_response(call, key, 200)?;
            if !request.body.is_empty() {
                ok.push("Content-Type", "application/sdp");
                ok.body = call.description()?;
            }
            Some(ok)
        });
        if let Some(ok) = response {
            self.respond(key, &ok, now);
        }
    }

    /// The caller cancelled the INVITE of this server transaction.
    pub(super) fn cancel_line(&mut self, server: &str, now: Instant) {
        let found = self.lines.iter().find(|(_, call)| call.server == server && !call.is_answered());
        if let Some(line) = found.map(|(line, _)| line.clone()) {
            self.refuse_line(&line, 487, now);
        }
    }

    /// Ends an answered line with BYE.
    pub(super) fn hang_up_line(&mut self, line: &str, now: Instant) {
        if let Some(call) = self.lines.get(line).filter(|call| call.is_answered()) {
            let (bye, flow) = (call.bye(), call.flow);
            self.note_end(bye.call_id(), "", now);
            self.drop_line(line);
            self.request(bye, flow, None, now);
        }
    }

    /// Ends a line that was not answered.
    fn refuse_line(&mut self, line: &str, code: u16, now: Instant) {
        let Some(call) = self.lines.get(line) else {
            return;
        };
        let key = call.server.clone();
        let response = self.line_response(call, &key, code);
        self.drop_line(line);
        if let Some(response) = response {
            self.respond(&key, &response, now);
        }
    }

    fn drop_line(&mut self, line: &str) {
        if self.lines.remove(line).is_some_and(|call| call.media.is_some()) {
            self.out.push(Output::CloseMedia { line: line.into() });
        }
    }

    /// Ends every line, answered or not.
    pub(super) fn kill_lines(&mut self, now: Instant) {
        let lines: Vec<(String, bool)> =
            self.lines.iter().map(|(line, call)| (line.clone(), call.is_answered())).collect();
        for (line, answered) in lines {
            if answered {
                self.hang_up_line(&line, now);
            } else {
                self.refuse_line(&line, 480, now);
            }
        }
    }

    /// Repeats unacknowledged answers, and ends what has lasted too long.
    pub(super) fn run_lines(&mut self, now: Instant) {
        let (mut sends, mut refuse, mut hang_up) = (Vec::new(), Vec::new(), Vec::new());
        for (line, call) in &mut self.lines {
            match &mut call.stage {
                Stage::Ringing { until } if *until <= now => refuse.push(line.clone()),
                Stage::Answered { give_up, .. } if *give_up <= now => hang_up.push(line.clone()),
                Stage::Answered { ok, resend, .. } if resend.at <= now => {
                    *resend = resend.next(now, T2);
                    sends.push((call.flow, ok.clone()));
                }
                Stage::Up if call.until <= now => hang_up.push(line.clone()),
                _ => {}
            }
        }
        for (flow, bytes) in sends {
            self.send_bytes(flow, bytes);
        }
        for line in refuse {
            self.refuse_line(&line, 408, now);
        }
        for line in hang_up {
            self.hang_up_line(&line, now);
        }
    }

    /// When [`Self::run_lines`] is next due.
    pub(super) fn lines_deadline(&self) -> Option<Instant> {
        let due = |call: &LineCall| match &call.stage {
            Stage::Opening => None,
            Stage::Ringing { until } => Some(*until),
            Stage::Answered { resend, give_up, .. } => Some(resend.at.min(*give_up)),
            Stage::Up => Some(call.until),
        };
        self.lines.values().filter_map(due).min()
    }
}

/// Whether a line answers: the echo line, and those on which one waits or leaves a word.
fn speaks(number: &str) -> bool {
    number == ECHO || number == VOICEMAIL || number.starts_with(PARK)
}

/// A dialog of a line by Call-ID and the caller's tag.
fn line_key(request: &Message, caller_tag: &str) -> String {
    format!("{}|{caller_tag}", request.call_id())
}
