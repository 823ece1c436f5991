//! Callers who do not want to be known to whom they call: those who ask with `Privacy: id` (RFC 3323, RFC 3325), and
//! those who dial the star code before the number.

use super::message::{Message, Start};
use super::switch::{Switch, user_of};
use super::uri::tag;

/// Star code before a number: whoever is called there does not learn who calls.
pub const HIDE: &str = "*67";

/// Who sends within a call and is not to be known.
pub(super) const ANONYMOUS: &str = "anonymous";
/// Host of who is not to be known (RFC 3323, section 4.1.1.3).
const NOBODY: &str = "anonymous.invalid";

/// Whether the caller asks not to be known.
pub(super) fn is_private(request: &Message) -> bool {
    request.all("Privacy").flat_map(|value| value.split(';')).any(|kind| kind.trim() == "id")
}

/// The extension that sends a request: where its From is anonymous, the one that it wants to be for the PBX alone.
pub(super) fn caller_of(request: &Message) -> String {
    let anonymous = request.header("From").is_some_and(|from| from.contains(NOBODY)) && is_private(request);
    user_of(request.header(if anonymous { "P-Preferred-Identity" } else { "From" }))
}

/// Takes out of a request who it is from.
fn withhold(request: &mut Message) {
    let from = format!("\"Anonymous\" <sip:{ANONYMOUS}@{NOBODY}>;tag={}", tag(request.header("From")));
    request.set("From", from);
    for name in ["P-Preferred-Identity", "P-Asserted-Identity", "Remote-Party-ID", "X-Outbound-Cli"] {
        request.remove_if(name, |_| true);
    }
}

impl Switch {
    /// The number an INVITE goes to; behind the star code its caller is not told to anybody.
    pub(super) fn hide<'a>(&mut self, key: &str, number: &'a str) -> &'a str {
        let Some(hidden) = number.strip_prefix(HIDE).filter(|number| !number.is_empty()) else {
            return number;
        };
        if let Some(server) = self.servers.get_mut(key) {
            server.request.push("Privacy", "id");
            if let Start::Request { uri, .. } = &mut server.request.start {
                *uri = uri.replacen(HIDE, "", 1);
            }
        }
        hidden
    }

    /// Takes out of a request that leaves who it is from, where that is nobody's business.
    pub(super) fn keep_to_itself(&self, request: &mut Message) {
        let opens = tag(request.header("To")).is_empty() && is_private(request);
        if opens || self.calls.iter().any(|call| call.hides_sender(request)) {
            withhold(request);
        }
    }
}
