//! The password of an account's TURN server, which stands in the keychain beside the account's own secrets.

use std::sync::Arc;

use secrecy::SecretString;
use sign_in::Secrets;

use super::{SignedInput, SigningIn};
use crate::AccountId;
use crate::accounts::Accounts;
use crate::actor::Input;
use crate::settings::SavedAccount;
use crate::words::of_sign_in_error;
use crate::{Event, Problem};

/// Its entry there.
pub(crate) fn entry(id: &AccountId) -> String {
    format!("{id} TURN")
}

impl SigningIn {
    /// Keeps a new password, or looks the one up that is kept; without a TURN server there is none.
    pub(super) fn keep_turn_password(&self, id: &AccountId, password: Option<SecretString>) {
        let Some(saved) = self.saved(id) else { return };
        let Some(password) = password.filter(|_| saved.connection.relays()) else {
            return if saved.connection.relays() {
                self.ask_turn_password(saved)
            } else {
                self.forget_turn_password(id)
            };
        };
        let (keeper, id, outlet) = (Arc::clone(&self.keeper), id.clone(), self.outlet.clone());
        self.outlet.landing(async move {
            let kept = keeper.save(&entry(&id), &Secrets::plain(password.clone())).await;
            if let Err(error) = kept {
                let problem: Problem = of_sign_in_error(&error);
                outlet.tell(Event::Notice { problem, call: None });
            }
            outlet.put(Input::Signed(SignedInput::TurnPassword(id, password)));
        });
    }

    /// Looks it up, where there is a TURN server.
    pub(super) fn ask_turn_password(&self, saved: &SavedAccount) {
        if !saved.connection.relays() {
            return;
        }
        let (keeper, id, outlet) = (Arc::clone(&self.keeper), saved.id.clone(), self.outlet.clone());
        self.outlet.landing(async move {
            match keeper.load(&entry(&id)).await {
                Ok(Some(Secrets { sip_password: Some(password), .. })) => {
                    outlet.put(Input::Signed(SignedInput::TurnPassword(id, password)));
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(account = %id, %error, "no password for the TURN server"),
            }
        });
    }

    /// It is known: calls go over the relay from now on, where they need one.
    pub(super) fn relay(&self, id: &AccountId, password: SecretString, accounts: &mut Accounts) {
        let Some(connection) = self.saved(id).map(|saved| saved.connection.clone()) else { return };
        if let (None, Ok(nat)) = (&self.config.nat, connection.nat(Some(password))) {
            accounts.connect(id, connection, nat);
        }
    }

    /// Deletes it.
    pub(super) fn forget_turn_password(&self, id: &AccountId) {
        let (keeper, id) = (Arc::clone(&self.keeper), id.clone());
        self.outlet.landing(async move {
            if let Err(error) = keeper.delete(&entry(&id)).await {
                tracing::info!(account = %id, %error, "the password of the TURN server was not deleted");
            }
        });
    }
}
