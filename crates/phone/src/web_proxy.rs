//! The way to servers on the web, as the user chooses it.

use crate::actor::Actor;
use crate::{AccountState, Event, Problem, WebProxyPreference};

impl Actor {
    /// Goes another way to servers on the web: connections that went the former one are made anew.
    ///
    /// # Errors
    /// The administrator does not allow it, or the address is no proxy's.
    pub(crate) fn prefer_web_proxy(&mut self, preference: &WebProxyPreference) -> Result<(), Problem> {
        self.signing_in.prefer_web_proxy(preference)?;
        let trust = self.signing_in.trust();
        self.accounts.trust(&trust);
        self.updating.trust(trust);
        for view in self.accounts.views() {
            if !matches!(view.state, AccountState::Registered { .. }) {
                let _ = self.accounts.reconnect(&view.id)
                    || self.signing_in.reconnect(&view.id, &mut self.accounts);
            }
        }
        self.outlet.tell(Event::WebProxy { preference: self.signing_in.web_proxy() });
        Ok(())
    }
}
