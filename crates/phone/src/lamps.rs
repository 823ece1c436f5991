//! Favourites with an extension are watched: a lamp shines beside their names.

use std::collections::BTreeSet;

use crate::AccountId;
use crate::actor::Actor;

/// Extensions watched at most: each costs the PBX two subscriptions.
const MOST: usize = 50;

/// Whom the phone watches by itself: through which account, and which extension.
#[derive(Default)]
pub(crate) struct Lamps(BTreeSet<(AccountId, String)>);

impl Actor {
    /// The contacts are others now: who is a favourite from now on is watched, who is none any more is not.
    pub(crate) fn watch_favorites(&mut self) {
        let directory = self.contacts.directory();
        self.watching.know(directory.clone());
        let favorites = directory.favorite_extensions().filter(|(account, _)| self.accounts.has(account));
        let wanted: BTreeSet<(AccountId, String)> =
            favorites.take(MOST).map(|(account, number)| (account.clone(), number.to_owned())).collect();
        for (account, number) in self.lamps.0.difference(&wanted) {
            let agent = self.accounts.agent(Some(account)).map(|(_, agent)| agent);
            // With its account, it may be gone already.
            let _ = self.watching.unwatch(account, agent.as_ref(), number);
        }
        for (account, number) in wanted.difference(&self.lamps.0) {
            let agent = self.accounts.agent(Some(account)).map(|(_, agent)| agent);
            if self.watching.watch(account.clone(), agent.as_ref(), number).is_err() {
                tracing::info!(%account, number, "a favourite cannot be watched");
            }
        }
        self.lamps.0 = wanted;
    }
}
