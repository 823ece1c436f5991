//! What became of each call that was set up here, for the call records.

use std::time::{Duration, Instant};

use super::message::Message;
use super::privacy::{ANONYMOUS, caller_of};
use super::switch::{Output, Switch};
use super::uri::{Uri, tag};

/// A call that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub call_id: String,
    /// Extension that called.
    pub caller: String,
    /// What was dialled.
    pub callee: String,
    /// How long ago it began.
    pub began: Duration,
    /// How long it was talked; none where nobody answered.
    pub lasted: Option<Duration>,
    /// The caller ended it.
    pub by_caller: bool,
    /// SIP status of the INVITE.
    pub status: u16,
}

/// A call that lasts.
pub(super) struct Talk {
    call_id: String,
    caller: String,
    callee: String,
    began: Instant,
    answered: Instant,
}

impl Switch {
    /// An INVITE that opens a call is about to get its final response.
    pub(super) fn note_answer(&mut self, invite: &Message, began: Instant, status: u16, now: Instant) {
        // Whoever must say first who he is has not called yet.
        if !tag(invite.header("To")).is_empty() || matches!(status, 401 | 407) {
            return;
        }
        let call_id = invite.call_id().to_owned();
        let caller = caller_of(invite);
        let callee = Uri::parse(invite.uri()).map_or(String::new(), |uri| uri.user.to_owned());
        if status < 300 {
            return self.talks.push(Talk { call_id, caller, callee, began, answered: now });
        }
        let began = now.saturating_duration_since(began);
        let told = Told { call_id, caller, callee, began, lasted: None, by_caller: status == 487, status };
        self.out.push(Output::Told(told));
    }

    /// A BYE came from somebody, or is sent by the PBX itself.
    pub(super) fn note_end(&mut self, call_id: &str, from: &str, now: Instant) {
        let Some(place) = self.talks.iter().position(|talk| talk.call_id == call_id) else { return };
        let Talk { call_id, caller, callee, began, answered } = self.talks.remove(place);
        self.out.push(Output::Told(Told {
            call_id,
            by_caller: caller == from || from == ANONYMOUS,
            caller,
            callee,
            began: now.saturating_duration_since(began),
            lasted: Some(now.saturating_duration_since(answered)),
            status: 200,
        }));
    }
}
