//! Star codes: parking (a call that is handed on to the code waits on a line of the PBX, until somebody takes it) and
//! intercom.

use std::time::Instant;

use super::switch::Switch;

/// Star code that parks; a place may follow.
pub const PARK: &str = "*68";
/// Star code that takes a parked call; its place may follow.
pub const RETRIEVE: &str = "*88";
/// Number of the voicemail, which here says back what it hears.
pub const VOICEMAIL: &str = "*57";

/// Star code before an extension whose phone is to answer by itself.
pub const INTERCOM: &str = "*80";

impl Switch {
    /// The extension an INVITE goes to; behind the intercom's code its phone is asked to answer at once.
    pub(super) fn intercom<'a>(&mut self, key: &str, number: &'a str) -> &'a str {
        let Some(extension) = number.strip_prefix(INTERCOM) else {
            return number;
        };
        if let Some(server) = self.servers.get_mut(key) {
            server.request.push("Call-Info", "<sip:intercom>;answer-after=0");
        }
        extension
    }

    /// Deals with an INVITE to take a parked call: it goes to the phone that is parked, in place of its call to the
    /// line (RFC 3891). False when the number is none of that kind.
    pub(super) fn retrieve(&mut self, key: &str, number: &str, now: Instant) -> bool {
        let Some(place) = number.strip_prefix(RETRIEVE) else {
            return false;
        };
        let parked = self.lines.values().filter(|line| line.is_answered());
        let found = parked.filter_map(|line| line.parked(place)).next();
        let (Some(parked), Some(server)) = (found, self.servers.get_mut(key)) else {
            self.answer(key, 404, now);
            return true;
        };
        server.request.push("Replaces", parked.replaces);
        self.trying(key, now);
        self.forward(key, Some(&parked.contact), parked.flow, now);
        true
    }
}
