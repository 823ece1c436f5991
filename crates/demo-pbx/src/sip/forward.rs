//! Calls to users: they ring, or go where the user's rules for his state send them.

use std::time::Instant;

use super::message::Start;
use super::park::VOICEMAIL;
use super::switch::Switch;
use crate::forwarding::{Leads, Rules};

/// A call is sent on so often at most.
const MOST: usize = 5;

/// What an extension wants done with calls.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Wishes {
    /// What was chosen as presence: `AVAILABLE`, `DO_NOT_DISTURB` and so on.
    pub presence: String,
    pub rules: Rules,
}

impl Wishes {
    /// The state as rules name it.
    fn state(&self) -> &'static str {
        match self.presence.as_str() {
            "DO_NOT_DISTURB" => "dnd",
            "AWAY" => "away",
            "LUNCH" => "lunch",
            "BUSINESS_TRIP" => "trip",
            _ => "available",
        }
    }
}

impl Switch {
    /// An INVITE to an extension: what its user's rules say.
    pub(super) fn deliver(&mut self, key: &str, extension: &str, now: Instant) {
        let wishes = self.wishes.get(extension).cloned().unwrap_or_default();
        let state = match wishes.state() {
            "available" if self.registrar.locate(extension).is_empty() => "offline",
            "available" if self.is_talking(extension) => "busy",
            state => state,
        };
        match wishes.rules.at(state) {
            None if state == "dnd" => self.answer(key, 486, now),
            None | Some(Leads::Ring) => {
                let state = if state == "busy" { "busy" } else { "available" };
                if let (Some((leads, after)), Some(server)) =
                    (wishes.rules.no_answer(state), self.servers.get_mut(key))
                {
                    (server.patience, server.unanswered) = (Some(after), Some((extension.to_owned(), leads)));
                }
                self.fork(key, extension, now);
            }
            Some(leads) => self.send_on(key, extension, &leads, state, now),
        }
    }

    /// Nobody has answered: where there is a rule for that, it is followed. Whether there is.
    pub(super) fn follow_unanswered(&mut self, key: &str, now: Instant) -> bool {
        let Some((extension, leads)) = self.servers.get_mut(key).and_then(|server| server.unanswered.take())
        else {
            return false;
        };
        self.send_on(key, &extension, &leads, "no-answer", now);
        true
    }

    fn send_on(&mut self, key: &str, from: &str, leads: &Leads, why: &str, now: Instant) {
        let number = match leads {
            Leads::Number(number) => number.as_str(),
            Leads::Voicemail => VOICEMAIL,
            Leads::Ring | Leads::HangUp => return self.answer(key, 603, now),
        };
        let (domain, reason) = (self.tenant.domain.clone(), reason(why));
        let Some(server) = self.servers.get_mut(key) else { return };
        if server.request.all("Diversion").count() >= MOST {
            return self.answer(key, 482, now);
        }
        (server.patience, server.unanswered) = (None, None);
        server.request.push_top("Diversion", format!("<sip:{from}@{domain}>;reason={reason}"));
        if let Start::Request { uri, .. } = &mut server.request.start {
            *uri = format!("sip:{number}@{domain}");
        }
        let request = server.request.clone();
        if self.answer_on_line(key, &request, number, now) {
            return;
        }
        if self.tenant.by_extension(number).is_none() {
            return self.answer(key, 404, now);
        }
        self.deliver(key, number, now);
    }

    fn is_talking(&self, extension: &str) -> bool {
        self.calls.iter().any(|call| call.has_end(extension))
            || self.lines.values().any(|line| line.is_answered() && line.seen().caller == extension)
    }
}

/// As RFC 5806, section 4 calls it.
fn reason(why: &str) -> &'static str {
    match why {
        "busy" => "user-busy",
        "no-answer" => "no-answer",
        "offline" => "unavailable",
        "dnd" => "do-not-disturb",
        "available" => "unconditional",
        _ => "away",
    }
}
