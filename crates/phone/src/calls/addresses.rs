//! Addresses that the other end finds after it has described itself (trickle ICE, RFC 8840).

use media::sdp::{TRICKLE, Trickle};

use super::Calls;
use super::call::Sound;
use crate::CallId;

impl Calls {
    /// More addresses of theirs. What comes before the voice path has the call waits for that; every message names all
    /// those before (RFC 8840, section 4.4), so the last one is enough.
    pub(super) fn trickled(&mut self, id: CallId, fragment: &str) {
        let Some(later) = Trickle::parse(fragment) else {
            return tracing::debug!("candidates that cannot be read");
        };
        let Some(call) = self.table.get_mut(&id) else { return };
        match (&call.sound, &self.voice) {
            (Sound::Joined, Some(voice)) => voice.trickle(id, later),
            (Sound::None | Sound::Preparing | Sound::Bound(_), _) => call.trickled = Some(later),
            (Sound::Joined | Sound::Leaving(_), _) => {}
        }
    }
}

/// Whether an INFO brings such addresses.
pub(super) fn is_trickle(content_type: &str) -> bool {
    content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(TRICKLE))
}
