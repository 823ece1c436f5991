//! Sign-in by way of Microsoft, as far as the PBX remembers it. Pure: the time is handed in.

use std::time::{Duration, Instant};

use url::Url;

use crate::tickets::Tickets;

/// How long a user may take at Microsoft.
const FLOW_LIFETIME: Duration = Duration::from_secs(1800);
/// How long a code may wait for its exchange.
const CODE_LIFETIME: Duration = Duration::from_secs(300);

/// A code of ours, to be exchanged for tokens.
pub(crate) struct Exchange {
    pub user: String,
    /// Where the code was sent.
    pub callback: Url,
}

/// All sign-ins under way.
pub(crate) struct Microsoft {
    /// By `state`: where the browser goes afterwards; nowhere but the PBX's own page for an older server's form.
    pub flows: Tickets<Option<Url>>,
    /// By Microsoft's code: the user.
    pub codes: Tickets<String>,
    /// By our own code.
    pub exchanges: Tickets<Exchange>,
}

impl Microsoft {
    /// None yet.
    pub fn new() -> Self {
        Self {
            flows: Tickets::new(FLOW_LIFETIME),
            codes: Tickets::new(CODE_LIFETIME),
            exchanges: Tickets::new(CODE_LIFETIME),
        }
    }

    /// The user a code of ours is for, at the address it was sent to. It is used up.
    pub fn exchange(&mut self, code: &str, callback: Option<&str>, now: Instant) -> Option<String> {
        let exchange = self.exchanges.take(code, now)?;
        let fits = callback.is_none_or(|given| given == exchange.callback.as_str());
        fits.then_some(exchange.user)
    }
}
