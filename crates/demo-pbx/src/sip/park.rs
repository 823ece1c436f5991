//! Parking: a call that is handed on to the star code waits on a line of the PBX, until somebody takes it.

use std::time::Instant;

use super::switch::Switch;

/// Star code that parks; a place may follow.
pub const PARK: &str = "*68";
/// Star code that takes a parked call; its place may follow.
pub const RETRIEVE: &str = "*88";
/// Number of the voicemail, which here says back what it hears.
pub const VOICEMAIL: &str = "*57";

impl Switch {
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
